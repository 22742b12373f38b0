"""COMPOSITION and VERSIONED_COMPOSITION (ITS-REST, EHR API)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import created_answer, object_answer, updated_answer, version_answer, version_path
from api.audit_headers import commit_audit, lifecycle
from api.composition_formats import (
    MEDIA_TYPES,
    answerable,
    composition_format,
    composition_writer,
    read_composition,
)
from api.deps import Context
from api.http_errors import MalformedRequest
from api.item_tags import wanted_tags
from api.negotiation import etag, if_match, required_if_match
from api.openapi import (
    AUDIT,
    FORMAT,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    ITEM_TAGS,
    LIFECYCLE,
    PREFER,
    RM_FORMATS,
    TEMPLATE_ID,
    VERSION_AT_TIME,
    bodies,
    errors,
    no_body,
    parameters,
    request_body,
)
from api.repeats import repeatable
from api.representations import answer_format
from api.times import version_time
from cdr import compositions
from cdr.errors import NotLatest, UidMismatch, VersionConflict
from cdr.versions import ObjectVersionId, StoredVersion, normal_object_id, version_object

router = APIRouter()
EhrId = Annotated[str, Path(description="Id of the EHR, a UUID.")]
ObjectId = Annotated[str, Path(description="Id of the versioned object, a UUID.")]
VersionUid = Annotated[str, Path(description="Full version id: object_id::system_id::version.")]
At = Annotated[str | None, Query(alias="version_at_time", description=VERSION_AT_TIME)]

_SHORTENED = {
    "_type": "COMPOSITION",
    "name": {"_type": "DV_TEXT", "value": "Svangerskapskontroll"},
    "archetype_node_id": "openEHR-EHR-COMPOSITION.encounter.v1",
    "archetype_details": {
        "_type": "ARCHETYPED",
        "archetype_id": {"_type": "ARCHETYPE_ID", "value": "openEHR-EHR-COMPOSITION.encounter.v1"},
        "template_id": {"_type": "TEMPLATE_ID", "value": "helsekort_kontroll.v0"},
        "rm_version": "1.1.0",
    },
}
_OF_A_WRITE = (PREFER, LIFECYCLE, AUDIT, *ITEM_TAGS, *TEMPLATE_ID, FORMAT)
_BODY = request_body(*MEDIA_TYPES, example=_SHORTENED)


@router.post(
    "/ehr/{ehr_id}/composition",
    tags=["COMPOSITION"],
    summary="Create a composition",
    status_code=201,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 413, 415, 422) | bodies(*MEDIA_TYPES, status=201),
    openapi_extra={**_BODY, **parameters(*_OF_A_WRITE, IDEMPOTENCY_KEY)},
)
async def create_composition(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Validated against the template that archetype_details names; stored, or refused with all findings."""
    media_type = composition_format(request)
    wanted = wanted_tags(request)
    composition = await read_composition(request, ctx)
    version = await compositions.create_composition(
        ctx,
        ehr_id,
        composition,
        lifecycle=lifecycle(request.headers),
        audit=commit_audit(request.headers),
        repeatable=repeatable(request),
        check=answerable(request, ctx, media_type),
    )
    return created_answer(
        request,
        str(version.uid),
        version_path(version),
        await composition_writer(ctx, version, media_type),
        media_type=media_type,
        last_modified=version.audit.time_committed,
        headers=await wanted.store(ctx, version),
    )


@router.get(
    "/ehr/{ehr_id}/composition/{uid_based_id}",
    tags=["COMPOSITION"],
    summary="Get a composition",
    responses=errors(400, 404, 406) | bodies(*MEDIA_TYPES) | no_body("Deleted, or deleted at that time."),
    openapi_extra=parameters(FORMAT),
)
async def get_composition(
    request: Request,
    ctx: Context,
    ehr_id: EhrId,
    uid_based_id: Annotated[str, Path(description="Id of the object (its latest version) or of a version.")],
    at: At = None,
) -> Response:
    """204 when it is deleted, or was at that time."""
    media_type = composition_format(request)
    version = await compositions.get_composition(ctx, ehr_id, uid_based_id, at=version_time(at))
    return version_answer(request, version, media_type, await composition_writer(ctx, version, media_type))


@router.put(
    "/ehr/{ehr_id}/composition/{versioned_object_uid}",
    tags=["COMPOSITION"],
    summary="Update a composition",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 406, 409, 412, 413, 415, 422) | bodies(*MEDIA_TYPES),
    openapi_extra={**_BODY, **parameters(IF_MATCH, *_OF_A_WRITE)},
)
async def update_composition(
    request: Request, ctx: Context, ehr_id: EhrId, versioned_object_uid: ObjectId
) -> Response:
    """If-Match names the latest version; the next one is stored under the same object id."""
    media_type = composition_format(request)
    preceding_uid, wanted = required_if_match(request), wanted_tags(request)
    composition = await read_composition(request, ctx)
    version = await compositions.update_composition(
        ctx,
        ehr_id,
        versioned_object_uid,
        composition,
        preceding_uid=preceding_uid,
        lifecycle=lifecycle(request.headers),
        audit=commit_audit(request.headers),
        check=answerable(request, ctx, media_type),
    )
    answer = updated_answer(request, version, media_type, await composition_writer(ctx, version, media_type))
    answer.headers.update(await wanted.store(ctx, version))
    return answer


@router.delete(
    "/ehr/{ehr_id}/composition/{version_uid}",
    tags=["COMPOSITION"],
    summary="Delete a composition",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409, 412),
    openapi_extra=parameters({**IF_MATCH, "required": False}, AUDIT),
)
async def delete_composition(
    request: Request, ctx: Context, ehr_id: EhrId, version_uid: VersionUid
) -> Response:
    """Logical: a new version without data. The path names the latest version (409 when it is not the latest);
    or it names the object, and If-Match the latest version (412 when it is not)."""
    version = await _delete(request, ctx, ehr_id, version_uid)
    return version_answer(request, version)


async def _delete(request: Request, ctx: Context, ehr_id: str, path_uid: str) -> StoredVersion:
    audit = commit_audit(request.headers)
    if "::" in path_uid:
        if if_match(request) not in (None, path_uid):
            raise MalformedRequest(
                "header.if_match_contradicts", "If-Match and the path name different versions"
            )
        return await compositions.delete_composition(ctx, ehr_id, path_uid, audit=audit)
    preceding = ObjectVersionId.parse_trunk(required_if_match(request))
    if preceding.object_id != normal_object_id(path_uid):
        raise UidMismatch(path_uid, preceding.object_id)
    try:
        return await compositions.delete_composition(ctx, ehr_id, str(preceding), audit=audit)
    except NotLatest as error:
        raise VersionConflict(error.latest) from error


@router.get(
    "/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}",
    tags=["COMPOSITION"],
    summary="Get the versioned object of a composition",
    responses=errors(404, 406) | bodies(*RM_FORMATS),
)
async def get_versioned_composition(
    request: Request, ctx: Context, ehr_id: EhrId, versioned_object_uid: ObjectId
) -> Response:
    """VERSIONED_COMPOSITION: its uid, owner and time of creation."""
    media_type = answer_format(request)
    return object_answer(
        await compositions.get_versioned_composition(ctx, ehr_id, versioned_object_uid), media_type
    )


@router.get(
    "/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}/revision_history",
    tags=["COMPOSITION"],
    summary="Get the revision history of a composition",
    responses=errors(404, 406) | bodies(*RM_FORMATS),
)
async def get_composition_history(
    request: Request, ctx: Context, ehr_id: EhrId, versioned_object_uid: ObjectId
) -> Response:
    """REVISION_HISTORY: every version with its audit, oldest first."""
    media_type = answer_format(request)
    return object_answer(
        await compositions.get_composition_history(ctx, ehr_id, versioned_object_uid), media_type
    )


@router.get(
    "/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}/version",
    tags=["COMPOSITION"],
    summary="Get a composition with its version data",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_original_version(
    request: Request, ctx: Context, ehr_id: EhrId, versioned_object_uid: ObjectId, at: At = None
) -> Response:
    """ORIGINAL_VERSION: the latest, or the one at a time; without data when it is a deletion."""
    media_type = answer_format(request)
    version = await compositions.get_composition_version(
        ctx, ehr_id, versioned_object_uid, at=version_time(at)
    )
    return _original(version, media_type)


@router.get(
    "/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}/version/{version_uid}",
    tags=["COMPOSITION"],
    summary="Get one version of a composition with its version data",
    responses=errors(400, 404, 406) | bodies(*RM_FORMATS),
)
async def get_original_version_by_uid(
    request: Request, ctx: Context, ehr_id: EhrId, versioned_object_uid: ObjectId, version_uid: VersionUid
) -> Response:
    """ORIGINAL_VERSION by its full version id."""
    media_type = answer_format(request)
    version = await compositions.get_composition_version(
        ctx, ehr_id, versioned_object_uid, version_uid=version_uid
    )
    return _original(version, media_type)


def _original(version: StoredVersion, media_type: str) -> Response:
    return object_answer(version_object(version), media_type, headers={"ETag": etag(str(version.uid))})
