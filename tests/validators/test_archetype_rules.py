"""One sample file for each rule; the file names the fault that it must cause, and causes no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.repository import ArchetypeRepository, archetype_files
from validators.archetype import check_file, lint_archetype, validate_archetype
from validators.archetype.subject import Subject
from validators.archetype.validate import RULES_OF_ADL2
from validators.codes import SEVERITIES

SAMPLES = Path(__file__).parents[1] / "data" / "adl" / "invalid"
VALIDITY = sorted((SAMPLES / "validity").glob("*.adl"))
LINT = sorted((SAMPLES / "lint").glob("*.adl"))
ADL2 = sorted(path for path in (SAMPLES / "adl2").iterdir() if path.is_file())
# The archetypes of both generations that samples refer to.
REPOSITORY = ArchetypeRepository(
    archetype_files(SAMPLES / "repository") | archetype_files(SAMPLES / "adl2" / "repository")
)
SOUND = sorted(path for path in SAMPLES.rglob("*parent*.adl*"))


def sample(path: Path) -> Archetype:
    return parse_adl(path.read_text(encoding="utf-8"), path.name)


def named_fault(archetype: Archetype) -> str:
    """The code that the sample says it breaks."""
    details = archetype.description.get("other_details", {})
    return str(details.get("regression") or archetype.header.get("regression"))


@pytest.mark.parametrize("path", [*VALIDITY, *ADL2], ids=lambda path: path.name)
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
    codes = {code for code in SEVERITIES if code.startswith(("V", "W", "archetype.", "lint."))}
    assert {path.stem for path in (*VALIDITY, *LINT, *ADL2)} == codes


def test_each_rule_of_adl2_has_a_sample_that_it_finds() -> None:
    subjects = [Subject(sample(path), REPOSITORY) for path in ADL2]
    silent = [rule for rule in RULES_OF_ADL2 if not any(True for each in subjects for _ in rule(each))]
    assert silent == []


@pytest.mark.parametrize("path", [*VALIDITY, *LINT, *ADL2], ids=lambda path: path.name)
def test_each_finding_has_a_place_in_the_file(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    checked = check_file(path, REPOSITORY)
    assert checked.findings
    for finding in checked.findings:
        assert finding.span is not None and finding.span.file == path.name
        assert lines[finding.span.line - 1][finding.span.column - 1 :].strip()
        assert finding.severity is SEVERITIES[finding.code]


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_a_sound_archetype_has_no_finding(path: Path) -> None:
    findings = check_file(path, REPOSITORY).findings
    assert [found for found in findings if not found.code.startswith("lint.")] == []
    assert path.suffix == ".adls" or findings == ()


@pytest.mark.parametrize("path", [*VALIDITY, *LINT, *ADL2], ids=lambda path: path.name)
def test_printing_changes_no_finding(path: Path) -> None:
    archetype = sample(path)
    again = parse_adl(print_adl(archetype))
    before = [(f.code, f.path, f.found) for f in validate_archetype(archetype, REPOSITORY)]
    assert [(f.code, f.path, f.found) for f in validate_archetype(again, REPOSITORY)] == before
