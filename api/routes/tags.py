"""ITEM_TAG (ITS-REST 1.1, EHR API)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, Preference, accepted, preference
from api.openapi import PREFER, bodies, errors, parameters, request_body
from api.routes.composition import EhrId
from archetypes.rm.canonical_json import read_canonical
from cdr import tags
from cdr.versions import JsonObject, Kind

router = APIRouter(tags=["ITEM_TAG"])


class Tagged(StrEnum):
    """What can have tags, as addresses name it."""

    COMPOSITION = "composition"
    EHR_STATUS = "ehr_status"


Target = Annotated[str, Path(description="Id of the object, or of one version of it.")]
_BODY = request_body(
    JSON, example=[{"key": "flag", "value": "follow-up", "target_path": "/context/start_time"}]
)


@router.get("/ehr/{ehr_id}/tags", summary="Find tags in an EHR", responses=errors(400, 404, 406))
async def get_ehr_tags(
    request: Request,
    ctx: Context,
    ehr_id: EhrId,
    tag_key: Annotated[str | None, Query(description="Only tags with this key.")] = None,
    tag_value: Annotated[str | None, Query(description="Only tags with this value.")] = None,
    tag_target_path: Annotated[str | None, Query(description="Only tags on this path.")] = None,
) -> Response:
    """Of all objects and versions; an empty list when there are none."""
    accepted(request, JSON)
    found = await tags.get_ehr_tags(ctx, ehr_id, key=tag_key, value=tag_value, path=tag_target_path)
    return json_answer(_shown(ehr_id, found))


@router.get(
    "/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags", summary="Get the tags", responses=errors(400, 404, 406)
)
async def get_tags(
    request: Request, ctx: Context, ehr_id: EhrId, tagged: Tagged, uid_based_id: Target
) -> Response:
    """Those of the object, or those of one version."""
    accepted(request, JSON)
    return json_answer(_shown(ehr_id, await tags.get_tags(ctx, ehr_id, Kind(tagged.upper()), uid_based_id)))


@router.put(
    "/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags",
    summary="Replace the tags",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 406, 413, 415) | bodies(JSON),
    openapi_extra={**_BODY, **parameters(PREFER)},
)
async def set_tags(
    request: Request, ctx: Context, ehr_id: EhrId, tagged: Tagged, uid_based_id: Target
) -> Response:
    """The list is all that there will be; an empty list removes them."""
    accepted(request, JSON)
    wanted = _read(await read_body(request, limit=ctx.settings.body_limit))
    stored = await tags.set_tags(ctx, ehr_id, Kind(tagged.upper()), uid_based_id, wanted)
    if preference(request) is Preference.REPRESENTATION:
        return json_answer(
            _shown(ehr_id, stored), headers={"Preference-Applied": f"return={Preference.REPRESENTATION}"}
        )
    return Response(status_code=204)


@router.delete(
    "/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags/{key}",
    summary="Delete the tags with a key",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404),
)
async def delete_tag(ctx: Context, ehr_id: EhrId, tagged: Tagged, uid_based_id: Target, key: str) -> Response:
    """Of the object, or of one version."""
    await tags.delete_tag(ctx, ehr_id, Kind(tagged.upper()), uid_based_id, key)
    return Response(status_code=204)


def _read(body: bytes) -> list[JsonObject]:
    """A JSON list of objects, within the limits of canonical JSON."""
    value: Any = read_canonical(b'{"tags":' + body + b"}")["tags"]
    if not isinstance(value, list) or not all(isinstance(tag, dict) for tag in value):
        raise MalformedRequest("request.bad", "the body must be a list of tags")
    return value


def _shown(ehr_id: str, found: Sequence[tags.Tag]) -> list[JsonObject]:
    return [tag.to_canonical(ehr_id) for tag in found]
