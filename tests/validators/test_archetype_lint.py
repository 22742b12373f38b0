"""Check digits, units, repairs and places: what the editorial lint stands on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import TermDefinition
from archetypes.findings import Severity
from archetypes.repository import ArchetypeRepository, library
from tests.shared_data import SHARED, needs_shared
from validators.archetype import (
    check_file,
    check_folder,
    is_repairable,
    lint_archetype,
    repairs,
    validate_archetype,
)
from validators.archetype.lint.check_digits import is_loinc, is_snomed_ct
from validators.archetype.lint.units import SUGGESTIONS, is_ucum, suggestion
from validators.archetype.lint.wording_repair import mended_punctuation, mended_spaces
from validators.archetype.slot_patterns import named_archetypes

SAMPLES = Path(__file__).parents[1] / "data" / "adl" / "invalid"
REPAIRABLE = ("lint.spaces", "lint.punctuation", "lint.code_unused", "lint.text_missing", "VTLC")


def sample(code: str) -> Archetype:
    path = next(SAMPLES.rglob(f"{code}.adl"))
    return parse_adl(path.read_text(encoding="utf-8"), path.name)


def all_findings(archetype: Archetype) -> list[str]:
    return [found.code for found in (*validate_archetype(archetype), *lint_archetype(archetype))]


# --- check digits and units -----------------------------------------------------------------------


@pytest.mark.parametrize("code", ["74400008", "22298006", "50373000", "900000000000207008"])
def test_snomed_ct_codes(code: str) -> None:
    assert is_snomed_ct(code)


@pytest.mark.parametrize("code", ["8302-2", "29463-7", "8480-6", "718-7"])
def test_loinc_codes(code: str) -> None:
    assert is_loinc(code)


@pytest.mark.parametrize("code", ["", "74400009", "7440008", "0744000008", "74400008 ", "X74400008"])
def test_no_snomed_ct_codes(code: str) -> None:
    assert not is_snomed_ct(code)


@pytest.mark.parametrize("code", ["", "8302-3", "8302", "83022", "LP1234-5"])
def test_no_loinc_codes(code: str) -> None:
    assert not is_loinc(code)


@given(position=st.integers(0, 7), digit=st.integers(0, 9))
def test_every_wrong_digit_of_a_snomed_ct_code_is_noticed(position: int, digit: int) -> None:
    code = "74400008"
    changed = code[:position] + str(digit) + code[position + 1 :]
    assert is_snomed_ct(changed) is (changed == code)


@given(position=st.integers(0, 6))
def test_every_swap_of_neighbours_in_a_snomed_ct_code_is_noticed(position: int) -> None:
    code = "74400008"
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert is_snomed_ct(swapped) is (swapped == code)


@pytest.mark.parametrize(
    "unit",
    ["cm", "mm[Hg]", "1/min", "/min", "10*9/L", "ml", "[iU]", "Cel", "kg/m2", "{score}", "1", "%", "cm[H2O]"],
)
def test_units_of_ucum(unit: str) -> None:
    assert is_ucum(unit)


@pytest.mark.parametrize(
    "unit", ["gm", "millisec", "dioptre", "°", "°C", "IU", "mmHg", " ", "", "1{two words}", "m(", "{"]
)
def test_no_units_of_ucum(unit: str) -> None:
    assert not is_ucum(unit)


@pytest.mark.parametrize("unit", [*SUGGESTIONS, "1{two words}", "4.uV.ms{Ashman units}", "nonsense"])
def test_what_is_suggested_is_a_unit(unit: str) -> None:
    assert is_ucum(suggestion(unit))


# --- texts ------------------------------------------------------------------------------------------

RIGHT = ["", "A text.", "One.\n  - indented\n  - again", "from 1 to 10...", "e.g. this, that", ".5 or 0.5"]


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_text_stays_as_it_is(text: str) -> None:
    assert mended_spaces(text) == mended_punctuation(text) == text


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (" a", "a"),
        ("a ", "a"),
        ("a  b", "a b"),
        ("a\n  b", "a\n  b"),
        ("\ta", "a"),
        ("a   b  c", "a b c"),
        ("  ", ""),
    ],
)
def test_blanks(text: str, mended: str) -> None:
    assert mended_spaces(text) == mended


@pytest.mark.parametrize(
    ("text", "mended"),
    [("a , b", "a, b"), ("end .", "end."), ("end..", "end."), ("(a) , b", "(a), b"), ("wait...", "wait...")],
)
def test_punctuation(text: str, mended: str) -> None:
    assert mended_punctuation(text) == mended


@given(st.text(alphabet=" .,a(\n"))
def test_mending_twice_changes_nothing_more(text: str) -> None:
    once = mended_punctuation(mended_spaces(text))
    assert mended_punctuation(mended_spaces(once)) == once


def test_a_mark_of_structure_needs_no_translation() -> None:
    archetype = sample("lint.untranslated")
    internal = TermDefinition("Felt", "*@ internal @(nb)")
    terms = {**archetype.terminology.terms, "en": {**archetype.terminology.terms["en"], "at0001": internal}}
    changed = replace(archetype, terminology=replace(archetype.terminology, terms=terms))
    assert lint_archetype(changed) == []


def test_texts_of_other_languages_are_not_judged() -> None:
    assert lint_archetype(sample("lint.untranslated"), languages=("nb",)) == []


# --- slots ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        (r"openEHR-EHR-CLUSTER\.device(-[a-zA-Z0-9_]+)*\.v1", ["openEHR-EHR-CLUSTER.device.v1"]),
        (
            r"openEHR-EHR-CLUSTER\.a\.v1|openEHR-EHR-CLUSTER\.b\.v0",
            ["openEHR-EHR-CLUSTER.a.v1", "openEHR-EHR-CLUSTER.b.v0"],
        ),
        (r"openEHR-EHR-CLUSTER\.device", [None]),
        (r".*", []),
        (r"openEHR-EHR-CLUSTER\.[a-z]+\.v1", []),
        (r"openEHR-EHR-CLUSTER\.(a|b)\.v1", []),
        (r"openEHR-EHR-(CLUSTER|ELEMENT)\..*", []),
    ],
)
def test_only_patterns_that_name_an_archetype_count(pattern: str, ids: list[str | None]) -> None:
    assert [named.archetype_id for named in named_archetypes(pattern)] == ids


def test_a_specialisation_fills_a_slot_that_admits_it(tmp_path: Path) -> None:
    text = (SAMPLES / "repository" / "openEHR-EHR-CLUSTER.device.v2.adl").read_text(encoding="utf-8")
    (tmp_path / "openEHR-EHR-CLUSTER.nowhere-else.v0.adl").write_text(
        text.replace("CLUSTER.device.v2", "CLUSTER.nowhere-else.v0"), encoding="utf-8"
    )
    archetype = sample("lint.reference_unknown")
    assert lint_archetype(archetype, ArchetypeRepository.from_folder(tmp_path)) == []


# --- repairs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", REPAIRABLE)
def test_a_repair_removes_its_finding_and_touches_no_constraint(code: str) -> None:
    archetype = sample(code)
    findings = [*validate_archetype(archetype), *lint_archetype(archetype)]
    assert code in [found.code for found in findings if is_repairable(found)]
    repaired = parse_adl(print_adl(repairs(archetype, findings)))
    assert code not in all_findings(repaired)
    assert repaired.definition == archetype.definition


def test_a_missing_translation_is_added_and_marked() -> None:
    archetype = sample("VTLC")
    repaired = repairs(archetype, validate_archetype(archetype))
    assert repaired.terminology.terms["en"]["at0002"].text == "*Annet felt(nb)"
    assert set(all_findings(repaired)) == {"lint.untranslated"}


def test_an_unused_code_goes_in_all_languages_with_its_binding() -> None:
    archetype = sample("lint.code_unused")
    bound = replace(archetype.terminology, term_bindings={"SNOMED-CT": {"at0002": "[SNOMED-CT::50373000]"}})
    archetype = replace(archetype, terminology=bound)
    repaired = repairs(archetype, lint_archetype(archetype))
    assert all("at0002" not in codes for codes in repaired.terminology.terms.values())
    assert repaired.terminology.term_bindings == {}


def test_a_text_of_the_description_is_repaired_too() -> None:
    archetype = sample("VARCN")
    details = archetype.description["details"]
    crooked = type(details)({**details, "nb": {**details["nb"], "use": "I en  test ."}})
    archetype = replace(archetype, description={**archetype.description, "details": crooked})
    repaired = repairs(archetype, lint_archetype(archetype))
    assert parse_adl(print_adl(repaired)).description["details"]["nb"]["use"] == "I en test."


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.adl")), ids=lambda path: path.stem)
def test_what_cannot_be_repaired_stays_as_it_is(path: Path) -> None:
    archetype = parse_adl(path.read_text(encoding="utf-8"), path.name)
    findings = [*validate_archetype(archetype), *lint_archetype(archetype)]
    assert repairs(archetype, [found for found in findings if not is_repairable(found)]) == archetype


# --- files ------------------------------------------------------------------------------------------


def test_the_place_of_a_text_is_the_line_that_holds_it() -> None:
    path = next(SAMPLES.rglob("lint.spaces.adl"))
    (found,) = check_file(path).findings
    assert found.span is not None
    line = path.read_text(encoding="utf-8").splitlines()[found.span.line - 1]
    assert line.strip() == 'description = <"A  field.">'
    assert line[found.span.column - 1] == "d"


def test_a_broken_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.adl").write_text("archetype\n    openEHR-EHR-CLUSTER.a.v1\n", encoding="utf-8")
    (tmp_path / "b.adl").write_bytes(b"archetype\n\xff")
    checked = list(check_folder(tmp_path))
    assert [each.findings[0].code for each in checked] == ["adl.syntax", "import.encoding"]
    assert [each.archetype for each in checked] == [None, None]
    assert checked[1].findings[0].span is not None and checked[1].findings[0].span.line == 2


def test_our_library_is_valid_and_its_texts_are_clean() -> None:
    """Known: no keywords, some without misuse, and editions whose parent is public only."""
    known = {"lint.metadata_missing", "lint.reference_unknown"}
    for archetype_id in library().ids():
        archetype = library().get(archetype_id)
        assert validate_archetype(archetype, library()) == []
        findings = lint_archetype(archetype, library())
        assert {found.code for found in findings} <= known, archetype_id
        assert {found.severity for found in findings} <= {Severity.WARNING}


@needs_shared
@pytest.mark.slow
def test_the_norwegian_library_is_linted_in_time_and_its_known_faults_are_found() -> None:
    """20 s on two cores; computing time, so that a busy machine does not fail it."""
    begun = process_time()
    checked = list(check_folder(SHARED / "testdata" / "archetypes" / "adl14" / "no-library"))
    assert process_time() - begun < 20
    assert len(checked) == 436
    errors = {
        (each.file.stem.partition("-")[2].partition("-")[2], found.code)
        for each in checked
        for found in each.findings
        if found.severity is Severity.ERROR
    }
    assert errors == {
        ("CAPABILITY.individual_credentials.v0", "VACMCO"),
        ("CLUSTER.identifier_other_details.v0", "VCACA"),
        ("CLUSTER.person_additional_data_iso.v0", "VCACA"),
        ("CLUSTER.tumour_invasion.v0", "VCACA"),
        ("COMPOSITION.self_reported_data.v1", "VTLC"),
        ("ITEM_TREE.person_details.v0", "adl.syntax"),
        ("PARTY_IDENTITY.person_name-individual_provider.v0", "VSONCT"),
        ("PARTY_IDENTITY.person_name-individual_provider.v0", "VSONIN"),
    }
