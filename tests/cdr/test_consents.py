"""Consent over a real store: what it opens, what its withdrawal closes and removes, and who wins a race."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from cdr import cards, compositions, consents, directory, ehrs, queries, tags
from cdr.actor import Actor, ActorKind
from cdr.audit import Outcome
from cdr.consent import Bar, BlockScope, CardStatus, Decision
from cdr.consent_errors import (
    AddressConfidential,
    CardClosed,
    CardExists,
    CardInactive,
    ConsentElsewhere,
    ConsentGiven,
    ConsentMissing,
    NotConfirmed,
    PersonDeceased,
    RemovalRunning,
)
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.errors import CdrError, NotAllowed, RepeatErased
from cdr.versions import Kind, StoredVersion
from tests.cdr.card_world import CARD, HOSPITAL, MARK, OFFICER, SHIELDED, World, a_card, a_world, enforcing
from tests.cdr.small_template import note
from tests.cdr.test_access import person
from tests.cdr.test_erasure import collections_with
from tests.cdr.updates import folder

LINE, D_NUMBER = "05819110079", "45819110062"
ALL = "SELECT c FROM EHR e CONTAINS COMPOSITION c"
pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(ctx: Ctx) -> World:
    return await a_world(enforcing(ctx))


@pytest.fixture
async def card(ctx: Ctx) -> World:
    return await a_card(enforcing(ctx))


async def removed(world: World, job: str) -> consents.Removal:
    """The removal, once it has ended."""
    async with asyncio.timeout(20):
        while (found := await consents.get_removal(world.her, world.ehr_id, job)).ended is None:
            await asyncio.sleep(0.02)
    return found


async def test_nothing_of_a_card_is_stored_before_she_has_said_yes(world: World) -> None:
    with pytest.raises(ConsentMissing):
        await world.write("før")
    with pytest.raises(NotAllowed) as refused:
        await world.card()
    assert refused.value.code == "consent.missing"
    await world.write("journalnotat", "note.v0")  # not on the card: access alone decides
    await world.consent()
    with pytest.raises(CardInactive):
        await world.write("uten kort")
    card_id = await world.card()
    stored = await world.write("kontroll")
    assert (stored.card_id, stored.organisation) == (card_id, "123456785")


async def test_consent_is_a_composition_and_a_state(world: World) -> None:
    await world.consent()
    view = await consents.get_consent(world.her, world.ehr_id)
    assert (view.valid, [event.decision for event in view.history]) == (True, [Decision.GIVEN])
    stored = await compositions.get_composition(world.her, world.ehr_id, view.facts.consent_object)
    assert stored.data is not None
    (action,) = stored.data["content"]
    assert action["ism_transition"]["careflow_step"]["defining_code"]["code_string"] == "at0015"
    assert stored.audit.committer == {"_type": "PARTY_SELF"}
    with pytest.raises(ConsentGiven):
        await world.consent()
    await world.withdraw()
    after = await compositions.get_composition(world.her, world.ehr_id, view.facts.consent_object)
    assert after.data is not None
    (action,) = after.data["content"]
    assert action["ism_transition"]["careflow_step"]["defining_code"]["code_string"] == "at0017"


async def test_consent_is_not_given_by_storing_its_composition(world: World) -> None:
    await world.consent()
    view = await consents.get_consent(world.her, world.ehr_id)
    found = await compositions.get_composition(world.her, world.ehr_id, view.facts.consent_object)
    copied = {key: value for key, value in (found.data or {}).items() if key != "uid"}
    with pytest.raises(ConsentElsewhere):
        await compositions.create_composition(world.ctx, world.ehr_id, copied)
    with pytest.raises(NotConfirmed):
        await consents.withdraw_consent(world.her, world.ehr_id, document="2019-01")


async def test_only_she_decides(world: World) -> None:
    for decide in (consents.give_consent, consents.withdraw_consent):
        with pytest.raises(NotAllowed):
            await decide(world.ctx, world.ehr_id, document=text_version())


async def a_world_of(world: World, national_id: str) -> World:
    """The record of another woman, with the same people around her."""
    ehr = await ehrs.create_ehr(world.ctx, status=person(national_id))
    return World(world.ctx, ehr.ehr_id, national_id)


async def a_card_of(world: World, national_id: str) -> World:
    """Her card."""
    other = await a_world_of(world, national_id)
    await other.consent()
    await other.card()
    return other


async def everything_of_a_card(world: World) -> StoredVersion:
    """Entries in versions, a draft, shielded ones, tags, folders, a contribution, a repeated request."""
    first = await world.write(MARK)
    await compositions.update_composition(
        world.ctx, world.ehr_id, first.uid.object_id, note(template_id=CARD), preceding_uid=str(first.uid)
    )
    await world.write(MARK, SHIELDED)
    await world.contribute()
    await tags.set_tags(
        world.ctx, world.ehr_id, Kind.COMPOSITION, first.uid.object_id, [{"key": "k", "value": MARK}]
    )
    await directory.create_directory(world.ctx, world.ehr_id, folder(MARK))
    return first


async def test_withdrawal_closes_at_once_and_removes_everything(card: World) -> None:
    first = await everything_of_a_card(card)
    assert await collections_with(card.ctx.store, MARK) == {"versions", "tags", "contributions"}
    uid, ehr_id = str(first.uid), card.ehr_id
    job = await card.withdraw()
    for actor in (card.ctx, card.her):
        with pytest.raises(ConsentMissing):
            await compositions.get_composition(actor, ehr_id, uid)
        with pytest.raises(ConsentMissing):
            await compositions.get_composition_history(actor, ehr_id, first.uid.object_id)
        with pytest.raises(CardClosed):
            await tags.get_tags(actor, ehr_id, Kind.COMPOSITION, uid)
        with pytest.raises(NotAllowed):
            await directory.get_directory(actor, ehr_id)
        with pytest.raises(ConsentMissing):
            await queries.run_query(actor, ALL, ehr_id=ehr_id)
        assert MARK not in str((await queries.run_query(actor, ALL)).rows)
    with pytest.raises(ConsentMissing):
        await card.write("etter")
    job_done = await removed(card, job)
    assert job_done.total == job_done.removed == 5
    assert await collections_with(card.ctx.store, MARK) == set()
    assert await collections_with(card.ctx.store, first.uid.object_id) == {"audit"}
    view = await consents.get_consent(card.her, ehr_id)
    assert [event.decision for event in view.history] == [Decision.GIVEN, Decision.WITHDRAWN]
    assert await card.ctx.store.audit_faults() == []
    entries = await card.ctx.store.audit_entries(ehr_id)
    assert {"consent.withdraw", "consent.remove"} <= {entry.action for entry in entries}
    denied = [entry for entry in entries if entry.outcome is Outcome.DENIED]
    assert {entry.detail.split(":")[0] for entry in denied} == {"consent.missing"}


async def test_a_new_consent_starts_an_empty_card(card: World) -> None:
    first = await everything_of_a_card(card)
    await removed(card, await card.withdraw())
    await card.consent()
    assert await cards.get_cards(card.ctx, card.ehr_id) == []
    await card.card()
    found = await queries.run_query(
        card.ctx, "SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c", ehr_id=card.ehr_id
    )
    assert {row[0] for row in found.rows} == {"Samtykke"}
    again = note(template_id=CARD) | {"uid": {"_type": "HIER_OBJECT_ID", "value": first.uid.object_id}}
    with pytest.raises(CdrError, match="in use"):
        await compositions.create_composition(card.ctx, card.ehr_id, again)
    with pytest.raises(RepeatErased):
        await card.contribute()


async def test_a_withdrawal_never_loses_to_a_commit(card: World) -> None:
    async def write(number: int) -> int:
        """Go on until it is refused."""
        for stored in range(1000):
            try:
                await card.write(f"{MARK} {number}", by=HOSPITAL)
            except ConsentMissing:
                return stored
        raise AssertionError("withdrawal was not heeded")

    writers = [asyncio.create_task(write(number)) for number in range(16)]
    await asyncio.sleep(0.3)
    job = await card.withdraw()
    assert sum([await writer for writer in writers]) > 0
    await removed(card, job)
    assert await collections_with(card.ctx.store, MARK) == set()


async def test_two_decisions_at_once_are_one(card: World) -> None:
    answers = await asyncio.gather(*(card.withdraw() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert all(isinstance(answer, str | CdrError) for answer in answers)


async def test_a_removal_goes_on_where_a_killed_server_left_it(card: World) -> None:
    await everything_of_a_card(card)
    store = card.ctx.store
    await store.removals.stop()
    job = await card.withdraw()
    with pytest.raises(RemovalRunning):
        await card.consent()
    begun = await consents.get_removal(card.her, card.ehr_id, job)
    assert (begun.total, begun.ended) == (None, None)
    store.removals.start()
    assert (await removed(card, job)).removed == 5
    await card.consent()


async def test_a_removal_that_fails_keeps_no_other_waiting(card: World) -> None:
    """Something is stored of the first woman that no program of ours wrote; the second does not wait."""
    await everything_of_a_card(card)
    other = await a_card_of(card, LINE)
    await other.write(MARK)
    store, broken = card.ctx.store, {"_id": "broken", "e": card.ehr_id}
    held = (await store.reads.on_card(card.ehr_id))[0].uid.object_id
    await store.removals.stop()
    await store._database.contributions.insert_one(broken | {"v": {"o": held}})
    first, second = await card.withdraw(), await other.withdraw()
    store.removals.start()
    assert (await removed(other, second)).removed == 1
    assert (await consents.get_removal(card.her, card.ehr_id, first)).ended is None
    await store._database.contributions.delete_one({"_id": "broken"})
    assert (await removed(card, first)).removed == 5


async def test_an_erased_entry_leaves_its_id_in_nothing_but_the_audit(card: World) -> None:
    stored = await card.write(MARK)
    object_id = stored.uid.object_id
    await cards.add_block(card.her, card.ehr_id, scope=BlockScope.ENTRY, target=object_id)
    kept = await cards.add_block(card.her, card.ehr_id, scope=BlockScope.SECTION, target="prover")
    officer = card.by(OFFICER)
    await cards.erase_entry(officer, card.ehr_id, object_id, decision="2026/7", decided_by="Pia Fiktiv")
    assert await collections_with(card.ctx.store, object_id) == {"audit"}
    assert [block.id for block in await cards.get_blocks(card.her, card.ehr_id)] == [kept.id]
    await cards.remove_block(card.her, card.ehr_id, kept.id)


async def test_who_is_dead_or_hidden_has_no_card(card: World) -> None:
    stored = await card.write("kontroll")
    system = card.by(Actor(id="dsf", name="Folkeregisteret", kind=ActorKind.REGISTER))
    for bar, error in ((Bar.DECEASED, PersonDeceased), (Bar.CONFIDENTIAL_ADDRESS, AddressConfidential)):
        await consents.report_person(system, card.ehr_id, bar)
        with pytest.raises(error):
            await compositions.get_composition(card.ctx, card.ehr_id, str(stored.uid))
        with pytest.raises(error):
            await card.write("nytt")
    await consents.report_person(system, card.ehr_id, None)
    assert (await compositions.get_composition(card.ctx, card.ehr_id, str(stored.uid))).uid == stored.uid


async def test_a_bar_that_was_told_of_a_number_comes_with_that_number(world: World) -> None:
    """She had a D-number when her record was made; the register knows her by her national number."""
    system = world.by(Actor(id="dsf", name="Folkeregisteret", kind=ActorKind.REGISTER), "")
    await consents.remember_person(system, LINE, Bar.CONFIDENTIAL_ADDRESS)
    made = await ehrs.create_ehr(world.ctx, status=person(D_NUMBER))
    other = World(world.ctx, made.ehr_id, D_NUMBER)
    await other.consent()
    await other.card()
    await ehrs.update_ehr_status(world.ctx, made.ehr_id, person(LINE), preceding_uid=str(made.status.uid))
    with pytest.raises(AddressConfidential):
        await other.write("kontroll")
    await consents.remember_person(system, LINE, None)
    await consents.report_person(system, made.ehr_id, None)
    await other.write("kontroll")


async def test_one_active_card(card: World) -> None:
    with pytest.raises(CardExists):
        await card.card()
    (active,) = await cards.get_cards(card.ctx, card.ehr_id)
    await cards.end_card(card.ctx, card.ehr_id, active.id, status=CardStatus.DELIVERED, live_birth=True)
    await card.write("barsel")  # care after the birth is still written on the card
    await card.card()
    state = await cards.get_card_state(card.ctx, card.ehr_id)
    assert state.active != active.id
    with pytest.raises(CardInactive):
        await cards.end_card(card.ctx, card.ehr_id, active.id, status=CardStatus.TERMINATED)
    found = await cards.get_cards(card.ctx, card.ehr_id)
    assert [one.status for one in found] == [CardStatus.DELIVERED, CardStatus.ACTIVE]
    assert found[0].ended == datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_open_development_asks_for_no_consent(ctx: Ctx) -> None:
    enforcing(ctx)
    ehr = await ehrs.create_ehr(ctx)
    stored = await compositions.create_composition(ctx, ehr.ehr_id, note(template_id=CARD))
    assert (await compositions.get_composition(ctx, ehr.ehr_id, str(stored.uid))).uid == stored.uid
