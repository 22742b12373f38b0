"""Webhooks: where events are told to (Standard Webhooks 1.0). No part of openEHR's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from api.openapi import errors, request_body
from archetypes.rm.canonical_json import read_canonical
from cdr import webhooks
from cdr.events import EventFilter, EventType
from cdr.store.webhook_documents import Webhook
from cdr.versions import JsonObject, iso

router = APIRouter(prefix="/events/v1/webhooks", tags=["Events"])

_EXAMPLE = {
    "url": "https://epj.example.org/hooks/helsekort",
    "types": ["composition.created", "consent.withdrawn"],
    "templates": ["helsekort_kontroll.v0"],
}


@router.post(
    "",
    summary="Add a webhook",
    status_code=201,
    responses=errors(400, 406, 413, 415),
    openapi_extra=request_body(JSON, example=_EXAMPLE),
)
async def add_webhook(request: Request, ctx: Context) -> Response:
    """Events from now on are sent to `url` as POST; the answer has the `secret`, which is shown this once.

    `types` and `templates` may be left out, and then mean all.
    """
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    url, wanted = _asked(body)
    webhook = await webhooks.add_webhook(ctx, url, wanted)
    return json_answer(_shown(webhook) | {"secret": webhook.secret}, status=201)


@router.get("", summary="List the webhooks", responses=errors(406))
async def list_webhooks(request: Request, ctx: Context) -> Response:
    """Those of the caller, with what was delivered, what fails and why."""
    accepted(request, JSON)
    return json_answer([_shown(webhook) for webhook in await webhooks.list_webhooks(ctx)])


@router.delete(
    "/{webhook_id}",
    summary="Remove a webhook",
    status_code=204,
    response_class=Response,
    responses=errors(404),
)
async def remove_webhook(ctx: Context, webhook_id: Annotated[str, Path(description="Its id.")]) -> Response:
    """Nothing more is sent there."""
    await webhooks.remove_webhook(ctx, webhook_id)
    return Response(status_code=204)


def _asked(body: Mapping[str, Any]) -> tuple[str, EventFilter]:
    unknown = sorted(set(body) - {"url", "types", "templates"})
    if unknown:
        raise _malformed(unknown[0], "is no member of a webhook")
    if not isinstance(body.get("url"), str):
        raise _malformed("url", "must be an address")
    types = _texts(body, "types")
    known = {each.value for each in EventType}
    if types - known:
        raise _malformed("types", f"{min(types - known)!r} is none of {', '.join(sorted(known))}")
    return body["url"], EventFilter(frozenset(map(EventType, types)), _texts(body, "templates"))


def _texts(body: Mapping[str, Any], name: str) -> frozenset[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _malformed(name, "must be a list of texts")
    return frozenset(value)


def _malformed(name: str, reason: str) -> MalformedRequest:
    return MalformedRequest("webhook.malformed", f"/{name} {reason}")


def _shown(webhook: Webhook) -> JsonObject:
    state = webhook.state
    moments = {"last_delivered": state.last_delivered, "last_failure": state.last_failure}
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": sorted(webhook.wanted.types),
        "templates": sorted(webhook.wanted.templates),
        "created": iso(webhook.made),
        "delivered": state.delivered,
        "failures": state.failures,
        "error": state.error,
        "stopped": state.stopped,
        **{name: None if moment is None else iso(moment) for name, moment in moments.items()},
    }
