"""Physical deletion (ITS-REST, Admin API); these routes exist in dev mode only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Context
from api.openapi import errors
from cdr import compositions, ehrs

router = APIRouter(prefix="/admin", tags=["Admin"])


@router.delete(
    "/ehr/all",
    summary="Empty the server of EHRs",
    status_code=204,
    response_class=Response,
    responses=errors(404),
)
async def delete_ehrs(
    ctx: Context,
    ehr_ids: Annotated[list[str] | None, Query(alias="ehr_id", description="Only these EHRs.")] = None,
) -> Response:
    """Erases every EHR, or those that `ehr_id` names; templates stay."""
    if ehr_ids is None:
        await ehrs.delete_all_ehrs(ctx)
    for ehr_id in ehr_ids or ():
        await ehrs.erase_ehr(ctx, ehr_id)
    return Response(status_code=204)


@router.delete(
    "/ehr/{ehr_id}", summary="Erase an EHR", status_code=204, response_class=Response, responses=errors(404)
)
async def delete_ehr(ctx: Context, ehr_id: str) -> Response:
    """Nothing of it remains; its id is never used again."""
    await ehrs.erase_ehr(ctx, ehr_id)
    return Response(status_code=204)


@router.delete(
    "/ehr/{ehr_id}/composition/{versioned_object_uid}",
    summary="Erase a composition",
    status_code=204,
    response_class=Response,
    responses=errors(404),
)
async def delete_composition(ctx: Context, ehr_id: str, versioned_object_uid: str) -> Response:
    """All its versions and tags; its id is never used again."""
    await compositions.erase_composition(ctx, ehr_id, versioned_object_uid)
    return Response(status_code=204)
