"""Erasure: nothing of the EHR is left in any collection, and nothing can come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard

from cdr.compositions import create_composition, get_composition, update_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr, erase_ehr, get_ehr, get_ehr_by_subject
from cdr.errors import CdrError, EhrExists, UnknownEhr, UnknownSubject
from cdr.queries import run_query
from cdr.scrub_reminder import overdue_since
from cdr.store import erasure
from cdr.store.mongo import Store
from cdr.store.replica_set import record_scrub
from cdr.versions import StoredVersion
from tests.cdr.small_template import note, random_id, status

pytestmark = pytest.mark.anyio

MARK = "Merkelig-7781"


def bytes_of(value: Any) -> Iterator[bytes]:
    """Every text and byte string in a document, compressed ones unpacked."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield str(key).encode()
            yield from bytes_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from bytes_of(member)
    elif isinstance(value, bytes) and value[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.decompress(value)
    else:
        yield value if isinstance(value, bytes) else str(value).encode()


async def collections_with(store: Store, text: str) -> set[str]:
    """Names of the collections that hold a text."""
    database = store._database.versions.database
    found = set()
    for name in await database.list_collection_names():
        async for document in database[name].find():
            if any(text.encode() in part for part in bytes_of(document)):
                found.add(name)
    return found


async def an_ehr_with_content(ctx: Ctx) -> tuple[str, StoredVersion]:
    ehr_id = (await create_ehr(ctx, status=status("p-1"))).ehr_id
    stored = await create_composition(ctx, ehr_id, note(MARK))
    await update_composition(ctx, ehr_id, stored.uid.object_id, note(), preceding_uid=str(stored.uid))
    return ehr_id, stored


async def test_nothing_is_left_but_the_audit(ctx: Ctx) -> None:
    ehr_id, stored = await an_ehr_with_content(ctx)
    other, _ = (await create_ehr(ctx)).ehr_id, None
    await create_composition(ctx, other, note("other"))
    assert await collections_with(ctx.store, MARK) == {"versions"}
    assert await collections_with(ctx.store, "p-1") == {"versions", "subjects"}
    await erase_ehr(ctx, ehr_id)
    assert await collections_with(ctx.store, MARK) == set()
    assert await collections_with(ctx.store, "p-1") == set()
    assert await collections_with(ctx.store, ehr_id) == {"audit"}
    assert await collections_with(ctx.store, stored.uid.object_id) == {"audit"}
    with pytest.raises(UnknownEhr):
        await get_ehr(ctx, ehr_id)
    with pytest.raises(UnknownEhr):
        await get_composition(ctx, ehr_id, str(stored.uid))
    with pytest.raises(UnknownSubject):
        await get_ehr_by_subject(ctx, "p-1", "demo")
    with pytest.raises(UnknownEhr):
        await create_composition(ctx, ehr_id, note())
    names = await run_query(ctx, "SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c")
    assert names.rows == [["other"]]
    assert await ctx.store.audit_faults() == []


async def test_the_id_is_never_given_again_but_the_subject_may_come_back(ctx: Ctx) -> None:
    ehr_id, _ = await an_ehr_with_content(ctx)
    await erase_ehr(ctx, ehr_id)
    with pytest.raises(EhrExists):
        await create_ehr(ctx, ehr_id)
    assert (await create_ehr(ctx, status=status("p-1"))).ehr_id != ehr_id


async def test_nothing_is_written_behind_an_erasure(ctx: Ctx) -> None:
    ehr_id, _ = await an_ehr_with_content(ctx)

    async def keep_writing() -> int:
        written = 0
        try:
            while True:
                await create_composition(ctx, ehr_id, note(MARK))
                written += 1
        except CdrError:
            return written

    writers = [asyncio.create_task(keep_writing()) for _ in range(8)]
    await asyncio.sleep(0.1)
    await erase_ehr(ctx, ehr_id)
    written = await asyncio.gather(*writers)
    assert sum(written) > 0
    assert await collections_with(ctx.store, MARK) == set()


async def test_an_interrupted_erasure_is_finished_at_the_next_start(
    ctx: Ctx, mongodb_uri: str, database_name: str
) -> None:
    ehr_id, _ = await an_ehr_with_content(ctx)
    assert await erasure.close_gate(ctx.store._database, ehr_id)
    second = await Store.open(mongodb_uri, database_name)
    try:
        assert await collections_with(second, MARK) == set()
        assert not await second.reads.has_ehr(ehr_id)
    finally:
        await second.close()
    with pytest.raises(EhrExists):
        await create_ehr(ctx, ehr_id)


async def test_a_closed_gate_lets_no_commit_through(ctx: Ctx) -> None:
    ehr_id, _ = await an_ehr_with_content(ctx)
    await erasure.close_gate(ctx.store._database, ehr_id)
    with pytest.raises(CdrError) as refused:
        await create_composition(ctx, ehr_id, note())
    assert refused.value.code == "ehr.closed"
    assert not await erasure.close_gate(ctx.store._database, random_id())


async def test_a_scrub_is_overdue_when_the_promised_time_is_over(
    ctx: Ctx, mongodb_uri: str, database_name: str
) -> None:
    await record_scrub(mongodb_uri, database_name)
    now = datetime.now(UTC)
    assert await overdue_since(ctx.store, 7, now + timedelta(days=400)) is None
    ehr_id, _ = await an_ehr_with_content(ctx)
    await erase_ehr(ctx, ehr_id)
    assert await overdue_since(ctx.store, 7, now + timedelta(days=6)) is None
    since = await overdue_since(ctx.store, 7, now + timedelta(days=8))
    assert since is not None and timedelta(days=7) <= since - now < timedelta(days=7, minutes=5)
    await record_scrub(mongodb_uri, database_name)
    assert await overdue_since(ctx.store, 7, now + timedelta(days=400)) is None
