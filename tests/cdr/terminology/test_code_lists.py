"""Releases in the store: imported once, seen by other processes, weighed against stored data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bench.code_release import run
from cdr import definitions, ehrs
from cdr.audit import AuditEntry
from cdr.code_list_impact import code_list_impact
from cdr.code_list_registry import CodeListRegistry
from cdr.code_lists import get_code_list, import_code_list, list_code_lists
from cdr.compositions import create_composition, get_composition, update_composition
from cdr.context import Ctx
from cdr.errors import CodeListExists, InvalidComposition, UnknownCodeList
from cdr.terminology import (
    PROVISIONAL,
    Coding,
    FhirTerminology,
    Verdict,
    read_code_list,
    read_code_system,
    read_code_system_csv,
)
from cdr.validation import judge_composition
from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates
from tests.cdr.terminology.stand_in import SYSTEM, running
from tests.cdr.terminology.test_local import AFTER, BEFORE, DIAGNOSES, ICD, NEW, OLD, VALUES, code_system

pytestmark = pytest.mark.anyio


def visit(code: str, day: str = "2026-06-01") -> dict[str, Any]:
    header = Header(
        start_time=f"{day}T10:00:00+02:00", setting="231", pregnancy_id="S1", contact_type="at0009"
    )
    diagnosis = {"code": code, "system": "icd-10", "display": "x"}
    return compose(
        library_templates()["helsekort_kontroll.v0"], header, {"HK5.15": diagnosis, "HK13.10": "at0006"}
    )


@pytest.fixture
async def record(ctx: Ctx) -> Ctx:
    """A record whose code lists come from its store."""
    await definitions.publish_library(ctx)
    return replace(ctx, terminology=CodeListRegistry(ctx.store.code_lists, refresh_seconds=3600))


async def stored(ctx: Ctx, *visits: dict[str, Any]) -> list[Any]:
    ehr = await ehrs.create_ehr(ctx)
    return [await create_composition(ctx, ehr.ehr_id, each) for each in visits]


async def test_what_was_stored_comes_back_equal(record: Ctx) -> None:
    for data in (OLD, VALUES):
        release = read_code_list(data)
        assert await import_code_list(record, release)
        assert await get_code_list(record, release.url, day=AFTER) == release
    assert [(each.kind, each.codes) for each in (await list_code_lists(record)).releases] == [
        ("ValueSet", 2),
        ("CodeSystem", 5),
    ]


async def test_a_release_never_changes(record: Ctx) -> None:
    release = read_code_system(OLD)
    assert await import_code_list(record, release)
    assert not await import_code_list(record, release)
    with pytest.raises(CodeListExists):
        await import_code_list(record, replace(release, valid_from=date(2024, 1, 1)))
    assert await get_code_list(record, ICD, version="2025") == release


async def test_the_release_of_a_day(record: Ctx) -> None:
    for data in (OLD, NEW):
        await import_code_list(record, read_code_system(data))
    assert [(await get_code_list(record, ICD, day=day)).version for day in (BEFORE, AFTER)] == [
        "2025",
        "2026",
    ]
    for missing in ({"day": date(2024, 1, 1)}, {"version": "1999"}):
        with pytest.raises(UnknownCodeList):
            await get_code_list(record, ICD, **missing)


async def test_a_new_release_keeps_old_data_and_refuses_new(record: Ctx) -> None:
    await import_code_list(record, read_code_system(OLD))
    (old,) = await stored(record, visit("X1", "2025-06-01"))
    await import_code_list(record, read_code_system(NEW))
    read = await get_composition(record, old.ehr_id, str(old.uid))
    assert read.payload == old.payload
    assert (await judge_composition(record, visit("X1", "2025-06-01"))).findings == ()
    corrected = visit("X1", "2025-06-01")
    object_id = old.uid.object_id
    await update_composition(record, old.ehr_id, object_id, corrected, preceding_uid=str(old.uid))
    with pytest.raises(InvalidComposition) as refused:
        await stored(record, visit("X1"))
    assert [(f.code, f.expected, f.params["release"]) for f in refused.value.findings] == [
        ("terminology.retired", "X3", "2026")
    ]


async def test_another_process_sees_an_import(record: Ctx) -> None:
    other = CodeListRegistry(record.store.code_lists, refresh_seconds=0)
    assert await other.is_idle()
    await import_code_list(record, read_code_system(OLD))
    assert not await other.is_idle()
    assert (await other.validate_code(Coding(ICD, "O15"), None, AFTER)).verdict is Verdict.VALID


async def test_the_impact_of_a_release(record: Ctx) -> None:
    await import_code_list(record, read_code_system(OLD))
    early = [visit(code, "2025-06-01") for code in ("X1", "X1", "X2", "O15")]
    await stored(record, *early, visit("X1"))
    calls: list[tuple[int, int]] = []
    found = await code_list_impact(record, read_code_system(NEW), progress=lambda *done: calls.append(done))
    assert (found.before, found.checked, calls[-1]) == ("2025", 5, (5, 5))
    assert [(u.code.coding.code, u.code.successor, u.values, u.later) for u in found.retired] == [
        ("X1", "X3", 3, 1),
        ("X2", "", 1, 0),
    ]
    assert found.retired[0].by_template == {"helsekort_kontroll.v0": 3}
    assert (await list_code_lists(record)).releases[-1].version == "2025"
    assert (await code_list_impact(record, read_code_system(NEW), count=False)).checked == 0


async def test_templates_bound_to_a_list_are_named(record: Ctx) -> None:
    nlk = "urn:oid:2.16.578.1.12.4.1.1.7280"
    old = read_code_system_csv("code,display\nNPU1,x\n", system=nlk, version="1", valid_from=BEFORE)
    found = await code_list_impact(record, old)
    assert "helsekort_lab.v0" in {each.template_id for each in found.bound}
    icd = await code_list_impact(record, read_code_system(OLD))
    assert nlk not in {each.bound for each in icd.bound}


async def test_the_impact_leaves_an_entry_and_stores_nothing(record: Ctx) -> None:
    await code_list_impact(record, read_code_system(OLD))
    entries: list[AuditEntry] = [e async for b in record.store.audit_batches() for e in b.entries]
    (entry,) = (e for e in entries if e.action == "code_list.impact")
    assert (entry.what, entry.detail) == (f"{ICD}|2025", "0 compositions read, 0 retired codes in use")
    assert (await list_code_lists(record)).releases == ()


# --- provisional lists --------------------------------------------------------------------------------


async def test_lists_are_provisional_until_the_real_ones_are_loaded(record: Ctx) -> None:
    assert (await list_code_lists(record)).provisional == tuple(PROVISIONAL)
    url = next(iter(PROVISIONAL))
    text = "code;display\n1;Hodeleie\n"
    guess = read_code_system_csv(text, system=url, version="0", valid_from=date(2020, 1, 1), provisional=True)
    await import_code_list(record, guess)
    assert url in (await list_code_lists(record)).provisional
    real = read_code_system_csv(text, system=url, version="1", valid_from=date(2021, 1, 1))
    await import_code_list(record, real)
    assert url not in (await list_code_lists(record)).provisional


# --- with a server behind -----------------------------------------------------------------------------


@pytest.fixture
async def both(record: Ctx) -> AsyncIterator[CodeListRegistry]:
    with running() as server:
        client = FhirTerminology(server.url)
        yield CodeListRegistry(record.store.code_lists, client, refresh_seconds=0)
        await client.close()


async def test_the_server_is_asked_for_what_is_not_loaded(record: Ctx, both: CodeListRegistry) -> None:
    await import_code_list(record, read_code_system(OLD))
    await import_code_list(record, read_code_list(VALUES))
    assert not await both.is_idle()
    assert (await both.validate_code(Coding(SYSTEM, "L"), None, AFTER)).verdict is Verdict.VALID
    assert (await both.validate_code(Coding(ICD, "O15"), DIAGNOSES, AFTER)).verdict is Verdict.VALID
    assert (await both.lookup(Coding(SYSTEM, "L"), AFTER)).display == "Lemon"
    assert await both.subsumes(SYSTEM, "C", "L") is True
    assert await both.subsumes(ICD, "O14", "O14.9") is True
    assert len(await both.expand(DIAGNOSES, AFTER)) == 2


async def test_what_is_loaded_counts_before_the_server(record: Ctx, both: CodeListRegistry) -> None:
    ours = code_system("1", "2025-01-01", [{"code": "Z", "display": "Ours"}], url=SYSTEM)
    await import_code_list(record, read_code_system(ours))
    assert (await both.validate_code(Coding(SYSTEM, "L"), None, AFTER)).verdict is Verdict.INVALID


async def test_the_report_says_exactly_what_was_planted(ctx: Ctx) -> None:
    """A small run of ``bench.code_release``."""
    record = replace(ctx, terminology=CodeListRegistry(ctx.store.code_lists, refresh_seconds=3600))
    outcome = await run(record, 600, {"O15": 7, "O16": 2, "O23": 1})
    assert outcome.is_exact
    assert outcome.found.checked == 600
