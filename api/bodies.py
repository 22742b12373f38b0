"""Reading request bodies: never more bytes than the limit, whatever the headers say."""

from __future__ import annotations

from starlette.requests import Request

from api.http_errors import BodyTooLarge, MalformedRequest
from api.negotiation import JSON, require_content_type


async def read_body(request: Request, *media_types: str, limit: int) -> bytes:
    """The body of a request in one of ``media_types`` (JSON when none is named).

    Raises UnsupportedMediaType, BodyTooLarge (also while reading, for a body without Content-Length) and
    MalformedRequest when there is no body.
    """
    body = await read_optional_body(request, *media_types, limit=limit)
    if not body.strip():
        raise MalformedRequest(
            "body.missing", f"the request has no body; send {' or '.join(media_types or (JSON,))}"
        )
    return body


async def read_optional_body(request: Request, *media_types: str, limit: int) -> bytes:
    """As ``read_body``, but an absent body is ``b""`` whatever its media type."""
    body = await _read_limited(request, limit)
    if body:
        require_content_type(request, *(media_types or (JSON,)))
    return body


async def _read_limited(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLarge(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        chunks.append(chunk)
    body = b"".join(chunks)
    request.state.body = body  # as it was sent, for whoever must know it again (api.repeats)
    return body
