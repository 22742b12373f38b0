"""Regular expressions: what they match, what is refused, and that none is slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.aql.regex import BadRegex, compile_regex

ATOMS = ("a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", "(?:ab|c)", "(a|)")
PATTERNS = st.recursive(
    st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(("", "*", "+", "?", "{2}", "{1,3}", "{1,}")))),
    lambda inner: st.lists(inner, max_size=2).map(lambda lists: [each for part in lists for each in part]),
    max_leaves=3,
).map(lambda parts: "".join(atom + count for atom, count in parts))


@given(pattern=PATTERNS, text=st.text("abc1. \n", max_size=12))
def test_matches_what_python_matches(pattern: str, text: str) -> None:
    assert compile_regex(pattern)(text) is (re.fullmatch(pattern, text) is not None)


@given(left=PATTERNS, right=PATTERNS, text=st.text("abc", max_size=6))
def test_alternatives(left: str, right: str, text: str) -> None:
    pattern = f"{left}|{right}"
    assert compile_regex(pattern)(text) is (re.fullmatch(pattern, text) is not None)


def test_the_ends_may_be_marked() -> None:
    assert compile_regex("^ab$")("ab")
    assert compile_regex(r"a\$")("a$")
    assert not compile_regex("b")("abc")


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "[a", "*a", "a**", "a{2", "a{3,1}", "a{99999}", r"\1", "(?=a)", "(?P<n>a)", "a\\", "[b-a]",
     "a*?", r"\bx", "a^b", "(" * 60 + "a" + ")" * 60, "(a{100}){100}"],
)  # fmt: skip
def test_what_is_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(BadRegex):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a+)+b", "(.*a){20}b", "a?" * 30 + "a" * 30 + "c"])
def test_no_pattern_is_slow(pattern: str) -> None:
    matches = compile_regex(pattern)
    started = time.monotonic()
    assert not matches("a" * 20_000)
    assert time.monotonic() - started < 2
