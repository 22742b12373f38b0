"""Templates (ITS-REST, Definition API, ADL 1.4)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Path, Request, Response

from api.answers import created_answer, json_answer
from api.bodies import read_body
from api.deps import Context
from api.negotiation import JSON, WEB_TEMPLATE, XML, accepted, etag
from api.openapi import PREFER, errors, parameters, request_body
from cdr import definitions
from cdr.templates import PublishedTemplate
from cdr.versions import iso

router = APIRouter(prefix="/definition/template/adl1.4", tags=["Definition"])


@router.post(
    "",
    summary="Publish a template",
    status_code=201,
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 422),
    openapi_extra={
        **request_body(XML, '<template xmlns="http://schemas.openehr.org/v1">...</template>'),
        **parameters(PREFER),
    },
)
async def publish_template(request: Request, ctx: Context) -> Response:
    """An operational template as OPT 1.4 XML. A published template never changes: its id can be used once."""
    media_type = accepted(request, XML, JSON)
    template = await definitions.publish_template(
        ctx, await read_body(request, XML, limit=ctx.settings.body_limit)
    )

    def representation() -> bytes:
        return template.source if media_type == XML else orjson.dumps(_summary(template))

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


@router.get("/{template_id}", summary="Get a template", responses=errors(404, 406))
async def get_template(
    request: Request, ctx: Context, template_id: Annotated[str, Path(examples=["helsekort_kontroll.v0"])]
) -> Response:
    """As OPT 1.4 XML (`Accept: application/xml`) or as web template (`application/openehr.wt+json`)."""
    if accepted(request, XML, WEB_TEMPLATE) == WEB_TEMPLATE:
        web_template = await definitions.get_web_template(ctx, template_id)
        headers = {"ETag": etag(template_id)}
        return Response(orjson.dumps(web_template), media_type=WEB_TEMPLATE, headers=headers)
    template = await definitions.get_template(ctx, template_id)
    return Response(template.source, media_type=XML, headers={"ETag": etag(template_id)})


def _summary(template: PublishedTemplate) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "concept": template.concept,
        "archetype_id": template.archetype_id,
        "created_timestamp": iso(template.created),
    }
