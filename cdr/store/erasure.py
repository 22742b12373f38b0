"""Physical erasure of EHRs: the gate first, so that nothing is written behind it.

What MongoDB's oplog, journal and free pages keep for a while is not touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.store.database import DURABLE, Database, store_errors
from cdr.store.tombstones import Tombstones

CHUNK = 500


async def close_gate(database: Database, ehr_id: str) -> bool:
    """Refuse every later write to the EHR; False if there is no such EHR."""
    with store_errors():
        closed = await database.ehrs.update_one({"_id": ehr_id}, {"$set": {"gate.open": False}})
    return closed.matched_count == 1


async def erase_closed_ehr(database: Database, tombstones: Tombstones, ehr_id: str, at: datetime) -> None:
    """Delete everything of an EHR whose gate is closed; may be repeated after a crash."""
    with store_errors():
        await database.versions.delete_many({"e": ehr_id})
        await database.subjects.delete_many({"e": ehr_id})

        async def bury(session: AsyncClientSession) -> None:
            await tombstones.add(ehr_id, at, session)
            await database.ehrs.delete_one({"_id": ehr_id}, session=session)

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
            for collection in (database.versions, database.subjects):
                await collection.delete_many({"e": {"$in": chunk}})
            await database.ehrs.delete_many({"_id": {"$in": chunk}})
        return len(ids)
