"""The compiled plan equals the reference on generated compositions and generated queries."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr.aql import check, compile_query, parse, print_query, resolve
from cdr.aql.reference import evaluate
from cdr.aql.scope import Scope
from cdr.aql.values import instant
from cdr.candidates import QueryAccess, Record
from tests.cdr.aql.filtering import deliver
from tests.cdr.aql.queries import Generated, queries
from tests.cdr.aql.records import RECORDS

NOW = datetime(2024, 6, 1, 12, 30, 15, 123000, tzinfo=timezone(timedelta(hours=1)))
ACCESS = st.sampled_from(
    [QueryAccess(), QueryAccess(), QueryAccess.one("ehr-0"), QueryAccess.all_except(["ehr-0"])]
)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(records=RECORDS, query=queries(), access=ACCESS)
def test_compiled_plan_equals_reference(
    records: Sequence[Record], query: Generated, access: QueryAccess
) -> None:
    check_equal(records, query, access)


def check_equal(records: Sequence[Record], query: Generated, access: QueryAccess) -> int:
    """Both executors, with and without the filter of the store; returns the number of rows."""
    tree = parse(query.text)
    assert parse(print_query(tree)) == tree
    scope = resolve(tree)
    assert check(scope) == []
    plan = compile_query(scope, access, now=NOW)
    expected = evaluate(scope, records, access, NOW)
    everything = list(plan.run(records))
    filtered = list(plan.run(deliver(plan.candidates, records)))
    for rows in (everything, filtered):
        _check_rows(scope, records, access, expected, rows, query.sort_columns)
    return len(expected)


def _check_rows(
    scope: Scope,
    records: Sequence[Record],
    access: QueryAccess,
    expected: list[list[Any]],
    rows: list[list[Any]],
    sort_columns: tuple[int, ...],
) -> None:
    for index in sort_columns:
        assert [_sort_form(row[index]) for row in rows] == [_sort_form(row[index]) for row in expected]
    if scope.window == (0, None):
        assert _bag(rows) == _bag(expected)
        return
    # Which rows LIMIT takes of equal ones is open: as many as expected, and all of them right.
    without = replace(scope, query=replace(scope.query, limit=None))
    assert len(rows) == len(expected)
    assert _bag(rows) <= _bag(evaluate(without, records, access, NOW))


def _bag(rows: list[list[Any]]) -> Counter[str]:
    return Counter(json.dumps([_plain(cell) for cell in row], sort_keys=True) for row in rows)


def _plain(cell: Any) -> Any:
    """Floats that differ in the last bit only are one; 1 and 1.0 are one for groups and DISTINCT."""
    if isinstance(cell, dict):
        return {key: _plain(member) for key, member in cell.items()}
    if isinstance(cell, list):
        return [_plain(member) for member in cell]
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    return float(f"{cell:.12g}") if math.isfinite(cell) else str(cell)


def _sort_form(cell: Any) -> Any:
    """Equal for what ORDER BY takes as equal."""
    if isinstance(cell, str) and re.match(r"\d{4}(-|$)|\d{8}$", cell):
        interval = instant(cell, 60)
        return cell if interval is None else interval[0]
    if isinstance(cell, str) and re.match(r"\d\d(:|$)", cell):
        return "time"
    if isinstance(cell, str) and re.match(r"-?P", cell):
        return "duration"
    return _plain(cell)
