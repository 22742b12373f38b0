"""The HTTP protocol of the server process: bounded headers, and refusals in the one body shape."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# More than any sound request needs, and at least what one read from a socket can bring (256 KiB).
MAX_HEADER_BYTES = 512 * 1024


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's fast protocol, which by itself would collect headers without end."""

    _in_headers = True
    _header_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; cuts the connection when the headers of a request do not end."""
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(HTTPStatus(431), "headers.too_large", "the headers of the request are too large")
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The headers of a request are there; its body follows and is bounded by the routes."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request ends; the next one begins with its headers."""
        self._in_headers = True
        self._header_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "http.malformed", msg)

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        body = orjson.dumps({"message": message, "code": code, "validationErrors": [], "findings": []})
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
