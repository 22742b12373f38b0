"""Webhooks as documents: where to, what, how far, and which server process delivers just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta

from cdr.actor import Actor, ActorKind
from cdr.events import EventFilter, EventType
from cdr.grants import Grant
from cdr.store.database import Database, Document, store_errors

_NEVER_STORED = frozenset({"person_id"})
_OF_AN_ACTOR = tuple(each.name for each in fields(Actor) if each.name not in _NEVER_STORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """How a webhook fares: events taken by the receiver, failures since the last of them, and why.

    ``stopped`` says why nothing is delivered any more; None while the webhook lives.
    """

    delivered: int = 0
    failures: int = 0
    last_delivered: datetime | None = None
    last_failure: datetime | None = None
    error: str | None = None
    stopped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Somewhere to tell events to, on behalf of ``owner``; ``cursor`` is up to where it was told."""

    id: str
    url: str
    secret: str = field(repr=False)
    owner: Actor
    wanted: EventFilter
    made: datetime
    cursor: str
    state: DeliveryState = DeliveryState()


@dataclass(frozen=True, slots=True)
class WebhookDocuments:
    """The collection ``webhooks``."""

    database: Database

    async def add(self, webhook: Webhook) -> None:
        """Store a new webhook."""
        with store_errors():
            await self.database.webhooks.insert_one(_document(webhook))

    async def all(self) -> Sequence[Webhook]:
        """Every webhook, oldest first."""
        with store_errors():
            return [_webhook(found) async for found in self.database.webhooks.find().sort("made", 1)]

    async def remove(self, webhook_id: str) -> None:
        """Forget a webhook; whoever delivers it learns so when it renews its lease."""
        with store_errors():
            await self.database.webhooks.delete_one({"_id": webhook_id})

    async def lease(self, owner: str, now: datetime, length: timedelta) -> Webhook | None:
        """A webhook that nobody delivers now, for ``owner`` until the lease ends; None if there is none."""
        free = {"state.stopped": None, "lease.until": {"$lt": now}}
        taken = {"$set": {"lease": {"by": owner, "until": now + length}}}
        with store_errors():
            found = await self.database.webhooks.find_one_and_update(free, taken)
        return None if found is None else _webhook(found)

    async def progress(
        self, webhook: Webhook, owner: str, lease_until: datetime, cursor: str, state: DeliveryState
    ) -> Webhook | None:
        """Write how far it went, and keep the lease; None if it is another's, or the webhook is gone."""
        change = {"cursor": cursor, "state": asdict(state), "lease.until": lease_until}
        with store_errors():
            written = await self.database.webhooks.update_one(
                {"_id": webhook.id, "lease.by": owner}, {"$set": change}
            )
        return replace(webhook, cursor=cursor, state=state) if written.matched_count else None


def _document(webhook: Webhook) -> Document:
    return {
        "_id": webhook.id,
        "url": webhook.url,
        "secret": webhook.secret,
        "owner": _owner_document(webhook.owner),
        "types": sorted(webhook.wanted.types),
        "templates": sorted(webhook.wanted.templates),
        "made": webhook.made,
        "cursor": webhook.cursor,
        "state": asdict(webhook.state),
        "lease": {"by": "", "until": webhook.made},
    }


def _webhook(document: Document) -> Webhook:
    types = frozenset(map(EventType, document["types"]))
    return Webhook(
        id=document["_id"],
        url=document["url"],
        secret=document["secret"],
        owner=_owner(document["owner"]),
        wanted=EventFilter(types, frozenset(document["templates"])),
        made=document["made"],
        cursor=document["cursor"],
        state=DeliveryState(**document["state"]),
    )


def _owner_document(owner: Actor) -> Document:
    known = {name: getattr(owner, name) for name in _OF_AN_ACTOR}
    grants = None if owner.grants is None else [asdict(grant) for grant in owner.grants]
    return {**known, "kind": owner.kind.value, "grants": grants}


def _owner(document: Document) -> Actor:
    grants = document["grants"]
    held = None if grants is None else tuple(Grant(**grant) for grant in grants)
    return Actor(**{**document, "kind": ActorKind(document["kind"]), "grants": held})
