"""Patterns of templates: what they take, what cannot be read; the same as Python's matcher says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archetypes.patterns import matches, whole_text


@pytest.mark.parametrize(
    ("pattern", "text", "is_whole"),
    [
        ("[0-9]{4}", "0456", True),
        ("[0-9]{4}", "04567", False),
        ("a|bc", "bc", True),
        ("a|bc", "abc", False),
        (".*", "", True),
        (r"[\s\S]{0,4000}", "x" * 4000, True),
        (r"[\s\S]{0,4000}", "x" * 4001, False),
        (".*", "two\nlines", False),
        ("ab$", "ab\n", False),
        ("[a-zæøå]+", "blåbær", True),
        (r"\p{L}+", "blåbær", True),
        (r"\w+", "blåbær", False),
        (r"\d", "٣", False),
        ("A", "a", False),
    ],
)
def test_the_whole_text_must_be_of_the_pattern(pattern: str, text: str, is_whole: bool) -> None:
    assert matches(pattern, text) is is_whole


@pytest.mark.parametrize("pattern", ["(open", "[z-a]", "(?=a)b", r"(a)\1", "(x{1000}){1000}", "*"])
def test_what_cannot_be_read(pattern: str) -> None:
    assert whole_text(pattern) is None
    assert not matches(pattern, "a")


PARTS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(?:ab)"])
QUANTIFIED = st.builds(str.__add__, PARTS, st.sampled_from(["", "*", "+", "?", "{1,3}"]))


@given(st.lists(QUANTIFIED, max_size=5).map("".join), st.text("abc", max_size=8))
def test_as_the_matcher_of_python_says(pattern: str, text: str) -> None:
    assert matches(pattern, text) == (re.fullmatch(pattern, text) is not None)
