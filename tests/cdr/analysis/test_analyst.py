"""What an analyst sees of the card's tables: pseudonyms and coded data, more only by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdr import card_tables, projects
from cdr.audit import Outcome
from cdr.card_tables import card_table, table_codebook
from cdr.cards import add_block
from cdr.compositions import create_composition
from cdr.consent import BlockScope
from cdr.consent_texts import text_version
from cdr.consents import give_consent
from cdr.context import Actor, ActorKind, Ctx, utc_now
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr
from cdr.errors import BadRequest, NotAllowed
from cdr.settings import BUILTIN, Mode, Settings
from cdr.versions import Lifecycle
from templates.compose import compose
from templates.header import HPR, Header, Party
from templates.repository import library_templates
from tests.cdr.test_access import CITIZEN, KARI, person

pytestmark = pytest.mark.anyio

NAME, NOTE, MIDWIFE, PLACE, COPARENT = "Zebrastripe", "Flaggermus", "Fjellrev", "Isbjørn klinikk", "Lemen"
CARD = "0c0a9a12-5f0e-4a8e-9d2e-6a6f3c1d2b3a"
PLANTED = (NAME, NOTE, MIDWIFE, PLACE, COPARENT, CARD, "999000099", "14839850078")
FIRST = {
    "HK1.2": NAME,
    "HK1.3": f"{NAME} vei 1",
    "HK1.4": "9999",
    "HK1.5": NAME,
    "HK1.6": "90000001",
    "HK1.8": "at0024",
    "HK1.9": NOTE,
    "HK1.11": NOTE,
    "HK1.19": COPARENT,
    "HK1.20": "14839850078",
    "HK2.1": ["fastlege"],
    "HK2.2": [MIDWIFE],
    "HK2.3": ["999000099"],
    "HK2.4": [PLACE],
    "HK3.7": NOTE,
    "HK5.5": "at0024",
    "HK5.13": NOTE,
    "HK6.2": NOTE,
    "HK7.11": NOTE,
    "HK9.1": "2025-01-06",
    "HK13.17": NOTE,
    "HK13.4": "120 mm[Hg]",
}


def analyst(ctx: Ctx, actor: str = "ada", project: str = "") -> Ctx:
    """The same server, asked by an analyst whose access is enforced."""
    ada = Actor(id=actor, name="Ada", kind=ActorKind.ANALYST, security_level=4)
    return replace(ctx, actor=ada, settings=Settings(mode=Mode.DEV, issuer=BUILTIN), project=project)


def officer(ctx: Ctx) -> Ctx:
    """The data-protection officer."""
    return replace(analyst(ctx), actor=Actor(id="pia", name="Pia", kind=ActorKind.OFFICER, security_level=4))


@pytest.fixture
async def planted(ctx: Ctx) -> Ctx:
    """One woman whose card is full of words that may not leave."""
    ctx = replace(ctx, clock=utc_now)
    await publish_library(ctx)
    ehr_id = (await create_ehr(ctx, status=person(KARI))).ehr_id
    her = replace(analyst(ctx), actor=CITIZEN)
    await give_consent(her, ehr_id, document=text_version())
    header = Header(
        start_time="2025-03-10T10:00:00+01:00",
        setting="228",
        composer=Party(name=MIDWIFE, identifier="999000099", issuer=HPR),
        role=("LE", "Lege"),
        facility=Party(name=PLACE),
        pregnancy_id=CARD,
        gestational_age="P9W0D",
        contact_type="at0008",
    )
    composition = compose(library_templates()["helsekort_forste_kontroll.v0"], header, FIRST)
    await create_composition(ctx, ehr_id, composition, lifecycle=Lifecycle.INCOMPLETE)
    return ctx


async def everything(ctx: Ctx) -> str:
    """All rows of all tables of one woman, as text."""
    found = ""
    for name in ("woman", "pregnancy", "contact", "fetus", "test", "sf", "earlier"):
        stream = await card_table(ctx, name)
        found += "".join([str(row) async for batch in stream.batches for row in batch])
    return found


async def cells(ctx: Ctx, name: str) -> dict[str, Any]:
    """The only row of a table, by column."""
    stream = await card_table(ctx, name)
    (row,) = [row async for batch in stream.batches for row in batch]
    return dict(zip([column.name for column in stream.columns], row, strict=True))


async def test_no_word_that_names_or_tells_reaches_an_analyst(planted: Ctx) -> None:
    shown = await everything(planted)
    assert [word for word in PLANTED if word not in shown] == []
    (ehr_id,) = [row[0] for row in [list((await cells(planted, "woman")).values())]]
    seen = await everything(analyst(planted))
    assert [word for word in (*PLANTED, ehr_id, "9999", "90000001") if word in seen] == []
    woman = await cells(analyst(planted), "woman")
    assert woman["lives_with_coparent"] == "no"
    assert "name" not in woman
    assert (await cells(analyst(planted), "contact"))["systolic_mmhg"] == 120
    withheld = (await table_codebook(analyst(planted), "woman")).withheld
    assert {"name": "identifier", "occupation": "free text"}.items() <= {
        column.name: column.privacy.value for column in withheld
    }.items()


async def test_pseudonyms_join_tables_and_end_with_their_project(planted: Ctx) -> None:
    await projects.create_project(officer(planted), "iron", title="Iron", members=["ada", "bo"])
    await projects.create_project(officer(planted), "sugar", title="Sugar", members=["ada"])
    ada = analyst(planted, project="iron")
    woman, contact = await cells(ada, "woman"), await cells(ada, "contact")
    assert woman["ehr_id"] == contact["ehr_id"] != (await cells(planted, "woman"))["ehr_id"]
    assert (await cells(analyst(planted, "bo"), "woman"))["ehr_id"] == woman["ehr_id"]
    assert (await cells(analyst(planted, project="sugar"), "woman"))["ehr_id"] != woman["ehr_id"]
    assert (await cells(analyst(planted, "cy"), "woman"))["ehr_id"] != woman["ehr_id"]
    with pytest.raises(NotAllowed, match="iron, sugar"):
        await cells(analyst(planted), "woman")
    with pytest.raises(NotAllowed, match="do not work"):
        await cells(analyst(planted, "bo", "sugar"), "woman")
    await projects.end_project(officer(planted), "iron")
    with pytest.raises(NotAllowed):
        await cells(ada, "woman")


async def test_more_is_permitted_by_name_for_a_reason_until_a_day(planted: Ctx) -> None:
    await projects.create_project(officer(planted), "notes", title="Notes", members=["ada", "bo"])
    ada = analyst(planted, project="notes")
    now = utc_now()
    made = await projects.permit(
        officer(planted),
        "notes",
        what="HK13.17",
        reason="REK 2026/123",
        until=now + timedelta(days=1),
        member="ada",
    )
    contact = await cells(ada, "contact")
    assert contact["note"] == NOTE
    assert MIDWIFE not in str(contact)
    assert "note" not in await cells(analyst(planted, "bo"), "contact")
    assert "note" not in await cells(replace(ada, clock=lambda: now + timedelta(days=2)), "contact")
    await projects.withdraw_permit(officer(planted), "notes", made.id)
    assert "note" not in await cells(ada, "contact")
    await projects.permit(
        officer(planted), "notes", what="identifier", reason="linkage", until=now + timedelta(days=1)
    )
    assert (await cells(ada, "woman"))["name"] == NAME
    (first, second) = await projects.list_permits(ada, "notes")
    assert (first.reason, first.permitted_by, first.withdrawn is not None) == ("REK 2026/123", "pia", True)
    assert second.what == "identifier"
    entries = [entry async for batch in planted.store.audit_batches() for entry in batch.entries]
    said = [entry.detail for entry in entries if entry.action == "project.manage"]
    assert any("HK13.17" in detail and "REK 2026/123" in detail for detail in said)


async def test_what_cannot_be_permitted(planted: Ctx) -> None:
    await projects.create_project(officer(planted), "all", title="All", members=[])
    soon = utc_now() + timedelta(days=1)
    for what, reason, until in (
        ("everything", "x", soon),
        ("free text", " ", soon),
        ("free text", "x", utc_now() - timedelta(days=1)),
        ("free text", "x", utc_now() + timedelta(days=400)),
    ):
        with pytest.raises(BadRequest):
            await projects.permit(officer(planted), "all", what=what, reason=reason, until=until)
    with pytest.raises(projects.UnknownProject):
        await projects.permit(officer(planted), "none", what="free text", reason="x", until=soon)
    with pytest.raises(NotAllowed):
        await projects.permit(analyst(planted), "all", what="free text", reason="x", until=soon)
    with pytest.raises(projects.ProjectExists):
        await projects.create_project(officer(planted), "all", title="All", members=[])


async def test_each_woman_of_a_table_is_in_the_audit(planted: Ctx) -> None:
    ehr_id = (await cells(planted, "woman"))["ehr_id"]
    await cells(analyst(planted), "contact")
    entries = await planted.store.audit_entries(ehr_id)
    found = {(entry.actor, entry.action, entry.outcome) for entry in entries}
    assert ("ada", "table.read", Outcome.GRANTED) in found


async def test_a_table_shows_what_may_be_seen_when_its_rows_are_made(
    planted: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever blocks her card while a table is made is not in what comes, and the table goes on."""
    monkeypatch.setattr(card_tables, "AT_ONCE", 1)
    other = replace(CITIZEN, id="c9", person_id="05819110079")
    ehr_id = (await create_ehr(planted, status=person(other.person_id))).ehr_id
    await give_consent(replace(analyst(planted), actor=other), ehr_id, document=text_version())
    header = Header(start_time="2025-03-10T10:00:00+01:00", setting="228", contact_type="at0008")
    composition = compose(library_templates()["helsekort_forste_kontroll.v0"], header, FIRST)
    await create_composition(planted, ehr_id, composition, lifecycle=Lifecycle.INCOMPLETE)
    stream = await card_table(analyst(planted), "contact")
    first = await anext(aiter(stream.batches))
    for woman in (CITIZEN, other):
        her = replace(analyst(planted), actor=woman)
        for record in await planted.store.access.ehrs_of_citizen(woman):
            await add_block(her, record, scope=BlockScope.CARD)
    assert [row async for batch in stream.batches for row in batch] == []
    assert len(first) == 1
