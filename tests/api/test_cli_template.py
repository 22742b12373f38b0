"""``helsekort template``: check, compile, compare, import, and what a change would break."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import orjson
import pytest

from bench.impact import fill, stricter_template
from cdr.context import Actor, Ctx
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from cdr.stored_queries import store_query
from templates.oet import read_oet, write_oet
from templates.opt import read_opt, write_opt
from templates.repository import library_sources, library_templates
from tests.api.cli_runs import helsekort

VISIT = "helsekort_kontroll.v0"
LIBRARY = Path(__file__).parents[2] / "templates" / "library"
SYSTOLIC = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"
PRESSURE = "openEHR-EHR-OBSERVATION.blood_pressure.v2"


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """Visits with systolic pressures up to 240 only."""
    path = tmp_path / "stricter.opt"
    path.write_bytes(write_opt(stricter_template()))
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A template source with a rule for a node that its archetype has not."""
    text = (LIBRARY / f"{VISIT}.oet").read_text("utf-8")
    path = tmp_path / "broken.oet"
    path.write_text(text.replace("/items[at0004]", "/items[at0404]", 1), "utf-8")
    return path


def test_show_a_file_or_an_id(stricter: Path) -> None:
    by_id = helsekort("template", "show", VISIT).stdout
    assert by_id == helsekort("template", "show", stricter).stdout
    assert "Blodtrykk OBSERVATION[openEHR-EHR-OBSERVATION.blood_pressure.v2] 0..2" in by_id


# --- lint and compile ---------------------------------------------------------------------------------


def test_our_library_has_no_errors() -> None:
    assert helsekort("template", "lint").exit_code == 0


def test_lint_says_file_and_line(broken: Path, tmp_path: Path) -> None:
    ended = helsekort("template", "lint", broken, "--json")
    assert ended.exit_code == 1
    errors = [each for each in orjson.loads(ended.stdout)["findings"] if each["severity"] == "error"]
    assert [each["code"] for each in errors] == ["template.unknown_path"]
    assert errors[0]["line"] > 1
    (tmp_path / "x.opt").write_bytes(b"<!DOCTYPE a [<!ENTITY b 'c'>]><template/>")
    (tmp_path / "y.oet").write_bytes(b"<template")
    sarif = orjson.loads(helsekort("template", "lint", tmp_path, "--format", "sarif").stdout)
    found = {result["ruleId"] for result in sarif["runs"][0]["results"]}
    assert {"template.doctype", "template.xml", "template.unknown_path"} <= found


def test_compile_writes_what_compiles(broken: Path, tmp_path: Path) -> None:
    ended = helsekort("template", "compile", VISIT, broken, "--to", tmp_path / "out")
    assert ended.exit_code == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{VISIT}.opt"]
    assert read_opt((tmp_path / "out" / f"{VISIT}.opt").read_bytes()) == library_templates()[VISIT]
    assert helsekort("template", "compile").exit_code == 0


def test_export_as_the_source_that_editors_read(tmp_path: Path) -> None:
    out = tmp_path / "out.oet"
    assert helsekort("template", "export", VISIT, "--as", "oet", "--out", out).exit_code == 0
    assert read_oet(out.read_bytes()) == library_sources()[VISIT]
    assert helsekort("template", "lint", out).exit_code == 0
    opt = tmp_path / "out.opt"
    assert helsekort("template", "export", VISIT, "--out", opt).exit_code == 0
    assert read_opt(opt.read_bytes()) == library_templates()[VISIT]
    refused = helsekort("template", "export", opt, "--as", "oet")
    assert (refused.exit_code, "no template source" in refused.stderr) == (2, True)


def test_a_nested_template_is_found_beside_the_file_and_in_the_library(tmp_path: Path) -> None:
    def nesting(name: str) -> bytes:
        text = write_oet(replace(library_sources()["helsekort_samtykke.v0"], name="outer.v0", annotations=()))
        item = f'template_id="{name}" archetype_id="openEHR-EHR-ACTION.informed_consent.v0"'
        return text.replace(b'archetype_id="openEHR-EHR-ACTION.informed_consent.v0"', item.encode())

    (tmp_path / "outer.oet").write_bytes(nesting("inner.v0"))
    (tmp_path / "torn.oet").write_bytes(b"<template")
    alone = orjson.loads(helsekort("template", "lint", tmp_path / "outer.oet", "--json").stdout)
    assert [each["code"] for each in alone["findings"]] == ["template.unknown_template"]
    source = library_sources()["helsekort_samtykke.v0"]
    inner = replace(source, name="inner.v0", definition=source.definition.items[0], annotations=())
    (tmp_path / "inner.oet").write_bytes(write_oet(inner))
    assert helsekort("template", "compile", tmp_path / "outer.oet").exit_code == 0


def test_archetypes_of_another_folder_come_first(tmp_path: Path) -> None:
    (tmp_path / f"{PRESSURE}.adl").write_text("archetype\n", "utf-8")
    ended = helsekort("template", "lint", VISIT, "--library", tmp_path)
    assert ended.exit_code == 1
    assert f"{PRESSURE}.adl" in ended.stdout


# --- diff ---------------------------------------------------------------------------------------------


def test_diff(stricter: Path) -> None:
    ended = helsekort("template", "diff", VISIT, stricter)
    assert ended.exit_code == 1
    assert "major   range.narrowed" in ended.stdout
    assert "60.0..260.0 to 60.0..240.0" in ended.stdout
    assert helsekort("template", "diff", stricter, VISIT).exit_code == 0
    nothing = orjson.loads(helsekort("template", "diff", VISIT, VISIT, "--json").stdout)
    assert (nothing["level"], nothing["changes"]) == (None, [])


# --- import -------------------------------------------------------------------------------------------


def test_import_of_templates(stricter: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "public", tmp_path / "taken"
    source.mkdir()
    (source / "a.opt").write_bytes(stricter.read_bytes())
    (source / "b.oet").write_bytes((LIBRARY / f"{VISIT}.oet").read_bytes())
    assert helsekort("template", "import", source, "--to", target).exit_code == 0
    assert sorted(path.name for path in target.iterdir()) == [f"{VISIT}.oet", f"{VISIT}.opt"]
    (source / "c.opt").write_bytes(stricter.read_bytes())
    again = orjson.loads(helsekort("template", "import", source, "--json").stdout)
    assert [finding["code"] for finding in again["findings"]] == ["import.duplicate_id"]


# --- impact -------------------------------------------------------------------------------------------


def test_impact_on_queries(tmp_path: Path) -> None:
    opt = write_opt(library_templates()[VISIT]).replace(b"blood_pressure.v2", b"blood_pressure.v3")
    changed = tmp_path / "changed.opt"
    changed.write_bytes(opt)
    queries = tmp_path / "queries"
    queries.mkdir()
    (queries / "a.aql").write_text(f"SELECT {SYSTOLIC} FROM EHR e CONTAINS OBSERVATION o[{PRESSURE}]")
    (queries / "b.aql").write_text("SELECT e/ehr_id/value FROM EHR e")
    (queries / "c.aql").write_text("SELECT")
    ended = helsekort("template", "impact", changed, "--queries", queries, "--json")
    assert ended.exit_code == 1
    answer = orjson.loads(ended.stdout)
    assert answer["level"] == "major"
    assert answer["compositions"] is None
    assert [Path(each["name"]).name for each in answer["queries"]["lost"]] == ["a.aql", "c.aql"]
    text = helsekort("template", "impact", changed, "--queries", queries, "--language", "nb").stdout
    assert "3 spørringer kontrollert, 1 ville miste en sti." in text
    assert helsekort("template", "impact", changed, "--queries", queries / "b.aql").exit_code == 0


def in_database(uri: str, database: str, work: Callable[[Ctx], Awaitable[object]]) -> None:
    """Do something in a database as a server would."""

    async def run() -> None:
        settings = Settings(mode=Mode.DEV, mongodb_uri=uri, database=database)  # type: ignore[arg-type]
        async with open_platform(settings) as platform:
            await work(platform.context(Actor(id="test", name="Test")))

    anyio.run(run)


async def fill_with_a_query(ctx: Ctx) -> None:
    await fill(ctx, 40, 3)
    await store_query(ctx, "no.helsekort::systolic", f"SELECT {SYSTOLIC} FROM OBSERVATION o[{PRESSURE}]")


def test_impact_on_stored_queries(mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELSEKORT_DATABASE", "cli_query_impact")
    in_database(mongodb_uri, "cli_query_impact", fill_with_a_query)
    changed = tmp_path / "changed.opt"
    opt = write_opt(library_templates()[VISIT])
    changed.write_bytes(opt.replace(b"blood_pressure.v2", b"blood_pressure.v3"))
    ended = helsekort("template", "impact", changed, "--mongodb-uri", mongodb_uri, "--mode", "dev", "--json")
    answer = orjson.loads(ended.stdout)
    assert [each["name"] for each in answer["queries"]["lost"]] == ["no.helsekort::systolic/1.0.0"]
    assert answer["compositions"]["broken"] == 40


def test_impact_on_a_database(mongodb_uri: str, stricter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELSEKORT_DATABASE", "cli_impact")
    in_database(mongodb_uri, "cli_impact", fill_with_a_query)
    arguments = ("template", "impact", stricter, "--mongodb-uri", mongodb_uri, "--mode", "dev")
    ended = helsekort(*arguments, "--json")
    found = orjson.loads(ended.stdout)["compositions"]
    assert ended.exit_code == 1
    assert (found["checked"], found["broken"], found["by_code"]) == (40, 3, {"quantity.magnitude": 3})
    assert len(found["listed"]) == 3
    assert orjson.loads(ended.stdout)["queries"] == {"checked": 1, "lost": []}
    assert "40 compositions checked, 3 would no longer validate" in helsekort(*arguments).stdout


def test_impact_without_a_mode_is_refused(stricter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELSEKORT_MODE", raising=False)
    ended = helsekort("template", "impact", stricter, "--mongodb-uri", "mongodb://localhost")
    assert ended.exit_code == 2
    assert "HELSEKORT_ISSUER" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("template", "show", "/no/such/file.opt"),
        ("template", "lint", "nothing.v0"),
        ("template", "diff", VISIT),
        ("template", "impact"),
        ("template", "compile", "--library", "/no/such/folder"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[object, ...]) -> None:
    assert helsekort(*arguments).exit_code == 2


# --- the whole library, and answers for programs ---------------------------------------------------------


def test_check_of_a_folder_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.oet").write_bytes(write_oet(library_sources()[VISIT]))
    (tmp_path / "b.opt").write_bytes(write_opt(library_templates()[VISIT]))
    ended = helsekort("template", "check", tmp_path)
    assert (ended.exit_code, ended.stdout.splitlines()[-1]) == (
        0, "2 files, 2 read, 2 round-tripped, 0 with findings"
    )  # fmt: skip
    (tmp_path / "torn.opt").write_bytes(b"<template")
    ended = helsekort("template", "check", tmp_path)
    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[-1] == "3 files, 2 read, 2 round-tripped, 1 with findings"
    listed = tmp_path / "illegal.txt"
    listed.write_text("torn.opt cut off on purpose\n", "utf-8")
    assert helsekort("template", "check", tmp_path, "--illegal", listed).exit_code == 0
    sarif = orjson.loads(helsekort("template", "check", tmp_path, "--format", "sarif").stdout)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["template.xml"]
    files = orjson.loads(helsekort("template", "check", tmp_path, "--json").stdout)["files"]
    assert [(each["file"], each["round_tripped"]) for each in files] == [
        ("a.oet", True), ("b.opt", True), ("torn.opt", False)
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["compile", "import"])
def test_findings_as_sarif(tmp_path: Path, command: str) -> None:
    (tmp_path / "torn.oet").write_bytes(b"<template")
    ended = helsekort("template", command, tmp_path, "--format", "sarif")
    assert ended.exit_code == 1
    results = orjson.loads(ended.stdout)["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["template.xml"]
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_changes_as_sarif(tmp_path: Path) -> None:
    new = tmp_path / "new.opt"
    new.write_bytes(
        write_opt(library_templates()[VISIT]).replace(b"<upper>260</upper>", b"<upper>240</upper>")
    )
    ended = helsekort("template", "diff", VISIT, new, "--format", "sarif")
    assert ended.exit_code == 1
    (result,) = orjson.loads(ended.stdout)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("range.narrowed", "error")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == str(new)


def test_list_and_show_for_programs() -> None:
    listed = orjson.loads(helsekort("template", "list", "--json").stdout)
    assert {each["id"] for each in listed} == set(library_templates())
    nodes = orjson.loads(helsekort("template", "show", VISIT, "--json", "--language", "en").stdout)
    systolic = next(node for node in nodes if node["path"].endswith("data[at0003]/items[at0004]"))
    assert systolic["type"] == "ELEMENT"
    assert all(set(node) == {"path", "name", "type", "occurrences"} for node in nodes)
