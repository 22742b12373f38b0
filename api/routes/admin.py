"""Physical deletion (ITS-REST, Admin API), and the joining of two EHRs of one woman (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from api.openapi import errors, request_body
from api.routes.composition import EhrId, ObjectId
from archetypes.rm.canonical_json import read_canonical
from cdr import compositions, ehrs, joining
from cdr.joining import Join
from cdr.versions import JsonObject, Kind, iso

router = APIRouter(prefix="/admin", tags=["Admin"])
dev_router = APIRouter(prefix="/admin", tags=["Admin"])


class Erasable(StrEnum):
    """What can be erased alone, as addresses name it; an EHR_STATUS goes with its EHR only."""

    COMPOSITION = "composition"
    DIRECTORY = "directory"

    @property
    def kind(self) -> Kind:
        """The class of the model."""
        return Kind.COMPOSITION if self is Erasable.COMPOSITION else Kind.FOLDER


@dev_router.delete(
    "/ehr/all",
    summary="Empty the server of EHRs",
    status_code=204,
    response_class=Response,
    responses=errors(404, 410),
)
async def delete_ehrs(
    ctx: Context,
    ehr_ids: Annotated[list[str] | None, Query(alias="ehr_id", description="Only these EHRs.")] = None,
) -> Response:
    """Development servers only. Erases every EHR, or those that `ehr_id` names; templates stay."""
    if ehr_ids is None:
        await ehrs.delete_all_ehrs(ctx)
    for ehr_id in ehr_ids or ():
        await ehrs.erase_ehr(ctx, ehr_id)
    return Response(status_code=204)


@router.delete(
    "/ehr/{ehr_id}", summary="Erase an EHR", status_code=204, response_class=Response, responses=errors(404)
)
async def delete_ehr(ctx: Context, ehr_id: EhrId) -> Response:
    """Nothing of it remains but its audit and a keyed hash of its id, which is never used again."""
    await ehrs.erase_ehr(ctx, ehr_id)
    return Response(status_code=204)


@router.get(
    "/ehr/{ehr_id}/joins", summary="Get the EHRs that are part of this one", responses=errors(404, 406)
)
async def get_joins(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Since when, by whom and why."""
    accepted(request, JSON)
    return json_answer(_shown(await joining.get_joins(ctx, ehr_id)))


@router.post(
    "/ehr/{ehr_id}/joins",
    summary="Join another EHR of the same woman into this one",
    responses=errors(400, 404, 406, 409, 412, 413, 415),
    openapi_extra=request_body(
        JSON,
        example={
            "ehr_id": "7d44b88c-4199-4bad-97dc-d78268e01398",
            "reason": "D-number before",
        },
    ),
)
async def join_ehrs(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Every version moves with its uid and audit; the stricter restrictions hold. Undone by DELETE.

    Whoever uses the old id afterwards gets 410 `ehr.joined` with the new one.
    """
    accepted(request, JSON)
    asked = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    return json_answer(
        _shown(await joining.join_ehrs(ctx, ehr_id, _text(asked, "ehr_id"), reason=_text(asked, "reason")))
    )


@router.delete(
    "/ehr/{ehr_id}/joins/{joined_ehr_id}",
    summary="Split a joined EHR off again",
    responses=errors(404, 406, 409),
)
async def split_ehrs(request: Request, ctx: Context, ehr_id: EhrId, joined_ehr_id: EhrId) -> Response:
    """It has all its versions again, and what was added to its objects since; the other joins come back."""
    accepted(request, JSON)
    return json_answer(_shown(await joining.split_ehrs(ctx, ehr_id, joined_ehr_id)))


@router.delete(
    "/ehr/{ehr_id}/{erasable}/{versioned_object_uid}",
    summary="Erase a composition or a directory",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404),
)
async def delete_object(
    ctx: Context, ehr_id: EhrId, erasable: Erasable, versioned_object_uid: ObjectId
) -> Response:
    """All its versions and tags, and what contributions say of it; its id is never used again."""
    await compositions.erase_object(ctx, ehr_id, versioned_object_uid, erasable.kind)
    return Response(status_code=204)


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MalformedRequest("request.bad", f"/{name} must be a text")
    return value


def _shown(joins: Sequence[Join]) -> list[dict[str, Any]]:
    return [
        {"ehr_id": join.ehr_id, "since": iso(join.at), "by": join.by, "reason": join.reason} for join in joins
    ]
