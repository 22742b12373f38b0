"""Templates (ITS-REST, Definition API, ADL 1.4).

An example is made, not stored: ``detail_level`` is ``required`` (the mandatory nodes), ``medium`` or
``complete`` (every node once; both can be committed). ``type=output`` adds the uid that a stored
composition has.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import created_answer, json_answer
from api.bodies import read_body
from api.composition_formats import MEDIA_TYPES, composition_format, represent_composition
from api.deps import Context
from api.negotiation import JSON, SCHEMA, WEB_TEMPLATE, XML, accepted, etag
from api.openapi import IDEMPOTENCY_KEY, PREFER, bodies, errors, parameters, request_body
from api.repeats import repeatable
from cdr import definitions
from cdr.templates import PublishedTemplate
from cdr.versions import iso
from templates.example import Kind, example_composition
from templates.json_schema import json_schema

TemplateId = Annotated[str, Path(examples=["helsekort_kontroll.v0"])]
EXAMPLE_UID = "00000000-0000-4000-8000-000000000000::example::1"
LARGEST_SEED = 2**53

router = APIRouter(prefix="/definition/template/adl1.4", tags=["Definition"])


@router.post(
    "",
    summary="Publish a template",
    status_code=201,
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 422) | bodies(XML, JSON, WEB_TEMPLATE, status=201),
    openapi_extra={
        **request_body(XML, example='<template xmlns="http://schemas.openehr.org/v1">...</template>'),
        **parameters(PREFER, IDEMPOTENCY_KEY),
    },
)
async def publish_template(request: Request, ctx: Context) -> Response:
    """An operational template as OPT 1.4 XML. A published template never changes: its id can be used once."""
    media_type = accepted(request, XML, JSON, WEB_TEMPLATE)
    template = await definitions.publish_template(
        ctx,
        await read_body(request, XML, limit=ctx.settings.body_limit),
        repeatable=repeatable(request),
    )

    made = _summary(template)
    if media_type == WEB_TEMPLATE:
        made = await definitions.get_web_template(ctx, template.template_id)

    def representation() -> bytes:
        return template.source if media_type == XML else orjson.dumps(made)

    return created_answer(
        request,
        template.template_id,
        f"/definition/template/adl1.4/{quote(template.template_id, safe='')}",
        representation,
        media_type=media_type,
        last_modified=template.created,
    )


@router.get("", summary="List the templates", responses=errors(406))
async def list_templates(request: Request, ctx: Context) -> Response:
    """The newest revision of each, by id."""
    accepted(request, JSON)
    return json_answer([_summary(template) for template in await definitions.list_templates(ctx)])


class ExampleType(StrEnum):
    """As it is sent, or as it is read back."""

    INPUT = "input"
    OUTPUT = "output"


class DetailLevel(StrEnum):
    """How much an example holds."""

    REQUIRED = "required"
    MEDIUM = "medium"
    COMPLETE = "complete"


@router.get(
    "/{template_id}",
    summary="Get a template",
    responses=errors(404, 406) | bodies(XML, WEB_TEMPLATE, SCHEMA, JSON),
)
async def get_template(request: Request, ctx: Context, template_id: TemplateId) -> Response:
    """As OPT 1.4 XML (`Accept: application/xml`), as web template (`application/openehr.wt+json`; also what
    `application/json` gives), or as JSON Schema of its compositions (`application/schema+json`)."""
    headers = {"ETag": etag(template_id)}
    media_type = accepted(request, XML, WEB_TEMPLATE, SCHEMA, JSON)
    if media_type == XML:
        template = await definitions.get_template(ctx, template_id)
        return Response(template.source, media_type=XML, headers=headers)
    if media_type == SCHEMA:
        compiled = await definitions.get_operational_template(ctx, template_id)
        schema = await asyncio.to_thread(json_schema, compiled)
        return Response(orjson.dumps(schema), media_type=SCHEMA, headers=headers)
    web_template = await definitions.get_web_template(ctx, template_id)
    return Response(orjson.dumps(web_template), media_type=media_type, headers=headers)


@router.get(
    "/{template_id}/example",
    summary="Get an example composition",
    responses=errors(400, 404, 406, 422) | bodies(*MEDIA_TYPES),
)
async def get_example(
    request: Request,
    ctx: Context,
    template_id: TemplateId,
    type_: Annotated[ExampleType, Query(alias="type")] = ExampleType.INPUT,
    detail_level: DetailLevel = DetailLevel.MEDIUM,
    seed: Annotated[int, Query(ge=0, le=LARGEST_SEED)] = 0,
) -> Response:
    """Valid and without meaning, in any format of a composition; `seed` chooses among alternatives."""
    media_type = composition_format(request)
    compiled = await definitions.get_operational_template(ctx, template_id)
    kind: Kind = "minimal" if detail_level is DetailLevel.REQUIRED else "full"
    made = await asyncio.to_thread(example_composition, compiled, kind=kind, seed=seed)
    if type_ is ExampleType.OUTPUT:
        made["uid"] = {"_type": "OBJECT_VERSION_ID", "value": EXAMPLE_UID}
    return Response(represent_composition(compiled, made, media_type), media_type=media_type)


def _summary(template: PublishedTemplate) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "concept": template.concept,
        "archetype_id": template.archetype_id,
        "created_timestamp": iso(template.created),
    }
