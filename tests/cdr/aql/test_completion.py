"""Completion of paths from the card's templates."""

from __future__ import annotations

import pytest

from cdr.aql.completion import complete
from templates.repository import library_templates

FROM = " FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"


def offered(typed: str) -> list[str]:
    text = f"SELECT {typed}{FROM}"
    return complete(text, len("SELECT ") + len(typed), library_templates().values())


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
