"""What was erased, remembered without content: in the database, and in the ledger beside it.

erasures  {_id, do  what was done, at, of  keyed hashes of the ids}

The document is written in the transaction of the erasure, the ledger after it. A line of the ledger that
the database does not know was written after the backup from which the database was restored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from cdr.erasure_ledger import Done, Erased, ErasureLedger, LedgerUnreadable
from cdr.errors import DatabaseMissing, StoreUnavailable
from cdr.store.database import Database, Document, store_errors
from cdr.store.tombstones import EHR, OBJECT, Tombstones

_BURIED = {Done.EHR: EHR, Done.OBJECT: OBJECT}  # whose ids are never given again
# Clocks of servers differ, and transactions end in another order than they began.
OVERLAP = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is in the database: an EHR, or an object in one."""

    ehr_id: str
    object_id: str | None = None


async def remember(
    database: Database,
    tombstones: Tombstones,
    session: AsyncClientSession,
    *,
    erasure: str,
    done: Done,
    ids: Sequence[str],
    at: datetime,
) -> None:
    """Keep that something was erased, in the transaction in which it is."""
    document = _document(Erased(erasure, done, at, tombstones.marks(ids)))
    await database.erasures.insert_one(document, session=session)


class Erasures:
    """The erasures of a database; without a ledger nothing is kept beside it."""

    def __init__(self, database: Database, tombstones: Tombstones, ledger: ErasureLedger | None) -> None:
        self._database = database
        self._tombstones = tombstones
        self._ledger = ledger
        self._since: datetime | None = None
        self._writing = asyncio.Lock()

    @property
    def ledger(self) -> ErasureLedger | None:
        """Where they are kept beside the database."""
        return self._ledger

    async def keep_up(self) -> None:
        """Write into the ledger what it does not have yet.

        Where that cannot be done it is told in the log, and tried again: what was decided holds without.
        """
        if self._ledger is None:
            return
        async with self._writing:
            try:
                await self._write_newer(self._ledger)
            except (OSError, LedgerUnreadable, StoreUnavailable) as fault:
                log.error("ledger.not_written", folder=str(self._ledger.folder), reason=str(fault))

    async def _write_newer(self, ledger: ErasureLedger) -> None:
        where: Document = {"at": {"$gte": self._since - OVERLAP}} if self._since else {}
        with store_errors():
            found = await self._database.erasures.find(where).sort("at", 1).to_list()
        await asyncio.to_thread(ledger.write, map(_erased, found))
        if found:
            self._since = found[-1]["at"]

    async def missing(self) -> Sequence[Erased]:
        """Lines of the ledger that the database does not know, oldest first.

        Raises LedgerUnreadable, DatabaseMissing (the folder cannot be read), StoreUnavailable.
        """
        if self._ledger is None:
            return []
        try:
            lines = await asyncio.to_thread(self._ledger.read)
        except OSError as fault:
            reason = f"the ledger of erasures in {self._ledger.folder} cannot be read: {fault.strerror}"
            raise DatabaseMissing(reason) from fault
        if not lines:
            return []
        with store_errors():
            known = {each["_id"] async for each in self._database.erasures.find({}, {"_id": 1})}
        return [line for line in lines if line.id not in known]

    async def places(self, lines: Collection[Erased]) -> Mapping[str, Place]:
        """What of the lines is in the database, by mark; every id there is looked at."""
        wanted = {mark for line in lines for mark in line.marks}
        found = {}
        async for an_id, place in self._everything(objects=any(line.done is Done.OBJECT for line in lines)):
            mark = self._tombstones.mark(an_id)
            if mark in wanted:
                found[mark] = place
        return found

    async def _everything(self, *, objects: bool) -> AsyncIterator[tuple[str, Place]]:
        """Every EHR, and every object if they are asked for."""
        with store_errors():
            async for ehr in self._database.ehrs.find({}, {"_id": 1}):
                yield ehr["_id"], Place(ehr["_id"])
            if objects:
                group: list[Document] = [{"$group": {"_id": {"e": "$e", "o": "$o"}}}]
                async with await self._database.versions.aggregate(group, allowDiskUse=True) as stored:
                    async for each in stored:
                        yield each["_id"]["o"], Place(each["_id"]["e"], each["_id"]["o"])

    async def oldest_trace(self) -> datetime | None:
        """The end of the earliest erasure whose traces no scrub has taken out of the database yet."""
        with store_errors():
            scrub = await self._database.meta.find_one({"_id": "scrub"})
            after: Document = {"$gt": scrub["at"]} if scrub else {"$ne": None}
            at_once = {"at": after, "do": {"$ne": Done.WITHDRAWAL.value}}
            erased = await self._database.erasures.find_one(at_once, sort=[("at", 1)])
            removed = await self._database.removals.find_one({"end": after}, sort=[("end", 1)])
        return min(
            (each for each in (erased and erased["at"], removed and removed["end"]) if each), default=None
        )

    async def know(self, line: Erased) -> None:
        """A line was carried out again: the database knows it, and gives none of its ids again."""
        with store_errors():
            if line.done in _BURIED:
                left = {"$setOnInsert": {"at": line.at, "k": _BURIED[line.done]}}
                marks = [UpdateOne({"_id": mark}, left, upsert=True) for mark in line.marks]
                await self._database.tombstones.bulk_write(marks)
            await self._database.erasures.replace_one({"_id": line.id}, _document(line), upsert=True)


def _document(line: Erased) -> Document:
    return {"_id": line.id, "do": line.done.value, "at": line.at, "of": list(line.marks)}


def _erased(document: Document) -> Erased:
    return Erased(document["_id"], Done(document["do"]), document["at"], tuple(document["of"]))
