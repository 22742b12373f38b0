"""Releases: what an import changes, what is valid when, and what data say about retired codes."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from archetypes.errors import HelsekortError
from archetypes.findings import Finding, Severity
from cdr.terminology import (
    Coding,
    LocalTerminology,
    Unreachable,
    Verdict,
    code_uses,
    read_code_list,
    read_code_system,
    read_code_system_csv,
    read_value_set,
    release_changes,
    terminology_findings,
)
from cdr.terminology.check import SEVERITIES
from cdr.terminology.service import UnknownValueSet, system_uri
from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates
from validators.messages import LANGUAGES, finding_text

pytestmark = pytest.mark.anyio
REPOSITORY = Path(__file__).parents[3]
ICD = "urn:oid:2.16.578.1.12.4.1.1.7110"
BEFORE, AFTER = date(2025, 6, 1), date(2026, 6, 1)
DIAGNOSES = "http://example.org/diagnoses"


def code_system(version: str, start: str, concepts: list[dict[str, Any]], **said: Any) -> bytes:
    resource = {"resourceType": "CodeSystem", "url": ICD, "version": version, "date": start}
    return orjson.dumps(resource | said | {"concept": concepts})


OLD = code_system(
    "2025",
    "2025-01-01",
    [
        {
            "code": "O14",
            "display": "Preeklampsi",
            "concept": [{"code": "O14.9", "display": "Preeklampsi, uspes."}],
        },
        {"code": "O15", "display": "Eklampsi"},
        {"code": "X1", "display": "Slik"},
        {"code": "X2", "display": "Sånn"},
    ],
)
NEW = code_system(
    "2026",
    "2026-01-01",
    [
        {"code": "O14", "display": "Svangerskapsforgiftning"},
        {
            "code": "O15",
            "display": "Eklampsi",
            "concept": [{"code": "O14.9", "display": "Preeklampsi, uspes."}],
        },
        {
            "code": "X1",
            "display": "Slik",
            "property": [
                {"code": "inactive", "valueBoolean": True},
                {"code": "successor", "valueCode": "X3"},
            ],
        },
        {"code": "X3", "display": "Slik, ny"},
    ],
)
VALUES = orjson.dumps(
    {
        "resourceType": "ValueSet",
        "url": DIAGNOSES,
        "version": "1",
        "date": "2025-01-01",
        "compose": {"include": [{"system": ICD, "concept": [{"code": "O14.9"}, {"code": "O15"}]}]},
    }
)


@pytest.fixture
def store() -> LocalTerminology:
    return LocalTerminology(map(read_code_list, (OLD, NEW, VALUES)))


def test_a_release_says_what_it_changes() -> None:
    store = LocalTerminology([read_code_system(OLD)])
    new = read_code_system(NEW)
    found = release_changes(store.before(new), new)
    assert [coding.code for coding in found.added] == ["X3"]
    assert {each.coding.code: each.successor for each in found.retired} == {"X1": "X3", "X2": ""}
    assert [(c.coding.code, c.before, c.after) for c in found.renamed] == [
        ("O14", "Preeklampsi", "Svangerskapsforgiftning")
    ]
    assert [(c.coding.code, c.before, c.after) for c in found.moved] == [("O14.9", "O14", "O15")]


def test_the_first_release_adds_everything() -> None:
    first = read_code_system(OLD)
    found = release_changes(LocalTerminology([read_code_system(NEW)]).before(first), first)
    assert [coding.code for coding in found.added] == ["O14", "O14.9", "O15", "X1", "X2"]
    assert not (found.retired or found.renamed or found.moved)


def test_what_a_value_set_no_longer_lists_is_retired_in_it() -> None:
    fewer = read_value_set(VALUES.replace(b'{"code":"O14.9"},', b"").replace(b'"1"', b'"2"'))
    found = release_changes(read_value_set(VALUES), fewer)
    assert (found.added, [each.coding for each in found.retired]) == ((), [Coding(ICD, "O14.9")])


@pytest.mark.parametrize(
    ("code", "day", "verdict", "successor"),
    [
        ("X1", BEFORE, Verdict.VALID, ""),
        ("X1", AFTER, Verdict.RETIRED, "X3"),
        ("X2", AFTER, Verdict.RETIRED, ""),
        ("X3", BEFORE, Verdict.INVALID, ""),
        ("X3", AFTER, Verdict.VALID, ""),
        ("Y9", AFTER, Verdict.INVALID, ""),
        ("X1", date(2024, 12, 31), Verdict.UNKNOWN, ""),
    ],
)
async def test_data_are_judged_by_the_release_of_their_day(
    store: LocalTerminology, code: str, day: date, verdict: Verdict, successor: str
) -> None:
    answer = await store.validate_code(Coding(ICD, code), None, day)
    assert (answer.verdict, answer.successor) == (verdict, successor)


async def test_a_retired_code_stays_readable(store: LocalTerminology) -> None:
    assert (await store.lookup(Coding(ICD, "X2"), AFTER)).display == "Sånn"


async def test_value_sets(store: LocalTerminology) -> None:
    assert (await store.validate_code(Coding(ICD, "O15"), DIAGNOSES, AFTER)).verdict is Verdict.VALID
    assert (await store.validate_code(Coding(ICD, "O14"), DIAGNOSES, AFTER)).verdict is Verdict.INVALID
    assert (await store.validate_code(Coding(ICD, "O15"), "http://x", AFTER)).verdict is Verdict.UNKNOWN
    assert [c.code for c in await store.expand(DIAGNOSES, AFTER)] == ["O14.9", "O15"]
    with pytest.raises(UnknownValueSet):
        await store.expand("http://x", AFTER)


async def test_descent(store: LocalTerminology) -> None:
    assert await store.subsumes(ICD, "O15", "O14.9") is True
    assert await store.subsumes(ICD, "O14", "O14.9") is False
    assert await store.subsumes(ICD, "O15", "O15") is True
    assert await store.subsumes("urn:oid:1.2", "a", "b") is None


@pytest.mark.parametrize("number", [8534, 8536, 8537])
async def test_lists_of_unknown_content_are_provisional_until_they_are_loaded(number: int) -> None:
    system = system_uri(f"2.16.578.1.12.4.1.1.{number}")
    coding, store = Coding(system, "1"), LocalTerminology()
    assert (await store.validate_code(coding, None, AFTER)).provisional
    text = "code;display\n1;Hodeleie\n"
    guess = read_code_system_csv(text, system=system, version="0", valid_from=BEFORE, provisional=True)
    store.add(guess)
    assert (await store.validate_code(coding, None, AFTER)).provisional
    store.add(read_code_system_csv(text, system=system, version="1", valid_from=AFTER))
    answer = await store.validate_code(coding, None, AFTER)
    assert (answer.verdict, answer.provisional) == (Verdict.VALID, False)


def test_csv_with_all_columns() -> None:
    text = "\ufeffcode,display,parent,retired,successor\n1,En,,,\n2,To,1,ja,3\n3,Tre,1,,\n"
    read = read_code_system_csv(text, system="s", version="1", valid_from=AFTER)
    two = read.concepts["2"]
    assert (two.display, two.parent, two.retired, two.successor) == ("To", "1", True, "3")
    assert not read.concepts["3"].retired


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'{"resourceType": "Patient"}',
        b'{"resourceType": "CodeSystem", "url": "u", "version": "1", "date": "2026-01-01"}',
        b'{"resourceType": "CodeSystem", "url": "u", "version": "1", "concept": [{"code": "a"}]}',
        b'{"resourceType": "CodeSystem", "version": "1", "date": "2026-01-01", "concept": [{"code": "a"}]}',
        b'{"resourceType": "CodeSystem", "url": "u", "version": "1", "date": "2026-01-01", "concept": [1]}',
    ],
)
def test_what_is_no_code_system_is_refused(data: bytes) -> None:
    with pytest.raises(HelsekortError):
        read_code_system(data)


@pytest.mark.parametrize(
    "text", ["", "kode;tekst\n1;En\n", "code;display\n1;En\n1;To\n", "code;display\n;En\n"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(HelsekortError):
        if not read_code_system_csv(text, system="s", version="1", valid_from=AFTER).concepts:
            pytest.fail("an empty list was read")


def test_a_code_that_is_there_twice_is_refused() -> None:
    with pytest.raises(HelsekortError, match="twice"):
        read_code_system(code_system("1", "2025-01-01", [{"code": "a"}, {"code": "a"}]))


def test_the_kind_of_a_file_is_what_it_says() -> None:
    assert [type(read_code_list(data)).__name__ for data in (OLD, VALUES)] == [
        "CodeSystemRelease",
        "ValueSetRelease",
    ]


async def test_the_end_of_a_period_is_its_last_day() -> None:
    period = {"start": "2025-01-01", "end": "2025-12-31"}
    ended = code_system("2025", "2025-01-01", [{"code": "X1", "display": "x"}], effectivePeriod=period)
    store = LocalTerminology([read_code_system(ended)])
    last, after = date(2025, 12, 31), date(2026, 1, 1)
    assert (await store.validate_code(Coding(ICD, "X1"), None, last)).verdict is Verdict.VALID
    assert (await store.validate_code(Coding(ICD, "X1"), None, after)).verdict is Verdict.UNKNOWN


async def test_of_two_releases_of_one_day_the_later_import_counts() -> None:
    wrong, right = (
        read_code_system(code_system(v, "2025-01-01", [{"code": "X1", "display": d}]))
        for v, d in (("2", "Feil"), ("1", "Rett"))
    )
    store = LocalTerminology([wrong, right])
    assert (await store.lookup(Coding(ICD, "X1"), BEFORE)).display == "Rett"


# --- documents --------------------------------------------------------------------------------------


def visit(code: str, **said: Any) -> dict[str, Any]:
    header = Header(start_time="2026-06-01T10:00:00+02:00", setting="231", **said)
    diagnosis = {"code": code, "system": "icd-10", "display": "x"}
    values = {"HK5.15": diagnosis, "HK13.10": "at0006"}
    return compose(library_templates()["helsekort_kontroll.v0"], header, values)


def test_only_codes_of_outside_terminologies_are_asked_about() -> None:
    uses = code_uses(visit("O15"))
    assert [use.coding for use in uses] == [Coding(ICD, "O15")]
    assert uses[0].path.endswith("/value/defining_code")


def test_a_value_set_comes_from_the_template() -> None:
    (use,) = code_uses(visit("O15"))
    bound = Finding("code.not_checked", f"{use.path}/code_string", DIAGNOSES, "O15", "/content")
    assert [u.value_set for u in code_uses(visit("O15"), [bound])] == [DIAGNOSES]


@pytest.mark.parametrize(
    ("code", "found"),
    [("O15", []), ("X1", ["terminology.retired"]), ("Y9", ["terminology.unknown_code"])],
)
async def test_the_codes_of_a_document(store: LocalTerminology, code: str, found: list[str]) -> None:
    checked = await terminology_findings(store, code_uses(visit(code)), AFTER, Unreachable.REFUSE)
    assert [finding.code for finding in checked] == found


async def test_a_retired_code_is_refused_with_its_successor(store: LocalTerminology) -> None:
    checked = await terminology_findings(store, code_uses(visit("X1")), AFTER, Unreachable.REFUSE)
    (finding,) = checked
    assert (finding.severity, finding.expected) == (Severity.ERROR, "X3")
    assert all("X3" in finding_text(finding, language) for language in LANGUAGES)
    earlier = await terminology_findings(store, code_uses(visit("X1")), BEFORE, Unreachable.REFUSE)
    assert earlier == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_text(language: str) -> None:
    source = REPOSITORY / "validators" / "messages" / f"terminology_{language}.toml"
    assert set(tomllib.loads(source.read_text(encoding="utf-8"))) == set(SEVERITIES)


def test_the_docs_list_each_code_with_its_severity() -> None:
    docs = (REPOSITORY / "docs" / "terminology.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(terminology\.[a-z_]+)` \| (error|warning|info) \|", docs, re.MULTILINE)
    assert dict(rows) == {code: severity.value for code, severity in SEVERITIES.items()}
