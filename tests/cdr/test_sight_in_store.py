"""The query of the store finds what a sight sees; the gate of a commit opens as the facts of consent say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from cdr.consent import FAR, Bar, CardStatus, ConsentFacts, CurrentCard, Lack, LegalBasis, consent_members
from cdr.sight import Sight, card_sections
from cdr.store.consents import open_card
from cdr.store.documents import version_marks
from cdr.store.sight_filter import sight_query
from cdr.store.waiting import CardGate
from templates.operational import TemplateAccess

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECTIONS = sorted(card_sections())
TEMPLATES = sorted({one for section in card_sections().values() for one in section.templates})
OBJECTS, ORGANISATIONS, CARDS = ("o1", "o2"), ("998570328", "983974872"), ("c1", "c2")


def some(values: Any) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values), max_size=2)


sights = st.builds(
    Sight,
    lack=st.none() | st.sampled_from(Lack),
    shielded_of=st.none() | some(ORGANISATIONS),
    objects=some(OBJECTS),
    cards=some(CARDS),
    sections=some(SECTIONS),
)
VERSIONS = [
    {"_id": f"{number}", "o": o, "k": "COMPOSITION"}
    | {key: mark for key, mark in (("tid", template), ("ac", access), ("og", og), ("cd", cd)) if mark}
    for number, (o, template, access, og, cd) in enumerate(
        (o, template, access.value, og, cd)
        for o in OBJECTS
        for template in (*TEMPLATES[:3], "note.v0")
        for access in TemplateAccess
        for og in ("", *ORGANISATIONS)
        for cd in (None, *CARDS)
    )
]
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def database(mongodb_uri: str) -> Any:
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        client.drop_database("sights")
        client.sights.versions.insert_many(VERSIONS)
        yield client.sights
        client.drop_database("sights")


@OFTEN
@given(sight=sights)
def test_the_query_finds_what_is_seen(database: Any, sight: Sight) -> None:
    found = {each["_id"] for each in database.versions.find(sight_query(sight))}
    assert found == {each["_id"] for each in VERSIONS if sight.sees(each["o"], version_marks(each))}


facts = st.builds(
    ConsentFacts,
    given=st.booleans(),
    until=st.sampled_from([NOW - timedelta(seconds=1), NOW, NOW + timedelta(seconds=1), FAR]),
    opted_out=st.booleans(),
    bar=st.none() | st.sampled_from(Bar),
    removal=st.none() | st.just("job"),
    card=st.none() | st.builds(CurrentCard, st.sampled_from(CARDS), st.just(CardStatus.ACTIVE)),
)


@OFTEN
@given(facts=facts, basis=st.sampled_from(LegalBasis), card=st.none() | st.sampled_from(CARDS))
def test_the_gate_of_a_commit_opens_as_the_facts_say(
    database: Any, facts: ConsentFacts, basis: LegalBasis, card: str | None
) -> None:
    database.ehrs.replace_one(
        {"_id": "e"}, {**consent_members(facts), "gate": {"open": True, "mod": True}}, upsert=True
    )
    passes = database.ehrs.find_one({"_id": "e", **open_card(CardGate(basis, card), NOW)}) is not None
    is_current = card is None or (facts.card is not None and facts.card.id == card)
    assert passes is (facts.lack(basis, NOW) is None and is_current)
