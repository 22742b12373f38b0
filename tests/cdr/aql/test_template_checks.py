"""Warnings about queries, from the card's templates."""

from __future__ import annotations

import pytest

from archetypes.findings import Finding
from cdr.aql.parser import parse
from cdr.aql.scope import resolve
from cdr.aql.template_checks import template_findings
from cdr.aql.template_places import places_of
from templates.repository import library_templates
from validators.messages import finding_text

OF = "FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION."
PRESSURE = f"{OF}blood_pressure.v2]"
EVENT = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value"
SYSTOLIC = f"{EVENT}/magnitude"
SMOKING = "FROM EHR e CONTAINS EVALUATION s[openEHR-EHR-EVALUATION.tobacco_smoking_summary.v2]"
STATUS = "s/data[at0001]/items[at0089]/value/defining_code/code_string"
NEVER = "{'at0003', 'Never smoked'}"
START = "c/context/start_time/value"
PROTEIN = "o/data[at0001]/events[at0002]/data[at0003]/items[at0095]/value/value"


def findings(text: str) -> list[Finding]:
    """The warnings about a query."""
    places = [places_of(template) for template in library_templates().values()]
    return template_findings(resolve(parse(text)), places)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (f"SELECT c {OF}blood_presure.v2]", "archetype_unknown", "openEHR-EHR-OBSERVATION.blood_pressure.v2"),
        (f"SELECT x {SMOKING} CONTAINS OBSERVATION x", "contains_never", ""),
        (f"SELECT {EVENT.replace('at0004', 'at0014')} {PRESSURE}", "path_unknown", "items[at0004]"),
        (f"SELECT {EVENT.replace('at0001', 'at0009')} {PRESSURE}", "path_unknown", "data[at0001]"),
        (f"SELECT c {PRESSURE} WHERE {SYSTOLIC} = 'high'", "type_mismatch", "a number"),
        (f"SELECT c {PRESSURE} WHERE {SYSTOLIC} > 1400", "never_true", "60.0..260.0"),
        (f"SELECT c {PRESSURE} WHERE {SYSTOLIC} > 140 AND {SYSTOLIC} < 120", "never_true", ">140..<120"),
        (f"SELECT c {PRESSURE} WHERE {SYSTOLIC} = 140 AND NOT ({SYSTOLIC} = NULL)", "never_true", "EXISTS"),
        (f"SELECT c {PRESSURE} WHERE {EVENT}/units = 'mmHg'", "code_unknown", "mm[Hg]"),
        (f"SELECT c {PRESSURE} WHERE {START} > 'soon'", "type_mismatch", "a date or time"),
        (f"SELECT s {SMOKING} WHERE {STATUS} = 'at0009'", "code_unknown", "at0006"),
        (f"SELECT s {SMOKING} WHERE {STATUS} matches {NEVER}", "code_unknown", "at0006 (Never smoked)"),
        (f"SELECT c {OF}urinalysis.v1] WHERE {PROTEIN} = 9", "code_unknown", "1, 2, 3, 4, 5"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_said_with_a_suggestion(text: str, code: str, said: str) -> None:
    (finding,) = findings(text)
    assert (finding.code, finding.expected) == (f"aql.check.{code}", said)
    assert finding.span is not None and finding.span.line == 1
    for language in ("nb", "en"):
        assert finding.found in finding_text(finding, language)
        assert finding.code not in finding_text(finding, language)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT {SYSTOLIC} {PRESSURE} WHERE {SYSTOLIC} >= 140 AND {SYSTOLIC} <= 260",
        f"SELECT {SYSTOLIC} {PRESSURE} WHERE {SYSTOLIC} > 130 OR {SYSTOLIC} < 100",
        f"SELECT s {SMOKING} WHERE {STATUS} != 'at0009' AND {STATUS} matches {{'at0003', 'at0005'}}",
        f"SELECT c {OF}urinalysis.v1] WHERE {PROTEIN} >= 3",
        "SELECT e/ehr_id/value, v/uid/value FROM EHR e CONTAINS VERSION v CONTAINS COMPOSITION c",
        "SELECT o/protocol, o/name/value FROM EHR e CONTAINS OBSERVATION o",
        "SELECT c FROM COMPOSITION c WHERE c/context/start_time/value > '2024-05'",
        "SELECT e FROM EHR e NOT CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.nothing.v1]",
    ],
)
def test_what_is_in_order_gives_no_warning(text: str) -> None:
    assert findings(text) == []


def test_without_templates_nothing_is_said() -> None:
    assert template_findings(resolve(parse(f"SELECT c {OF}nothing.v1]")), []) == []
