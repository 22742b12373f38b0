"""Every kind of change has a text in each language."""

from __future__ import annotations

import string
import tomllib
from pathlib import Path

import pytest

from archetypes.changes import KINDS, change
from validators.messages import LANGUAGES
from validators.messages.changes import change_text

FOLDER = Path(__file__).parents[2] / "validators" / "messages"


def texts(language: str) -> dict[str, str]:
    return tomllib.loads((FOLDER / f"changes_{language}.toml").read_text(encoding="utf-8"))


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_has_a_text_and_no_text_is_left_over(language: str) -> None:
    assert set(texts(language)) == set(KINDS)
    assert set().union(*map(values, texts(language).values())) <= {"old", "new", "what"}


def test_both_languages_show_the_same_values() -> None:
    assert [code for code in KINDS if values(texts("nb")[code]) != values(texts("en")[code])] == []


def test_a_text_with_its_values() -> None:
    raised = change("occurrences.mandatory", "/x", "0..1", "1..1")
    assert change_text(raised, "en") == "The node became mandatory: 0..1 became 1..1."
    assert change_text(raised, "nb") == "Noden er blitt obligatorisk: 0..1 ble 1..1."


def test_braces_in_the_data_are_only_data() -> None:
    assert "{old.__class__}" in change_text(change("pattern.changed", "/x", "a", "{old.__class__}"), "en")
