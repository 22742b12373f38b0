"""What surrounds every request: one log line, and the answer when something unforeseen breaks."""

from __future__ import annotations

import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import BASE_PATH
from api.errors import internal_error
from api.log import code_places

_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")

_FILES = ("/static/", "/docs-files/")

log = structlog.get_logger("helsekort.http")


class RequestGuard:
    """ASGI middleware: logs method, route, status and time; turns an unforeseen exception into a 500.

    The log names the route (``/ehr/{ehr_id}``), never the path, since identifiers may name a person.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope = _without_trailing_slash(scope)
        status = 0

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_extra_headers(scope)]
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except Exception as error:  # noqa: BLE001 - the last resort of the server: nothing may pass
            incident = str(uuid.uuid4())
            log.error(
                "request.broke",
                incident=incident,
                route=_route(scope),
                error=type(error).__name__,
                at=code_places(error),
            )
            if status:  # too late for another answer: the connection is cut
                raise ConnectionAbortedError(incident) from None
            await internal_error(incident)(scope, receive, observed_send)
        elapsed = round((time.perf_counter() - started) * 1000, 1)
        log.info("request", method=scope["method"], route=_route(scope), status=status, ms=elapsed)


def _without_trailing_slash(scope: Scope) -> Scope:
    """``/ehr/`` is ``/ehr``: some clients write every address so."""
    path: str = scope["path"]
    return {**scope, "path": path.rstrip("/")} if path.startswith(f"{BASE_PATH}/") else scope


def _extra_headers(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """Nobody on the way keeps an answer of the record; browsers take the media type at its word."""
    return (_NO_SNIFF,) if scope["path"].startswith(_FILES) else (_NO_SNIFF, _NO_STORE)


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", "no such route"))
