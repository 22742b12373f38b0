"""The audit chains in MongoDB: one batch document per flush carries all entries that waited."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

from pymongo.errors import ConnectionFailure, DuplicateKeyError

from cdr.audit import AuditBatch, AuditEntry, chain_faults
from cdr.errors import StoreUnavailable
from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import audit_batch, batch_document

MAX_ENTRIES = 2000  # a batch document stays far below 1 MB


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


async def open_chain(database: Database) -> AuditChain:
    """A new chain that starts from the ends of all chains that no other chain started from."""
    ends: dict[str, str] = {}
    known: set[str] = set()
    pipeline: list[Document] = [
        {"$sort": {"c": 1, "s": 1}},
        {"$group": {"_id": "$c", "last": {"$last": "$h"}, "heads": {"$first": "$heads.h"}}},
    ]
    async with await database.audit.aggregate(pipeline) as chains:
        async for chain in chains:
            ends[chain["_id"]] = chain["last"]
            known.update(chain["heads"])
    return AuditChain(uuid.uuid4().hex, {chain: end for chain, end in ends.items() if end not in known})


class AuditLog:
    """Writes entries that are not part of a commit; many callers share one batch."""

    def __init__(self, database: Database, patience: float) -> None:
        self._database = database
        self._patience = patience
        self._waiting: asyncio.Queue[tuple[Sequence[AuditEntry], asyncio.Future[None]]] = asyncio.Queue()
        self._chain: AuditChain | None = None
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
        first, future = await self._waiting.get()
        entries, futures = [*first], [future]
        while not self._waiting.empty() and len(entries) < MAX_ENTRIES:
            more, future = self._waiting.get_nowait()
            entries += more
            futures.append(future)
        return entries, futures

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


async def audit_faults(database: Database) -> list[str]:
    """What is wrong with the audit as it is stored; empty if nothing is."""
    return chain_faults([batch async for batch in all_batches(database)])


async def entries_of(database: Database, ehr_id: str) -> list[AuditEntry]:
    """Every entry about one EHR and those that are part of it, oldest first."""
    with store_errors():
        joined = await database.joins.distinct("_id", {"e": ehr_id})
        ehr_ids = {ehr_id, *joined}
        documents = await database.audit.find({"entries.e": {"$in": sorted(ehr_ids)}}).to_list()
    entries = [entry for document in documents for entry in audit_batch(document).entries]
    return sorted((entry for entry in entries if entry.ehr_id in ehr_ids), key=lambda entry: entry.at)
