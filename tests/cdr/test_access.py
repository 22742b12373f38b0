"""The access decision: by a table of who asks what, and over a real store at the doors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdr import compositions, ehrs, queries
from cdr.access import Asked, decide
from cdr.access_rules import RULES, Action
from cdr.actor import Actor, ActorKind
from cdr.audit import Outcome
from cdr.context import Ctx
from cdr.errors import NotAllowed, UnknownEhr
from cdr.facts import UNKNOWN, Facts
from cdr.settings import BUILTIN, Settings
from cdr.versions import JsonObject
from tests.cdr.small_template import note, random_id, status

KARI = "10915596784"  # synthetic
FNR = "2.16.578.1.12.4.1.4.1"

CITIZEN = Actor(id="c1", name="", kind=ActorKind.CITIZEN, person_id=KARI, security_level=4)
MIDWIFE = Actor(
    id="p1",
    name="Anna Berg",
    kind=ActorKind.PROFESSIONAL,
    role="JO",
    organisation="123456785",
    unit="998570328",
    hpr="222200063",
    security_level=4,
)
SYSTEM = Actor(id="m1", name="Journal", kind=ActorKind.SYSTEM, organisation="123456785")
ANALYST = Actor(id="a1", name="Ada", kind=ActorKind.ANALYST, security_level=4)
OTHER = replace(MIDWIFE, id="p2", organisation="983974872", unit="")

HERS = Facts(exists=True, subjects=frozenset({KARI}))
IN_CARE = Facts(exists=True, related=True)
STRANGER = Facts(exists=True)
READ, WRITE = Action.READ_COMPOSITION, Action.CREATE_COMPOSITION


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(CITIZEN, READ, HERS), ""),
        (Asked(CITIZEN, WRITE, HERS), "access.role"),
        (Asked(CITIZEN, READ, STRANGER), "access.not_own"),
        (Asked(CITIZEN, READ, UNKNOWN), "access.not_own"),
        (Asked(replace(CITIZEN, security_level=3), READ, HERS), "access.level"),
        (Asked(replace(CITIZEN, person_id=""), READ, STRANGER), "access.no_person"),
        (Asked(MIDWIFE, READ, IN_CARE, "UNNTAK"), ""),
        (Asked(MIDWIFE, READ, STRANGER, "UNNTAK"), "access.relation"),
        (Asked(MIDWIFE, READ, UNKNOWN, "UNNTAK"), "access.relation"),
        (Asked(replace(MIDWIFE, attested_purpose="TREAT"), READ, STRANGER, "UNNTAK"), ""),
        (Asked(replace(MIDWIFE, attested_purpose="HRESCH"), READ, STRANGER, "UNNTAK"), "access.relation"),
        (Asked(MIDWIFE, READ, STRANGER, "SAMTYKKE"), ""),
        (Asked(MIDWIFE, READ, IN_CARE), "access.basis"),
        (Asked(MIDWIFE, READ, IN_CARE, "NYSGJERRIG"), "access.basis"),
        (Asked(MIDWIFE, READ, STRANGER, "AKUTT"), "access.reason"),
        (Asked(MIDWIFE, READ, STRANGER, "AKUTT", "  "), "access.reason"),
        (Asked(MIDWIFE, READ, STRANGER, "AKUTT", "bevisstløs"), ""),
        (Asked(replace(MIDWIFE, hpr=""), READ, IN_CARE, "UNNTAK"), "access.role"),
        (Asked(replace(MIDWIFE, role="AA"), READ, IN_CARE, "UNNTAK"), "access.role"),
        (Asked(replace(MIDWIFE, organisation=""), READ, IN_CARE, "UNNTAK"), "access.organisation"),
        (Asked(replace(MIDWIFE, security_level=3), READ, IN_CARE, "UNNTAK"), "access.level"),
        (Asked(SYSTEM, READ, IN_CARE, "UNNTAK"), "access.role"),
        (Asked(SYSTEM, Action.READ_TEMPLATE), ""),
        (Asked(ANALYST, Action.QUERY), ""),
        (Asked(replace(ANALYST, security_level=3), Action.QUERY), "access.level"),
        (Asked(replace(ANALYST, security_level=3), Action.READ_TEMPLATE), ""),
        (Asked(ANALYST, READ, IN_CARE), "access.role"),
        (Asked(Actor(id="dev", name="dev"), READ, IN_CARE, "UNNTAK"), "access.role"),
    ],
)
def test_decisions(asked: Asked, code: str) -> None:
    decision = decide(asked)
    assert (decision.allowed, decision.code) == (not code, code)


def test_every_action_has_a_row() -> None:
    assert set(RULES) == set(Action)
    assert {kind for row in RULES.values() for kind in row} <= set(ActorKind) - {ActorKind.DEVELOPER}


def test_a_refusal_is_the_same_whether_the_record_is_there_or_not() -> None:
    for actor in (CITIZEN, MIDWIFE):
        there, not_there = (decide(Asked(actor, READ, facts, "UNNTAK")) for facts in (STRANGER, UNKNOWN))
        assert there == not_there


def test_the_national_id_of_an_actor_is_in_no_text() -> None:
    assert KARI not in repr(CITIZEN)
    assert KARI not in str(Asked(CITIZEN, READ, STRANGER))


def person(national_id: str) -> JsonObject:
    """An EHR_STATUS about a person."""
    about = status(national_id)
    about["subject"]["external_ref"] |= {"namespace": FNR}
    return about


@pytest.fixture
def enforcing(ctx: Ctx) -> Ctx:
    """A request by the midwife on a server that enforces access."""
    settings = Settings(mode=ctx.settings.mode, issuer=BUILTIN)
    return replace(ctx, actor=MIDWIFE, settings=settings, basis="UNNTAK")


@pytest.mark.anyio
async def test_who_makes_the_record_has_her_in_treatment(enforcing: Ctx) -> None:
    ehr = await ehrs.create_ehr(enforcing, status=person(KARI))
    await compositions.create_composition(enforcing, ehr.ehr_id, note())
    assert (await ehrs.get_ehr_by_subject(enforcing, KARI, FNR)).ehr_id == ehr.ehr_id
    with pytest.raises(NotAllowed) as refused:
        await ehrs.get_ehr(replace(enforcing, actor=OTHER), ehr.ehr_id)
    assert refused.value.code == "access.relation"
    (denied,) = [
        entry for entry in await enforcing.store.audit_entries(ehr.ehr_id) if entry.outcome is Outcome.DENIED
    ]
    assert (denied.actor, denied.hpr, denied.organisation) == ("p2", "222200063", "983974872")
    assert denied.detail.startswith("access.relation")


@pytest.mark.anyio
async def test_looking_for_somebody_else_tells_nothing(enforcing: Ctx) -> None:
    await ehrs.create_ehr(enforcing, status=person(KARI))
    stranger = replace(enforcing, actor=OTHER)
    texts = set()
    for subject in (KARI, "15507600333"):
        with pytest.raises(NotAllowed) as refused:
            await ehrs.get_ehr_by_subject(stranger, subject, FNR)
        texts.add(str(refused.value))
    assert len(texts) == 1
    with pytest.raises(UnknownEhr):
        await ehrs.get_ehr(replace(stranger, basis="SAMTYKKE"), random_id())


@pytest.mark.anyio
async def test_a_query_ranges_over_what_one_may_see(enforcing: Ctx) -> None:
    hers = await ehrs.create_ehr(enforcing, status=person(KARI))
    other = await ehrs.create_ehr(replace(enforcing, actor=OTHER))
    text = "SELECT e/ehr_id/value FROM EHR e"

    async def seen(actor: Actor) -> set[str]:
        return {row[0] for row in (await queries.run_query(replace(enforcing, actor=actor), text)).rows}

    assert await seen(MIDWIFE) == {hers.ehr_id}
    assert await seen(OTHER) == {other.ehr_id}
    assert await seen(CITIZEN) == {hers.ehr_id}
    assert await seen(replace(CITIZEN, person_id="15507600333")) == set()
    pseudonyms = await seen(ANALYST)
    assert len(pseudonyms) == 2
    assert pseudonyms.isdisjoint({hers.ehr_id, other.ehr_id})
    with pytest.raises(NotAllowed):
        await queries.run_query(replace(enforcing, actor=CITIZEN), text, ehr_id=other.ehr_id)
