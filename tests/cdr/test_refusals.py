"""What a refusal costs and leaves: the same reads whether there is an EHR or not, and no word of a client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest
from pymongo import monitoring

from cdr import cards, compositions, ehrs, queries, relations, tags, women
from cdr.consent import CardStatus
from cdr.context import Ctx
from cdr.errors import CdrError, NotAllowed
from cdr.store.mongo import Store
from cdr.versions import Kind
from tests.cdr.card_world import CITIZEN, FNR, HOSPITAL, KARI, MIDWIFE, World, a_card, a_world, enforcing
from tests.cdr.small_template import random_id
from tests.cdr.test_access import SYSTEM

pytestmark = pytest.mark.anyio

NOBODY = "05819110079"  # synthetic; has no EHR
STRANGER = replace(CITIZEN, id="c9", person_id=NOBODY)


@dataclass
class Commands(monitoring.CommandListener):
    """What of the record the database is asked to find while somebody listens."""

    found: list[str] = field(default_factory=list)
    listening: bool = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        asked = str(event.command.get(event.command_name))
        if self.listening and asked in ("ehrs", "subjects", "joins", "versions", "consents"):
            self.found.append(asked)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    @contextmanager
    def heard(self) -> Iterator[list[str]]:
        self.found.clear()
        self.listening = True
        yield self.found
        self.listening = False


COMMANDS = Commands()
monitoring.register(COMMANDS)  # of clients that are made from now on


async def refused_reads(ask: Awaitable[object]) -> list[str]:
    """The reads of a request that is refused."""
    with COMMANDS.heard() as found, pytest.raises(NotAllowed):
        await ask
    return list(found)


@pytest.mark.parametrize("who", [HOSPITAL, STRANGER])
async def test_being_refused_costs_the_same_reads_for_an_ehr_and_for_none(
    ctx: Ctx, who: object, mongodb_uri: str, database_name: str
) -> None:
    world = await a_world(enforcing(ctx))
    store = await Store.open(mongodb_uri, database_name)
    asking = replace(world.by(who, "UNNTAK"), store=store)  # type: ignore[arg-type]
    there = await refused_reads(ehrs.get_ehr_by_subject(asking, KARI, FNR))
    nowhere = await refused_reads(ehrs.get_ehr_by_subject(asking, NOBODY, FNR))
    assert there == nowhere and there
    there = await refused_reads(ehrs.get_ehr(asking, world.ehr_id))
    nowhere = await refused_reads(ehrs.get_ehr(asking, random_id()))
    assert there == nowhere and there
    there = await refused_reads(cards.get_card_state(asking, await women.record_of(asking, KARI)))
    nowhere = await refused_reads(cards.get_card_state(asking, await women.record_of(asking, NOBODY)))
    assert there == nowhere and there
    await store.close()


async def everything_in_the_audit(ctx: Ctx) -> str:
    return "".join([str(batch) async for batch in ctx.store.audit_batches()])


PATHS: tuple[Callable[[World, str], Awaitable[object]], ...] = (
    lambda world, text: compositions.get_composition(world.ctx, world.ehr_id, text),
    lambda world, text: compositions.get_versioned_composition(world.ctx, world.ehr_id, text),
    lambda world, text: tags.get_tags(world.ctx, world.ehr_id, Kind.COMPOSITION, text),
    lambda world, text: relations.end_relation(world.her, world.ehr_id, text),
    lambda world, text: queries.run_query(world.ctx, f"SELECT e -- {text}\nFROM EHR e"),
    lambda world, text: queries.run_query(world.ctx, f"SELECT e FROM EHR e -- {text}"),
    lambda world, text: queries.run_query(
        world.ctx, f"SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value MATCHES {{'{text}'}}"
    ),
    lambda world, text: ehrs.get_ehr(replace(world.ctx, basis="AKUTT", reason=f"ring {KARI}"), world.ehr_id),
)


@pytest.mark.parametrize("use", PATHS)
@pytest.mark.parametrize("text", [KARI, "Kari Nordmann", f"{KARI}::sys::1"])
async def test_the_audit_repeats_no_word_of_a_client(
    ctx: Ctx, use: Callable[[World, str], Awaitable[object]], text: str
) -> None:
    world = await a_world(enforcing(ctx))
    with suppress(CdrError):
        await use(world, text)
    written = await everything_in_the_audit(ctx)
    assert KARI not in written and "Nordmann" not in written


async def test_equal_queries_about_two_people_leave_the_same_mark(ctx: Ctx) -> None:
    world = await a_world(enforcing(ctx))
    for number in (KARI, NOBODY):
        text = f"SELECT e FROM EHR e WHERE e/ehr_status/subject/external_ref/id/value = '{number}'"
        await queries.run_query(world.ctx, text)
    batches = [batch async for batch in ctx.store.audit_batches()]
    marks = {entry.what for batch in batches for entry in batch.entries if entry.action == "query.run"}
    assert len(marks) == 1, "a hash of a national id could be reversed"


async def test_ids_of_objects_stay_in_the_audit(ctx: Ctx) -> None:
    world = await a_card(enforcing(ctx))
    stored = await world.write("kontroll")
    await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))
    entries = await ctx.store.audit_entries(world.ehr_id)
    assert [each.what for each in entries if each.action == "composition.read"] == [str(stored.uid)]


async def test_the_status_names_no_card_that_is_hers_alone(ctx: Ctx) -> None:
    world = await a_world(enforcing(ctx))
    await world.consent()
    card = await world.card()
    journal = world.by(replace(SYSTEM, unit=MIDWIFE.unit), "")

    async def latest() -> list[str | None]:
        return [
            (await cards.get_card_state(each, world.ehr_id)).latest
            for each in (world.her, world.ctx, journal)
        ]

    assert await latest() == [card, card, card]
    await cards.end_card(world.ctx, world.ehr_id, card, status=CardStatus.DELIVERED, live_birth=False)
    assert await latest() == [card, None, None]
    await cards.keep_card(world.her, world.ehr_id, card, shown=True)
    assert await latest() == [card, card, card]


async def test_a_system_is_told_of_women_in_care_of_its_organisation_only(ctx: Ctx) -> None:
    world = await a_card(enforcing(ctx))
    elsewhere = replace(SYSTEM, organisation="983974872")
    for ehr_id in (world.ehr_id, women.NOBODY):
        with pytest.raises(NotAllowed) as refused:
            await cards.get_card_state(world.by(elsewhere, ""), ehr_id)
        assert refused.value.code == "access.relation"
