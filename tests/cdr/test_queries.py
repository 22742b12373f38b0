"""Queries over the store; what the language means is tested in tests/cdr/aql."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdr.aql import AqlSyntaxError, AqlTooLarge
from cdr.compositions import create_composition, delete_composition, update_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr, update_ehr_status
from cdr.errors import QueryNotSupported, QueryTimeout, UnknownEhr
from cdr.queries import run_query
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import note, published_small_template, random_id, status

pytestmark = pytest.mark.anyio

NAMES = "SELECT c/name/value AS n FROM EHR e CONTAINS COMPOSITION c ORDER BY n"
OF_ARCHETYPE = (
    "SELECT c/name/value AS n FROM EHR e CONTAINS COMPOSITION c[openEHR-EHR-COMPOSITION.note.v1] ORDER BY n"
)


async def values(ctx: Ctx, text: str, **options: Any) -> list[Any]:
    """The first cell of each row."""
    return [row[0] for row in (await run_query(ctx, text, **options)).rows]


@pytest.fixture
async def two_ehrs(ctx: Ctx) -> tuple[str, str]:
    """One EHR with notes a and b, one with note c."""
    first, second = (await create_ehr(ctx)).ehr_id, (await create_ehr(ctx)).ehr_id
    for ehr_id, name in ((first, "a"), (first, "b"), (second, "c")):
        await create_composition(ctx, ehr_id, note(name))
    return first, second


@pytest.mark.parametrize("text", [NAMES, OF_ARCHETYPE])
async def test_population_and_one_ehr(ctx: Ctx, two_ehrs: tuple[str, str], text: str) -> None:
    first, second = two_ehrs
    assert await values(ctx, text) == ["a", "b", "c"]
    assert await values(ctx, text, ehr_id=first) == ["a", "b"]
    assert await values(ctx, text, ehr_id=second.upper()) == ["c"]
    with pytest.raises(UnknownEhr):
        await run_query(ctx, text, ehr_id=random_id())


async def test_paging_and_columns(ctx: Ctx, two_ehrs: tuple[str, str]) -> None:
    answer = await run_query(ctx, NAMES, fetch=1, offset=1)
    assert answer.rows == [["b"]]
    assert [(column.name, column.path) for column in answer.columns] == [("n", "c/name/value")]


async def test_only_the_latest_versions_are_seen(ctx: Ctx, two_ehrs: tuple[str, str]) -> None:
    first, _ = two_ehrs
    one = await create_composition(ctx, first, note("old"))
    two = await update_composition(ctx, first, one.uid.object_id, note("new"), preceding_uid=str(one.uid))
    assert await values(ctx, NAMES) == ["a", "b", "c", "new"]
    await delete_composition(ctx, first, str(two.uid))
    assert await values(ctx, NAMES) == ["a", "b", "c"]


async def test_by_time_template_and_id(ctx: Ctx, clock: TestClock) -> None:
    ctx.templates.add(*published_small_template("other.v0"))
    ehr_id = (await create_ehr(ctx)).ehr_id
    early = await create_composition(ctx, ehr_id, note("early", start="2026-01-31T23:30:00+01:00"))
    await create_composition(ctx, ehr_id, note("late", start="2026-02-01T00:30:00Z", template_id="other.v0"))
    where = "SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c WHERE "
    february = where + "c/context/start_time/value >= '2026-02-01T00:00:00Z'"
    assert await values(ctx, february) == ["late"]
    template = where + "c/archetype_details/template_id/value = 'other.v0'"
    assert await values(ctx, template) == ["late"]
    assert await values(ctx, where + f"c/uid/value = '{early.uid}'") == ["early"]
    assert await values(ctx, where + f"e/ehr_id/value = '{random_id()}'") == []


async def test_ehrs_that_are_not_queryable_stay_out_of_population_queries(
    ctx: Ctx, two_ehrs: tuple[str, str]
) -> None:
    shy = await create_ehr(ctx)
    await create_composition(ctx, shy.ehr_id, note("d"))
    await update_ehr_status(ctx, shy.ehr_id, status(queryable=False), preceding_uid=str(shy.status.uid))
    assert await values(ctx, NAMES) == ["a", "b", "c"]
    assert await values(ctx, NAMES, ehr_id=shy.ehr_id) == ["d"]
    count = "SELECT COUNT(e/ehr_id/value) FROM EHR e"
    assert await values(ctx, count) == [2]


async def test_ehr_data_in_rows(ctx: Ctx) -> None:
    created = await create_ehr(ctx, status=status("p-7"))
    text = (
        "SELECT e/ehr_id/value, e/time_created/value, e/ehr_status/subject/external_ref/id/value FROM EHR e"
    )
    assert (await run_query(ctx, text)).rows == [[created.ehr_id, "2026-03-01T12:00:00.000Z", "p-7"]]


async def test_a_population_larger_than_a_batch(ctx: Ctx) -> None:
    ehr_ids = [(await create_ehr(ctx)).ehr_id for _ in range(3)]
    for number in range(230):
        await create_composition(ctx, ehr_ids[number % 3], note(f"{number:03}"))
    assert await values(ctx, NAMES) == [f"{number:03}" for number in range(230)]
    assert len(await values(ctx, "SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c LIMIT 7")) == 7
    grouped = "SELECT e/ehr_id/value, COUNT(c/uid/value) FROM EHR e CONTAINS COMPOSITION c"
    counts = {row[0]: row[1] for row in (await run_query(ctx, grouped)).rows}
    assert counts == dict(zip(ehr_ids, (77, 77, 76), strict=True))


async def test_bad_queries_are_refused(ctx: Ctx) -> None:
    with pytest.raises(AqlSyntaxError):
        await run_query(ctx, "SELECT FROM")
    with pytest.raises(QueryNotSupported) as refused:
        await run_query(ctx, "SELECT f FROM EHR e CONTAINS VERSIONED_FOLDER f")
    assert refused.value.findings


async def test_limits_of_rows_and_time(ctx: Ctx, two_ehrs: tuple[str, str]) -> None:
    small = replace(ctx, settings=ctx.settings.model_copy(update={"query_rows": 2}))
    with pytest.raises(AqlTooLarge):
        await run_query(small, NAMES)
    with pytest.raises(AqlTooLarge):
        await run_query(small, NAMES.partition("ORDER")[0])
    hurried = replace(ctx, settings=ctx.settings.model_copy(update={"query_seconds": 0.0}))
    with pytest.raises(QueryTimeout):
        await run_query(hurried, NAMES)


async def test_every_woman_in_the_answer_is_in_the_audit(ctx: Ctx, two_ehrs: tuple[str, str]) -> None:
    first, second = two_ehrs

    async def queries_of(ehr_id: str) -> int:
        return sum(entry.action == "query.run" for entry in await ctx.store.audit_entries(ehr_id))

    await run_query(ctx, NAMES)
    assert (await queries_of(first), await queries_of(second)) == (1, 1)
    await run_query(ctx, "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value = 'c'")
    assert (await queries_of(first), await queries_of(second)) == (1, 2)
    await run_query(ctx, "SELECT COUNT(c/uid/value) FROM EHR e CONTAINS COMPOSITION c")
    assert (await queries_of(first), await queries_of(second)) == (1, 2)
    await run_query(ctx, NAMES, ehr_id=first)
    assert (await queries_of(first), await queries_of(second)) == (2, 2)
    await run_query(ctx, f"{NAMES} LIMIT 1 OFFSET 2")
    assert (await queries_of(first), await queries_of(second)) == (2, 3)
    await run_query(ctx, f"{NAMES} LIMIT 2")
    assert (await queries_of(first), await queries_of(second)) == (3, 3)
    await run_query(ctx, "SELECT DISTINCT c/category/value FROM EHR e CONTAINS COMPOSITION c")
    assert (await queries_of(first), await queries_of(second)) == (4, 4)


async def test_the_audit_of_a_query_names_nobody_by_a_literal(ctx: Ctx) -> None:
    await run_query(
        ctx, "SELECT e FROM EHR e WHERE e/ehr_status/subject/external_ref/id/value = '10915596784'"
    )
    batches = [batch async for batch in ctx.store.audit_batches()]
    texts = [entry.detail for batch in batches for entry in batch.entries]
    assert any("external_ref/id/value = '?'" in text for text in texts)
    assert not any("10915596784" in text for text in texts)
