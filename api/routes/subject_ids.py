"""Ids of the subject of an EHR with their periods, and the EHR of an id without the id in an address.

Ours: ITS-REST knows one id, that of EHR_STATUS, and looks it up by parameters of a GET.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.answers import json_answer, object_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted, etag
from api.openapi import RM_FORMATS, bodies, errors, request_body
from api.representations import answer_format
from api.routes.composition import EhrId
from archetypes.rm.canonical_json import read_canonical
from cdr import ehrs, subjects
from cdr.context import Ctx
from cdr.subjects import SubjectId
from cdr.versions import iso

router = APIRouter(tags=["EHR"])

_NATIONAL = "2.16.578.1.12.4.1.4.1"
_FIND = {"subject_namespace": _NATIONAL, "subject_id": "..."}
_ID = {"namespace": "2.16.578.1.12.4.1.4.2", "id": "...", "until": "2026-03-01T00:00:00+01:00"}


Model = TypeVar("Model", bound=BaseModel)


class Named(BaseModel):
    """An id of a subject, as a body names it."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    namespace: str = Field(min_length=1, max_length=subjects.LONGEST)
    id: str = Field(min_length=1, max_length=subjects.LONGEST)


class Period(Named):
    """An id with the time in which it was hers; times have a zone."""

    model_config = ConfigDict(strict=False)

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@router.post(
    "/ehr/find",
    summary="Find the EHR of a subject, with the id in the body",
    responses=errors(400, 404, 406, 413, 415) | bodies(*RM_FORMATS),
    openapi_extra=request_body(JSON, example=_FIND),
)
async def find_ehr(request: Request, ctx: Context) -> Response:
    """As `GET /ehr`, but no id stands in an address, where logs would keep it. Any id of hers will do."""
    media_type = answer_format(request)
    asked = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    subject_id, namespace = (_text(asked, name) for name in ("subject_id", "subject_namespace"))
    ehr = await ehrs.get_ehr_by_subject(ctx, subject_id, namespace)
    return object_answer(ehr.to_canonical(), media_type, headers={"ETag": etag(ehr.ehr_id)})


@router.get(
    "/ehr/{ehr_id}/subject_ids", summary="Get the ids of the subject", responses=errors(400, 404, 406)
)
async def get_subject_ids(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """The one in force, which EHR_STATUS names, and those of other times with their periods."""
    accepted(request, JSON)
    return json_answer(_shown(await subjects.get_subject_ids(ctx, ehr_id)))


@router.post(
    "/ehr/{ehr_id}/subject_ids",
    summary="Give the EHR an id of another time",
    responses=errors(400, 404, 406, 409, 413, 415, 422),
    openapi_extra=request_body(JSON, example=_ID),
)
async def add_subject_id(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """`namespace` and `id`, with `since` and `until` where they are known; all ids come back."""
    accepted(request, JSON)
    added = await _read(request, ctx, Period)
    known = await subjects.add_subject_id(
        ctx, ehr_id, added.namespace, added.id, since=added.since, until=added.until
    )
    return json_answer(_shown(known))


@router.post(
    "/ehr/{ehr_id}/subject_ids/withdraw",
    summary="Take an id from the EHR",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 413, 415),
    openapi_extra=request_body(JSON, example={"namespace": _NATIONAL, "id": "..."}),
)
async def withdraw_subject_id(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """One that was never hers; that of EHR_STATUS is changed by EHR_STATUS (409)."""
    accepted(request, JSON)
    named = await _read(request, ctx, Named)
    await subjects.withdraw_subject_id(ctx, ehr_id, named.namespace, named.id)
    return Response(status_code=204)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedRequest("request.bad", f"/{name} must be a text")
    return value


async def _read(request: Request, ctx: Ctx, model: type[Model]) -> Model:
    """The body as this model. Raises MalformedRequest, which does not repeat any value."""
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    try:
        return model.model_validate(body)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(map(str, fault["loc"]))
        raise MalformedRequest("request.bad", f"/{place}: {fault['msg']}") from None


def _shown(known: Sequence[SubjectId]) -> list[dict[str, Any]]:
    return [
        {
            "namespace": one.namespace,
            "id": one.id,
            "in_force": one.in_force,
            "since": _time(one.since),
            "until": _time(one.until),
        }
        for one in known
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
