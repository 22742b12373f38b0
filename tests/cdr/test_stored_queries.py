"""Stored queries: names, versions, what is checked when they are stored, and running them."""

from __future__ import annotations

import asyncio

import pytest

from cdr.aql.errors import AqlError
from cdr.compositions import create_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr
from cdr.errors import MalformedName, QueryExists, QueryNotSupported, UnknownQuery
from cdr.queries import run_query
from cdr.stored_queries import (
    check_text,
    delete_query,
    get_query,
    list_queries,
    store_query,
)
from tests.cdr.small_template import note

pytestmark = pytest.mark.anyio

ALL = "SELECT c/name/value AS name FROM EHR e CONTAINS COMPOSITION c"
BY_NAME = ALL + " WHERE c/name/value = $name"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("", "10.0.0"), ("1", "1.10.0"), ("1.2", "1.2.9"), ("1.2.3", "1.2.3"), ("10", "10.0.0")],
)
async def test_part_of_a_version_is_the_newest_that_begins_so(ctx: Ctx, asked: str, found: str) -> None:
    for version in ("1.2.3", "1.10.0", "10.0.0", "1.2.9"):
        await store_query(ctx, "a", ALL, version=version)
    assert (await get_query(ctx, "a", asked)).version == found


async def test_unknown_queries_and_versions(ctx: Ctx) -> None:
    await store_query(ctx, "a", ALL, version="1.2.3")
    for name, version in (("a", "2"), ("a", "1.3"), ("a", "1.2.4"), ("b", ""), ("x::a", "")):
        with pytest.raises(UnknownQuery):
            await get_query(ctx, name, version)


async def test_a_stored_version_never_changes(ctx: Ctx) -> None:
    await store_query(ctx, "a", ALL, version="1.0.0")
    with pytest.raises(QueryExists):
        await store_query(ctx, "a", BY_NAME, version="1.0.0")
    assert (await get_query(ctx, "a")).text == ALL


async def test_without_version_the_next_patch(ctx: Ctx) -> None:
    made = await asyncio.gather(*(store_query(ctx, "a", ALL) for _ in range(5)))
    assert sorted(query.version for query in made) == [f"1.0.{patch}" for patch in range(5)]
    await store_query(ctx, "a", ALL, version="2.3.9")
    assert (await store_query(ctx, "a", ALL)).version == "2.3.10"


@pytest.mark.parametrize(
    "name", ["", "a b", "æ", "a::b::c", "::a", "a::", "aql", "x::AQL", "a/b", "$a", "a" * 201]
)
async def test_names_that_are_none(ctx: Ctx, name: str) -> None:
    with pytest.raises(MalformedName):
        await store_query(ctx, name, ALL)


@pytest.mark.parametrize("version", ["1", "1.0", "01.0.0", "1.0.0-beta", "x", "1.0.0.0", "-1.0.0", "1..0"])
async def test_versions_that_are_none(ctx: Ctx, version: str) -> None:
    with pytest.raises(MalformedName):
        await store_query(ctx, "a", ALL, version=version)
    with pytest.raises(MalformedName):
        await delete_query(ctx, "a", version)


async def test_the_list_goes_by_the_beginning_of_the_name(ctx: Ctx) -> None:
    for name, version in (
        ("no.x::b", "1.0.0"),
        ("no.x::a", "1.2.0"),
        ("no.x::a", "1.10.0"),
        ("noax::a", "1.0.0"),
    ):
        await store_query(ctx, name, ALL, version=version)
    found = [f"{query.name}/{query.version}" for query in await list_queries(ctx, "no.x")]
    assert found == ["no.x::a/1.10.0", "no.x::a/1.2.0", "no.x::b/1.0.0"]
    assert len(await list_queries(ctx, "")) == 4
    assert await list_queries(ctx, ".*") == []


async def test_deletion_takes_one_version(ctx: Ctx) -> None:
    for version in ("1.0.0", "1.0.1"):
        await store_query(ctx, "a", ALL, version=version)
    await delete_query(ctx, "a", "1.0.1")
    assert (await get_query(ctx, "a")).version == "1.0.0"
    with pytest.raises(UnknownQuery):
        await delete_query(ctx, "a", "1.0.1")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELEKT c FROM EHR e", 1, 1),
        ("SELECT x/uid FROM EHR e", 1, 8),
        ("SELECT c\nFROM EHR e CONTAINS NOTHING c", 2, 21),
        ("SELECT x/uid FROM EHR e WHERE e/ehr_id/value = $p", 1, 8),
    ],
)
async def test_what_is_no_query_is_not_stored(ctx: Ctx, text: str, line: int, column: int) -> None:
    with pytest.raises(AqlError) as caught:
        await store_query(ctx, "a", text)
    assert (getattr(caught.value, "line", 0), getattr(caught.value, "column", 0)) == (line, column)
    assert await list_queries(ctx, "a") == []


@pytest.mark.parametrize(
    "text",
    [
        BY_NAME,
        "SELECT c FROM EHR e[ehr_id/value=$ehr_id] CONTAINS COMPOSITION c[$archetype]",
        "SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value LIKE $pattern",
        "SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value matches {$a, $b}",
        "SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/context/start_time/value > $since",
    ],
)
def test_parameters_need_no_value_yet(text: str) -> None:
    check_text(text)


async def test_running_fills_in_the_parameters(ctx: Ctx) -> None:
    ehr_id = (await create_ehr(ctx)).ehr_id
    for name in ("A", "B"):
        await create_composition(ctx, ehr_id, note(name))
    await store_query(ctx, "no.x::by_name", BY_NAME, version="1.0.0")
    stored = await get_query(ctx, "no.x::by_name", "1")
    result = await run_query(ctx, stored.text, {"name": "B"}, ehr_id=ehr_id, name=stored.name)
    assert result.rows == [["B"]]
    assert result.name == "no.x::by_name"


def test_what_is_not_executed_is_refused_when_it_is_stored() -> None:
    with pytest.raises((QueryNotSupported, AqlError)):
        check_text(
            "SELECT c FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value matches {terminology://snomed}"
        )
