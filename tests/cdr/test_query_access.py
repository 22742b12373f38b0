"""A query tells of a woman what may be told at that moment, and the audit names her."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from cdr import cards, contributions, ehrs, joining, relations
from cdr.access import Action
from cdr.actor import Actor, ActorKind
from cdr.consent import BlockScope
from cdr.consent_errors import ConsentChanged
from cdr.consent_texts import text_version
from cdr.consents import give_consent
from cdr.context import Ctx
from cdr.queries import run_query, stream_query
from tests.cdr.card_world import CARD, CITIZEN, MIDWIFE, World, a_card, enforcing, note
from tests.cdr.small_template import status
from tests.cdr.test_access import person
from tests.cdr.updates import contribution, update

pytestmark = pytest.mark.anyio

NAMES = "SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c"
OPERATOR = Actor(id="op", name="Ola", kind=ActorKind.OPERATOR, security_level=4)
MORE_THAN_A_BATCH = 230


@pytest.fixture
async def world(ctx: Ctx) -> World:
    world = await a_card(enforcing(ctx))
    await world.write("kontroll")
    return world


async def queries_about(world: World, ehr_id: str = "") -> int:
    """How many entries of queries a woman finds in her log."""
    entries = await world.ctx.store.audit_entries(ehr_id or world.ehr_id)
    return sum(entry.action == Action.QUERY.value for entry in entries)


NOTES = "CONTAINS COMPOSITION c[openEHR-EHR-COMPOSITION.note.v1]"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (f"SELECT COUNT(*) FROM EHR e {NOTES} WHERE e/ehr_id/value = '{{}}'", [[1]]),
        (f"SELECT COUNT(c/uid/value) FROM EHR e {NOTES}", [[1]]),
        (f"SELECT MAX(c/name/value) FROM EHR e[ehr_id/value='{{}}'] {NOTES}", [["kontroll"]]),
        # That there is nothing tells of her too.
        (f"SELECT c FROM EHR e {NOTES} WHERE e/ehr_id/value = '{{}}' AND c/name/value = 'annet'", []),
        ("SELECT COUNT(*) FROM EHR e[ehr_id/value='{}'] CONTAINS CLUSTER c", [[0]]),
    ],
)
async def test_whoever_asks_about_a_woman_is_in_her_log(world: World, text: str, rows: Any) -> None:
    answer = await run_query(world.ctx, text.format(world.ehr_id))
    assert answer.rows == rows
    assert await queries_about(world) == 1


async def test_an_analysts_total_names_nobody(world: World) -> None:
    analyst = Actor(id="a1", name="Ada", kind=ActorKind.ANALYST, security_level=4)
    await run_query(world.by(analyst, ""), "SELECT COUNT(*) FROM EHR e CONTAINS COMPOSITION c")
    assert await queries_about(world) == 0


async def erased(world: World) -> None:
    await ehrs.erase_ehr(world.by(OPERATOR, ""), world.ehr_id)


async def joined(world: World) -> None:
    other = await ehrs.create_ehr(world.ctx, status=status("annen"))
    await joining.join_ehrs(world.by(OPERATOR, ""), other.ehr_id, world.ehr_id, reason="samme kvinne")


async def relation_ended(world: World) -> None:
    for unit in sorted(MIDWIFE.organisations):
        try:
            await relations.end_relation(world.her, world.ehr_id, unit)
        except relations.UnknownRelation:
            continue


async def entry_blocked(world: World) -> None:
    stored = await world.write("sperret")
    await cards.add_block(world.her, world.ehr_id, scope=BlockScope.ENTRY, target=stored.uid.object_id)


async def section_blocked(world: World) -> None:
    await cards.add_block(world.her, world.ehr_id, scope=BlockScope.SECTION, target="prover")


async def withdrawn(world: World) -> None:
    await world.withdraw()


CHANGES = (erased, joined, relation_ended, entry_blocked, section_blocked, withdrawn)


@pytest.fixture
async def long_world(ctx: Ctx) -> World:
    """A card with more entries than are read at once."""
    world = await a_card(enforcing(ctx))
    entries = [update("249", note(f"{number}", template_id=CARD)) for number in range(MORE_THAN_A_BATCH)]
    await contributions.create_contribution(world.ctx, world.ehr_id, contribution(*entries))
    return world


@pytest.mark.parametrize("change", CHANGES)
async def test_an_answer_ends_when_she_is_not_to_be_told_of_any_more(
    long_world: World, change: Callable[[World], Awaitable[None]]
) -> None:
    stream = await stream_query(long_world.ctx, NAMES)
    first = await anext(aiter(stream.batches))
    assert 0 < len(first) < MORE_THAN_A_BATCH
    await change(long_world)
    with pytest.raises(ConsentChanged):
        await anext(stream.batches)


async def test_equal_rows_name_every_woman_also_behind_the_last_row(long_world: World) -> None:
    line = "05819110079"
    other = replace(long_world, ehr_id=(await ehrs.create_ehr(long_world.ctx, status=person(line))).ehr_id)
    herself = replace(CITIZEN, id="c9", person_id=line)
    await give_consent(other.by(herself, ""), other.ehr_id, document=text_version())
    await other.card()
    await other.write("kontroll")
    stream = await stream_query(long_world.ctx, f"SELECT DISTINCT c/archetype_node_id FROM EHR e {NOTES}")
    assert len([row async for batch in stream.batches for row in batch]) == 1
    assert (await queries_about(long_world), await queries_about(other)) == (1, 1)
