"""Templates of ADL 2 (ITS-REST, Definition API): none is taken yet, and every route says so by name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.negotiation import JSON, TEXT, accepted
from api.openapi import errors, request_body
from cdr.errors import KindNotSupported, TemplateNotFound

TemplateId = Annotated[str, Path(examples=["openEHR-EHR-COMPOSITION.t_visit.v1.0.0"])]

router = APIRouter(prefix="/definition/template/adl2", tags=["Definition"])


@router.post(
    "",
    summary="Publish an ADL 2 template: not supported yet",
    status_code=501,
    response_class=Response,
    responses=errors(400, 406, 413, 415, 501),
    openapi_extra=request_body(TEXT, example="operational_template (adl_version=2.0.6) ..."),
)
async def publish_template(request: Request, ctx: Context) -> Response:
    """501: operational templates are taken as OPT 1.4, by `/definition/template/adl1.4`."""
    accepted(request, TEXT, JSON)
    await read_body(request, TEXT, limit=ctx.settings.body_limit)
    raise KindNotSupported("ADL 2")


@router.get("", summary="List the ADL 2 templates", responses=errors(406))
async def list_templates(request: Request, ctx: Context) -> Response:
    """An empty list, for none can be published."""
    accepted(request, JSON)
    return json_answer([])


@router.get(
    "/{template_id}",
    summary="Get an ADL 2 template",
    status_code=404,
    response_class=Response,
    responses=errors(404, 406),
)
@router.get(
    "/{template_id}/example",
    summary="Get an example of an ADL 2 template",
    status_code=404,
    response_class=Response,
    responses=errors(404, 406),
)
async def get_template(request: Request, ctx: Context, template_id: TemplateId) -> Response:
    """404, for none can be published."""
    accepted(request, TEXT, JSON)
    raise TemplateNotFound(template_id)


@router.get(
    "/{template_id}/{version}",
    summary="Get a version of an ADL 2 template",
    deprecated=True,
    status_code=404,
    response_class=Response,
    responses=errors(404, 406),
)
async def get_template_version(
    request: Request, ctx: Context, template_id: TemplateId, version: str
) -> Response:
    """404, for none can be published. Deprecated in ITS-REST 1.1."""
    return await get_template(request, ctx, template_id)
