"""Compressed bodies in both directions (gzip, zstd), and HEAD as a GET without a body (RFC 9110)."""

from __future__ import annotations

import gzip
import io
import zlib

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.caller import SENT_METHOD
from api.errors import error_response
from api.http_errors import BodyTooLarge, MalformedRequest, RequestError, UnsupportedMediaType

SMALLEST = 1024  # bytes of an answer that is worth packing
_LEVEL = 3
_CODINGS = ("zstd", "gzip")


class Coding:
    """ASGI middleware; ``limit`` is the most bytes that a body may have, packed and unpacked."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope, receive = await self._unpacked(scope, receive)
        except RequestError as error:
            status = {BodyTooLarge: 413, UnsupportedMediaType: 415}.get(type(error), 400)
            answer = error_response(Request(scope), status, error.code, str(error))
            await answer(scope, receive, send)
            return
        answering = _Answer(send, Headers(scope=scope), head=scope["method"] == "HEAD")
        asked = {**scope, "method": "GET", SENT_METHOD: "HEAD"} if answering.head else scope
        await self._app(asked, receive, answering.send)
        # The log names the route, which the router wrote into the scope that it was given.
        scope["route"] = asked.get("route")

    async def _unpacked(self, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        coding = Headers(scope=scope).get("content-encoding", "identity").strip().lower()
        if coding == "identity":
            return scope, receive
        if coding not in _CODINGS:
            raise UnsupportedMediaType(f"Content-Encoding {coding[:100]}", " or ".join(_CODINGS))
        body = _unpack(await _read(receive, self._limit), coding, self._limit)
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-encoding", b"content-length")]
        headers = [*kept, (b"content-length", str(len(body)).encode())]
        sent = False

        async def unpacked_receive() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        scope["headers"] = headers
        return scope, unpacked_receive


async def _read(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if sum(map(len, chunks)) > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _unpack(body: bytes, coding: str, limit: int) -> bytes:
    """What the body unpacks to, never more than ``limit`` bytes. Raises BodyTooLarge, MalformedRequest."""
    try:
        with _reader(body, coding) as source:
            unpacked = source.read(limit + 1)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise MalformedRequest("body.not_unpacked", f"the body is not {coding}") from error
    if len(unpacked) > limit:
        raise BodyTooLarge(limit)
    return unpacked


def _reader(body: bytes, coding: str) -> gzip.GzipFile | zstandard.ZstdDecompressionReader:
    if coding == "gzip":
        return gzip.GzipFile(fileobj=io.BytesIO(body))
    window = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    return window.stream_reader(body)


class _Answer:
    """Passes an answer on: packed if it is large and whole, without body for HEAD."""

    def __init__(self, send: Send, headers: Headers, *, head: bool) -> None:
        self._send = send
        self._coding = _wanted(headers.get("accept-encoding", ""))
        self._start: Message | None = None
        self.head = head

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            if not more:
                body = self._packed(start, body)
            await self._send(start)
        await self._send({**message, "body": b"" if self.head else body})

    def _packed(self, start: Message, body: bytes) -> bytes:
        """The body as the client takes it, and headers that say so."""
        headers = MutableHeaders(scope=start)
        if len(body) < SMALLEST or "content-encoding" in headers:
            return body
        headers.add_vary_header("Accept-Encoding")
        if self._coding is None:
            return body
        packed = zstandard.compress(body, _LEVEL) if self._coding == "zstd" else gzip.compress(body, _LEVEL)
        headers["Content-Encoding"] = self._coding
        headers["Content-Length"] = str(len(packed))
        return packed


def _wanted(header: str) -> str | None:
    """The first of our codings that the client takes."""
    taken: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, weight = part.strip().partition(";")
        try:
            taken[name.strip()] = float(weight.partition("=")[2] or 1)
        except ValueError:
            taken[name.strip()] = 0.0
    return next((coding for coding in _CODINGS if taken.get(coding, 0.0) > 0), None)
