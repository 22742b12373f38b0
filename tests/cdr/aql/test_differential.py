"""The compiled plan equals the reference on generated compositions and generated queries."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr.aql import ast, check, collectors, compile_query, parse, print_query, resolve
from cdr.aql.reference import evaluate
from cdr.aql.scope import Scope
from cdr.aql.values import Zone, order_key
from cdr.candidates import QueryAccess, Record
from cdr.temporal import instant
from tests.cdr.aql.filtering import deliver
from tests.cdr.aql.queries import Generated, random_query
from tests.cdr.aql.records import random_records
from tests.cdr.aql.row_queries import random_row_query

NOW = datetime(2024, 6, 1, 12, 30, 15, 123000, tzinfo=timezone(timedelta(hours=1)))
ACCESSES = (QueryAccess(), QueryAccess(), QueryAccess.one("ehr-0"), QueryAccess.all_except(["ehr-0"]))
QUERIES_A_SEED = 10


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_compiled_plan_equals_reference(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # So few records are there that every chance to stop must be taken.
        patch.setattr(collectors, "_CUT_EVERY", 1)
        check_seed(seed)


def check_seed(seed: int) -> int:
    """Some random queries over random records; returns the number of rows that both agree on."""
    rng = Random(seed)
    records = random_records(rng)
    return sum(check_equal(records, query, rng.choice(ACCESSES)) for query in queries_of(rng))


def queries_of(rng: Random) -> Iterator[Generated]:
    """Queries of all kinds, then those that rows decide."""
    for number in range(QUERIES_A_SEED):
        yield random_query(rng) if number < QUERIES_A_SEED // 3 else random_row_query(rng)


def check_equal(records: Sequence[Record], query: Generated, access: QueryAccess) -> int:
    """Both executors, with and without the filter of the store; returns the number of rows."""
    tree = parse(query.text)
    assert parse(print_query(tree)) == tree
    scope = resolve(tree)
    assert check(scope) == []
    plan = compile_query(scope, access, now=NOW)
    expected = evaluate(scope, records, access, NOW)
    answers = [list(plan.run(deliver(plan.candidates, records)))]
    if plan.candidates.rows is not None:
        over_data = compile_query(scope, access, now=NOW, by_rows=False)
        answers.append(list(over_data.run(deliver(over_data.candidates, records))))
    if plan.candidates.as_of is None:  # what was then only the store can tell
        answers.append(list(plan.run(records)))
    for rows in answers:
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
        assert _bag(scope, rows) == _bag(scope, expected)
        return
    # Which rows LIMIT takes of equal ones is open: as many as expected, and all of them right.
    select = replace(scope.query.select, top=None)
    without = replace(scope, query=replace(scope.query, limit=None, select=select))
    assert len(rows) == len(expected)
    assert _bag(scope, rows) <= _bag(scope, evaluate(without, records, access, NOW))


def _bag(scope: Scope, rows: list[list[Any]]) -> Counter[str]:
    """The rows without their order; which of equal values MIN and MAX give is open."""
    forms = [_sort_form if _is_extreme(column.expr) else _plain for column in scope.columns]
    return Counter(
        json.dumps([form(cell) for form, cell in zip(forms, row, strict=True)], sort_keys=True)
        for row in rows
    )


def _is_extreme(expr: ast.ColumnExpr) -> bool:
    return isinstance(expr, ast.AggregateFunctionCall) and expr.name in ("MIN", "MAX")


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
    if isinstance(cell, dict):
        return order_key(cell, Zone(60))
    if isinstance(cell, str) and re.match(r"\d{4}(-|$)|\d{8}$", cell):
        interval = instant(cell, 60)
        return cell if interval is None else interval[0]
    if isinstance(cell, str) and re.match(r"\d\d(:|$)", cell):
        return "time"
    if isinstance(cell, str) and re.match(r"-?P", cell):
        return "duration"
    return _plain(cell)
