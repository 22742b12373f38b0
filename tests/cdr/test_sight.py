"""What is seen of a card: by a table of who looks at what, and over a real store where it matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from cdr import cards, compositions, consents
from cdr.actor import Actor
from cdr.consent import Against, Bar, Block, BlockScope, ConsentFacts, Lack, LegalBasis
from cdr.consent_errors import BadBlock, CardBlocked, UnknownBlock
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.errors import UnknownObject
from cdr.sight import Terms, card_sections, sight_of
from templates.operational import TemplateAccess
from tests.cdr.card_world import ANALYST, CITIZEN, HOSPITAL, MIDWIFE, NEIGHBOUR, a_card, a_world, enforcing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = Terms(LegalBasis.CONSENT, NOW)
YES = ConsentFacts(given=True)


@dataclass(frozen=True)
class Version:
    """The marks of a stored version."""

    template_id: str | None = "helsekort_kontroll.v0"
    access: TemplateAccess = TemplateAccess.CARD
    organisation: str = "123456785"
    card_id: str | None = "card-1"


VISIT, SHIELDED = Version(), Version("helsekort_skjermet.v0", TemplateAccess.SHIELDED)
LAB, NOTE = Version("helsekort_lab.v0"), Version("note.v0", TemplateAccess.OPEN)


def block(
    scope: BlockScope, target: str = "", against: Against = Against.EVERYONE, name: str = ""
) -> ConsentFacts:
    return replace(YES, blocks=(Block(id="b", scope=scope, target=target, against=against, name=name),))


@pytest.mark.parametrize(
    ("actor", "facts", "basis", "version", "seen"),
    [
        (MIDWIFE, YES, "UNNTAK", VISIT, True),
        (MIDWIFE, ConsentFacts(), "UNNTAK", VISIT, False),
        (MIDWIFE, ConsentFacts(), "UNNTAK", NOTE, True),
        (CITIZEN, ConsentFacts(), "", VISIT, False),
        (MIDWIFE, replace(YES, until=NOW), "UNNTAK", VISIT, False),
        (MIDWIFE, replace(YES, until=NOW + timedelta(seconds=1)), "UNNTAK", VISIT, True),
        (MIDWIFE, replace(YES, removal="job"), "AKUTT", VISIT, False),
        (MIDWIFE, replace(YES, bar=Bar.DECEASED), "AKUTT", VISIT, False),
        (MIDWIFE, YES, "UNNTAK", SHIELDED, True),
        (HOSPITAL, YES, "UNNTAK", SHIELDED, False),
        (HOSPITAL, YES, "AKUTT", SHIELDED, False),
        (ANALYST, YES, "", SHIELDED, False),
        (CITIZEN, YES, "", SHIELDED, True),
        (HOSPITAL, block(BlockScope.CARD), "UNNTAK", VISIT, False),
        (HOSPITAL, block(BlockScope.CARD), "AKUTT", VISIT, True),
        (HOSPITAL, block(BlockScope.CARD), "FORHOYET_SAMTYKKE", VISIT, True),
        (CITIZEN, block(BlockScope.CARD), "", VISIT, True),
        (ANALYST, block(BlockScope.CARD), "", VISIT, False),
        (HOSPITAL, block(BlockScope.CARD, "", Against.PERSON, HOSPITAL.hpr), "UNNTAK", VISIT, False),
        (NEIGHBOUR, block(BlockScope.CARD, "", Against.PERSON, HOSPITAL.hpr), "UNNTAK", VISIT, True),
        (HOSPITAL, block(BlockScope.CARD, "", Against.ORGANISATION, "983974872"), "UNNTAK", VISIT, False),
        (MIDWIFE, block(BlockScope.CARD, "", Against.ORGANISATION, "998570328"), "UNNTAK", VISIT, False),
        (MIDWIFE, block(BlockScope.ENTRY, "object-1"), "UNNTAK", VISIT, False),
        (MIDWIFE, block(BlockScope.ENTRY, "object-2"), "UNNTAK", VISIT, True),
        (MIDWIFE, block(BlockScope.SECTION, "prover"), "UNNTAK", LAB, False),
        (MIDWIFE, block(BlockScope.SECTION, "prover"), "UNNTAK", VISIT, True),
        (MIDWIFE, replace(YES, hidden_cards=frozenset({"card-1"})), "AKUTT", VISIT, False),
        (CITIZEN, replace(YES, hidden_cards=frozenset({"card-1"})), "", VISIT, True),
    ],
)
def test_who_sees_what(actor: Actor, facts: ConsentFacts, basis: str, version: Version, seen: bool) -> None:
    assert sight_of(actor, facts, basis, TERMS).sees("object-1", version) is seen


def test_named_roles_see_what_is_shielded() -> None:
    terms = replace(TERMS, shielded_roles=frozenset({"LE"}))
    vouched = replace(HOSPITAL, role_vouched=True)
    assert sight_of(vouched, YES, "UNNTAK", terms).sees("object-1", SHIELDED)
    assert not sight_of(replace(vouched, role="JO"), YES, "UNNTAK", terms).sees("object-1", SHIELDED)
    assert not sight_of(HOSPITAL, YES, "UNNTAK", terms).sees("object-1", SHIELDED), (
        "a role that is only stated"
    )


@pytest.mark.parametrize(
    ("facts", "lack"),
    [
        (ConsentFacts(), None),
        (ConsentFacts(opted_out=True), Lack.NO_CONSENT),
        (ConsentFacts(bar=Bar.CONFIDENTIAL_ADDRESS), Lack.CONFIDENTIAL_ADDRESS),
    ],
)
def test_a_regulation_takes_silence_for_yes(facts: ConsentFacts, lack: Lack | None) -> None:
    assert facts.lack(LegalBasis.REGULATION, NOW) is lack


def test_sections_are_taken_out_at_any_depth_and_nothing_else() -> None:
    section = {"_type": "SECTION", "name": {"value": "Levevaner"}, "items": [{"_type": "EVALUATION"}]}
    other = {"_type": "SECTION", "name": {"value": "Legemidler"}, "items": [section]}
    composition = {"content": [section, other, {"_type": "OBSERVATION"}]}
    sight = sight_of(MIDWIFE, block(BlockScope.SECTION, "levevaner"), "UNNTAK", TERMS)
    assert sight.shown(composition) == {"content": [{**other, "items": []}, {"_type": "OBSERVATION"}]}
    untouched = {"content": [{"_type": "OBSERVATION"}]}
    assert sight.shown(untouched) is untouched
    assert all(section.labels.keys() == {"nb", "en"} for section in card_sections().values())


@pytest.mark.anyio
async def test_blocks_hold_at_the_next_call(ctx: Ctx) -> None:
    world = await a_card(enforcing(ctx))
    stored = await world.write("kontroll")
    uid, entry = str(stored.uid), stored.uid.object_id
    her, ehr_id = world.her, world.ehr_id
    whole = await cards.add_block(her, ehr_id, scope=BlockScope.CARD)
    with pytest.raises(CardBlocked):
        await compositions.get_composition(world.ctx, ehr_id, uid)
    with pytest.raises(CardBlocked):
        await world.write("nytt")
    emergency = world.by(HOSPITAL, "AKUTT")
    assert (await compositions.get_composition(emergency, ehr_id, uid)).uid == stored.uid
    await cards.remove_block(her, ehr_id, whole.id)
    await cards.add_block(her, ehr_id, scope=BlockScope.ENTRY, target=entry)
    with pytest.raises(UnknownObject):
        await compositions.get_composition(world.ctx, ehr_id, uid)
    for bad in ({"scope": BlockScope.SECTION, "target": "alt"}, {"scope": BlockScope.CARD, "name": "1"}):
        with pytest.raises(BadBlock):
            await cards.add_block(her, ehr_id, **bad)
    with pytest.raises(UnknownObject):
        await cards.add_block(her, ehr_id, scope=BlockScope.ENTRY, target=ehr_id)
    with pytest.raises(UnknownBlock):
        await cards.remove_block(her, ehr_id, whole.id)


@pytest.mark.anyio
async def test_under_a_regulation_she_may_opt_out(ctx: Ctx) -> None:
    world = await a_world(enforcing(ctx, legal_basis=LegalBasis.REGULATION))
    await world.card()
    stored = await world.write("uten samtykke")
    await world.withdraw()
    with pytest.raises(Exception, match="no consent"):
        await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))
    await world.ctx.store.removals.run_all()
    await consents.give_consent(world.her, world.ehr_id, document=text_version())
    await world.card()
