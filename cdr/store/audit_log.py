"""The audit chains in MongoDB: one batch document per flush carries all entries that waited."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout

from cdr.audit import AuditBatch, AuditEntry, AuditSearch, AuditState, ChainCheck, Head
from cdr.errors import QueryTimeout, StoreUnavailable
from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import audit_batch, audit_entry, batch_document

MAX_ENTRIES = 2000  # a batch document stays far below 1 MB
LINGER = 0.002  # seconds that a batch waits for more where callers come together: a flush is shared by more
SPREAD = timedelta(minutes=5)  # entries of one batch were made well within this time of each other


class AuditChain:
    """The open end of one chain; a batch counts once :meth:`advance` was called with it."""

    def __init__(self, chain_id: str, heads: Mapping[str, str]) -> None:
        self._id = chain_id
        self._heads = heads
        self._sequence = 0
        self._previous = ""

    def batch(self, entries: Sequence[AuditEntry]) -> AuditBatch:
        """The next batch of the chain."""
        heads = self._heads if self._sequence == 0 else {}
        return AuditBatch.sealed(self._id, self._sequence, self._previous, heads, entries)

    def advance(self, batch: AuditBatch) -> None:
        """``batch`` is durable: the next one follows it."""
        self._sequence = batch.sequence + 1
        self._previous = batch.digest


async def chain_ends(database: Database) -> list[Head]:
    """The last batch of every chain that no other chain started from. Raises the driver's errors."""
    first: list[Document] = [
        {"$sort": {"c": 1, "s": 1}},
        {"$group": {"_id": "$c", "heads": {"$first": "$heads.h"}}},
    ]
    last: list[Document] = [
        {"$sort": {"c": -1, "s": -1}},
        {"$group": {"_id": "$c", "s": {"$first": "$s"}, "h": {"$first": "$h"}}},
    ]
    async with await database.audit.aggregate(first) as chains:
        known = {digest async for chain in chains for digest in chain["heads"]}
    async with await database.audit.aggregate(last) as chains:
        ends = [Head(chain["_id"], chain["s"], chain["h"]) async for chain in chains]
    return [end for end in ends if end.digest not in known]


async def open_chain(database: Database) -> AuditChain:
    """A new chain that starts from the ends of all chains that no other chain started from."""
    ends = await chain_ends(database)
    return AuditChain(uuid.uuid4().hex, {end.chain: end.digest for end in ends})


class AuditLog:
    """Writes entries that are not part of a commit; many callers share one batch."""

    def __init__(self, database: Database, patience: float) -> None:
        self._database = database
        self._patience = patience
        self._waiting: asyncio.Queue[tuple[Sequence[AuditEntry], asyncio.Future[None]]] = asyncio.Queue()
        self._chain: AuditChain | None = None
        self._shared = False  # the last batch was of several callers
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End; entries that still wait are answered StoreUnavailable."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        while not self._waiting.empty():
            _answer([self._waiting.get_nowait()[1]], StoreUnavailable("the server stops"))

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Return when the entries are durable. Raises StoreUnavailable."""
        for start in range(0, len(entries), MAX_ENTRIES):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.put_nowait((entries[start : start + MAX_ENTRIES], future))
            await future

    async def _work(self) -> None:
        while True:
            entries, futures = await self._take()
            try:
                with store_errors():
                    await self._write(entries)
            except asyncio.CancelledError:
                _answer(futures, StoreUnavailable("the server stops"))
                raise
            except StoreUnavailable as error:
                self._chain = None  # whether the batch was written is not known: go on in a new chain
                _answer(futures, error)
            except Exception as error:  # noqa: BLE001 - a bug must reach the callers, not stop the writer
                self._chain = None
                _answer(futures, error)
            else:
                _answer(futures, None)

    async def _take(self) -> tuple[list[AuditEntry], list[asyncio.Future[None]]]:
        """All that waits, at least one, up to MAX_ENTRIES."""
        first, future = await self._first()
        entries, futures = [*first], [future]
        while not self._waiting.empty() and len(entries) < MAX_ENTRIES:
            more, future = self._waiting.get_nowait()
            entries += more
            futures.append(future)
        self._shared = len(futures) > 1
        return entries, futures

    async def _first(self) -> tuple[Sequence[AuditEntry], asyncio.Future[None]]:
        """What waits longest; where callers come together, a moment later, so that others wait too."""
        first = await self._waiting.get()
        try:
            await asyncio.sleep(LINGER if self._shared else 0)
        except asyncio.CancelledError:
            self._waiting.put_nowait(first)  # :meth:`stop` answers it
            raise
        return first

    async def _write(self, entries: Sequence[AuditEntry]) -> None:
        self._chain = self._chain or await open_chain(self._database)
        batch = self._chain.batch(entries)
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                await self._database.audit.insert_one(batch_document(batch))
                break
            except DuplicateKeyError:
                break  # an earlier attempt was written although its answer was lost
            except ConnectionFailure:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.05)
        self._chain.advance(batch)


def _answer(futures: Sequence[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in futures:
        with suppress(asyncio.InvalidStateError):  # the caller may have gone away
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


async def all_batches(database: Database) -> AsyncIterator[AuditBatch]:
    """Every batch, by chain and sequence."""
    with store_errors():
        async with database.audit.find().sort([("c", 1), ("s", 1)]) as documents:
            async for document in documents:
                yield audit_batch(document)


async def check_chains(
    database: Database, published: Iterable[Head], seen: Callable[[int], None] = lambda _: None
) -> AuditState:
    """Look at every batch; ``seen`` is told how many were. Raises StoreUnavailable."""
    with store_errors():
        firsts = database.audit.find({"s": 0}, {"heads": 1})
        promised = [(end["c"], end["h"]) async for first in firsts for end in first["heads"]]
    check = ChainCheck(promised, published)
    faults: list[str] = []
    async for batch in all_batches(database):
        faults += check.see(batch)
        seen(check.batches)
    return AuditState(check.batches, check.entries, tuple(faults + check.missing()))


async def entries_of(database: Database, ehr_id: str) -> list[AuditEntry]:
    """Every entry about one EHR and those that are part of it, oldest first. Raises StoreUnavailable."""
    found = await search_entries(database, AuditSearch(ehr_id=ehr_id), limit=0)
    return found[::-1]


async def search_entries(
    database: Database, wanted: AuditSearch, *, offset: int = 0, limit: int = 0, seconds: float = 30.0
) -> list[AuditEntry]:
    """The entries that fit, newest first; ``limit`` 0 is all. Raises StoreUnavailable, QueryTimeout.

    Those about an EHR are also those about the EHRs that became part of it.
    """
    ehr_ids = None if wanted.ehr_id is None else await _with_parts(database, wanted.ehr_id)
    pipeline: list[Document] = [
        {"$match": _batches_with(wanted, ehr_ids)},
        {"$unwind": {"path": "$entries", "includeArrayIndex": "i"}},
        {"$match": _entries_with(wanted, ehr_ids)},
        {"$sort": {"entries.at": -1, "_id": -1, "i": -1}},
        {"$skip": offset},
        *([{"$limit": limit}] if limit else []),
        {"$replaceRoot": {"newRoot": "$entries"}},
    ]
    try:
        with store_errors():
            reading = database.audit.aggregate(pipeline, maxTimeMS=int(seconds * 1000), allowDiskUse=True)
            async with await reading as found:
                return [audit_entry(document) async for document in found]
    except ExecutionTimeout as error:
        raise QueryTimeout(seconds) from error


async def _with_parts(database: Database, ehr_id: str) -> list[str]:
    with store_errors():
        return [ehr_id, *await database.joins.distinct("_id", {"e": ehr_id})]


def _batches_with(wanted: AuditSearch, ehr_ids: Sequence[str] | None) -> Document:
    """What can be said of a batch by an index; its time is that of its first entry."""
    found: Document = {} if ehr_ids is None else {"entries.e": {"$in": ehr_ids}}
    bounds = {"$gte": wanted.since and wanted.since - SPREAD, "$lt": wanted.until and wanted.until + SPREAD}
    if any(bounds.values()):
        found["at"] = {sign: bound for sign, bound in bounds.items() if bound is not None}
    return found


def _entries_with(wanted: AuditSearch, ehr_ids: Sequence[str] | None) -> Document:
    fields = {
        "e": ehr_ids and {"$in": ehr_ids},
        "by": wanted.actor,
        "hpr": wanted.hpr,
        "org": wanted.organisation,
        "do": wanted.action,
        "out": wanted.outcome and wanted.outcome.value,
    }
    found: Document = {f"entries.{name}": value for name, value in fields.items() if value is not None}
    bounds = {"$gte": wanted.since, "$lt": wanted.until}
    if any(bounds.values()):
        found["entries.at"] = {sign: bound for sign, bound in bounds.items() if bound is not None}
    return found
