"""Compositions in every format of the API: canonical JSON and XML, FLAT and STRUCTURED.

The format of a body is named by Content-Type, that of an answer by Accept, or both by the parameter
``format``. A FLAT or STRUCTURED body names its template by the header ``openehr-template-id`` or by the
parameter ``templateId``, for nothing in the body does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import orjson
from starlette.requests import Request

from api.bodies import read_body
from api.http_errors import MalformedRequest
from api.negotiation import JSON, XML, Preference, accepted, content_type, preference
from api.representations import read_bytes, represent, represent_payload
from archetypes.rm.canonical_json import read_canonical
from cdr.compositions import Check
from cdr.context import Ctx
from cdr.store.documents import NewVersion
from cdr.versions import JsonObject, StoredVersion
from templates.operational import OperationalTemplate
from templates.simplified import from_flat, from_structured, to_flat, to_structured

FLAT = "application/openehr.wt.flat+json"
STRUCTURED = "application/openehr.wt.structured+json"
# The names of ITS-REST 1.0.3, which clients still send.
OLD_FLAT = "application/openehr.wt.flat.schema+json"
OLD_STRUCTURED = "application/openehr.wt.structured.schema+json"
MEDIA_TYPES = (JSON, XML, FLAT, STRUCTURED, OLD_FLAT, OLD_STRUCTURED)

_BY_PARAMETER: Mapping[str, str] = {"JSON": JSON, "XML": XML, "FLAT": FLAT, "STRUCTURED": STRUCTURED}
_READERS: Mapping[str, Callable[[OperationalTemplate, JsonObject], JsonObject]] = {
    FLAT: from_flat,
    OLD_FLAT: from_flat,
    STRUCTURED: from_structured,
    OLD_STRUCTURED: from_structured,
}
_WRITERS: Mapping[str, Callable[[OperationalTemplate, JsonObject], JsonObject]] = {
    FLAT: to_flat,
    OLD_FLAT: to_flat,
    STRUCTURED: to_structured,
    OLD_STRUCTURED: to_structured,
}


def composition_format(request: Request) -> str:
    """The media type of the answer. Raises NotAcceptable, MalformedRequest."""
    return _format_parameter(request) or accepted(request, *MEDIA_TYPES)


async def read_composition(request: Request, ctx: Ctx) -> JsonObject:
    """The composition in the body as a canonical one; not validated.

    Raises UnsupportedMediaType, BodyTooLarge, MalformedRequest, MalformedJson, MalformedXml,
    UnknownTemplate, FlatRefused.
    """
    body = await read_body(request, *MEDIA_TYPES, limit=ctx.settings.body_limit)
    media_type = _format_parameter(request) or _body_format(request)
    read = _READERS.get(media_type)
    if read is None:
        return read_bytes(body, media_type, "COMPOSITION")
    value = read_canonical(body)
    return read(await ctx.templates.get(_template_id(request)), value)


async def composition_reader(
    ctx: Ctx, form: str, template_id: str | None
) -> Callable[[JsonObject], JsonObject]:
    """What makes canonical compositions from objects in the format of that name: JSON, FLAT, STRUCTURED.

    Raises MalformedRequest, UnknownTemplate; the function raises FlatRefused.
    """
    media_type = _BY_PARAMETER.get(form.upper())
    if media_type in (None, XML):
        raise MalformedRequest(
            "parameter.malformed", f"format: {form[:40]!r} is none of JSON, FLAT, STRUCTURED"
        )
    read = _READERS.get(media_type or "")
    if read is None:
        return lambda composition: composition
    if template_id is None:
        raise MalformedRequest("flat.no_template", "name the template of the line by template_id")
    return partial(read, await ctx.templates.get(template_id))


def answerable(request: Request, ctx: Ctx, media_type: str) -> Check | None:
    """What makes sure, before a version is stored, that it can be said in the answer that the client prefers.

    The function raises NotSayable.
    """
    if media_type not in _WRITERS or preference(request) is not Preference.REPRESENTATION:
        return None

    async def check(version: NewVersion) -> None:
        (await composition_writer(ctx, version, media_type))()

    return check


async def composition_writer(
    ctx: Ctx, version: StoredVersion | NewVersion, media_type: str
) -> Callable[[], bytes]:
    """What makes the body of an answer from a version, when it is wanted.

    The function raises NotSayable for a composition that FLAT has no words for.
    """
    payload, template_id = version.payload, version.template_id
    if media_type not in _WRITERS or payload is None or template_id is None:
        return lambda: represent_payload(payload, media_type)
    opt = await ctx.templates.get(template_id)
    return lambda: represent_composition(opt, orjson.loads(payload), media_type)


def represent_composition(opt: OperationalTemplate, composition: JsonObject, media_type: str) -> bytes:
    """A composition of the template in any of the formats. Raises NotSayable."""
    write = _WRITERS.get(media_type)
    return represent(composition, media_type) if write is None else orjson.dumps(write(opt, composition))


def _body_format(request: Request) -> str:
    return next((name for name in MEDIA_TYPES if content_type(request, name)), JSON)


def _format_parameter(request: Request) -> str | None:
    wanted = request.query_params.get("format")
    if wanted is None:
        return None
    if wanted.upper() not in _BY_PARAMETER:
        known = ", ".join(_BY_PARAMETER)
        raise MalformedRequest("parameter.malformed", f"format: {wanted!r} is none of {known}")
    return _BY_PARAMETER[wanted.upper()]


def _template_id(request: Request) -> str:
    named = request.query_params.get("templateId") or request.headers.get("openehr-template-id")
    if not named:
        raise MalformedRequest(
            "flat.no_template", "name the template by the header openehr-template-id or ?templateId="
        )
    return named
