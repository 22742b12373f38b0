"""Removal of what was stored on a card, after its consent was withdrawn.

The card is closed before, in the transaction of the withdrawal. A removal goes on in steps, each of which
is one transaction: after a kill the next start goes on with the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.audit import AuditEntry, Outcome
from cdr.errors import StoreUnavailable
from cdr.store.audit_log import AuditLog
from cdr.store.database import DURABLE, Database, Document, store_errors
from cdr.store.erasure import delete_objects
from cdr.store.erasures import Erasures
from cdr.store.tombstones import Tombstones
from cdr.versions import Kind
from templates.operational import TemplateAccess

STEP = 20  # objects that one transaction removes
LOOK_AGAIN = 60.0  # seconds until removals are looked for that another process began

_Work = Callable[[AsyncClientSession], Awaitable[None]]

log = structlog.get_logger(__name__)


class Removals:
    """Carries out what withdrawals began, one after the other."""

    def __init__(
        self, database: Database, tombstones: Tombstones, audit: AuditLog, erasures: Erasures
    ) -> None:
        self._database = database
        self._erasures = erasures
        self._tombstones = tombstones
        self._audit = audit
        self._begun = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Go on with what a killed server left, then wait for more."""
        self._begun.set()
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End after the step that is under way; the next start goes on."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    def wake(self) -> None:
        """A removal was begun."""
        self._begun.set()

    async def _work(self) -> None:
        failures = 0
        while True:
            self._begun.clear()
            try:
                failures = 0 if await self.run_all() else failures + 1
            except Exception as error:  # noqa: BLE001 - a removal was promised: it is tried again, whatever happens
                log.error("removal.waits", reason=type(error).__name__)
                failures += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK_AGAIN, 2.0**failures) if failures else LOOK_AGAIN):
                    await self._begun.wait()

    async def run_all(self) -> bool:
        """Carry out every removal that was begun and not ended; False if one of them failed.

        A removal that fails keeps no other waiting. Raises StoreUnavailable.
        """
        await self._erasures.keep_up()
        with store_errors():
            waiting = await self._database.removals.find({"end": None}).sort("at", 1).to_list()
        return all([await self._tried(job["_id"], job["e"]) for job in waiting])

    async def waiting(self) -> tuple[int, int]:
        """How many removals have not ended, and how many objects they have removed so far."""
        with store_errors():
            jobs = await self._database.removals.find({"end": None}, {"done": 1}).to_list()
        return len(jobs), sum(job["done"] for job in jobs)

    async def _tried(self, job: str, ehr_id: str) -> bool:
        try:
            with store_errors():
                await self._run(job, ehr_id)
        except StoreUnavailable:
            raise  # it would be the same for the others
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one woman's is not with the others'
            log.error("removal.failed", job=job, reason=type(error).__name__)
            return False
        return True

    async def _run(self, job: str, ehr_id: str) -> None:
        await self._count(job, ehr_id)
        while objects := await self._next_objects(ehr_id):
            await self._transaction(_Step(self._database, self._tombstones, job, ehr_id, objects).take)
        entry = AuditEntry(
            at=datetime.now(UTC),
            actor="server",
            role="system",
            organisation="",
            action="consent.remove",
            outcome=Outcome.DONE,
            ehr_id=ehr_id,
            what=job,
        )
        await self._audit.record([entry])
        await self._transaction(_Step(self._database, self._tombstones, job, ehr_id, []).end)
        log.info("removal.done", job=job)

    async def _count(self, job: str, ehr_id: str) -> None:
        total = len(await self._database.versions.distinct("o", stored_on_card(ehr_id)))
        await self._database.removals.update_one({"_id": job, "total": None}, {"$set": {"total": total}})

    async def _next_objects(self, ehr_id: str) -> list[str]:
        pipeline: list[Document] = [
            {"$match": stored_on_card(ehr_id)},
            {"$group": {"_id": "$o"}},
            {"$limit": STEP},
        ]
        async with await self._database.versions.aggregate(pipeline) as found:
            return [document["_id"] async for document in found]

    async def _transaction(self, work: _Work) -> None:
        async with self._database.client.start_session(causal_consistency=False) as session:
            await session.with_transaction(work, ReadConcern("snapshot"), DURABLE)


def stored_on_card(ehr_id: str) -> Document:
    """The versions that withdrawal removes: entries of the card, shielded ones too, and the folders."""
    on_card = [access.value for access in TemplateAccess if access.on_card]
    return {"e": ehr_id, "$or": [{"ac": {"$in": on_card}}, {"k": Kind.FOLDER.value}]}


class _Step:
    """Some objects of one removal."""

    def __init__(
        self, database: Database, tombstones: Tombstones, job: str, ehr_id: str, objects: list[str]
    ) -> None:
        self._database = database
        self._tombstones = tombstones
        self._job = job
        self._ehr_id = ehr_id
        self._objects = objects

    async def take(self, session: AsyncClientSession) -> None:
        """Delete the objects with all versions, and everything that names them or was said of them."""
        database, ehr_id = self._database, self._ehr_id
        # Whoever writes about the same objects conflicts with this, so that nothing is written behind it.
        await database.ehrs.update_one({"_id": ehr_id}, {"$inc": {"gate.w": 1}}, session=session)
        removed = await delete_objects(
            database,
            self._tombstones,
            session,
            ehr_id=ehr_id,
            objects=self._objects,
            at=datetime.now(UTC),
        )
        counted = {"$inc": {"done": removed}}
        await database.removals.update_one({"_id": self._job}, counted, session=session)

    async def end(self, session: AsyncClientSession) -> None:
        """Forget the cards, and open the way for a new consent."""
        now = datetime.now(UTC)
        await self._database.cards.delete_many({"e": self._ehr_id}, session=session)
        joined = await self._database.joins.distinct("_id", {"e": self._ehr_id}, session=session)
        folders = {"of": {"$in": joined}, "document.k": Kind.FOLDER.value}
        await self._database.set_aside.delete_many(folders, session=session)
        ended = {"$set": {"end": now}}
        await self._database.removals.update_one({"_id": self._job, "end": None}, ended, session=session)
        free = {"$set": {"consent.job": None}, "$inc": {"gate.w": 1, "consent.n": 1}}
        holder = {"_id": self._ehr_id, "consent.job": self._job}
        await self._database.ehrs.update_one(holder, free, session=session)
