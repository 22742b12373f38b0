"""Reads of single EHRs and objects; each sees what a majority of the database holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cdr.store.database import FAR, Database, Document, store_errors
from cdr.store.documents import (
    HEAD_FIELDS,
    Head,
    VersionMarks,
    document_id,
    head,
    stored_contribution,
    stored_version,
)
from cdr.store.sight_filter import marks_of
from cdr.store.waiting import RepeatKey
from cdr.versions import Contribution, Ehr, Kind, ObjectVersionId, StoredVersion
from templates.operational import TemplateAccess

WITHOUT_ROWS: Document = {"r": 0, "rows": 0}


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a request with a key asked (``digest``) and made; all are gone once that is erased."""

    digest: str | None
    ehr_id: str | None
    contribution_id: str | None


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
            folder = {"e": ehr_id, "k": Kind.FOLDER.value, "until": FAR}
            directory = await self.database.versions.find_one(folder, HEAD_FIELDS)
        if status is None:  # it was erased between the two reads
            return None
        root = None if directory is None else head(directory).uid
        return Ehr(ehr_id, found["system"], found["created"], stored_version(status), root)

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

    async def marks(self, ehr_id: str, object_ids: Iterable[str]) -> Mapping[str, VersionMarks]:
        """By what it is decided who may see these objects; of those only that are in the EHR."""
        with store_errors():
            return await marks_of(self.database, [ehr_id], object_ids)

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

    async def everything(self, ehr_id: str) -> Sequence[StoredVersion]:
        """Every version of every object of an EHR, with its data."""
        with store_errors():
            cursor = self.database.versions.find({"e": ehr_id}, WITHOUT_ROWS).sort([("o", 1), ("n", 1)])
            return [stored_version(document) async for document in cursor]

    async def contribution(self, ehr_id: str, uid: str) -> Contribution | None:
        """What was committed together."""
        with store_errors():
            found = await self.database.contributions.find_one({"_id": uid, "e": ehr_id})
        if found is not None:
            return stored_contribution(found)
        versions = await self._many({"e": ehr_id, "ct": uid})
        return Contribution.of(uid, versions) if versions else None

    async def committed(self, ehr_id: str, contribution_id: str) -> Sequence[StoredVersion]:
        """The versions of a contribution with their data."""
        with store_errors():
            cursor = self.database.versions.find({"e": ehr_id, "ct": contribution_id}, WITHOUT_ROWS).sort("o")
            return [stored_version(document) async for document in cursor]

    async def on_card(self, ehr_id: str) -> Sequence[StoredVersion]:
        """The current versions on her card, with their data, oldest first."""
        on_card = [access.value for access in TemplateAccess if access.on_card]
        query = {"e": ehr_id, "until": FAR, "ac": {"$in": on_card}}
        with store_errors():
            cursor = self.database.versions.find(query, WITHOUT_ROWS).sort("t", 1)
            return [stored_version(document) async for document in cursor]

    async def repeat(self, key: RepeatKey) -> Repeat | None:
        """What a request with this key made the first time."""
        with store_errors():
            found = await self.database.repeats.find_one({"_id": key.mark})
        return None if found is None else Repeat(found.get("h"), found.get("e"), found.get("ct"))

    async def directory(self, ehr_id: str, moment: datetime | None = None) -> StoredVersion | None:
        """The latest version of the directory, which may be a deletion; or the one at a time."""
        query: Document = {"e": ehr_id, "k": Kind.FOLDER.value}
        if moment is not None:
            query["tc"] = {"$lte": moment}
        with store_errors():
            found = await self.database.versions.find_one(query, WITHOUT_ROWS, sort=[("tc", -1), ("n", -1)])
        return None if found is None else stored_version(found)

    async def _one(self, query: Document) -> StoredVersion | None:
        with store_errors():
            found = await self.database.versions.find_one(query, WITHOUT_ROWS, sort=[("n", -1)])
        return None if found is None else stored_version(found)

    async def _many(self, query: Document) -> Sequence[StoredVersion]:
        with store_errors():
            cursor = self.database.versions.find(query, {"z": 0, **WITHOUT_ROWS}).sort([("o", 1), ("n", 1)])
            return [stored_version(document) async for document in cursor]
