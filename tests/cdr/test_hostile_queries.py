"""Queries that are meant to hurt, over a real database: no literal and no parameter is an operator."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from cdr import compositions, ehrs
from cdr.aql import AqlError
from cdr.context import Ctx
from cdr.errors import QueryTimeout
from cdr.queries import run_query
from tests.cdr.small_template import note

pytestmark = pytest.mark.anyio

COUNT = "SELECT COUNT(c) AS n FROM EHR e CONTAINS COMPOSITION c"
HOSTILE = (
    "' OR 'a' = 'a",
    '{"$ne": null}',
    "$where",
    "$ne",
    "x\u0000y",
    ".*",
    "rows.v.x",
    "\\' ; --",
    "🤰" * 500,
)
PLACES = (
    "{count} WHERE c/name/value = $v",
    "{count} WHERE c/name/value != $v AND c/name/value = $v",
    "{count} WHERE c/name/value matches {{$v, $v}}",
    "{count} WHERE c/uid/value = $v",
    "{count} WHERE c/archetype_details/template_id/value = $v",
    "{count} WHERE c/context/start_time/value > $v AND c/name/value = $v",
    "{count} WHERE e/ehr_id/value = $v",
    "SELECT COUNT(c) AS n FROM EHR e[ehr_id/value=$v] CONTAINS COMPOSITION c",
    "SELECT COUNT(c) AS n FROM EHR e CONTAINS COMPOSITION c[name/value=$v]",
    "SELECT COUNT(v) AS n FROM VERSION v[commit_audit/committer/name=$v] CONTAINS COMPOSITION c",
)


@pytest.fixture
async def one(ctx: Ctx) -> str:
    ehr_id = (await ehrs.create_ehr(ctx)).ehr_id
    await compositions.create_composition(ctx, ehr_id, note())
    return ehr_id


async def count(ctx: Ctx, text: str, parameters: dict[str, Any] | None = None) -> int:
    rows = (await run_query(ctx, text, parameters)).rows
    return int(rows[0][0])


async def test_a_hostile_value_is_a_value_wherever_it_stands(ctx: Ctx, one: str) -> None:
    assert await count(ctx, COUNT) == 1
    for place in PLACES:
        for value in HOSTILE:
            assert await count(ctx, place.format(count=COUNT), {"v": value}) == 0, (place, value)


async def test_a_value_in_the_text_is_read_as_it_is_escaped(ctx: Ctx, one: str) -> None:
    for value in HOSTILE:
        if "\u0000" in value:
            continue
        literal = value.replace("\\", "\\\\").replace("'", "\\'")
        assert await count(ctx, f"{COUNT} WHERE c/name/value = '{literal}'") == 0
        assert await count(ctx, f"{COUNT} WHERE c/name/value LIKE '{literal}' OR c/name/value LIKE '*'") == 1


@pytest.mark.parametrize("value", [{"$ne": 1}, {"$gt": ""}, ["x"], object()])
async def test_only_values_are_taken_for_parameters(ctx: Ctx, one: str, value: Any) -> None:
    with pytest.raises(AqlError) as caught:
        await run_query(ctx, f"{COUNT} WHERE c/name/value = $v", {"v": value})
    assert caught.value.code == "aql.parameter.type"


async def test_numbers_beyond_the_database_are_compared_all_the_same(ctx: Ctx, one: str) -> None:
    path = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"
    text = f"SELECT COUNT(o) AS n FROM OBSERVATION o[openEHR-EHR-OBSERVATION.any.v1] WHERE {path} < $v"
    for number in (2**63, 2**200, -(2**64), 1e300):
        assert await count(ctx, text, {"v": number}) == 0


async def test_an_offset_in_the_billions_and_a_cross_product_end_in_time(ctx: Ctx, one: str) -> None:
    far = "SELECT c/uid/value AS u FROM EHR e CONTAINS COMPOSITION c ORDER BY u LIMIT 1 OFFSET 4000000000"
    assert (await run_query(ctx, far)).rows == []
    for _ in range(7):
        await compositions.create_composition(ctx, one, note())
    names = " AND ".join(f"COMPOSITION {name}" for name in "abcdfghijk")
    hurried = ctx.settings.model_copy(update={"query_seconds": 0.5})
    started = time.monotonic()
    with pytest.raises(QueryTimeout):
        await run_query(
            replace(ctx, settings=hurried),
            f"SELECT a/uid/value FROM EHR e CONTAINS ({names} AND EVALUATION x)",
        )
    assert time.monotonic() - started < 10
