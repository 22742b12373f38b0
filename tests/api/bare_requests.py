"""Requests without a server, for tests of what reads their headers."""

from __future__ import annotations

from starlette.requests import Request


def request_with(**headers: str) -> Request:
    """A GET request with these headers; ``_`` in a name stands for ``-``."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return request_with_raw(raw)


def request_with_raw(raw: list[tuple[bytes, bytes]]) -> Request:
    """A GET request with these header lines as they are."""
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})
