"""Objects of the reference model in the formats of the API: canonical JSON and canonical XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from api.bodies import read_optional_body
from api.http_errors import MalformedRequest
from api.negotiation import JSON, XML, accepted, content_type
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.canonical_xml import read_canonical_xml, read_contribution_xml, write_canonical_xml
from cdr.versions import JsonObject

# Root elements with a name of their own in the published schemas, and their declared type there.
_ROOTS: Mapping[str, tuple[str, str]] = {"ORIGINAL_VERSION": ("version", "VERSION")}


def answer_format(request: Request) -> str:
    """The media type that the client wants an object in. Raises NotAcceptable."""
    return accepted(request, JSON, XML)


async def read_object(request: Request, rm_type: str, *, limit: int) -> JsonObject:
    """The object in the body, in the format that Content-Type names; not validated.

    Raises UnsupportedMediaType, BodyTooLarge, MalformedRequest (no body), MalformedJson, MalformedXml.
    """
    value = await read_optional_object(request, rm_type, limit=limit)
    if value is None:
        raise MalformedRequest("body.missing", f"the request has no body; send {JSON} or {XML}")
    return value


async def read_optional_object(request: Request, rm_type: str, *, limit: int) -> JsonObject | None:
    """As ``read_object``; None when there is no body."""
    body = await read_optional_body(request, JSON, XML, limit=limit)
    if not body.strip():
        return None
    return read_bytes(body, XML if content_type(request, XML) else JSON, rm_type)


def read_bytes(body: bytes, media_type: str, rm_type: str) -> JsonObject:
    """The object in a body of ``media_type``. Raises MalformedJson, MalformedXml."""
    if media_type != XML:
        return read_canonical(body)
    return read_contribution_xml(body) if rm_type == "CONTRIBUTION" else read_canonical_xml(body, rm_type)


def represent(value: Mapping[str, Any], media_type: str) -> bytes:
    """An object with ``_type`` as bytes in ``media_type``."""
    if media_type == JSON:
        return orjson.dumps(value)
    rm_type = str(value["_type"])
    element, declared = _ROOTS.get(rm_type, (rm_type.lower(), rm_type))
    return write_canonical_xml(value, declared, element)


def represent_payload(payload: bytes | None, media_type: str) -> bytes:
    """A stored payload (canonical JSON) in ``media_type``: JSON as it lies in the store."""
    if payload is None or media_type == JSON:
        return payload or b""
    return represent(orjson.loads(payload), media_type)
