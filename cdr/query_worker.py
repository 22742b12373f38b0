"""A process of its own for queries over many records, so that they disturb nobody (docs/decisions).

One query at a time runs in it. Whoever gives a query up ends the process; another one takes its place. It is
first started when a query took long in the server itself, so that a small server has no second process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import structlog
from pymongo import AsyncMongoClient

from cdr.aql.compile import Page, Plan, compile_query
from cdr.aql.errors import AqlTooLarge
from cdr.aql.scope import Scope
from cdr.candidates import QueryAccess
from cdr.errors import QueryTimeout, StoreUnavailable
from cdr.query_running import Batch, Bounds, Running, RunningHere, may_be_long
from cdr.store.candidates import Candidates
from cdr.store.database import Database
from cdr.store.hot_indexes import HotIndexes

LONG_SECONDS = 1.0  # a query that takes longer calls for a worker
_GRACE = 2.0
_MIB = 1024 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """A query to run: what ``compile_query`` takes, and its bounds."""

    scope: Scope
    access: QueryAccess
    now: datetime
    page: Page | None
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Ended:
    """The end, with what was wrong: the name of an error, and its arguments."""

    error: str = ""
    arguments: tuple[Any, ...] = ()


_ERRORS = {"timeout": QueryTimeout, "too_large": AqlTooLarge, "unavailable": StoreUnavailable}


class QueryWorker:
    """The process, from the server's side."""

    def __init__(self, uri: str, database: str, memory_mib: int) -> None:
        self._arguments = (uri, database, memory_mib)
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._free = asyncio.Lock()
        self._starting: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Is there a process that takes queries?"""
        return self._connection is not None

    def running(self, candidates: Candidates, plan: Plan, bounds: Bounds) -> Running:
        """The query, in the process if it may be long and there is one, else here."""
        if not may_be_long(plan.candidates):
            return RunningHere(candidates, plan, bounds)
        if self.is_ready:
            candidates.hot.ask_for(plan.candidates)
            return _RunningThere(self, plan, bounds)
        return _RunningTimed(self, RunningHere(candidates, plan, bounds))

    def call_for(self) -> None:
        """Start a process beside what goes on."""
        if self._starting is None and not self.is_ready:
            self._starting = asyncio.create_task(self.start())

    async def start(self) -> None:
        """Return when a process is ready."""
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        self._process = process
        try:
            await asyncio.to_thread(ours.recv)  # it says that it is there
        except (EOFError, OSError):
            log.warning("the query worker did not start")
            self._starting = None
            return
        self._connection, self._starting = ours, None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection = None  # not closed: a thread may still read from it, and hears of the end
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join(1.0)

    async def stop(self) -> None:
        """End for good."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        self.end()

    async def run(self, task: Task) -> AsyncIterator[Batch]:
        """The batches of a query. Whoever stops reading ends the process, and another one is started."""
        waited = time.monotonic()
        try:
            await asyncio.wait_for(self._free.acquire(), task.bounds.seconds)
        except TimeoutError as error:
            raise QueryTimeout(task.bounds.seconds) from error
        finished = False
        try:
            if self._starting is not None:
                await asyncio.shield(self._starting)
            left = max(0.1, task.bounds.seconds - (time.monotonic() - waited))
            async for batch in self._exchange(task, left):
                yield batch
            finished = True
        except (QueryTimeout, AqlTooLarge, StoreUnavailable) as error:
            finished = getattr(error, "told", False)
            raise
        finally:
            if not finished:
                self.end()
                self.call_for()
            self._free.release()

    async def _exchange(self, task: Task, seconds: float) -> AsyncIterator[Batch]:
        connection = self._connection
        if connection is None:
            raise StoreUnavailable(_GONE)
        await asyncio.to_thread(_sent, connection, task)
        deadline = time.monotonic() + seconds + _GRACE
        while True:
            left = deadline - time.monotonic()
            answer = await asyncio.to_thread(_received, connection, max(left, 0.0))
            if answer is None:
                raise QueryTimeout(task.bounds.seconds)
            if isinstance(answer, Ended):
                if answer.error:
                    raise _told(answer)
                return
            yield answer


def _told(answer: Ended) -> Exception:
    """The error that the process told of; it is well all the same."""
    error: Exception = _ERRORS[answer.error](*answer.arguments)
    vars(error)["told"] = True
    return error


_GONE = "the query worker ended; it is started again"


def _sent(connection: Connection, task: Task) -> None:
    """Raises StoreUnavailable if there is no process any more."""
    try:
        connection.send(task)
    except OSError as error:
        raise StoreUnavailable(_GONE) from error


def _received(connection: Connection, seconds: float) -> Batch | Ended | None:
    """What the process says next; None if it says nothing for so long. Raises StoreUnavailable."""
    try:
        return connection.recv() if connection.poll(seconds) else None
    except (EOFError, OSError) as error:
        raise StoreUnavailable(_GONE) from error


class _RunningThere:
    """In the process."""

    def __init__(self, worker: QueryWorker, plan: Plan, bounds: Bounds) -> None:
        self._worker = worker
        self._task = Task(plan.scope, plan.access, plan.now, plan.page, bounds)

    async def batches(self) -> AsyncIterator[Batch]:
        """The rows as they become final."""
        batches = self._worker.run(self._task)
        try:
            async for batch in batches:
                yield batch
        finally:
            await batches.aclose()  # type: ignore[attr-defined]  # an async generator


class _RunningTimed:
    """Here, with an eye on the clock."""

    def __init__(self, worker: QueryWorker, here: RunningHere) -> None:
        self._worker = worker
        self._here = here

    async def batches(self) -> AsyncIterator[Batch]:
        """The rows as they become final."""
        started = time.monotonic()
        async for batch in self._here.batches():
            if time.monotonic() - started > LONG_SECONDS:
                self._worker.call_for()
            yield batch


# -- in the process ------------------------------------------------------------------------------------


def _serve(connection: Connection, uri: str, database: str, memory_mib: int) -> None:
    """Take tasks until the server ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mib * _MIB, memory_mib * _MIB))
    try:
        asyncio.run(_work(connection, uri, database, memory_mib))
    except (EOFError, OSError, KeyboardInterrupt):
        return


async def _work(connection: Connection, uri: str, name: str, memory_mib: int) -> None:
    client = AsyncMongoClient[dict[str, Any]](uri, tz_aware=True, tzinfo=UTC, appname="helsekort-query")
    database = Database.of(client, name)
    connection.send(Ended())
    while True:
        task = await asyncio.to_thread(connection.recv)
        hot = HotIndexes(database, 0)
        try:
            await hot.start()
            ended = await _run(connection, Candidates(database, hot), task)
        except QueryTimeout as error:
            ended = Ended("timeout", (error.seconds,))
        except AqlTooLarge as error:
            ended = Ended("too_large", (error.what, error.limit))
        except MemoryError:
            ended = Ended("too_large", ("MiB of memory", memory_mib))
        except StoreUnavailable as error:
            ended = Ended("unavailable", (error.reason,))
        connection.send(ended)


async def _run(connection: Connection, candidates: Candidates, task: Task) -> Ended:
    plan = compile_query(task.scope, task.access, now=task.now, page=task.page)
    running = RunningHere(candidates, plan, task.bounds)
    async for batch in running.batches():
        await asyncio.to_thread(connection.send, batch)
    return Ended()
