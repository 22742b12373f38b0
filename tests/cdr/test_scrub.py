"""The erasure test: its search first finds the marker in every place, then in none."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from cdr import consents, queries
from cdr.context import Ctx
from cdr.settings import Mode, Settings
from cdr.store.data_folder import declare_whole, finish_swap, fresh_folder
from cdr.store.embedded import EmbeddedMongod
from cdr.store.mongo import Store
from cdr.store.replica_set import record_scrub, replica_set_members, scrub_procedure
from cdr.store.scrub import scrub
from cdr.templates import TemplateRegistry
from tests.cdr.card_world import MARK, World, a_card, enforcing
from tests.cdr.conftest import ANNA
from tests.cdr.small_template import published_small_template
from tests.cdr.test_consents import ALL, everything_of_a_card, removed
from tests.cdr.test_erasure import collections_with
from tests.cdr.traces import UNCOMPRESSED, files_with, holds

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Ctx, str]]:
    """A store on the private database of a folder, whose files hide nothing by compression."""
    mongod = await EmbeddedMongod.start(folder, options=UNCOMPRESSED)
    store = await Store.open(mongod.uri)
    templates = TemplateRegistry(store, refresh_seconds=3600)
    templates.add(*published_small_template())
    ctx = Ctx(actor=ANNA, store=store, templates=templates, settings=Settings(mode=Mode.DEV))
    try:
        yield enforcing(ctx), mongod.uri
    finally:
        await store.close()
        await mongod.stop()


async def places(folder: Path, uri: str) -> set[str]:
    """Where in the files the marker is found: names of collections, oplog, journal, or the file."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        await client.admin.command("fsync")
        known = {}
        for database in ("helsekort", "local"):
            for name in await client[database].list_collection_names(filter={"type": "collection"}):
                about = await client[database].command("collStats", name)
                known[about["wiredTiger"]["uri"].rpartition(":")[2] + ".wt"] = name
    found = {file.removeprefix("mongo/") for file in files_with(folder, MARK)}
    return {"journal" if file.startswith("journal/") else known.get(file, file) for file in found}


async def indexes(uri: str) -> dict[str, Any]:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        database = client["helsekort"]
        names = sorted(await database.list_collection_names())
        return {name: await database[name].index_information() for name in names}


async def exported(world: World) -> bytes:
    """What the woman can take out of the record."""
    rows = (await queries.run_query(world.her, ALL)).rows
    return str(rows).encode()


async def test_the_search_finds_the_marker_everywhere_then_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as (ctx, uri):
        world = await a_card(ctx)
        await everything_of_a_card(world)
        logical = {"versions", "tags", "contributions"}
        assert await collections_with(ctx.store, MARK) == logical
        assert holds(await exported(world), MARK)
        assert await places(tmp_path, uri) >= {*logical, "oplog.rs", "journal"}

        job = await world.withdraw()
        await removed(world, job)
        assert await collections_with(ctx.store, MARK) == set()
        assert not holds(await exported(world), MARK)
        left = await places(tmp_path, uri)
        assert {"oplog.rs", "journal"} <= left, "the traces that make a scrub needed"
        before = await indexes(uri)

    report = await scrub(tmp_path, options=UNCOMPRESSED)
    assert report.documents > 0
    assert files_with(tmp_path, MARK) == set()

    async with running(tmp_path) as (ctx, uri):
        again = World(ctx, world.ehr_id)
        assert await places(tmp_path, uri) == set()
        assert await indexes(uri) == before
        found = await consents.get_removal(again.her, world.ehr_id, job)
        assert found.ended and found.scrubbed and found.scrubbed > found.ended
        assert await ctx.store.audit_faults() == []
        await again.consent()
        await again.card()
        await again.write("nytt kort")
        assert "nytt kort" in str((await queries.run_query(again.her, ALL)).rows)


async def test_a_kill_on_the_way_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (ctx, _):
        world = await a_card(ctx)
        for number in range(20):
            await world.write(f"kontroll {number}")
    command = [
        str(Path(sys.executable).parent / "helsekort"),
        "db",
        "scrub",
        "--mode",
        "dev",
        "--data",
        str(tmp_path),
    ]
    for seconds in (2.0, 4.0):
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with running(tmp_path) as (ctx, _):
        text = "SELECT COUNT(*) FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value != 'Samtykke'"
        assert (await queries.run_query(World(ctx, world.ehr_id).ctx, text)).rows == [[20]]


def test_each_step_of_the_swap_may_be_the_last(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    (tmp_path / "mongo" / "old").touch()
    fresh = fresh_folder(tmp_path)
    (fresh / "mongo").mkdir()
    (fresh / "mongo" / "new").touch()
    (fresh / "mongod.port").write_text("1")
    finish_swap(tmp_path)  # not whole yet: nothing happens
    assert (tmp_path / "mongo" / "old").exists()
    declare_whole(tmp_path)
    (tmp_path / "mongo").rename(tmp_path / "mongo.old")  # as if killed between the two renames
    finish_swap(tmp_path)
    finish_swap(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"mongo", "new", "mongod.port"}


async def test_the_procedure_for_a_replica_set_names_its_members(mongodb_uri: str, store: Store) -> None:
    members = await replica_set_members(mongodb_uri)
    assert [state for _, state in members] == ["PRIMARY"]
    assert "add a second member" in scrub_procedure(members)
    words = scrub_procedure([("b:1", "SECONDARY"), ("a:1", "PRIMARY")])
    assert words.index("b:1") < words.index("a:1") < words.index("--done")
    assert "add a second" not in words
    await record_scrub(mongodb_uri, store._database.meta.database.name)
