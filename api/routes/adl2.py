"""Templates of ADL 2 (ITS-REST, Definition API)."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Path, Request, Response

from api.answers import created_answer, json_answer
from api.bodies import read_body
from api.deps import Context
from api.negotiation import JSON, TEXT, accepted, etag
from api.openapi import IDEMPOTENCY_KEY, PREFER, bodies, errors, parameters, request_body
from api.repeats import repeatable
from cdr import adl2
from cdr.adl2 import Adl2Artefact
from cdr.errors import KindNotSupported
from cdr.versions import iso

TemplateId = Annotated[str, Path(examples=["openEHR-EHR-COMPOSITION.t_visit.v1.0.0"])]

router = APIRouter(prefix="/definition/template/adl2", tags=["Definition"])


@router.post(
    "",
    summary="Publish an ADL 2 template",
    status_code=201,
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 422) | bodies(TEXT, JSON, status=201),
    openapi_extra={
        **request_body(TEXT, example="operational_template (adl_version=2.0.6) ..."),
        **parameters(PREFER, IDEMPOTENCY_KEY),
    },
)
async def publish_template(request: Request, ctx: Context) -> Response:
    """An operational template; or a template with its overlays, whose archetypes were published here before.

    Archetypes are published here too. What is published never changes: its id can be used once.
    """
    media_type = accepted(request, TEXT, JSON)
    source = await read_body(request, TEXT, limit=ctx.settings.body_limit)
    made = await adl2.publish_adl2(ctx, source, repeatable=repeatable(request))
    return created_answer(
        request,
        made.id,
        f"/definition/template/adl2/{quote(made.id, safe='')}",
        lambda: _text(made) if media_type == TEXT else orjson.dumps(_summary(made)),
        media_type=media_type,
        last_modified=made.created,
    )


@router.get("", summary="List the ADL 2 templates", responses=errors(406))
async def list_templates(request: Request, ctx: Context) -> Response:
    """By id, each version on its own; archetypes are not listed."""
    accepted(request, JSON)
    return json_answer([_summary(template) for template in await adl2.list_adl2_templates(ctx)])


@router.get("/{template_id}", summary="Get an ADL 2 template", responses=errors(404, 406) | bodies(TEXT))
async def get_template(request: Request, ctx: Context, template_id: TemplateId) -> Response:
    """The operational template as ADL 2 text, of an archetype its text; `...v1` means the newest of `v1`."""
    accepted(request, TEXT)
    found = await adl2.get_adl2(ctx, template_id)
    return Response(_text(found), media_type=TEXT, headers={"ETag": etag(found.id)})


@router.get(
    "/{template_id}/example",
    summary="Get an example of an ADL 2 template: not supported",
    status_code=501,
    response_class=Response,
    responses=errors(404, 406, 501),
)
async def get_example(request: Request, ctx: Context, template_id: TemplateId) -> Response:
    """501 where there is such a template: examples are made of OPT 1.4."""
    accepted(request, TEXT, JSON)
    await adl2.get_adl2(ctx, template_id)
    raise KindNotSupported("examples")


@router.get(
    "/{template_id}/{version}",
    summary="Get a version of an ADL 2 template",
    deprecated=True,
    responses=errors(404, 406) | bodies(TEXT),
)
async def get_template_version(
    request: Request, ctx: Context, template_id: TemplateId, version: str
) -> Response:
    """As by an id with this version, or with the beginning of one. Deprecated in ITS-REST 1.1."""
    named = re.sub(r"\.v[\d.]*$", "", template_id)
    return await get_template(request, ctx, f"{named}.v{version}")


def _text(artefact: Adl2Artefact) -> bytes:
    return artefact.source if artefact.operational is None else artefact.operational


def _summary(template: Adl2Artefact) -> dict[str, Any]:
    return {
        "template_id": template.id,
        "concept": template.concept,
        "archetype_id": template.archetype_id,
        "created_timestamp": iso(template.created),
    }
