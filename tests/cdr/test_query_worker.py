"""The process for long queries: the same answers, its limits, and that it comes back after a give-up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cdr import compositions, ehrs
from cdr.aql import AqlTooLarge
from cdr.context import Ctx
from cdr.errors import QueryTimeout
from cdr.queries import run_query, stream_query
from cdr.query_worker import QueryWorker
from tests.cdr.small_template import note

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ALL = "SELECT e/ehr_id/value AS ehr, c/uid/value AS uid FROM EHR e CONTAINS COMPOSITION c ORDER BY uid"
# Some hundred thousand combinations without a row.
ENDLESS = (
    "SELECT a FROM EHR e CONTAINS ("
    + " AND ".join(f"COMPOSITION {name}" for name in "abcdfghijk")
    + " AND EVALUATION x)"
)


@pytest.fixture
async def worker(ctx: Ctx, mongodb_uri: str, database_name: str) -> AsyncIterator[QueryWorker]:
    ehr_id = (await ehrs.create_ehr(ctx)).ehr_id
    for _ in range(8):
        await compositions.create_composition(ctx, ehr_id, note())
    made = QueryWorker(mongodb_uri, database_name, 1024)
    await made.start()
    yield made
    await made.stop()


async def ready(worker: QueryWorker) -> None:
    """Wait for the process that takes the place of an ended one."""
    while not worker.is_ready:
        await asyncio.sleep(0.05)


async def test_the_process_answers_as_the_server_does(ctx: Ctx, worker: QueryWorker) -> None:
    there = replace(ctx, query_worker=worker)
    before = (await run_query(ctx, ALL)).rows
    assert (await run_query(there, ALL)).rows == before
    assert len(before) == 8
    stream = await stream_query(there, ALL)
    assert [row async for batch in stream.batches for row in batch] == before
    # The woman whose rows came is in the audit, as for a query in the server.
    named = [entry for entry in await ctx.store.audit_entries(before[0][0]) if entry.action == "query.run"]
    assert len(named) == 3


async def test_limits_hold_there_and_the_process_lives_on(ctx: Ctx, worker: QueryWorker) -> None:
    small = ctx.settings.model_copy(update={"query_rows": 2})
    hurried = ctx.settings.model_copy(update={"query_seconds": 0.5})
    process = worker._process
    with pytest.raises(AqlTooLarge):
        await run_query(replace(ctx, query_worker=worker, settings=small), ALL)
    with pytest.raises(QueryTimeout):
        await run_query(replace(ctx, query_worker=worker, settings=hurried), ENDLESS)
    assert worker._process is process
    assert len((await run_query(replace(ctx, query_worker=worker), ALL)).rows) == 8


async def test_who_gives_up_ends_the_process_and_another_takes_its_place(
    ctx: Ctx, worker: QueryWorker
) -> None:
    there = replace(ctx, query_worker=worker)
    first = worker._process
    assert first is not None
    asked = asyncio.create_task(run_query(there, ENDLESS))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    # Meanwhile a question about one EHR is answered in the server itself.
    ehr_id = (await ehrs.create_ehr(ctx)).ehr_id
    assert (await run_query(there, ALL, ehr_id=ehr_id)).rows == []
    assert time.monotonic() - started < 5
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not first.is_alive()
    await ready(worker)
    assert len((await run_query(there, ALL)).rows) == 8


async def test_a_dead_process_is_no_end_of_queries(ctx: Ctx, worker: QueryWorker) -> None:
    there = replace(ctx, query_worker=worker)
    assert worker._process is not None
    worker._process.kill()
    worker._process.join()
    with pytest.raises(Exception, match="query worker"):
        await run_query(there, ALL)
    assert len((await run_query(there, ALL)).rows) == 8
