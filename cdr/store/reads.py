"""Reads of single EHRs and objects; each sees what a majority of the database holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cdr.store.database import FAR, Database, Document, store_errors
from cdr.store.documents import HEAD_FIELDS, Head, document_id, head, stored_version
from cdr.versions import Ehr, ObjectVersionId, StoredVersion


@dataclass(frozen=True, slots=True)
class Reads:
    """Questions about what is stored; None or an empty list for what is not there."""

    database: Database

    async def has_ehr(self, ehr_id: str) -> bool:
        """Is there such an EHR?"""
        with store_errors():
            return await self.database.ehrs.find_one({"_id": ehr_id}, {"_id": 1}) is not None

    async def ehr(self, ehr_id: str) -> Ehr | None:
        """An EHR with its current status."""
        with store_errors():
            found = await self.database.ehrs.find_one({"_id": ehr_id})
            if found is None:
                return None
            current = {"e": ehr_id, "o": found["status"], "until": FAR}
            status = await self.database.versions.find_one(current)
        if status is None:  # it was erased between the two reads
            return None
        return Ehr(ehr_id, found["system"], found["created"], stored_version(status))

    async def ehr_of_subject(self, namespace: str, subject_id: str) -> str | None:
        """The id of the EHR of a subject."""
        with store_errors():
            found = await self.database.subjects.find_one({"_id": {"ns": namespace, "id": subject_id}})
        return None if found is None else str(found["e"])

    async def status_object(self, ehr_id: str) -> str | None:
        """The object id of an EHR's status."""
        with store_errors():
            found = await self.database.ehrs.find_one({"_id": ehr_id}, {"status": 1})
        return None if found is None else str(found["status"])

    async def head(self, ehr_id: str, object_id: str) -> Head | None:
        """What an update needs to know of the latest version."""
        with store_errors():
            found = await self.database.versions.find_one(
                {"e": ehr_id, "o": object_id}, HEAD_FIELDS, sort=[("n", -1)]
            )
        return None if found is None else head(found)

    async def version(self, ehr_id: str, uid: ObjectVersionId) -> StoredVersion | None:
        """One version by its full id."""
        return await self._one({"_id": document_id(uid), "e": ehr_id, "s": uid.system_id})

    async def latest(self, ehr_id: str, object_id: str) -> StoredVersion | None:
        """The latest version, which may be a deletion."""
        return await self._one({"e": ehr_id, "o": object_id})

    async def at(self, ehr_id: str, object_id: str, moment: datetime) -> StoredVersion | None:
        """The version that was the latest at a time."""
        return await self._one({"e": ehr_id, "o": object_id, "tc": {"$lte": moment}})

    async def history(self, ehr_id: str, object_id: str) -> Sequence[StoredVersion]:
        """All versions of an object, oldest first, without their data."""
        return await self._many({"e": ehr_id, "o": object_id})

    async def contribution(self, ehr_id: str, uid: str) -> Sequence[StoredVersion]:
        """The versions of a contribution, without their data."""
        return await self._many({"e": ehr_id, "ct": uid})

    async def _one(self, query: Document) -> StoredVersion | None:
        with store_errors():
            found = await self.database.versions.find_one(query, sort=[("n", -1)])
        return None if found is None else stored_version(found)

    async def _many(self, query: Document) -> Sequence[StoredVersion]:
        with store_errors():
            cursor = self.database.versions.find(query, {"z": 0, "r": 0}).sort([("o", 1), ("n", 1)])
            return [stored_version(document) async for document in cursor]
