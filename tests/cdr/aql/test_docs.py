"""docs/aql.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from cdr.aql.functions import EXTENSIONS, FUNCTION_ARGUMENTS
from cdr.aql.lexer import AGGREGATES, FUNCTIONS, MAX_LENGTH
from cdr.aql.stream import MAX_DEPTH
from cdr.aql.unsupported import CONSTRUCTS

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "aql.md").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "cdr").glob("aql/*.py")]
SOURCES.append((ROOT / "cdr" / "query_terminology.py").read_text(encoding="utf-8"))


def documented(pattern: str) -> set[str]:
    return set(re.findall(pattern, DOCS))


def test_every_construct_that_is_not_executed_is_listed() -> None:
    assert documented(r"aql\.unsupported\.([a-z_]+)") == set(CONSTRUCTS)


def test_every_code_is_listed_and_no_other() -> None:
    raised = {code for source in SOURCES for code in re.findall(r'"(aql\.[a-z_.]+)"', source)}
    assert documented(r"`(aql\.(?!unsupported)[a-z_.]+)`") == raised - {"aql"}


def test_every_function_is_listed() -> None:
    assert set(FUNCTION_ARGUMENTS) == FUNCTIONS | EXTENSIONS
    (listed,) = re.findall(r"^- Functions: (.*)\.$", DOCS, re.MULTILINE)
    assert set(listed.split(", ")) == FUNCTIONS
    (aggregates,) = re.findall(r"^- Aggregates: (.*)\.$", DOCS, re.MULTILINE)
    assert {name.partition("(")[0] for name in aggregates.split(", ")} == AGGREGATES


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{MAX_LENGTH:,} characters" in DOCS
    assert f"deeper than {MAX_DEPTH} levels" in DOCS


def test_every_rule_has_a_test_of_its_number() -> None:
    folder = Path(__file__).parents[1]
    tests = [path.read_text(encoding="utf-8") for path in (*folder.glob("*.py"), *folder.glob("aql/*.py"))]
    names = [
        name
        for source in tests
        for name in re.findall(r"^(?:async )?def test((?:_r\d+)+)", source, re.MULTILINE)
    ]
    tested = {number for name in names for number in re.findall(r"\d+", name)}
    tested |= {number for source in tests for number in re.findall(r'\(\s*"R(\d+)",', source)}
    assert documented(r"\*\*R(\d+)\.\*\*") == tested
