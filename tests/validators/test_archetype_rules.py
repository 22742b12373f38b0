"""One sample file for each rule; the file names the fault that it must cause, and causes no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.repository import ArchetypeRepository
from validators.archetype import check_file, lint_archetype, validate_archetype
from validators.codes import SEVERITIES

SAMPLES = Path(__file__).parents[1] / "data" / "adl" / "invalid"
VALIDITY = sorted((SAMPLES / "validity").glob("*.adl"))
LINT = sorted((SAMPLES / "lint").glob("*.adl"))
REPOSITORY = ArchetypeRepository.from_folder(SAMPLES / "repository")


def sample(path: Path) -> Archetype:
    return parse_adl(path.read_text(encoding="utf-8"), path.name)


def named_fault(archetype: Archetype) -> str:
    """The code that the sample says it breaks."""
    details = archetype.description.get("other_details", {})
    return str(details.get("regression") or archetype.header.get("regression"))


@pytest.mark.parametrize("path", VALIDITY, ids=lambda path: path.stem)
def test_a_sample_breaks_the_rule_that_it_names(path: Path) -> None:
    archetype = sample(path)
    found = {finding.code for finding in validate_archetype(archetype, REPOSITORY)}
    assert found == {named_fault(archetype)} == {path.stem}


@pytest.mark.parametrize("path", LINT, ids=lambda path: path.stem)
def test_a_sample_has_the_editorial_fault_that_it_names(path: Path) -> None:
    archetype = sample(path)
    assert validate_archetype(archetype, REPOSITORY) == []
    found = {finding.code for finding in lint_archetype(archetype, REPOSITORY)}
    assert found == {named_fault(archetype)} == {path.stem}


def test_each_code_has_a_sample() -> None:
    codes = {code for code in SEVERITIES if code.startswith(("V", "archetype.", "lint."))}
    assert {path.stem for path in (*VALIDITY, *LINT)} == codes


@pytest.mark.parametrize("path", [*VALIDITY, *LINT], ids=lambda path: path.stem)
def test_each_finding_has_a_place_in_the_file(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    checked = check_file(path, REPOSITORY)
    assert checked.findings
    for finding in checked.findings:
        assert finding.span is not None and finding.span.file == path.name
        assert lines[finding.span.line - 1][finding.span.column - 1 :].strip()
        assert finding.severity is SEVERITIES[finding.code]


@pytest.mark.parametrize("path", sorted((SAMPLES / "repository").glob("*parent*.adl")), ids=lambda p: p.stem)
def test_a_sound_archetype_has_no_finding(path: Path) -> None:
    assert check_file(path, REPOSITORY).findings == ()


@pytest.mark.parametrize("path", [*VALIDITY, *LINT], ids=lambda path: path.stem)
def test_printing_changes_no_finding(path: Path) -> None:
    archetype = sample(path)
    again = parse_adl(print_adl(archetype))
    before = [(f.code, f.path, f.found) for f in validate_archetype(archetype, REPOSITORY)]
    assert [(f.code, f.path, f.found) for f in validate_archetype(again, REPOSITORY)] == before
