"""AQL text to tree and back; every error with code, line, column and caret."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdr.aql import AqlSyntaxError, ast, parse, print_query
from tests.shared_data import SHARED, needs_shared

IDENTITY = Path(__file__).parents[2] / "data" / "aql" / "identity.aql"
PROBES = SHARED / "spec" / "query" / "grammar-probe.tsv"
EXPECTED = Path(__file__).parents[2] / "data" / "aql" / "grammar_probes.tsv"


def identity_queries() -> list[str]:
    lines = IDENTITY.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("text", identity_queries())
def test_printed_query_parses_to_the_same_tree(text: str) -> None:
    tree = parse(text)
    printed = print_query(tree)
    assert parse(printed) == tree
    assert print_query(parse(printed)) == printed


def expected() -> dict[str, bool]:
    """Of each probe, written down with its reason before it was tried: is it AQL, or an extension of ours?"""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()[1:]
    return {name: verdict == "read" for name, verdict, _ in (line.split("\t") for line in lines)}


def probes() -> list[tuple[str, bool, str]]:
    if not PROBES.is_file():
        return []
    lines = PROBES.read_text(encoding="utf-8").splitlines()[1:]
    fields = [line.split("\t") for line in lines]
    return [(name, expected()[name], query.replace("\\n", "\n")) for name, _, _, query, *_ in fields]


@needs_shared
def test_probes_are_there() -> None:
    assert {name for name, _, _ in probes()} == set(expected())
    assert len(expected()) == 82


@needs_shared
@pytest.mark.parametrize(("name", "readable", "query"), probes())
def test_grammar_probe(name: str, readable: bool, query: str) -> None:
    if readable:
        assert parse(print_query(parse(query))) == parse(query)
        return
    with pytest.raises(AqlSyntaxError):
        parse(query)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "aql.syntax", 1, 1),
        ("SELECT FROM WHERE", "aql.syntax", 1, 8),
        ("SELECT c\nFROM COMPOSITION c\nWHERE 1 = c/x", "aql.syntax", 3, 7),
        ("SELECT c FROM COMPOSITION c WHERE c/x = 'open", "aql.syntax.string", 1, 41),
        ("SELECT c FROM COMPOSITION c WHERE c/x = 'a\\q'", "aql.syntax.string", 1, 41),
        ("SELECT c FROM COMPOSITION c WHERE c/x = '\\ud83d'", "aql.syntax.string", 1, 41),
        ("SELECT c FROM COMPOSITION c WHERE c/x = 5.", "aql.syntax.number", 1, 41),
        ("SELECT c FROM COMPOSITION c WHERE c/x = 1e999", "aql.syntax.number", 1, 41),
        ("SELECT c FROM COMPOSITION c LIMIT 0", "aql.syntax.number", 1, 35),
        ("SELECT c FROM COMPOSITION c LIMIT 99999999999999999999", "aql.syntax.number", 1, 35),
        ("SELECT c FROM COMPOSITION c WHERE c/ø = 1", "aql.syntax.character", 1, 37),
        ("SELECT TOP 2 c FROM COMPOSITION c LIMIT 2", "aql.syntax", 1, 35),
        ("SELECT c FROM COMPOSITION c GROUP c/x", "aql.syntax", 1, 29),
        ("SELECT c FROM COMPOSITION c GROUP BY 1", "aql.syntax", 1, 38),
        ("SELECT c FROM COMPOSITION c AS IN '2024'", "aql.syntax", 1, 32),
        ("SELECT c FROM COMPOSITION c AS OF 2024", "aql.syntax", 1, 35),
        ("SELECT c/x + FROM COMPOSITION c", "aql.syntax", 1, 14),
        ("SELECT c/x / c/y * FROM COMPOSITION c", "aql.syntax", 1, 20),
    ],
)
def test_error_has_code_and_place(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(AqlSyntaxError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)
    assert caught.value.caret == " " * (column - 1) + "^"


def test_error_says_what_was_expected() -> None:
    with pytest.raises(AqlSyntaxError) as caught:
        parse("SELECT c/name/value\nFROM COMPOSITION c WHERE c/x <> 1")
    assert caught.value.excerpt == "FROM COMPOSITION c WHERE c/x <> 1"
    assert "found '>'" in str(caught.value)
    assert "a literal" in caught.value.expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT c FROM " + "(" * 10_000 + "COMPOSITION c" + ")" * 10_000,
        "SELECT c FROM COMPOSITION c WHERE " + "(" * 10_000 + "c/x = 1",
        "SELECT c FROM COMPOSITION c WHERE " + "NOT " * 10_000 + "c/x = 1",
        "SELECT c FROM COMPOSITION c" + " CONTAINS CLUSTER" * 3_000,
        "SELECT " + "LENGTH(" * 5_000,
        "SELECT c/" + "a[b/" * 5_000,
        "SELECT c" + "/a" * 10_000 + " FROM COMPOSITION c",
    ],
)
def test_deep_nesting_is_an_error_of_the_text(text: str) -> None:
    with pytest.raises(AqlSyntaxError) as caught:
        parse(text)
    assert caught.value.code == "aql.syntax.depth"


def test_a_long_query_is_refused_and_a_wide_one_read() -> None:
    with pytest.raises(AqlSyntaxError) as caught:
        parse("SELECT c FROM COMPOSITION c" + " " * 70_000)
    assert caught.value.code == "aql.syntax.length"
    wide = parse("SELECT c FROM COMPOSITION c WHERE c/a = 1" + " AND c/a = 1" * 4_000)
    assert isinstance(wide.where, ast.AndExpr)
    assert len(wide.where.operands) == 4_001
    assert parse(print_query(wide)) == wide


def test_contains_takes_everything_to_its_right() -> None:
    tree = parse("SELECT e FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o AND EVALUATION v")
    outer = tree.from_expr
    assert isinstance(outer, ast.Containment)
    composition = outer.contains
    assert isinstance(composition, ast.Containment)
    assert isinstance(composition.contains, ast.ContainsAnd)


def test_literals_have_the_value_that_they_say() -> None:
    tree = parse(r"SELECT 'O\'Brien', '\u00f8', 'a\\b', -7, .5, TRUE, NULL FROM EHR e")
    values = [
        column.column.value for column in tree.select.columns if isinstance(column.column, ast.Primitive)
    ]
    assert values == ["O'Brien", "ø", "a\\b", -7, 0.5, True, None]
