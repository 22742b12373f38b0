"""The two clients: they send operations, and again where that is safe and no answer came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Self, TypeVar

import httpx

from api.client.errors import ClientError, NoAnswer, refusal
from api.client.operation import Ask, Operation, Stream

T = TypeVar("T")
TRIES = 4
FIRST_PAUSE = 0.2  # seconds; each further one is twice as long
_TRY_AGAIN = (502, 503, 504)
Answer = httpx.Response | httpx.TransportError


class Client:
    """A connection to one server; close it, or use it in a ``with`` block.

    ``base_url`` is the address of the server without ``/openehr/v1``; ``auth`` adds what the server asks for
    (any ``httpx.Auth``); ``language`` is that of the texts of findings, ``nb`` or ``en``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        language: str = "en",
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept-Language": language}
        self._http = httpx.Client(
            base_url=base_url, auth=auth, headers=headers, timeout=timeout, transport=transport
        )

    def send(self, operation: Operation[T]) -> T:
        """What the server answers. Raises Refused (and its kinds), NoAnswer."""
        request = _request(self._http, operation)
        for tried in range(1, TRIES + 1):
            answer = self._answer(request)
            if not _try_again(operation, answer, tried):
                break
            time.sleep(_pause(tried))
        return _read(operation, answer, tried)

    def stream(self, stream: Stream[T]) -> Iterator[T]:
        """What the server answers, while it answers. Raises as :meth:`send`, also on the way."""
        try:
            response = self._http.send(_request(self._http, stream), stream=True)
            with closing(response):
                if response.is_error:
                    response.read()
                    raise refusal(response)
                yield from _decoded(stream, response.iter_lines())
        except httpx.TransportError as error:
            raise NoAnswer(str(stream), 1, str(error)) from error

    def _answer(self, request: httpx.Request) -> Answer:
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            return error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """The same as :class:`Client`, for asyncio."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        language: str = "en",
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"Accept-Language": language}
        self._http = httpx.AsyncClient(
            base_url=base_url, auth=auth, headers=headers, timeout=timeout, transport=transport
        )

    async def send(self, operation: Operation[T]) -> T:
        """What the server answers. Raises Refused (and its kinds), NoAnswer."""
        request = _request(self._http, operation)
        for tried in range(1, TRIES + 1):
            answer = await self._answer(request)
            if not _try_again(operation, answer, tried):
                break
            await asyncio.sleep(_pause(tried))
        return _read(operation, answer, tried)

    async def stream(self, stream: Stream[T]) -> AsyncIterator[T]:
        """What the server answers, while it answers. Raises as :meth:`send`, also on the way."""
        decode = stream.decoder()
        try:
            response = await self._http.send(_request(self._http, stream), stream=True)
            async with aclosing(response):
                if response.is_error:
                    await response.aread()
                    raise refusal(response)
                async for line in response.aiter_lines():
                    if (found := decode(line)) is not None:
                        yield found
        except httpx.TransportError as error:
            raise NoAnswer(str(stream), 1, str(error)) from error

    async def _answer(self, request: httpx.Request) -> Answer:
        try:
            return await self._http.send(request)
        except httpx.TransportError as error:
            return error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _request(http: httpx.Client | httpx.AsyncClient, ask: Ask) -> httpx.Request:
    return http.build_request(
        ask.method, ask.path, params=dict(ask.params), headers=dict(ask.headers), content=ask.content
    )


def _decoded(stream: Stream[T], lines: Iterable[str]) -> Iterator[T]:
    decode = stream.decoder()
    return (found for line in lines if (found := decode(line)) is not None)


def _try_again(operation: Operation[T], answer: Answer, tried: int) -> bool:
    """Is it safe and of use to send this once more?"""
    failed = isinstance(answer, httpx.TransportError) or answer.status_code in _TRY_AGAIN
    return failed and operation.repeatable and tried < TRIES


def _pause(tried: int) -> float:
    return FIRST_PAUSE * float(2 ** (tried - 1))


def _read(operation: Operation[T], answer: Answer, tries: int) -> T:
    if isinstance(answer, httpx.TransportError):
        raise NoAnswer(str(operation), tries, str(answer)) from answer
    if not answer.is_success:
        raise refusal(answer)
    try:
        return operation.read(answer)
    except (KeyError, ValueError, TypeError) as error:
        raise ClientError(f"{operation}: an answer of another form: {error!r}") from error
