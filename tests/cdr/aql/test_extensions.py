"""What is not in AQL 1.1 and executed all the same (docs/aql.md, "Extensions")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cdr.aql import parse, resolve
from cdr.aql.functions import arithmetic
from tests.cdr.aql.records import ENCOUNTER, PRESSURE, composition, ehr, observation, pressure
from tests.cdr.aql.test_semantics import BP, DIA, SYS, run

RECORD = ehr(
    "e1",
    composition(ENCOUNTER, observation(PRESSURE, pressure(140, 90), pressure(120, 80), pressure(120, 70))),
)


def rows(query: str, **options: Any) -> list[list[Any]]:
    return run(query, RECORD, **options)


def test_arithmetic_binds_as_in_school() -> None:
    assert rows(f"SELECT {SYS} - {DIA} FROM {BP} ORDER BY {SYS} - {DIA}") == [[40], [50], [50]]
    assert rows(f"SELECT {SYS} - {DIA} * 2 AS x FROM {BP} ORDER BY x") == [[-40], [-40], [-20]]
    assert rows(f"SELECT ({SYS} - {DIA}) / 4 AS x FROM {BP} ORDER BY x") == [[10.0], [12.5], [12.5]]
    assert rows(f"SELECT {DIA} + ({SYS} - {DIA}) / 2 AS x FROM {BP} ORDER BY x DESC LIMIT 1") == [[115.0]]
    assert rows(
        f"SELECT {SYS} FROM {BP} WHERE ({SYS} - {DIA}) > 40 AND {SYS} + $x < 200", parameters={"x": 70}
    ) == [[120]]


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        ("+", 0.1, 0.2, 0.3),
        ("/", 1, 4, 0.25),
        ("/", 4, 2, 2.0),
        ("/", 1, 0, None),
        ("+", 1, None, None),
        ("+", 1, "2", None),
        ("+", 1, True, None),
        ("*", 2**62, 2, None),
        ("*", 1e308, 10, None),
        ("-", 5, 7, -2),
    ],
)
def test_numbers(operator: str, left: Any, right: Any, expected: Any) -> None:
    found = arithmetic(operator, left, right)
    assert found == expected
    assert type(found) is type(expected)


def test_quantities_of_unlike_units_have_no_sum() -> None:
    value = SYS.removesuffix("/magnitude")
    assert rows(f"SELECT {value} + {value} AS x FROM {BP} ORDER BY x LIMIT 1") == [[240]]
    query = f"SELECT {value} + 1 AS x FROM {BP} ORDER BY x LIMIT 1"
    assert rows(query) == [[121]]


def test_group_by() -> None:
    query = f"SELECT {SYS}, COUNT({DIA}) AS n FROM {BP} GROUP BY {SYS} ORDER BY n DESC"
    assert rows(query) == [[120, 2], [140, 1]]
    assert sorted(rows(f"SELECT COUNT(*) FROM {BP} GROUP BY {SYS}")) == [[1], [2]]
    assert sorted(rows(f"SELECT {SYS} AS s FROM {BP} GROUP BY s")) == [[120], [140]]
    assert sorted(rows(f"SELECT MAX({DIA}), {SYS} / 2 FROM {BP} group by {SYS}")) == [[80, 60.0], [90, 70.0]]
    assert rows(f"SELECT {SYS} FROM {BP} WHERE {SYS} > 500 GROUP BY {SYS}") == []


def test_group_is_a_name_like_any_other() -> None:
    assert run("SELECT group/name/value FROM COMPOSITION group ORDER BY group/name/value", RECORD)


def test_top_backward_gives_the_end_of_the_order() -> None:
    assert rows(f"SELECT TOP 2 BACKWARD {DIA} FROM {BP} ORDER BY {DIA}") == [[80], [90]]
    assert rows(f"SELECT TOP 2 FORWARD {DIA} FROM {BP} ORDER BY {DIA}") == [[70], [80]]


def test_regular_expressions() -> None:
    of = "SELECT COUNT(o) FROM OBSERVATION o[matches {/%s/}]"
    assert rows(of % r"openEHR-EHR-OBSERVATION\.blood.*") == [[1]]
    assert rows(of % "blood.*") == [[0]]
    assert rows(f"SELECT o/name/value FROM {BP} WHERE o/name/value MATCHES {{/[a-z]+/}}") == [["observation"]]
    assert rows(f"SELECT o/name/value FROM {BP} WHERE NOT o/name/value MATCHES {{/obs/}}") == [
        ["observation"]
    ]
    path = "o/data/events/data/items[name/value matches {/none/}]/value/magnitude"
    assert rows(f"SELECT {path} FROM {BP}") == [[None]]


def test_contains_is_a_condition() -> None:
    assert rows(f"SELECT o/name/value FROM {BP} WHERE CONTAINS(o/name/value, 'serv')") == [["observation"]]
    assert rows(f"SELECT o/name/value FROM {BP} WHERE NOT CONTAINS(o/name/value, 'serv')") == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("DAYS_BETWEEN('2026-02-27', '2026-03-01T23:00:00+01:00')", 2),
        ("DAYS_BETWEEN('2026-03-01', '2026-02-27')", -2),
        ("DAYS_BETWEEN('2026-03', '2026-02-27')", None),
        ("DAYS_BETWEEN('x', '2026-02-27')", None),
        ("GESTATIONAL_DAYS('2026-06-09', '2026-06-09')", 283),
        ("GESTATIONAL_DAYS('2026-06-09', '2026-05-30')", 273),
    ],
)
def test_days(call: str, expected: int | None) -> None:
    assert rows(f"SELECT {call} FROM EHR e") == [[expected]]


def test_long_sums_are_no_danger() -> None:
    scope = resolve(parse("SELECT " + "+".join(["1"] * 5000) + " FROM EHR e"))
    assert scope.columns
    assert rows("SELECT " + "+".join(["1"] * 5000) + " FROM EHR e") == [[5000]]


def test_as_of_undoes_what_came_later() -> None:
    at = datetime(2023, 12, 31, tzinfo=UTC).isoformat()
    assert rows(f"SELECT {SYS} FROM {BP} AS OF $at", parameters={"at": at}) == []
    assert len(rows(f"SELECT {SYS} FROM {BP} AS OF '2024-01-02'")) == 3
