"""Two EHRs of one woman become one, and two again: every document of one moves to the other, with a mark.

``oe`` of a document lists the EHRs that it came from, latest last. What the new EHR can have once only
(EHR_STATUS, a second directory) is set aside until the split: ``set_aside`` holds such documents whole. The
document of the joined EHR itself waits in ``joins``. Nothing is lost, and no version changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.consent import consent_facts
from cdr.join_errors import JoinedSince, NotJoined, RemovalUnderWay
from cdr.store.database import DURABLE, Database, Document, of_an_ehr, store_errors
from cdr.versions import Kind

_DECISIONS = frozenset({"consent", "blocks", "hidden"})


@dataclass(frozen=True, slots=True)
class Join:
    """One EHR that is part of another: since when, by whom and why."""

    ehr_id: str
    into: str
    at: datetime
    by: str
    reason: str


def stricter(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Document:
    """What the document of an EHR takes over from one that is joined into it: relations, blocks and hidden
    cards of both, the current card where it has none, and the stricter consent.

    The one place for it: whatever else restricts access in an EHR's document is combined here.
    """
    taken: Document = {}
    for name in ("rel", "blocks", "hidden"):
        both = [*ours.get(name, ()), *theirs.get(name, ())]
        if both:
            taken[name] = [each for index, each in enumerate(both) if each not in both[:index]]
    if not ours.get("card") and theirs.get("card"):
        taken["card"] = theirs["card"]
    consent = _stricter_consent(ours.get("consent") or {}, theirs.get("consent") or {})
    return taken | ({"consent": consent} if consent else {})


def _stricter_consent(ours: Document, theirs: Document) -> Document:
    """Given only if both are; where she decided in one of the EHRs only, that decision holds."""
    if not ours.get("n") or not theirs.get("n"):
        return ours if ours.get("n") else theirs
    return ours | {
        "n": ours["n"] + 1,  # whoever decides at this moment conflicts with the join
        "given": ours["given"] and theirs["given"],
        "until": min(ours["until"], theirs["until"]),
        "out": ours["out"] or theirs["out"],
        "bar": ours["bar"] or theirs["bar"],
    }


async def is_joined(
    database: Database, ehr_ids: Sequence[str], session: AsyncClientSession | None = None
) -> bool:
    """Is one of these EHRs part of another?"""
    return await database.joins.find_one({"_id": {"$in": ehr_ids}}, {"_id": 1}, session=session) is not None


@dataclass(frozen=True, slots=True)
class Joins:
    """The joins of a database."""

    database: Database

    async def into(self, ehr_id: str) -> str | None:
        """The EHR that this one is part of."""
        with store_errors():
            found = await self.database.joins.find_one({"_id": ehr_id}, {"e": 1})
        return None if found is None else str(found["e"])

    async def of_ehr(self, ehr_id: str) -> Sequence[Join]:
        """The EHRs that are part of this one, by time."""
        with store_errors():
            found = await self.database.joins.find({"e": ehr_id}).sort("at", 1).to_list()
        return [Join(each["_id"], each["e"], each["at"], each["by"], each["why"]) for each in found]

    async def join(self, join: Join) -> bool:
        """Move everything at once; False, and nothing moved, if an EHR is not there, not open, or the new
        one is more open than the joined one (is_queryable, is_modifiable). Raises RemovalUnderWay."""

        async def move(session: AsyncClientSession) -> bool:
            return await _join(self.database, session, join)

        return await self._at_once(move)

    async def split(self, ehr_id: str, into: str) -> None:
        """Move everything back. Raises NotJoined, JoinedSince."""

        async def move(session: AsyncClientSession) -> bool:
            await _split(self.database, session, ehr_id, into)
            return True

        await self._at_once(move)

    async def _at_once(self, move: Any) -> bool:
        with store_errors():
            async with self.database.client.start_session(causal_consistency=False) as session:
                moved: bool = await session.with_transaction(move, ReadConcern("snapshot"), DURABLE)
                return moved


async def _join(database: Database, session: AsyncClientSession, join: Join) -> bool:
    old = await database.ehrs.find_one({"_id": join.ehr_id, "gate.open": True}, session=session)
    new = await database.ehrs.find_one({"_id": join.into, "gate.open": True}, session=session)
    if old is None or new is None or _more_open(new, old):
        return False
    for ehr in (old, new):
        if (ehr.get("consent") or {}).get("job"):
            raise RemovalUnderWay(ehr["_id"])
    taken = {"gate.w": new["gate"]["w"] + 1, **_plainly(new, stricter(new, old))}
    await database.ehrs.update_one({"_id": join.into}, {"$set": taken}, session=session)
    await database.ehrs.delete_one({"_id": join.ehr_id}, session=session)
    await _set_aside(database, session, join)
    mine = {"e": join.ehr_id}
    await database.subjects.update_many(
        {**mine, "cur": True}, {"$set": {"cur": False, "until": join.at, "was": join.ehr_id}}, session=session
    )
    for collection in (*of_an_ehr(database), database.joins, database.repeats):
        await collection.update_many(
            mine, {"$set": {"e": join.into}, "$push": {"oe": join.ehr_id}}, session=session
        )
    await database.joins.insert_one(
        {"_id": join.ehr_id, "e": join.into, "at": join.at, "by": join.by, "why": join.reason, "ehr": old},
        session=session,
    )
    return True


def _more_open(new: Document, old: Document) -> bool:
    return (new["queryable"] and not old["queryable"]) or (new["gate"]["mod"] and not old["gate"]["mod"])


def _plainly(ehr: Document, taken: Document) -> Document:
    """What is taken over, and whether the EHR then is one that queries need not look at closer."""
    if not taken:
        return taken
    return {**taken, "plain": consent_facts({**ehr, **taken}).plain}


async def _set_aside(database: Database, session: AsyncClientSession, join: Join) -> None:
    """Take out what the new EHR cannot have beside its own."""
    has_folders = {"e": join.into, "k": Kind.FOLDER.value}
    kinds = [Kind.EHR_STATUS.value]
    if await database.versions.find_one(has_folders, {"_id": 1}, session=session):
        kinds.append(Kind.FOLDER.value)
    where = {"e": join.ehr_id, "k": {"$in": kinds}}
    async for version in database.versions.find(where, session=session):
        aside = {"_id": version["_id"], "e": join.ehr_id, "of": join.ehr_id, "document": version}
        await database.set_aside.insert_one(aside, session=session)
    await database.versions.delete_many(where, session=session)


async def _split(database: Database, session: AsyncClientSession, ehr_id: str, into: str) -> None:
    join = await database.joins.find_one({"_id": ehr_id, "e": into}, session=session)
    if join is None:
        raise NotJoined(ehr_id, into)
    if join.get("oe"):
        raise JoinedSince(ehr_id, join["oe"][-1])
    now = await database.ehrs.find_one_and_update({"_id": into}, {"$inc": {"gate.w": 1}}, session=session)
    if now is None or (now.get("consent") or {}).get("job"):
        raise RemovalUnderWay(into)
    # What she has decided since holds for both: a split must not bring withdrawn consent back.
    before: Document = join["ehr"]
    decided = {name: each for name, each in stricter(before, now).items() if name in _DECISIONS}
    changed = {name: each for name, each in decided.items() if each != before.get(name)}
    await database.ehrs.insert_one({**before, **_plainly(before, changed)}, session=session)
    await database.joins.delete_one({"_id": ehr_id}, session=session)
    back = {"$set": {"e": ehr_id}, "$pull": {"oe": ehr_id}}
    # Versions that were added since to an object that came from there go back with it.
    came = {"e": into, "oe": ehr_id}
    objects = await database.versions.distinct("o", came, session=session)
    for collection in (database.versions, database.tags):
        await collection.update_many({"e": into, "o": {"$in": objects}}, back, session=session)
    for collection in (*of_an_ehr(database), database.joins, database.repeats):
        await collection.update_many(came, back, session=session)
    await database.subjects.update_many(
        {"was": ehr_id}, {"$set": {"cur": True}, "$unset": {"was": "", "until": ""}}, session=session
    )
    async for aside in database.set_aside.find({"of": ehr_id}, session=session):
        await database.versions.insert_one(aside["document"], session=session)
    await database.set_aside.delete_many({"of": ehr_id}, session=session)
