"""Bodies are read up to the limit and not a byte further."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from api.bodies import read_body, read_optional_body
from api.http_errors import BodyTooLarge, MalformedRequest

LIMIT = 100
CHUNK = b"x" * 30


class Sender:
    """A client that sends chunks and counts how many were taken from it."""

    def __init__(self, chunks: int) -> None:
        self.taken = 0
        self._messages = self._send(chunks)

    def _send(self, chunks: int) -> Iterator[Message]:
        for number in range(chunks):
            self.taken += 1
            yield {"type": "http.request", "body": CHUNK, "more_body": number < chunks - 1}
        yield {"type": "http.request", "body": b"", "more_body": False}

    async def receive(self) -> Message:
        return next(self._messages)


def request_of(sender: Sender, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-type", b"application/json"))
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, sender.receive)


def test_a_body_within_the_limit_is_read_whole() -> None:
    assert asyncio.run(read_body(request_of(Sender(3)), limit=LIMIT)) == CHUNK * 3


def test_an_announced_body_over_the_limit_is_not_read_at_all() -> None:
    sender = Sender(50)
    with pytest.raises(BodyTooLarge, match="100 bytes"):
        asyncio.run(read_body(request_of(sender, content_length="1500"), limit=LIMIT))
    assert sender.taken == 0


def test_a_body_without_length_is_read_no_further_than_the_limit() -> None:
    sender = Sender(50)
    with pytest.raises(BodyTooLarge):
        asyncio.run(read_body(request_of(sender), limit=LIMIT))
    assert sender.taken == 4


def test_an_absent_body_is_an_error_where_one_is_needed() -> None:
    with pytest.raises(MalformedRequest, match="no body") as caught:
        asyncio.run(read_body(request_of(Sender(0)), limit=LIMIT))
    assert caught.value.code == "body.missing"
    assert asyncio.run(read_optional_body(request_of(Sender(0)), limit=LIMIT)) == b""
