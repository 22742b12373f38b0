"""Completion of paths from the card's templates."""

from __future__ import annotations

import pytest

from cdr.aql.completion import complete, path_steps
from templates.repository import library_templates

FROM = " FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"


def offered(typed: str) -> list[str]:
    text = f"SELECT {typed}{FROM}"
    return path_steps(text, len("SELECT ") + len(typed), library_templates().values())


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("o/", "data[at0001]"),
        ("o/da", "data[at0001]"),
        ("o/data[at0001]/", "events[at0006]"),
        ("o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/", "value"),
        ("o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/", "magnitude"),
        ("o/na", "name"),
        ("e/ehr", "ehr_id"),
        ("c/", "context"),
        ("CONCAT(c/", "name"),
        ("c/uid, o/", "data[at0001]"),
    ],
)
def test_what_may_stand_next(typed: str, option: str) -> None:
    assert option in offered(typed)


@pytest.mark.parametrize("typed", ["", "x/", "o", "'a/", "o/zz", "1/"])
def test_nothing_where_nothing_fits(typed: str) -> None:
    assert offered(typed) == []


SMOKING = " FROM EHR e CONTAINS EVALUATION s[openEHR-EHR-EVALUATION.tobacco_smoking_summary.v2]"
STATUS = "s/data[at0001]/items[at0089]/value/defining_code/code_string"


@pytest.mark.parametrize(
    ("before", "after", "option"),
    [
        ("SELECT o FROM EHR e CONTAINS COMP", "", ("COMPOSITION", "class", "")),
        ("SELECT o FROM EHR e CONTAINS OBSERVATION o[openEHR-EHR-OBS", "", None),
        (f"SELECT s {SMOKING} WHERE {STATUS} = '", "", ("at0003", "value", "Røyker nå")),
        (f"SELECT s {SMOKING} WHERE {STATUS} matches {{'at0003', 'at00", "", ("at0005", "value", None)),
        ("SELECT COU", SMOKING, ("COUNT(", "function", "")),
        ("SELECT s/data[at0001]/it", SMOKING, ("items[at0089]", "path", "")),
    ],
)
def test_by_where_the_cursor_stands(before: str, after: str, option: tuple[str, str, str] | None) -> None:
    offered = complete(before + after, len(before), library_templates().values())
    if option is None:
        pressure = next(each for each in offered if "blood_pressure.v2" in each.text)
        assert (pressure.kind, pressure.label) == ("archetype", "Blodtrykk")
        assert before[: pressure.start].endswith("[")
        return
    text, kind, label = option
    found = next(each for each in offered if each.text == text)
    assert found.kind == kind
    assert label in (None, found.label) or found.label
    assert text.upper().startswith(before[found.start :].upper())


def test_nothing_is_offered_in_a_text_or_for_nonsense() -> None:
    for text in ("", "SELECT 'abc", "FROM", "SELECT x FROM EHR e WHERE nobody/knows = '"):
        assert complete(text, len(text), library_templates().values()) == []
