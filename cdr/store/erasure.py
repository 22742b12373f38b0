"""Physical erasure of EHRs: the gate first, so that nothing is written behind it.

What MongoDB's oplog, journal and free pages keep for a while is not touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.events import EventType
from cdr.store.database import DURABLE, Database, of_an_ehr, store_errors
from cdr.store.feed import notice
from cdr.store.tombstones import EHR, JOINED, OBJECT, Tombstones

CHUNK = 500
NO_DESCRIPTION = {"$unset": {"au.d": ""}}  # words on a contribution are about all that it holds
FORGET = {"$unset": {"e": "", "ct": "", "h": ""}}  # a repeated request must not make again what was erased


async def erase_object(
    database: Database, tombstones: Tombstones, ehr_id: str, object_id: str, at: datetime
) -> bool:
    """Delete all versions of an object, and what names it, at once; False if there is no such object.

    A keyed hash of its id stays, so that the id is never given again.
    """

    async def erase(session: AsyncClientSession) -> bool:
        where = {"e": ehr_id, "o": object_id}
        gate = {"_id": ehr_id, "gate.open": True}
        ehr = await database.ehrs.find_one_and_update(gate, {"$inc": {"gate.w": 1}}, session=session)
        contributions = await database.versions.distinct("ct", where, session=session)
        if ehr is None or not contributions:
            return False
        await database.versions.delete_many(where, session=session)
        for about_it in (database.tags, database.code_checks):
            await about_it.delete_many(where, session=session)
        named = {"e": ehr_id, "v.o": object_id}
        taken_out = {"$pull": {"v": {"o": object_id}}, **NO_DESCRIPTION}
        await database.contributions.update_many(named, taken_out, session=session)
        await database.contributions.delete_many({"e": ehr_id, "v": []}, session=session)
        made_it = {"e": ehr_id, "ct": {"$in": contributions}}
        await database.versions.update_many(made_it, NO_DESCRIPTION, session=session)
        await database.repeats.update_many(made_it, FORGET, session=session)
        await tombstones.add(object_id, OBJECT, at, session)
        told = notice(EventType.OBJECT_ERASED, ehr, at, object_id)
        await database.notices.insert_one(told, session=session)
        return True

    with store_errors():
        async with database.client.start_session(causal_consistency=False) as session:
            return await session.with_transaction(erase, ReadConcern("snapshot"), DURABLE)


async def close_gate(database: Database, ehr_id: str) -> bool:
    """Refuse every later write to the EHR; False if there is no such EHR."""
    with store_errors():
        closed = await database.ehrs.update_one({"_id": ehr_id}, {"$set": {"gate.open": False}})
    return closed.matched_count == 1


async def erase_closed_ehr(database: Database, tombstones: Tombstones, ehr_id: str, at: datetime) -> None:
    """Delete everything of an EHR whose gate is closed; may be repeated after a crash."""
    with store_errors():
        for collection in of_an_ehr(database):
            await collection.delete_many({"e": ehr_id})
        await database.repeats.update_many({"e": ehr_id}, FORGET)

        async def bury(session: AsyncClientSession) -> None:
            joined = await database.joins.distinct("_id", {"e": ehr_id}, session=session)
            await tombstones.add(ehr_id, EHR, at, session)
            if joined:
                await tombstones.add_all(joined, JOINED, at, session)
            await database.joins.delete_many({"e": ehr_id}, session=session)
            ehr = await database.ehrs.find_one_and_delete({"_id": ehr_id}, session=session)
            if ehr is not None:
                told = notice(EventType.EHR_ERASED, ehr, at)
                await database.notices.insert_one(told, session=session)

        async with database.client.start_session(causal_consistency=False) as session:
            await session.with_transaction(bury, ReadConcern("snapshot"), DURABLE)


async def closed_ehrs(database: Database) -> Sequence[str]:
    """EHRs whose erasure was begun and not finished."""
    with store_errors():
        found = database.ehrs.find({"gate.open": False}, {"_id": 1})
        return [document["_id"] async for document in found]


async def delete_all(database: Database) -> int:
    """Empty a development database of EHRs, without tombstones; returns how many there were."""
    with store_errors():
        await database.ehrs.update_many({}, {"$set": {"gate.open": False}})
        ids = await closed_ehrs(database)
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            for collection in (*of_an_ehr(database), database.joins, database.repeats):
                await collection.delete_many({"e": {"$in": chunk}})
            await database.ehrs.delete_many({"_id": {"$in": chunk}})
        return len(ids)
