"""DIRECTORY (ITS-REST, EHR API): the folders of an EHR."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import (
    created_answer,
    object_answer,
    updated_answer,
    version_answer,
    version_headers,
    version_path,
)
from api.audit_headers import commit_audit
from api.deps import Context
from api.negotiation import required_if_match
from api.openapi import (
    AUDIT,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    PREFER,
    RM_FORMATS,
    bodies,
    errors,
    no_body,
    parameters,
    request_body,
)
from api.repeats import repeatable
from api.representations import answer_format, read_object, represent_payload
from api.routes.composition import At, EhrId, VersionUid
from api.times import version_time
from cdr import directory
from cdr.folders import sub_folder
from cdr.versions import StoredVersion

router = APIRouter(tags=["DIRECTORY"])

EXAMPLE_FOLDER = {
    "_type": "FOLDER",
    "name": {"_type": "DV_TEXT", "value": "root"},
    "archetype_node_id": "openEHR-EHR-FOLDER.generic.v1",
    "folders": [
        {
            "_type": "FOLDER",
            "name": {"_type": "DV_TEXT", "value": "Svangerskap 2026"},
            "archetype_node_id": "openEHR-EHR-FOLDER.generic.v1",
            "items": [
                {
                    "_type": "OBJECT_REF",
                    "namespace": "local",
                    "type": "VERSIONED_COMPOSITION",
                    "id": {"_type": "HIER_OBJECT_ID", "value": "8849182c-82ad-4088-a07f-48ead4180515"},
                }
            ],
        }
    ],
}
_BODY = request_body(*RM_FORMATS, example=EXAMPLE_FOLDER)
FolderPath = Annotated[
    str | None,
    Query(alias="path", description="Names of folders below the root: `Svangerskap/Sykehus`."),
]


@router.post(
    "/ehr/{ehr_id}/directory",
    summary="Create the directory",
    status_code=201,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 412, 413, 415, 422) | bodies(*RM_FORMATS, status=201),
    openapi_extra={**_BODY, **parameters(PREFER, AUDIT, IDEMPOTENCY_KEY)},
)
async def create_directory(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """A FOLDER with all that is below it; 409 when the EHR has a directory."""
    media_type = answer_format(request)
    folder = await read_object(request, "FOLDER", limit=ctx.settings.body_limit)
    version = await directory.create_directory(
        ctx, ehr_id, folder, audit=commit_audit(request.headers), repeatable=repeatable(request)
    )
    return created_answer(
        request,
        str(version.uid),
        version_path(version),
        lambda: represent_payload(version.payload, media_type),
        media_type=media_type,
        last_modified=version.audit.time_committed,
    )


@router.get(
    "/ehr/{ehr_id}/directory",
    summary="Get the directory",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS) | no_body("Deleted, or deleted at that time."),
)
async def get_directory(
    request: Request, ctx: Context, ehr_id: EhrId, at: At = None, path: FolderPath = None
) -> Response:
    """The latest, or the one at a time: whole, or one folder of it. 204 when it is, or was then, deleted."""
    media_type = answer_format(request)
    version = await directory.get_directory(ctx, ehr_id, at=version_time(at))
    return _folder_answer(request, version, path, media_type)


@router.get(
    "/ehr/{ehr_id}/directory/{version_uid}",
    summary="Get one version of the directory",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS) | no_body("This version is a deletion."),
)
async def get_directory_version(
    request: Request, ctx: Context, ehr_id: EhrId, version_uid: VersionUid, path: FolderPath = None
) -> Response:
    """By its full version id: whole, or one folder of it."""
    media_type = answer_format(request)
    version = await directory.get_directory(ctx, ehr_id, version_uid=version_uid)
    return _folder_answer(request, version, path, media_type)


@router.put(
    "/ehr/{ehr_id}/directory",
    summary="Update the directory",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 412, 413, 415, 422) | bodies(*RM_FORMATS),
    openapi_extra={**_BODY, **parameters(IF_MATCH, PREFER, AUDIT)},
)
async def update_directory(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """If-Match names the latest version; the body is the whole directory."""
    media_type = answer_format(request)
    preceding_uid = required_if_match(request)
    folder = await read_object(request, "FOLDER", limit=ctx.settings.body_limit)
    version = await directory.update_directory(
        ctx, ehr_id, folder, preceding_uid=preceding_uid, audit=commit_audit(request.headers)
    )
    return updated_answer(request, version, media_type)


@router.delete(
    "/ehr/{ehr_id}/directory",
    summary="Delete the directory",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409, 412),
    openapi_extra=parameters(IF_MATCH, AUDIT),
)
async def delete_directory(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Logical; what its folders refer to stays."""
    version = await directory.delete_directory(
        ctx, ehr_id, preceding_uid=required_if_match(request), audit=commit_audit(request.headers)
    )
    return version_answer(request, version)


def _folder_answer(request: Request, version: StoredVersion, path: str | None, media_type: str) -> Response:
    data = version.data
    if not path or data is None:
        return version_answer(request, version, media_type)
    folder = {"_type": "FOLDER"} | sub_folder(data, path)
    return object_answer(folder, media_type, headers=version_headers(request, version))
