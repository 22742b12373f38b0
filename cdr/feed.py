"""The feed of events: who may follow it, and what each follower is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, asking
from cdr.events import Event, EventBatch, EventFilter

ALL_EVENTS = EventFilter()


@asking(Action.READ_EVENTS)
async def follow_events(
    call: Call,
    *,
    after: str | None = None,
    since: datetime | None = None,
    wanted: EventFilter = ALL_EVENTS,
    wait: float = 1.0,
) -> AsyncGenerator[EventBatch]:
    """Batches of events without end, from the cursor ``after``, else from a time, else from now.

    A batch is empty when nothing of interest happened for a while; its cursor is good all the same. Whose
    events are in a batch is in the audit before it is given. Raises MalformedCursor, CursorExpired,
    StoreUnavailable, also on the way.
    """
    batches = await call.ctx.store.feed.follow(after, since, wait=wait)
    await call.record([call.entry(Outcome.GRANTED, what="events")])
    call.waits = False  # each event asks for access to its own EHR
    return _told(call, batches, wanted)


@asking(Action.READ_EVENTS)
async def deliver_events(
    call: Call, *, after: str | None = None, wanted: EventFilter = ALL_EVENTS
) -> AsyncGenerator[EventBatch]:
    """As ``follow_events``, but each event by itself: access is decided when it is asked for.

    For whoever may take long over one event, and must not tell the next by what was allowed before.
    """
    batches = await call.ctx.store.feed.follow(after)
    await call.record([call.entry(Outcome.GRANTED, what="events")])
    call.waits = False  # each event asks for access to its own EHR
    return _told_singly(call, batches, wanted)


async def _told(
    call: Call, batches: AsyncGenerator[EventBatch], wanted: EventFilter
) -> AsyncGenerator[EventBatch]:
    async with aclosing(batches):
        async for batch in batches:
            yield await _admitted(call, wanted, batch)


async def _told_singly(
    call: Call, batches: AsyncGenerator[EventBatch], wanted: EventFilter
) -> AsyncGenerator[EventBatch]:
    async with aclosing(batches):
        async for batch in batches:
            for event in filter(wanted.admits, batch.events):
                alone = await _admitted(call, wanted, EventBatch([event], event.cursor))
                if alone.events:
                    yield alone
            yield EventBatch([], batch.cursor)


async def _admitted(call: Call, wanted: EventFilter, batch: EventBatch) -> EventBatch:
    """The events of a batch that may be told now; whose they are is in the audit then."""
    events = [e for e in batch.events if wanted.admits(e) and await _may_be_told(call, e)]
    women = dict.fromkeys(event.ehr_id for event in events)
    if women:
        await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id) for ehr_id in women])
    return EventBatch(events, batch.cursor)


async def _may_be_told(call: Call, event: Event) -> bool:
    """Of what is gone, those are told who had a relation then; all else is decided now."""
    if event.told_to:
        return bool(event.told_to & call.ctx.actor.organisations)
    return await call.sees(event.ehr_id, event.uid.partition("::")[0] if event.uid else None)
