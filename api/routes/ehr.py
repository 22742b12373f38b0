"""EHR and EHR_STATUS (ITS-REST, EHR API)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import created_answer, object_answer, updated_answer, version_answer
from api.audit_headers import commit_audit
from api.deps import Context
from api.item_tags import wanted_tags
from api.negotiation import etag, required_if_match
from api.openapi import (
    AUDIT,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    ITEM_TAGS,
    PREFER,
    RM_FORMATS,
    VERSION_AT_TIME,
    bodies,
    errors,
    parameters,
    request_body,
)
from api.repeats import repeatable
from api.representations import answer_format, read_object, read_optional_object, represent
from api.times import version_time
from cdr import ehrs
from cdr.context import Ctx
from cdr.versions import Ehr, version_object

router = APIRouter()
EhrId = Annotated[str, Path(description="Id of the EHR, a UUID.")]
At = Annotated[str | None, Query(alias="version_at_time", description=VERSION_AT_TIME)]

EXAMPLE_STATUS = {
    "_type": "EHR_STATUS",
    "archetype_node_id": "openEHR-EHR-EHR_STATUS.generic.v1",
    "name": {"_type": "DV_TEXT", "value": "EHR status"},
    "archetype_details": {
        "_type": "ARCHETYPED",
        "archetype_id": {"_type": "ARCHETYPE_ID", "value": "openEHR-EHR-EHR_STATUS.generic.v1"},
        "rm_version": "1.1.0",
    },
    "subject": {
        "_type": "PARTY_SELF",
        "external_ref": {
            "_type": "PARTY_REF",
            "namespace": "demo",
            "type": "PERSON",
            "id": {"_type": "GENERIC_ID", "scheme": "demo", "value": "anna"},
        },
    },
    "is_queryable": True,
    "is_modifiable": True,
}
_STATUS_BODY = request_body(*RM_FORMATS, example=EXAMPLE_STATUS, required=False)


@router.post(
    "/ehr",
    tags=["EHR"],
    summary="Create an EHR",
    status_code=201,
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 422) | bodies(*RM_FORMATS, status=201),
    openapi_extra={**_STATUS_BODY, **parameters(PREFER, AUDIT, IDEMPOTENCY_KEY)},
)
async def create_ehr(request: Request, ctx: Context) -> Response:
    """The server chooses the id; a body is the EHR_STATUS, without one the EHR has no subject."""
    return await _create(request, ctx, None)


@router.put(
    "/ehr/{ehr_id}",
    tags=["EHR"],
    summary="Create an EHR with an id of the client's choice",
    status_code=201,
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 422) | bodies(*RM_FORMATS, status=201),
    openapi_extra={**_STATUS_BODY, **parameters(PREFER, AUDIT, IDEMPOTENCY_KEY)},
)
async def create_ehr_with_id(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """409 when the id is in use."""
    return await _create(request, ctx, ehr_id)


async def _create(request: Request, ctx: Ctx, ehr_id: str | None) -> Response:
    media_type = answer_format(request)
    status = await read_optional_object(request, "EHR_STATUS", limit=ctx.settings.body_limit)
    ehr = await ehrs.create_ehr(
        ctx, ehr_id, status=status, audit=commit_audit(request.headers), repeatable=repeatable(request)
    )
    return created_answer(
        request,
        ehr.ehr_id,
        f"/ehr/{ehr.ehr_id}",
        lambda: represent(ehr.to_canonical(), media_type),
        media_type=media_type,
        last_modified=ehr.time_created,
    )


@router.get(
    "/ehr",
    tags=["EHR"],
    summary="Find the EHR of a subject",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_by_subject(
    request: Request,
    ctx: Context,
    subject_id: Annotated[str, Query(description="EHR_STATUS.subject.external_ref.id.value")],
    subject_namespace: Annotated[str, Query(description="EHR_STATUS.subject.external_ref.namespace")],
) -> Response:
    """Both parameters are required; each pair has at most one EHR."""
    media_type = answer_format(request)
    return _ehr_answer(await ehrs.get_ehr_by_subject(ctx, subject_id, subject_namespace), media_type)


@router.get(
    "/ehr/{ehr_id}", tags=["EHR"], summary="Get an EHR", responses=errors(404, 406) | bodies(*RM_FORMATS)
)
async def get_ehr(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Its ids, its time of creation and a reference to its status."""
    media_type = answer_format(request)
    return _ehr_answer(await ehrs.get_ehr(ctx, ehr_id), media_type)


def _ehr_answer(ehr: Ehr, media_type: str) -> Response:
    return object_answer(ehr.to_canonical(), media_type, headers={"ETag": etag(ehr.ehr_id)})


@router.get(
    "/ehr/{ehr_id}/ehr_status",
    tags=["EHR_STATUS"],
    summary="Get the status",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_status(request: Request, ctx: Context, ehr_id: EhrId, at: At = None) -> Response:
    """The latest, or the one at a time."""
    media_type = answer_format(request)
    return version_answer(request, await ehrs.get_ehr_status(ctx, ehr_id, at=version_time(at)), media_type)


@router.get(
    "/ehr/{ehr_id}/ehr_status/{version_uid}",
    tags=["EHR_STATUS"],
    summary="Get one version of the status",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_status_version(request: Request, ctx: Context, ehr_id: EhrId, version_uid: str) -> Response:
    """By its full version id."""
    media_type = answer_format(request)
    return version_answer(
        request, await ehrs.get_ehr_status(ctx, ehr_id, version_uid=version_uid), media_type
    )


@router.put(
    "/ehr/{ehr_id}/ehr_status",
    tags=["EHR_STATUS"],
    summary="Update the status",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 412, 413, 415, 422) | bodies(*RM_FORMATS),
    openapi_extra={
        **request_body(*RM_FORMATS, example=EXAMPLE_STATUS),
        **parameters(IF_MATCH, PREFER, AUDIT, *ITEM_TAGS),
    },
)
async def update_ehr_status(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """If-Match names the latest version."""
    media_type = answer_format(request)
    preceding_uid, wanted = required_if_match(request), wanted_tags(request)
    status = await read_object(request, "EHR_STATUS", limit=ctx.settings.body_limit)
    version = await ehrs.update_ehr_status(
        ctx, ehr_id, status, preceding_uid=preceding_uid, audit=commit_audit(request.headers)
    )
    answer = updated_answer(request, version, media_type)
    answer.headers.update(await wanted.store(ctx, version))
    return answer


@router.get(
    "/ehr/{ehr_id}/versioned_ehr_status",
    tags=["EHR_STATUS"],
    summary="Get the versioned object of the status",
    responses=errors(404, 406) | bodies(*RM_FORMATS),
)
async def get_versioned_ehr_status(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """VERSIONED_EHR_STATUS: its uid, owner and time of creation."""
    media_type = answer_format(request)
    return object_answer(await ehrs.get_versioned_ehr_status(ctx, ehr_id), media_type)


@router.get(
    "/ehr/{ehr_id}/versioned_ehr_status/revision_history",
    tags=["EHR_STATUS"],
    summary="Get the revision history of the status",
    responses=errors(404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_status_history(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """REVISION_HISTORY: every version with its audit, oldest first."""
    media_type = answer_format(request)
    return object_answer(await ehrs.get_ehr_status_history(ctx, ehr_id), media_type)


@router.get(
    "/ehr/{ehr_id}/versioned_ehr_status/version",
    tags=["EHR_STATUS"],
    summary="Get the status with its version data",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_status_original(request: Request, ctx: Context, ehr_id: EhrId, at: At = None) -> Response:
    """ORIGINAL_VERSION: the latest, or the one at a time."""
    media_type = answer_format(request)
    version = await ehrs.get_ehr_status(ctx, ehr_id, at=version_time(at))
    return object_answer(version_object(version), media_type, headers={"ETag": etag(str(version.uid))})


@router.get(
    "/ehr/{ehr_id}/versioned_ehr_status/version/{version_uid}",
    tags=["EHR_STATUS"],
    summary="Get one version of the status with its version data",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_ehr_status_original_version(
    request: Request, ctx: Context, ehr_id: EhrId, version_uid: str
) -> Response:
    """ORIGINAL_VERSION by its full version id."""
    media_type = answer_format(request)
    version = await ehrs.get_ehr_status(ctx, ehr_id, version_uid=version_uid)
    return object_answer(version_object(version), media_type, headers={"ETag": etag(str(version.uid))})
