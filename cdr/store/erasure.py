"""Physical erasure of EHRs and of objects in them: the gate first, so that nothing is written behind it.

What MongoDB's oplog, journal and free pages keep for a while is not touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.actor import Actor, ActorKind
from cdr.consent import consent_facts, consent_members
from cdr.erasure_ledger import Done
from cdr.events import EventType
from cdr.sight import Terms, sight_of
from cdr.store.database import DURABLE, Database, Document, of_an_ehr, store_errors
from cdr.store.documents import HEAD_FIELDS, Head, head
from cdr.store.erasures import remember
from cdr.store.feed import notice, tell
from cdr.store.tombstones import EHR, JOINED, OBJECT, Tombstones

CHUNK = 500
NO_DESCRIPTION = {"$unset": {"au.d": ""}}  # words on a contribution are about all that it holds
FORGET = {"$unset": {"e": "", "ct": "", "h": ""}}  # a repeated request must not make again what was erased


async def delete_objects(
    database: Database,
    tombstones: Tombstones,
    session: AsyncClientSession,
    *,
    ehr_id: str,
    objects: Sequence[str],
    at: datetime,
) -> int:
    """Delete objects with all versions, and all that names them or was said of them; how many there were.

    A keyed hash of each id stays, so that it is never given again. There is at least one.
    """
    where = {"e": ehr_id, "o": {"$in": list(objects)}}
    contributions = await database.versions.distinct("ct", where, session=session)
    found = await database.versions.distinct("o", where, session=session)
    for about_them in (database.versions, database.tags, database.code_checks):
        await about_them.delete_many(where, session=session)
    named = {"e": ehr_id, "v.o": where["o"]}
    taken_out = {"$pull": {"v": {"o": where["o"]}}, **NO_DESCRIPTION}
    await database.contributions.update_many(named, taken_out, session=session)
    await database.contributions.delete_many({"e": ehr_id, "v": []}, session=session)
    made_them = {"e": ehr_id, "ct": {"$in": contributions}}
    await database.versions.update_many(made_them, NO_DESCRIPTION, session=session)
    await database.repeats.update_many(made_them, FORGET, session=session)
    await tombstones.add_all(objects, OBJECT, at, session)
    return len(found)


async def erase_object(
    database: Database,
    tombstones: Tombstones,
    ehr_id: str,
    object_id: str,
    terms: Terms,
    *,
    erasure: str,
) -> bool:
    """Delete all versions of an object, and what names it, at once; False if there is no such object.

    Those organisations are told that would have been shown it. ``erasure`` is the id that it is kept by.
    """

    async def erase(session: AsyncClientSession) -> bool:
        gate = {"_id": ehr_id, "gate.open": True}
        ehr = await database.ehrs.find_one_and_update(gate, {"$inc": {"gate.w": 1}}, session=session)
        latest = await database.versions.find_one(
            {"e": ehr_id, "o": object_id}, HEAD_FIELDS, sort=[("n", -1)], session=session
        )
        if ehr is None or latest is None:
            return False
        await delete_objects(
            database, tombstones, session, ehr_id=ehr_id, objects=[object_id], at=datetime.now(UTC)
        )
        await _forget_in_consent(database, session, ehr, object_id)
        await remember(
            database,
            tombstones,
            session,
            erasure=erasure,
            done=Done.OBJECT,
            ids=[object_id],
            at=datetime.now(UTC),
        )
        told = notice(EventType.OBJECT_ERASED, ehr, datetime.now(UTC), object_id)
        shown_to = [org for org in told["to"] if _would_see(org, ehr, head(latest), terms)]
        await tell(database, {**told, "to": shown_to}, session)
        return True

    with store_errors():
        async with database.client.start_session(causal_consistency=False) as session:
            return await session.with_transaction(erase, ReadConcern("snapshot"), DURABLE)


def _would_see(organisation: str, ehr: Document, entry: Head, terms: Terms) -> bool:
    """Would the people of an organisation be shown this entry?"""
    anybody = Actor(
        id=organisation, name=organisation, kind=ActorKind.PROFESSIONAL, organisation=organisation
    )
    return sight_of(anybody, consent_facts(ehr), "", terms).sees(entry.uid.object_id, entry)


async def _forget_in_consent(
    database: Database, session: AsyncClientSession, ehr: Document, object_id: str
) -> None:
    """Take the id of an erased object out of what she blocked, also in EHRs that are joined into this one."""
    facts = consent_facts(ehr)
    blocks = tuple(block for block in facts.blocks if block.target != object_id)
    if len(blocks) < len(facts.blocks):
        left = consent_members(replace(facts, number=facts.number + 1, blocks=blocks))
        await database.ehrs.update_one({"_id": ehr["_id"]}, {"$set": left}, session=session)
    of_the_joined = {"$pull": {"ehr.blocks": {"target": object_id}}}
    named = {"e": ehr["_id"], "ehr.blocks.target": object_id}
    await database.joins.update_many(named, of_the_joined, session=session)


async def close_gate(database: Database, ehr_id: str) -> bool:
    """Refuse every later write to the EHR; False if there is no such EHR."""
    with store_errors():
        closed = await database.ehrs.update_one({"_id": ehr_id}, {"$set": {"gate.open": False}})
    return closed.matched_count == 1


async def erase_closed_ehr(
    database: Database, tombstones: Tombstones, ehr_id: str, at: datetime, *, erasure: str
) -> None:
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
                await tell(database, notice(EventType.EHR_ERASED, ehr, at), session)
                await remember(
                    database,
                    tombstones,
                    session,
                    erasure=erasure,
                    done=Done.EHR,
                    ids=[ehr_id, *joined],
                    at=at,
                )

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
