"""The bundled openEHR terminology."""

from __future__ import annotations

import pytest

from archetypes.terminology import is_in_group, terminology

TERMS = terminology()


@pytest.mark.parametrize(
    ("group", "code", "expected"),
    [
        ("composition_category", "451", True),
        ("composition_category", "435", False),
        ("null_flavours", "253", True),
        ("null_flavours", "231", False),
        ("setting", "231", True),
        ("instruction_states", "245", True),
        ("version_lifecycle_state", "553", True),
        ("subject_relationship", "189", True),
        ("event_math_function", "146", True),
    ],
)
def test_groups(group: str, code: str, expected: bool) -> None:
    assert is_in_group(group, code) is expected


def test_a_group_that_does_not_exist_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError):
        is_in_group("no_such_group", "231")


@pytest.mark.parametrize(
    ("code_set", "code", "expected"),
    [
        ("languages", "nb", True),
        ("languages", "no", False),
        ("countries", "NO", True),
        ("countries", "no", False),
        ("character_sets", "UTF-8", True),
        ("media_types", "image/png", True),
        ("normal_statuses", "HHH", True),
        ("integrity_check_algorithms", "SHA-256", True),
    ],
)
def test_code_sets(code_set: str, code: str, expected: bool) -> None:
    assert TERMS.is_in_code_set(code_set, code) is expected


def test_rubrics() -> None:
    assert TERMS.rubric("setting", "231", "nb") == "jordmortjeneste"
    assert TERMS.rubric("setting", "231", "de") == "midwifery care"
    assert TERMS.rubric("setting", "999") is None
    assert TERMS.rubrics("setting", "231") == {"midwifery care", "jordmortjeneste"}


def test_every_code_has_an_english_rubric() -> None:
    missing = [
        (g, c) for g, codes in TERMS.groups.items() for c, texts in codes.items() if not texts.get("en")
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("property_code", "unit"), [("122", "cm"), ("124", "kg"), ("125", "mm[Hg]"), ("128", "d")]
)
def test_units_of_a_property(property_code: str, unit: str) -> None:
    assert unit in TERMS.units_of(property_code)
    assert TERMS.units_of("0") == frozenset()
