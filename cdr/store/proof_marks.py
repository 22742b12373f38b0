"""Marks of DPoP proofs that were used: a proof opens one request only, on whichever server it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from cdr.errors import StoreUnavailable
from cdr.store.database import Database, Document, store_errors

DUPLICATE = 11000
MAX_MARKS = 1000
# A mark lives for two minutes. Waiting for the journal would cost each request a flush, and protects
# only against a replay within these minutes after a crash of the database.
QUICK = WriteConcern(w=1, j=False)

Waiting = tuple[Document, "asyncio.Future[bool]"]


class ProofMarks:
    """Takes marks from many callers and writes them in one batch; the unique ``_id`` tells the second use."""

    def __init__(self, database: Database) -> None:
        self._marks = database.proofs.with_options(write_concern=QUICK)
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End; whoever still waits is answered StoreUnavailable."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        while not self._waiting.empty():
            _fail([self._waiting.get_nowait()], StoreUnavailable("the server stops"))

    async def remember(self, mark: str, ends: float) -> bool:
        """Keep a mark until ``ends`` (seconds since 1970); False if it was there. Raises StoreUnavailable."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(({"_id": mark, "end": datetime.fromtimestamp(ends, UTC)}, future))
        return await future

    async def _work(self) -> None:
        while True:
            taken = [await self._waiting.get()]
            while not self._waiting.empty() and len(taken) < MAX_MARKS:
                taken.append(self._waiting.get_nowait())
            try:
                with store_errors():
                    used = await self._write([document for document, _ in taken])
            except Exception as error:  # noqa: BLE001 - a bug must reach the callers, not stop the writer
                _fail(taken, error)
                continue
            for index, (_, future) in enumerate(taken):
                with suppress(asyncio.InvalidStateError):
                    future.set_result(index not in used)

    async def _write(self, documents: Sequence[Document]) -> frozenset[int]:
        """Write the marks; returns the places of those that were there before."""
        try:
            await self._marks.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if any(fault["code"] != DUPLICATE for fault in faults):
                raise
            return frozenset(fault["index"] for fault in faults)
        return frozenset()


def _fail(taken: Sequence[Waiting], error: Exception) -> None:
    for _, future in taken:
        with suppress(asyncio.InvalidStateError):
            future.set_exception(error)
