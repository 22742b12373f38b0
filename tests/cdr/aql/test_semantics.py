"""The rules that are easy to get wrong (docs/aql.md), each on the smallest data; both executors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.aql import check, compile_query, parse, resolve
from cdr.aql.expressions import like_test
from cdr.aql.reference import evaluate
from cdr.aql.reference_values import is_like
from cdr.candidates import QueryAccess, Record
from tests.cdr.aql.filtering import deliver
from tests.cdr.aql.records import (
    DEVICE,
    DIAGNOSIS,
    ENCOUNTER,
    PRESSURE,
    REPORT,
    coded,
    composition,
    ehr,
    element,
    event,
    node,
    observation,
    pressure,
    quantity,
    text,
    with_versions,
)

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SYS = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"
DIA = "o/data[at0001]/events[at0006]/data[at0003]/items[at0005]/value/magnitude"
BP = f"OBSERVATION o[{PRESSURE}]"


def run(
    query: str,
    *records: Record,
    access: QueryAccess | None = None,
    parameters: dict[str, Any] | None = None,
) -> list[list[Any]]:
    """The rows of the plan over what the store would deliver; the reference must have them too."""
    scope = resolve(parse(query), parameters)
    assert check(scope) == []
    access = access or QueryAccess()
    plan = compile_query(scope, access, now=NOW)
    rows = list(plan.run(deliver(plan.candidates, records)))
    expected = evaluate(scope, records, access, NOW)
    if scope.order_by:
        assert rows == expected
    else:
        assert sorted(rows, key=repr) == sorted(expected, key=repr)
    return rows


def elements(*values: dict[str, Any] | None, entry: str = DIAGNOSIS) -> dict[str, Any]:
    """A composition with an evaluation of these elements."""
    items = [element("at0004", value) for value in values]
    return composition(REPORT, node("EVALUATION", entry, data=node("ITEM_TREE", "at0003", items=items)))


def where(value: dict[str, Any], condition: str) -> bool:
    """Does a condition on ``x`` (an element) hold for a value?"""
    query = f"SELECT x/name/value FROM EHR e CONTAINS ELEMENT x[at0004] WHERE {condition}"
    return bool(run(query, ehr("e1", elements(value))))


# -- values of one event -----------------------------------------------------------------------------


def test_values_of_one_event_stay_together() -> None:
    entry = observation(PRESSURE, pressure(140, 90), pressure(120, 80))
    rows = run(f"SELECT {SYS}, {DIA} FROM {BP}", ehr("e1", composition(ENCOUNTER, entry)))
    assert rows == [[140, 90], [120, 80]]


def test_a_missing_value_is_null_beside_its_neighbour() -> None:
    entry = observation(PRESSURE, pressure(140, None), pressure(None, 80))
    record = ehr("e1", composition(ENCOUNTER, entry))
    assert run(f"SELECT {SYS}, {DIA} FROM {BP}", record) == [[140, None], [None, 80]]
    # An event without any of the values asked for gives no row of its own ...
    assert run(f"SELECT {SYS} FROM {BP}", record) == [[140]]
    # ... and an entry without any gives one row, without value.
    assert run(f"SELECT {SYS} FROM {BP}", ehr("e1", composition(ENCOUNTER, observation(PRESSURE)))) == [
        [None]
    ]


def test_a_whole_event_stands_beside_its_values() -> None:
    entry = observation(PRESSURE, pressure(140, 90), pressure(None, 80))
    query = f"SELECT o/data[at0001]/events[at0006], {SYS} FROM {BP}"
    rows = run(query, ehr("e1", composition(ENCOUNTER, entry)))
    assert [(row[0]["_type"], row[1]) for row in rows] == [("POINT_EVENT", 140), ("POINT_EVENT", None)]


def test_where_holds_for_the_same_event() -> None:
    entry = observation(PRESSURE, pressure(140, 70), pressure(120, 95))
    record = ehr("e1", composition(ENCOUNTER, entry))
    assert run(f"SELECT {SYS} FROM {BP} WHERE {SYS} > 130 AND {DIA} > 90", record) == []
    assert run(f"SELECT {SYS} FROM {BP} WHERE {DIA} > 90", record) == [[120]]


def test_independent_branches_give_every_combination() -> None:
    entry = observation(PRESSURE, event("2024", *(element(c, quantity(n)) for c, n in
                        (("at0004", 1), ("at0004", 2), ("at0005", 3), ("at0005", 4)))))  # fmt: skip
    rows = run(f"SELECT {SYS}, {DIA} FROM {BP}", ehr("e1", composition(ENCOUNTER, entry)))
    assert rows == [[1, 3], [1, 4], [2, 3], [2, 4]]


def test_exists_looks_below_the_instance_of_the_row() -> None:
    entry = observation(PRESSURE, pressure(140, None), pressure(120, 80))
    record = ehr("e1", composition(ENCOUNTER, entry))
    assert run(f"SELECT {SYS} FROM {BP} WHERE EXISTS {DIA}", record) == [[120]]
    assert run(f"SELECT {SYS} FROM {BP} WHERE NOT EXISTS {DIA}", record) == [[140]]
    assert run(f"SELECT o/name/value FROM {BP} WHERE EXISTS {DIA}", record) == [["observation"]]


def test_a_list_at_the_end_of_a_path_gives_a_row_for_each_member() -> None:
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE), observation(PRESSURE, name="second")))
    rows = run("SELECT c/content FROM COMPOSITION c", record)
    assert [row[0]["name"]["value"] for row in rows] == ["observation", "second"]


# -- containment -------------------------------------------------------------------------------------


def test_two_entries_of_one_archetype_are_two_objects() -> None:
    first = observation(PRESSURE, pressure(140, 90))
    second = observation(PRESSURE + ".0.4", pressure(150, 70))
    record = ehr("e1", composition(ENCOUNTER, first, second))
    assert run(f"SELECT {SYS}, {DIA} FROM {BP}", record) == [[140, 90], [150, 70]]


def test_and_is_every_pair_and_or_is_every_match() -> None:
    record = ehr(
        "e1", composition(ENCOUNTER, observation(PRESSURE, name="a"), observation(PRESSURE, name="b"))
    )
    pairs = run(
        f"SELECT o/name/value, p/name/value FROM COMPOSITION c CONTAINS ({BP} AND OBSERVATION p)", record
    )
    assert len(pairs) == 4
    either = f"SELECT o/name/value, v/name/value FROM COMPOSITION c CONTAINS ({BP} OR EVALUATION v)"
    assert run(either, record) == [["a", None], ["b", None]]


def test_not_contains_keeps_what_has_no_such_descendant() -> None:
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE)), composition(REPORT))
    rows = run(f"SELECT c/archetype_node_id FROM EHR e CONTAINS COMPOSITION c NOT CONTAINS {BP}", record)
    assert rows == [[REPORT]]
    absent = f"SELECT e/ehr_id/value FROM EHR e NOT CONTAINS COMPOSITION c[{REPORT}]"
    assert run(absent, record, ehr("e2", composition(ENCOUNTER)), ehr("e3")) == [["e2"], ["e3"]]


def test_at_codes_are_found_within_nested_archetypes() -> None:
    inner = node("CLUSTER", DEVICE, "inner", items=[element("at0004", text("deep"))])
    outer = node("CLUSTER", DEVICE, "outer", items=[inner])
    entry = node("OBSERVATION", PRESSURE, protocol=node("ITEM_TREE", "at0011", items=[outer]))
    record = ehr("e1", composition(ENCOUNTER, entry))
    assert run("SELECT x/value/value FROM COMPOSITION c CONTAINS ELEMENT x[at0004]", record) == [["deep"]]
    nested = f"SELECT d/name/value, k/name/value FROM CLUSTER d[{DEVICE}] CONTAINS CLUSTER k[{DEVICE}]"
    assert run(nested, record) == [["outer", "inner"]]


def test_classes_join_compositions_of_one_ehr_only() -> None:
    high = composition(ENCOUNTER, observation(PRESSURE, pressure(160, 100)))
    sick = elements(coded("yes", "at0012"))
    query = (
        f"SELECT DISTINCT e/ehr_id/value FROM EHR e CONTAINS ((COMPOSITION c CONTAINS {BP}) AND "
        f"(COMPOSITION d CONTAINS EVALUATION v)) WHERE {SYS} > 150 AND "
        "v/data/items/value/defining_code/code_string = 'at0012'"
    )
    assert run(query, ehr("e1", high, sick), ehr("e2", high), ehr("e3", sick)) == [["e1"]]


def test_an_ehr_without_compositions_is_an_ehr() -> None:
    assert run("SELECT e/ehr_id/value FROM EHR e", ehr("e1")) == [["e1"]]
    assert run("SELECT e/ehr_id/value FROM EHR e CONTAINS COMPOSITION c", ehr("e1")) == []


# -- names and archetype ids -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        (f"[{PRESSURE}, 'O\\'Brien sin blødning']", 1),
        (f"[{PRESSURE} and name/value='O\\'Brien sin blødning']", 1),
        (f"[{PRESSURE}, $name]", 1),
        (f"[{PRESSURE}, 'other']", 0),
        ("[openEHR-EHR-OBSERVATION.blood_pressure.v1]", 0),
        ("[openEHR-EHR-OBSERVATION.blood_pressure.v2.0]", 0),
    ],
)
def test_name_predicates(predicate: str, found: int) -> None:
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE, name="O'Brien sin blødning")))
    rows = run(f"SELECT o FROM OBSERVATION o{predicate}", record, parameters={"name": "O'Brien sin blødning"})
    assert len(rows) == found


def test_a_major_version_means_all_its_minor_ones() -> None:
    names = [PRESSURE + ".0.4", PRESSURE + "0", "openEHR-EHR-OBSERVATION.blood_pressure-x.v2"]
    record = ehr("e1", composition(ENCOUNTER, *(observation(name) for name in names)))
    assert run(f"SELECT o/archetype_node_id FROM {BP}", record) == [[PRESSURE + ".0.4"]]


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        ("at0004, at0021", 1),
        ("at0004, local::at0021|left|", 1),
        ("at0004, at0022", 0),
        ("at0004, x::at0021", 0),
    ],
)
def test_coded_name_predicates(predicate: str, found: int) -> None:
    named = element("at0004", quantity(1), coded("left", "at0021"))
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE, event("2024", named))))
    rows = run(f"SELECT o/data/events/data/items[{predicate}]/value/magnitude FROM {BP}", record)
    assert rows == [[1 if found else None]]


# -- versions and access -----------------------------------------------------------------------------


def test_only_latest_versions_are_seen_unless_all_are_asked_for() -> None:
    old, new = composition(ENCOUNTER, name="old"), composition(ENCOUNTER, name="new")
    record = with_versions("e1", [[old, new], [composition(ENCOUNTER, name="gone"), None]])
    assert run("SELECT c/name/value FROM COMPOSITION c", record) == [["new"]]
    latest = "SELECT c/name/value FROM EHR e CONTAINS VERSION v[LATEST_VERSION] CONTAINS COMPOSITION c"
    assert run(latest, record) == [["new"]]
    everything = "SELECT c/name/value FROM EHR e CONTAINS VERSION v[ALL_VERSIONS] CONTAINS COMPOSITION c"
    assert run(everything, record) == [["old"], ["new"], ["gone"]]
    deletions = (
        "SELECT v/lifecycle_state/value, v/preceding_version_uid/value "
        "FROM EHR e CONTAINS VERSION v[ALL_VERSIONS]"
    )
    assert ["deleted", "e1-1::test.system::1"] in run(deletions, record)


def test_ehrs_that_are_not_queryable_are_no_part_of_a_population() -> None:
    records = [ehr("e1", composition(ENCOUNTER)), ehr("e2", composition(ENCOUNTER), queryable=False)]
    population = "SELECT e/ehr_id/value FROM EHR e CONTAINS COMPOSITION c"
    assert run(population, *records) == [["e1"]]
    one = "SELECT e/ehr_id/value FROM EHR e[ehr_id/value='e2'] CONTAINS COMPOSITION c"
    assert run(one, *records) == [["e2"]]
    assert run(population, *records, access=QueryAccess.one("e2")) == [["e2"]]
    assert run(population + " WHERE e/ehr_id/value matches {'e1', 'e2'}", *records) == [["e1"]]


def test_access_is_decided_whatever_the_store_delivers() -> None:
    records = [ehr("e1", composition(ENCOUNTER)), ehr("e2", composition(ENCOUNTER))]
    query = (
        "SELECT e/ehr_id/value FROM EHR e CONTAINS COMPOSITION c "
        "WHERE e/ehr_id/value = 'e2' OR c/name/value = 'x'"
    )
    scope = resolve(parse(query))
    for access in (QueryAccess.nothing(), QueryAccess.one("e1"), QueryAccess.all_except(["e2"])):
        assert list(compile_query(scope, access).run(records)) == []
    for access, seen in ((QueryAccess.one("e2"), [["e2"]]), (QueryAccess.all_except(["e1"]), [["e2"]])):
        assert list(compile_query(scope, access).run(records)) == seen


# -- comparison --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "condition", "holds"),
    [
        (quantity(140), "x/value/magnitude = 140.0", True),
        (quantity(140), "x/value > 139", True),
        (quantity(140), "x/value/magnitude = '140'", False),
        (quantity(140), "NOT x/value/magnitude = '140'", False),
        (quantity(140), "x/value/magnitude != NULL", False),
        (quantity(140), "NOT x/value/magnitude > 150", True),
        (quantity(140), "x/value/units matches {'kPa', 'mm[Hg]'}", True),
        (text("Alpha"), "x/value/value = 'alpha'", False),
        (text("Alpha"), "x/value = 'Alpha'", True),
        (text("2020-01-01"), "x/value/value = '2020'", False),
        ({"_type": "DV_BOOLEAN", "value": True}, "x/value/value = true", True),
        ({"_type": "DV_BOOLEAN", "value": True}, "x/value/value = 1", False),
        ({"_type": "DV_BOOLEAN", "value": True}, "x/value/value > false", False),
        ({"_type": "DV_PROPORTION", "numerator": 1, "denominator": 4, "type": 0}, "x/value = 0.25", True),
        ({"_type": "DV_ORDINAL", "value": 2, "symbol": coded("s", "at1")}, "x/value >= 2", True),
        ({"_type": "DV_DURATION", "value": "P1M"}, "x/value/value > 'P30D'", True),
        ({"_type": "DV_DURATION", "value": "P1M"}, "x/value/value > 'P31D'", False),
        ({"_type": "DV_TIME", "value": "10:30"}, "x/value/value > '10:00:00'", True),
        ({"_type": "DV_TIME", "value": "10:30"}, "x/value/value > '2020-01-01'", False),
    ],
)
def test_comparison_by_the_type_of_the_data(value: dict[str, Any], condition: str, holds: bool) -> None:
    assert where(value, condition) is holds


@pytest.mark.parametrize(
    ("stored", "condition", "holds"),
    [
        ("2025-01-01T01:00:00+01:00", "= '2025-01-01T00:00:00Z'", True),
        ("2025-01-01T01:00:00+01:00", "< '2025-01-01T00:00:01Z'", True),
        ("2025-01-01T00:00:00", "= '2025-01-01T00:00:00Z'", True),
        ("2025-01-15T10:00:00Z", "= '2025-01'", True),
        ("2025-01-15T10:00:00Z", "!= '2025-01-15'", False),
        ("2025-01", "= '2025-01-15'", True),
        ("2025-01-15T10:00:00Z", "> '2025-01'", True),
        ("2025-01-15T10:00:00Z", "<= '2025-01'", False),
        ("2025-01-15T10:00:00Z", "<= '2025-01-16'", True),
        ("2025-01-15T10:00:00Z", ">= '20250115'", True),
        ("2025-01-15T10:00:00Z", "= 'no date'", False),
        ("2025-01-15T10:00:00Z", "!= 'no date'", False),
        ("2025-01-15T10:00:00Z", "LIKE '2025-0?-*'", True),
        ("2025-01-15T10:00:00Z", "matches {'2024', '2025-01-15'}", True),
    ],
)
def test_dates_compare_as_instants_and_partial_ones_as_intervals(
    stored: str, condition: str, holds: bool
) -> None:
    assert where({"_type": "DV_DATE_TIME", "value": stored}, f"x/value/value {condition}") is holds
    assert where({"_type": "DV_DATE_TIME", "value": stored}, f"x/value {condition}") is holds


def test_quantities_in_different_units_do_not_compare() -> None:
    data = node(
        "ITEM_TREE", "at0003", items=[element("at0004", quantity(1)), element("at0005", quantity(2, "kPa"))]
    )
    record = ehr("e1", composition(REPORT, node("EVALUATION", DIAGNOSIS, data=data)))
    query = "SELECT v FROM EVALUATION v WHERE {}v/data/items[at0004]/value < v/data/items[at0005]/value"
    assert run(query.format(""), record) == run(query.format("NOT "), record) == []


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        *[("a*b", True), (r"a\*b", True), ("a?b", True), ("*", True), ("a*b*", True)],
        *[("a", False), ("A*", False), (r"a\?b", False), ("%", False), ("*" * 50 + "c", False)],
    ],
)
def test_like(pattern: str, holds: bool) -> None:
    record = ehr("e1", composition(ENCOUNTER, name="a*b"))
    query = "SELECT c FROM COMPOSITION c WHERE c/name/value LIKE $p"
    assert bool(run(query, record, parameters={"p": pattern})) is holds


@given(st.text("ab*", max_size=12), st.text("ab*?\\", max_size=8))
def test_like_equals_trying_everything(value: str, pattern: str) -> None:
    assert like_test(pattern)(value) == is_like(value, pattern)


def test_no_like_pattern_takes_long() -> None:
    matches = like_test("*a" * 500 + "b")
    started = time.process_time()
    assert not matches("a" * 20_000)
    assert time.process_time() - started < 1


# -- SELECT ------------------------------------------------------------------------------------------


def test_aggregates_over_nothing() -> None:
    query = f"SELECT COUNT({SYS}), COUNT(*), MAX({SYS}), MIN({SYS}), SUM({SYS}), AVG({SYS}) FROM {BP}"
    assert run(query) == [[0, 0, None, None, None, None]]


def test_aggregates_ignore_what_is_missing() -> None:
    entry = observation(PRESSURE, pressure(140, 90), pressure(120, None), pressure(None, 80))
    query = (
        f"SELECT COUNT({SYS}), COUNT(*), COUNT(DISTINCT o/name/value), MIN({SYS}), MAX({DIA}), SUM({SYS}), "
        f"AVG({SYS}) FROM {BP}"
    )
    rows = run(query, ehr("e1", composition(ENCOUNTER, entry)))
    assert rows == [[2, 3, 1, 120, 90, 260, 130.0]]


def test_plain_columns_group_and_literals_do_not() -> None:
    names = ["b", "a", "b"]
    record = ehr("e1", *(composition(ENCOUNTER, name=name) for name in names))
    query = "SELECT c/name/value AS n, COUNT(c) AS k, 'x' FROM COMPOSITION c ORDER BY n"
    assert run(query, record) == [["a", 1, "x"], ["b", 2, "x"]]
    assert run("SELECT 'x' AS l, COUNT(*) FROM COMPOSITION c", ehr("e1")) == [["x", 0]]
    assert run("SELECT c/name/value, COUNT(*) FROM COMPOSITION c", ehr("e1")) == []


def test_distinct_comes_before_limit_and_offset() -> None:
    record = ehr("e1", *(composition(ENCOUNTER, name=name) for name in "aabbcc"))
    query = "SELECT DISTINCT c/name/value AS n FROM COMPOSITION c ORDER BY n LIMIT 1 OFFSET 1"
    assert run(query, record) == [["b"]]


def test_null_comes_last_in_both_directions() -> None:
    starts = ["2024-02-01T00:00:00Z", None, "2024-01-01T00:00:00Z"]
    record = ehr("e1", *(composition(ENCOUNTER, start=start) for start in starts))
    query = "SELECT c/context/start_time/value AS t FROM COMPOSITION c ORDER BY t"
    assert run(query, record) == [[starts[2]], [starts[0]], [None]]
    assert run(query + " DESC", record) == [[starts[0]], [starts[2]], [None]]


def test_order_is_by_instant_and_texts_stay_as_written() -> None:
    starts = ["2024-01-01T12:00:00+02:00", "2024-01-01T11:00:00Z", "2024-01"]
    record = ehr("e1", *(composition(ENCOUNTER, start=start) for start in starts))
    query = "SELECT c/context/start_time/value FROM COMPOSITION c ORDER BY c/context/start_time DESC LIMIT 3"
    assert run(query, record) == [[starts[1]], [starts[0]], [starts[2]]]
    assert run("SELECT MAX(c/context/start_time/value) FROM COMPOSITION c", record) == [[starts[1]]]


def test_order_by_a_path_that_is_not_selected() -> None:
    entries = [observation(PRESSURE, pressure(n, n)) for n in (120, 140, 130)]
    record = ehr("e1", *(composition(ENCOUNTER, entry) for entry in entries))
    assert run(f"SELECT {DIA} FROM {BP} ORDER BY {SYS} DESC LIMIT 2", record) == [[140], [130]]


def test_whole_objects_are_canonical_json_with_type() -> None:
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE)))
    row = run(
        "SELECT e, c, o, c/context/start_time, v "
        f"FROM EHR e CONTAINS VERSION v CONTAINS COMPOSITION c CONTAINS {BP}",
        record,
    )[0]
    types = ["EHR", "COMPOSITION", "OBSERVATION", "DV_DATE_TIME", "ORIGINAL_VERSION"]
    assert [cell["_type"] for cell in row] == types
    assert row[1] == record.versions[0].composition


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("LENGTH(c/name/value)", 6),
        ("CONTAINS(c/name/value, 'bcd')", True),
        ("POSITION('cd', c/name/value)", 3),
        ("POSITION('x', c/name/value)", 0),
        ("SUBSTRING(c/name/value, 2, 3)", "bcd"),
        ("SUBSTRING(c/name/value, 5)", "eø"),
        ("CONCAT(c/name/value, '-', 'x')", "abcdeø-x"),
        ("CONCAT(c/name/value, c/context/location)", None),
        ("CONCAT_WS('-', 'x', c/context/end_time/value, 'y')", "x-y"),
        ("ABS(-2)", 2),
        ("MOD(-7, 3)", -1),
        ("MOD(7, 0)", None),
        ("CEIL(1.2)", 2),
        ("FLOOR(-1.2)", -2),
        ("ROUND(2.5)", 3),
        ("ROUND(-1.25, 1)", -1.3),
        ("LENGTH(5)", None),
        ("CURRENT_DATE()", "2024-06-01"),
        ("CURRENT_TIME()", "12:00:00"),
        ("NOW()", "2024-06-01T12:00:00.000+00:00"),
        ("CURRENT_TIMEZONE()", "+00:00"),
    ],
)
def test_functions(call: str, result: Any) -> None:
    assert run(f"SELECT {call} FROM COMPOSITION c", ehr("e1", composition(ENCOUNTER, name="abcdeø"))) == [
        [result]
    ]


def test_now_in_a_condition() -> None:
    starts = ["2024-05-31T00:00:00Z", "2024-06-02T00:00:00Z"]
    record = ehr("e1", *(composition(ENCOUNTER, start=start) for start in starts))
    query = "SELECT c/context/start_time/value FROM COMPOSITION c WHERE c/context/start_time/value < NOW()"
    assert run(query, record) == [[starts[0]]]


def test_a_quote_in_a_parameter_is_a_quote() -> None:
    records: Sequence[Record] = [ehr("e1", composition(ENCOUNTER)), ehr("e'1", composition(ENCOUNTER))]
    query = "SELECT e/ehr_id/value FROM EHR e[ehr_id/value=$id] CONTAINS COMPOSITION c"
    assert run(query, *records, parameters={"id": "e'1"}) == [["e'1"]]
    assert run(query, *records, parameters={"id": "x' or ehr_id/value!='"}) == []
