"""The ids of the subject of an EHR: the one in force and those of other times, each of which finds it.

A document: ``_id`` {ns, id}, ``e`` EHR, ``cur`` true for the id that EHR_STATUS names, and ``since``
and ``until`` where they are known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from cdr.store.database import DURABLE, Database, Document, store_errors
from cdr.store.waiting import StatusFacts

# D-numbers and common helper numbers begin with 4 to 9; some hospitals' helper numbers add 40 to the month.
_TEMPORARY = re.compile(r"(?:[4-9]\d{10}|\d\d[45]\d{8})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectId:
    """An id of a subject, and when it was hers; ``in_force``: EHR_STATUS names it."""

    namespace: str
    id: str
    since: datetime | None = None
    until: datetime | None = None
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class SubjectDocuments:
    """The collection ``subjects`` but for what commits write in it."""

    database: Database

    async def of_ehr(self, ehr_id: str) -> Sequence[SubjectId]:
        """All ids of the subject, the one in force first."""
        with store_errors():
            found = await self.database.subjects.find({"e": ehr_id}).sort([("cur", -1), ("_id", 1)]).to_list()
        return [
            SubjectId(
                namespace=document["_id"]["ns"],
                id=document["_id"]["id"],
                since=document.get("since"),
                until=document.get("until"),
                in_force=document.get("cur", False),
            )
            for document in found
        ]

    async def add(self, ehr_id: str, added: SubjectId) -> bool:
        """Give the EHR one more id, or another period to one it has; False if it is another EHR's.

        Changes nothing for an EHR that is closed or not there.
        """
        period = {"since": added.since, "until": added.until}
        known = {name: moment for name, moment in period.items() if moment is not None}

        async def write(session: AsyncClientSession) -> None:
            gate = {"_id": ehr_id, "gate.open": True}
            passed = await self.database.ehrs.update_one(gate, {"$inc": {"gate.w": 1}}, session=session)
            if passed.matched_count:
                await self.database.subjects.update_one(
                    {"_id": {"ns": added.namespace, "id": added.id}, "e": ehr_id},
                    {"$setOnInsert": {"cur": False}} | ({"$set": known} if known else {}),
                    upsert=True,
                    session=session,
                )

        with store_errors():
            async with self.database.client.start_session(causal_consistency=False) as session:
                try:
                    await session.with_transaction(write, ReadConcern("snapshot"), DURABLE)
                except DuplicateKeyError:
                    return False
        return True

    async def withdraw(self, ehr_id: str, namespace: str, subject_id: str) -> bool:
        """Take an id that is not in force from an EHR; False if it has none such."""
        where = {"_id": {"ns": namespace, "id": subject_id}, "e": ehr_id, "cur": {"$ne": True}}
        with store_errors():
            return (await self.database.subjects.delete_one(where)).deleted_count > 0


def is_temporary(subject_id: str) -> bool:
    """True for the form of a D-number or a helper number, which a national number may follow."""
    return _TEMPORARY.fullmatch(re.sub(r"\s", "", subject_id)) is not None


def subject_document(facts: StatusFacts, ehr_id: str, at: datetime) -> Document | None:
    """The document of the subject of a new EHR."""
    if facts.subject is None:
        return None
    namespace, subject_id = facts.subject
    return {"_id": {"ns": namespace, "id": subject_id}, "e": ehr_id, "cur": True, "since": at}


async def change_subject(
    database: Database, session: AsyncClientSession, ehr_id: str, facts: StatusFacts, at: datetime
) -> None:
    """Put the subject of a new EHR_STATUS in force.

    The id before goes, unless it was a temporary one that a national number follows: that one is kept with
    its end. Raises DuplicateKeyError if the id is another EHR's.
    """
    new = subject_document(facts, ehr_id, at)
    key = None if new is None else new["_id"]
    async for old in database.subjects.find({"e": ehr_id, "cur": True}, session=session):
        if old["_id"] == key:
            return
        mine = {"_id": old["_id"]}
        if facts.follows_temporary and is_temporary(old["_id"]["id"]):
            await database.subjects.update_one(mine, {"$set": {"cur": False, "until": at}}, session=session)
        else:
            await database.subjects.delete_one(mine, session=session)
    if new is not None:
        back = {"$set": {"cur": True}, "$unset": {"until": ""}, "$setOnInsert": {"since": at}}
        await database.subjects.update_one({"_id": key, "e": ehr_id}, back, upsert=True, session=session)
