"""Webhooks: who wants to be told where (Standard Webhooks 1.0).

A system sees its own webhooks only; an operator sees all.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from cdr.access import Action
from cdr.actor import ActorKind
from cdr.audit import Outcome
from cdr.doors import Call, writing
from cdr.events import BadWebhook, EventFilter, UnknownWebhook
from cdr.outside import is_this_machine, names_inside
from cdr.store.webhook_documents import Webhook

SECRET_BYTES = 32
LONGEST_URL = 2000


@writing(Action.MANAGE_WEBHOOKS)
async def add_webhook(call: Call, url: str, wanted: EventFilter) -> Webhook:
    """Tell what happens from now on to ``url``; its secret is given here only. Raises BadWebhook."""
    _check_address(url, dev=call.ctx.settings.is_dev)
    batches = await call.ctx.store.feed.follow(wait=0)
    now = await anext(batches)
    await batches.aclose()
    webhook = Webhook(
        id=call.ctx.new_id(),
        url=url,
        secret=f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}",
        owner=call.ctx.actor,
        wanted=wanted,
        made=call.ctx.clock(),
        cursor=now.cursor,
    )
    await call.record([call.entry(Outcome.GRANTED, what=webhook.id)])
    await call.ctx.store.webhooks.add(webhook)
    return webhook


@writing(Action.MANAGE_WEBHOOKS)
async def list_webhooks(call: Call) -> Sequence[Webhook]:
    """The webhooks of the caller, oldest first, with how they fare."""
    await call.record([call.entry(Outcome.GRANTED)])
    return [webhook for webhook in await call.ctx.store.webhooks.all() if _is_of(call, webhook)]


@writing(Action.MANAGE_WEBHOOKS)
async def remove_webhook(call: Call, webhook_id: str) -> None:
    """Tell nothing more there. Raises UnknownWebhook."""
    known = {webhook.id for webhook in await call.ctx.store.webhooks.all() if _is_of(call, webhook)}
    if webhook_id not in known:
        raise UnknownWebhook(webhook_id)
    await call.record([call.entry(Outcome.GRANTED, what=webhook_id)])
    await call.ctx.store.webhooks.remove(webhook_id)


def _is_of(call: Call, webhook: Webhook) -> bool:
    actor = call.ctx.actor
    return actor.kind in (ActorKind.OPERATOR, ActorKind.DEVELOPER) or webhook.owner.id == actor.id


def _check_address(url: str, *, dev: bool) -> None:
    """Only https is called, and in development this machine. Raises BadWebhook.

    What a name stands for is looked up, and judged, at each call (``cdr.outside``).
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise BadWebhook(f"not an address: {error}") from error
    if not host or len(url) > LONGEST_URL or parts.username or parts.fragment:
        raise BadWebhook("an address is https://host/path, without user and fragment")
    if dev and parts.scheme == "http" and is_this_machine(host):
        return
    if parts.scheme != "https":
        raise BadWebhook("events are told over https only")
    if names_inside(host):
        raise BadWebhook("an address inside this network is not called")
