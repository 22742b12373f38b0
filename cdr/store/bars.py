"""What the register of persons said of somebody, kept by a keyed hash of the national id.

bars  {_id  keyed hash, bar, at}

She may have no record yet: whoever makes one is to find the bar in it from its first moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from archetypes.norwegian_ids import PERSON_NAMESPACES
from cdr.consent import Bar
from cdr.store.database import Database, Document, store_errors
from cdr.store.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a database."""

    database: Database
    tombstones: Tombstones

    async def say(self, national_id: str, bar: Bar | None, at: datetime) -> None:
        """Keep what the register says now. Raises StoreUnavailable."""
        mark = {"_id": self.tombstones.mark(national_id)}
        with store_errors():
            if bar is None:
                await self.database.bars.delete_one(mark)
            else:
                known = {"$set": {"bar": bar.value, "at": at}}
                await self.database.bars.update_one(mark, known, upsert=True)


async def bar_new_ehrs(
    database: Database,
    tombstones: Tombstones,
    session: AsyncClientSession,
    ehrs: Iterable[Document],
    subjects: Iterable[Document],
) -> None:
    """Put what is known of their subjects into the documents of new EHRs."""
    by_id = {ehr["_id"]: ehr for ehr in ehrs}
    for subject in subjects:
        bar = await _bar_of(database, tombstones, session, subject["_id"])
        if bar is not None:
            by_id[subject["e"]] |= {"consent": {"bar": bar}, "plain": False}


async def bar_new_subject(
    database: Database,
    tombstones: Tombstones,
    session: AsyncClientSession,
    ehr_id: str,
    subject: tuple[str, str] | None,
) -> None:
    """The same for an EHR that has got another id of its subject."""
    if subject is None:
        return
    bar = await _bar_of(database, tombstones, session, {"ns": subject[0], "id": subject[1]})
    if bar is not None:
        barred = {"$set": {"consent.bar": bar, "plain": False}, "$inc": {"consent.n": 1}}
        await database.ehrs.update_one({"_id": ehr_id}, barred, session=session)


async def _bar_of(
    database: Database, tombstones: Tombstones, session: AsyncClientSession, subject: Document
) -> str | None:
    if subject["ns"] not in PERSON_NAMESPACES:
        return None
    mark = tombstones.mark(subject["id"].replace(" ", ""))
    found = await database.bars.find_one({"_id": mark}, session=session)
    return None if found is None else str(found["bar"])
