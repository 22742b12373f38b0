"""What is left of an erased EHR: a keyed hash of its id and the time, so that the id is never given again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from cdr.store.database import Database

EHR, OBJECT, JOINED = "EHR", "object", "joined"


class Tombstones:
    """Erased ids; without the database's key nobody can tell which ids they were."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    @classmethod
    async def open(cls, database: Database) -> Tombstones:
        """Read the key of this database, making it at the first start."""
        await database.meta.update_one(
            {"_id": "tombstone_key"}, {"$setOnInsert": {"key": secrets.token_bytes(32)}}, upsert=True
        )
        stored = await database.meta.find_one({"_id": "tombstone_key"})
        assert stored is not None  # written just now, and never deleted
        return cls(database, stored["key"])

    async def add(self, erased_id: str, kind: str, at: datetime, session: AsyncClientSession) -> None:
        """Remember an erased id of an ``EHR``, an ``object`` or an EHR that was ``joined`` to another."""
        await self.add_all([erased_id], kind, at, session)

    async def add_all(self, ids: Sequence[str], kind: str, at: datetime, session: AsyncClientSession) -> None:
        """Remember erased ids of one kind; there is at least one."""
        left = {"$setOnInsert": {"at": at, "k": kind}}
        marks = [UpdateOne({"_id": self.mark(each)}, left, upsert=True) for each in ids]
        await self._database.tombstones.bulk_write(marks, session=session)

    async def ehrs_since(self, at: datetime) -> int:
        """How many EHRs were erased after a time."""
        return await self._database.tombstones.count_documents({"k": EHR, "at": {"$gt": at}})

    async def any_of(self, ehr_ids: Sequence[str], session: AsyncClientSession | None = None) -> bool:
        """Was one of these ids erased?"""
        marks = list(self.marks(ehr_ids))
        return await self._database.tombstones.find_one({"_id": {"$in": marks}}, session=session) is not None

    @property
    def name(self) -> str:
        """A name of the database that goes with its key, wherever it is restored."""
        return self.mark("ledger of erasures")[:16]

    def marks(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Keyed hashes of ids."""
        return tuple(map(self.mark, ids))

    def mark(self, erased_id: str) -> str:
        """The keyed hash of an id."""
        return hmac.new(self._key, erased_id.encode(), hashlib.sha256).hexdigest()
