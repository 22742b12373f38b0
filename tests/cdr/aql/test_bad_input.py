"""Queries that are meant to hurt: bounded time, and an error that says what is wrong."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest

from cdr.aql import AqlError, AqlTooLarge, Limits, compile_query, parse, resolve
from cdr.candidates import QueryAccess, Record
from cdr.errors import QueryTimeout
from tests.cdr.aql.records import ENCOUNTER, PRESSURE, composition, ehr, observation, pressure
from tests.cdr.aql.test_semantics import run

WHERE = "SELECT c FROM COMPOSITION c WHERE "


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (WHERE + " OR ".join(["c/uid=1"] * 10_000), "aql.syntax.length"),
        (WHERE + " OR ".join(["c/uid=1"] * 5_000), None),
        (WHERE + "(" * 3000 + "c/uid=1" + ")" * 3000, "aql.syntax.depth"),
        (WHERE + "NOT " * 5000 + "c/uid=1", "aql.syntax.depth"),
        ("SELECT a FROM CLUSTER a" + " CONTAINS CLUSTER" * 99, "aql.syntax.depth"),
        ("SELECT a FROM EHR a CONTAINS (COMPOSITION" + " AND COMPOSITION" * 1000 + ")", "aql.from.classes"),
        ("SELECT c FROM COMPOSITION c LIMIT 5 OFFSET 9000000000000000000", None),
        ("SELECT " + "+".join(["1"] * 30_000) + " FROM EHR e", None),
        (WHERE + "c/name/value matches {/(a{900}){9}/}", "aql.regex"),
    ],
    ids=["10000 OR", "5000 OR", "parentheses", "NOT", "CONTAINS", "AND", "OFFSET", "sum", "regex"],
)
def test_reading_takes_bounded_time(text: str, code: str | None) -> None:
    started = time.monotonic()
    try:
        compile_query(resolve(parse(text)), QueryAccess())
        found = None
    except AqlError as error:
        found = error.code
    assert found == code
    assert time.monotonic() - started < 10


HOSTILE = (
    *(
        "' OR 1=1 --",
        "{$ne: null}",
        "$where",
        ".*",
        "a\\\\' OR c/uid = c/uid",
        "x\x00y",
        "%",
        "*",
        "?",
        "\u202e",
    ),
    *('"', "'", "\n", '{"$gt": ""}', "TERMINOLOGY('a','b','c')", "\\", "😀"),
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_nothing_but_a_value(value: str) -> None:
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE, pressure(140, 90))))
    condition = "c/name/value = $v OR c/uid/value matches {$v} OR e/ehr_id/value = $v"
    query = f"SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c WHERE {condition}"
    assert run(query, record, parameters={"v": value}) == []


@pytest.mark.parametrize("value", [{"$ne": None}, [["a"]], [{"$gt": ""}]])
def test_objects_are_no_values(value: Any) -> None:
    with pytest.raises(AqlError) as caught:
        resolve(parse(WHERE + "c/name/value matches {$v}"), {"v": value})
    assert caught.value.code == "aql.parameter.type"


def test_a_cross_product_without_rows_ends_at_the_deadline() -> None:
    record = Record(
        ehr={"ehr_id": "e1", "ehr_status": {}},
        versions=ehr("e1", *[composition(ENCOUNTER, observation(PRESSURE, pressure(1, 2)))] * 30).versions,
    )
    classes = " AND ".join(f"COMPOSITION c{number}" for number in range(10))
    text = f"SELECT c0/uid/value FROM EHR e CONTAINS ({classes} AND EVALUATION x)"
    plan = compile_query(resolve(parse(text)), QueryAccess())
    limits = Limits(deadline=time.monotonic() + 0.3, seconds=0.3)
    with pytest.raises(QueryTimeout):
        list(plan.run([record], limits))


def named(text: str, condition: str) -> list[list[Any]]:
    """The rows of compositions with a name, by the plan alone: the reference would try everything."""
    query = f"SELECT c/uid/value FROM COMPOSITION c WHERE c/name/value {condition}"
    record = ehr("e1", composition(ENCOUNTER, name=text))
    return list(compile_query(resolve(parse(query)), QueryAccess()).run([record]))


@pytest.mark.parametrize(
    "condition", ["LIKE '*" + "?" * 3000 + "b*'", "MATCHES {/[ab]*a[ab]{900}/}"], ids=["LIKE", "MATCHES"]
)
def test_a_pattern_over_a_text_of_megabytes_ends(condition: str) -> None:
    chance = Random(1)
    text = "".join(chance.choice("ab") for _ in range(1_000_000)) + "c"
    started = time.process_time()
    with pytest.raises(AqlTooLarge) as caught:
        named(text, condition)
    assert caught.value.code == "aql.too_large"
    assert time.process_time() - started < 20


def test_a_text_of_megabytes_is_searched_for_words() -> None:
    text = "a" * 4_000_000 + " word " + "a" * 4_000_000
    for pattern in ("*word*", "*w?rd*", "a* word a*"):
        assert len(named(text, f"LIKE '{pattern}'")) == 1


@pytest.mark.parametrize("call", ["CONCAT({})", "CONCAT_WS('-', {})"])
def test_a_large_text_is_not_joined_a_thousand_times(call: str) -> None:
    value = call.format(", ".join(["c/name/value"] * 900))
    with pytest.raises(AqlTooLarge):
        named("a" * 1_000_000, f"= 'x' OR LENGTH({value}) > 1")
    assert len(named("a" * 1000, f"= 'x' OR LENGTH({value}) > 1")) == 1
