"""CONTRIBUTION (ITS-REST, EHR API): what is committed together, all or nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answers import created_answer, object_answer
from api.deps import Context
from api.http_errors import RefusedContribution
from api.negotiation import etag
from api.openapi import IDEMPOTENCY_KEY, PREFER, RM_FORMATS, bodies, errors, parameters, request_body
from api.repeats import repeatable
from api.representations import answer_format, read_object, represent
from api.routes.composition import EhrId
from cdr import contributions
from cdr.errors import Unprocessable

router = APIRouter(tags=["CONTRIBUTION"])

_EXAMPLE = {
    "_type": "CONTRIBUTION",
    "audit": {
        "change_type": {
            "_type": "DV_CODED_TEXT",
            "value": "modification",
            "defining_code": {"terminology_id": {"value": "openehr"}, "code_string": "251"},
        },
        "committer": {"_type": "PARTY_IDENTIFIED", "name": "Jordmor Eksempel"},
        "description": {"_type": "DV_TEXT", "value": "Kontroll og mappe"},
    },
    "versions": [
        {
            "commit_audit": {
                "change_type": {
                    "_type": "DV_CODED_TEXT",
                    "value": "creation",
                    "defining_code": {"terminology_id": {"value": "openehr"}, "code_string": "249"},
                },
            },
            "lifecycle_state": {
                "_type": "DV_CODED_TEXT",
                "value": "complete",
                "defining_code": {"terminology_id": {"value": "openehr"}, "code_string": "532"},
            },
            "data": {
                "_type": "FOLDER",
                "name": {"_type": "DV_TEXT", "value": "root"},
                "archetype_node_id": "openEHR-EHR-FOLDER.generic.v1",
            },
        }
    ],
}


@router.post(
    "/ehr/{ehr_id}/contribution",
    summary="Commit a contribution",
    status_code=201,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 412, 413, 415, 422) | bodies(*RM_FORMATS, status=201),
    openapi_extra={**request_body(*RM_FORMATS, example=_EXAMPLE), **parameters(PREFER, IDEMPOTENCY_KEY)},
)
async def create_contribution(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Versions of several objects, all or none; an error names the version that it is about."""
    media_type = answer_format(request)
    body = await read_object(request, "CONTRIBUTION", limit=ctx.settings.body_limit)
    try:
        committed = await contributions.create_contribution(ctx, ehr_id, body, repeatable=repeatable(request))
    except Unprocessable as error:
        raise (RefusedContribution(error) if error.findings else error) from error
    return created_answer(
        request,
        committed.uid,
        f"/ehr/{ehr_id}/contribution/{committed.uid}",
        lambda: represent(committed.to_canonical(), media_type),
        media_type=media_type,
        last_modified=committed.audit.time_committed,
    )


@router.get(
    "/ehr/{ehr_id}/contribution/{contribution_uid}",
    summary="Get a contribution",
    responses=errors(404, 406) | bodies(*RM_FORMATS),
)
async def get_contribution(request: Request, ctx: Context, ehr_id: EhrId, contribution_uid: str) -> Response:
    """CONTRIBUTION: what was committed together, as references."""
    media_type = answer_format(request)
    contribution = await contributions.get_contribution(ctx, ehr_id, contribution_uid)
    return object_answer(contribution, media_type, headers={"ETag": etag(contribution_uid)})
