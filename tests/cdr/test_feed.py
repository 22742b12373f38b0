"""The feed of events: complete, in order, resumable, and without a byte of content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

import pytest

from cdr import cards, compositions, directory, ehrs, feed
from cdr.consent import Against, BlockScope
from cdr.context import Actor, ActorKind, Ctx
from cdr.events import Event, EventBatch, EventFilter, EventType, MalformedCursor
from cdr.relations import open_relation
from tests.cdr.card_world import CARD, HOSPITAL, MIDWIFE, OFFICER, SHIELDED, a_card, enforcing
from tests.cdr.small_template import TEMPLATE_ID, note, status
from tests.cdr.updates import folder

pytestmark = pytest.mark.anyio


async def start(ctx: Ctx) -> str:
    """The cursor of now."""
    async with aclosing(await feed.follow_events(ctx, wait=0)) as batches:
        return (await anext(batches)).cursor


async def told(batches: AsyncGenerator[EventBatch], count: int) -> list[Event]:
    """The next ``count`` events; fails after ten seconds."""
    events: list[Event] = []
    async with asyncio.timeout(10):
        while len(events) < count:
            events += (await anext(batches)).events
    return events


async def since(ctx: Ctx, cursor: str, count: int, wanted: EventFilter = feed.ALL_EVENTS) -> list[Event]:
    """The first ``count`` events after a cursor, or some more that came with them."""
    async with aclosing(await feed.follow_events(ctx, after=cursor, wanted=wanted, wait=0.1)) as batches:
        return await told(batches, count)


async def test_every_kind_of_change_is_told_once_in_its_order(ctx: Ctx) -> None:
    cursor = await start(ctx)
    ehr = await ehrs.create_ehr(ctx, status=status("p-1"))
    first = await compositions.create_composition(ctx, ehr.ehr_id, note())
    second = await compositions.update_composition(
        ctx, ehr.ehr_id, first.uid.object_id, note(), preceding_uid=str(first.uid)
    )
    gone = await compositions.delete_composition(ctx, ehr.ehr_id, str(second.uid))
    root = await directory.create_directory(ctx, ehr.ehr_id, folder())
    await ehrs.update_ehr_status(ctx, ehr.ehr_id, status("p-1"), preceding_uid=str(ehr.status.uid))
    await compositions.erase_object(ctx, ehr.ehr_id, first.uid.object_id)
    await ehrs.erase_ehr(ctx, ehr.ehr_id)
    events = await since(ctx, cursor, 8)
    assert [(event.type, event.uid) for event in events] == [
        (EventType.EHR_CREATED, str(ehr.status.uid)),
        (EventType.COMPOSITION_CREATED, str(first.uid)),
        (EventType.COMPOSITION_UPDATED, str(second.uid)),
        (EventType.COMPOSITION_DELETED, str(gone.uid)),
        (EventType.DIRECTORY_CREATED, str(root.uid)),
        (EventType.STATUS_UPDATED, str(ehr.status.uid.next("no.helsekort.cdr"))),
        (EventType.OBJECT_ERASED, first.uid.object_id),
        (EventType.EHR_ERASED, None),
    ]
    assert {event.ehr_id for event in events} == {ehr.ehr_id}
    assert (events[1].template_id, events[1].contribution) == (TEMPLATE_ID, first.contribution_id)
    assert len({event.id for event in events}) == 8


async def test_a_reader_goes_on_at_the_cursor_of_any_event(ctx: Ctx) -> None:
    cursor = await start(ctx)
    ehr = await ehrs.create_ehr(ctx)
    wanted = [str((await compositions.create_composition(ctx, ehr.ehr_id, note())).uid) for _ in range(5)]
    events = await since(ctx, cursor, 6)
    for place, event in enumerate(events[:5]):
        rest = await since(ctx, event.cursor, 5 - place)
        assert [each.uid for each in rest] == wanted[place:]


async def test_several_writers_and_a_reader_that_is_cut_off_lose_nothing(ctx: Ctx) -> None:
    cursor = await start(ctx)
    records = [(await ehrs.create_ehr(ctx)).ehr_id for _ in range(4)]

    async def write(ehr_id: str) -> list[str]:
        return [str((await compositions.create_composition(ctx, ehr_id, note())).uid) for _ in range(25)]

    writing = asyncio.gather(*map(write, records))
    found: list[str] = []
    wanted = EventFilter(types=frozenset({EventType.COMPOSITION_CREATED}))
    while len(found) < 100:
        events = (await since(ctx, cursor, 1, wanted))[:7]
        cursor = events[-1].cursor
        found += [str(event.uid) for event in events]
    written = [uid for uids in await writing for uid in uids]
    assert sorted(found) == sorted(written)


async def test_a_filter_lets_only_the_wanted_through(ctx: Ctx) -> None:
    cursor = await start(ctx)
    one, other = (await ehrs.create_ehr(ctx)).ehr_id, (await ehrs.create_ehr(ctx)).ehr_id
    await compositions.create_composition(ctx, one, note())
    stored = await compositions.create_composition(ctx, other, note())
    await ehrs.erase_ehr(ctx, one)
    by_ehr = EventFilter(types=frozenset({EventType.COMPOSITION_CREATED}), ehr_id=other)
    assert [event.uid for event in await since(ctx, cursor, 1, by_ehr)] == [str(stored.uid)]
    by_template = EventFilter(templates=frozenset({"another"}))
    assert [event.type for event in await since(ctx, cursor, 3, by_template)] == [
        EventType.EHR_CREATED,
        EventType.EHR_CREATED,
        EventType.EHR_ERASED,
    ]


async def test_from_a_time(ctx: Ctx) -> None:
    ehr = await ehrs.create_ehr(ctx)
    long_ago = ehr.time_created - timedelta(days=3650)
    mine = EventFilter(ehr_id=ehr.ehr_id)
    async with aclosing(await feed.follow_events(ctx, since=long_ago, wanted=mine, wait=0.1)) as batches:
        assert (await told(batches, 1))[0].type is EventType.EHR_CREATED


@pytest.mark.parametrize("cursor", ["", "x", "82", "8" * 40, "82FF" * 600, "826B0AED20000000"])
async def test_a_text_that_is_no_cursor_is_refused(ctx: Ctx, cursor: str) -> None:
    with pytest.raises(MalformedCursor):
        await feed.follow_events(ctx, after=cursor)


async def test_whose_events_were_told_is_in_the_audit(ctx: Ctx) -> None:
    cursor = await start(ctx)
    ehr = await ehrs.create_ehr(ctx)
    await since(ctx, cursor, 1)
    actions = [entry.action for entry in await ctx.store.audit_entries(ehr.ehr_id)]
    assert sorted(actions) == ["ehr.create", "events.read"]


async def test_of_an_erased_entry_those_are_told_who_were_shown_it(ctx: Ctx) -> None:
    """Two organisations have her in care: the hospital wrote, and one entry is shielded, one blocked."""
    world = await a_card(enforcing(ctx))
    hospital = world.by(HOSPITAL, "SAMTYKKE")
    await open_relation(hospital, world.ehr_id)
    midwifes = Actor(id="epj-1", name="EPJ", kind=ActorKind.SYSTEM, organisation=MIDWIFE.unit)
    hospitals = Actor(id="epj-2", name="EPJ", kind=ActorKind.SYSTEM, organisation=HOSPITAL.organisation)
    cursor = await start(world.by(midwifes, ""))
    visit, shielded, blocked = [
        (await world.write(name, template, by=HOSPITAL)).uid.object_id
        for name, template in (("kontroll", CARD), ("skjermet", SHIELDED), ("sperret", CARD))
    ]
    await cards.add_block(
        world.her,
        world.ehr_id,
        scope=BlockScope.ENTRY,
        target=blocked,
        against=Against.ORGANISATION,
        name=MIDWIFE.unit,
    )
    for object_id in (shielded, blocked, visit):
        await cards.erase_entry(world.by(OFFICER), world.ehr_id, object_id, decision="1", decided_by="Pia")
    erased = EventFilter(types=frozenset({EventType.OBJECT_ERASED}))
    told_to = {
        actor.id: [event.uid for event in await since(world.by(actor, ""), cursor, number, erased)]
        for actor, number in ((midwifes, 1), (hospitals, 3))
    }
    assert told_to == {"epj-1": [visit], "epj-2": [shielded, blocked, visit]}
