"""The store: everything that use cases may ask of MongoDB, held open."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import InvalidURI

from cdr.audit import AuditBatch, AuditEntry, AuditSearch, AuditState, Head
from cdr.erasure_ledger import ErasureLedger
from cdr.errors import DatabaseMissing
from cdr.sight import Terms
from cdr.store import erasure as erasing
from cdr.store.access_facts import AccessFacts
from cdr.store.adl2_documents import Adl2Documents
from cdr.store.audit_log import (
    AuditLog,
    all_batches,
    chain_ends,
    check_chains,
    entries_of,
    search_entries,
)
from cdr.store.bars import Bars
from cdr.store.candidates import Candidates
from cdr.store.code_check_documents import CodeCheckDocuments
from cdr.store.code_list_documents import CodeListDocuments
from cdr.store.commit_modes import DryRun, Together
from cdr.store.commits import CommitQueue
from cdr.store.consents import Consents
from cdr.store.database import Database, Document, store_errors
from cdr.store.erasures import Erasures
from cdr.store.feed import Feed
from cdr.store.hot_indexes import HotIndexes
from cdr.store.indexes import prepare
from cdr.store.joins import Joins
from cdr.store.project_documents import ProjectDocuments
from cdr.store.proof_marks import ProofMarks
from cdr.store.reads import Reads
from cdr.store.relations import Relations
from cdr.store.removals import Removals
from cdr.store.row_documents import RowDocuments
from cdr.store.stored_query_documents import StoredQueryDocuments
from cdr.store.subject_documents import SubjectDocuments
from cdr.store.tag_documents import TagDocuments
from cdr.store.template_documents import TemplateDocuments
from cdr.store.template_versions import TemplateVersions
from cdr.store.tombstones import Tombstones
from cdr.store.webhook_documents import WebhookDocuments


class Store:
    """One database; made by :meth:`open`, ended by :meth:`close`.

    ``commits`` writes, ``reads``, ``consents`` and ``candidates`` read, ``audit`` records accesses that write
    nothing, ``removals`` carries out what withdrawals of consent began.
    """

    def __init__(
        self,
        database: Database,
        tombstones: Tombstones,
        *,
        group_size: int,
        patience: float,
        hot_indexes: int = 0,
        ledger: Path | None = None,
    ) -> None:
        self._database = database
        self._tombstones = tombstones
        kept = None if ledger is None else ErasureLedger(ledger, tombstones.name)
        self.erasures = Erasures(database, tombstones, kept)
        self.reads = Reads(database)
        self.access = AccessFacts(database)
        self.relations = Relations(database)
        self.templates = TemplateDocuments(database)
        self.adl2 = Adl2Documents(database)
        self.template_versions = TemplateVersions(database)
        self.stored_queries = StoredQueryDocuments(database)
        self.rows = RowDocuments(database)
        self.tags = TagDocuments(database)
        self.subjects = SubjectDocuments(database)
        self.joins = Joins(database)
        self.code_lists = CodeListDocuments(database)
        self.code_checks = CodeCheckDocuments(database)
        self.feed = Feed(database)
        self.webhooks = WebhookDocuments(database)
        self.hot_indexes = HotIndexes(database, hot_indexes)
        self.candidates = Candidates(database, self.hot_indexes)
        self.projects = ProjectDocuments(database)
        self.audit = AuditLog(database, patience)
        self.proofs = ProofMarks(database)
        self.consents = Consents(database)
        self.bars = Bars(database, tombstones)
        self.removals = Removals(database, tombstones, self.audit, self.erasures)
        self.commits = CommitQueue(database, tombstones, group_size=group_size, patience=patience)

    @classmethod
    async def open(
        cls,
        uri: str,
        name: str = "helsekort",
        *,
        group_size: int = 64,
        patience: float = 10.0,
        hot_indexes: int = 0,
        ledger: Path | None = None,
    ) -> Store:
        """Connect to database ``name``, make its indexes, finish erasures that a crash interrupted.

        At most ``hot_indexes`` more are made on values that queries keep asking for. ``ledger`` is the
        folder in which erasures are kept beside the database.

        Raises StoreUnavailable if it does not answer within ``patience`` seconds, DatabaseMissing if the
        address is none or a newer program wrote the database.
        """
        milliseconds = int(patience * 1000)
        try:
            client = AsyncMongoClient[Document](
                uri, serverSelectionTimeoutMS=milliseconds, tz_aware=True, tzinfo=UTC, appname="helsekort"
            )
        except (InvalidURI, ValueError) as error:
            raise DatabaseMissing(f"the setting mongodb_uri is no MongoDB address: {error}") from error
        try:
            database = Database.of(client, name)
            store = cls(
                database,
                await _prepared(database),
                group_size=group_size,
                patience=patience,
                hot_indexes=hot_indexes,
                ledger=ledger,
            )
            await store._take_up()
        except BaseException:
            await client.close()
            raise
        store.audit.start()
        store.proofs.start()
        store.commits.start()
        store.removals.start()
        return store

    async def _take_up(self) -> None:
        """Finish what a crash interrupted, and learn what there is."""
        for ehr_id in await erasing.closed_ehrs(self._database):
            await self._erase_closed(ehr_id)
        await self.hot_indexes.start()

    async def close(self) -> None:
        """Write what waits, then disconnect."""
        await self.removals.stop()
        await self.commits.stop()
        await self.proofs.stop()
        await self.audit.stop()
        await self.hot_indexes.stop()
        await self._database.client.close()

    async def ping(self) -> None:
        """Return if the database answers. Raises StoreUnavailable."""
        with store_errors():
            await self._database.client.admin.command("ping")

    def dry_run(self) -> DryRun:
        """Where commits are judged and not stored."""
        return DryRun(self.commits, self.audit)

    def together(self, count: int) -> Together:
        """Where so many commits are stored in one transaction, or none of them."""
        return Together(self.commits, count)

    async def erase(self, ehr_id: str, *, erasure: str | None = None) -> bool:
        """Erase an EHR physically; False if there is no such EHR.

        ``erasure`` is the id by which it is kept in the ledger.
        """
        if not await erasing.close_gate(self._database, ehr_id):
            return False
        await self._erase_closed(ehr_id, erasure)
        await self.erasures.keep_up()
        return True

    async def erase_object(
        self, ehr_id: str, object_id: str, terms: Terms, *, erasure: str | None = None
    ) -> bool:
        """Erase one object with all its versions; False if the EHR has no such object."""
        kept_by = erasure or str(uuid.uuid4())
        erased = await erasing.erase_object(
            self._database, self._tombstones, ehr_id, object_id, terms, erasure=kept_by
        )
        if erased:
            await self.erasures.keep_up()
        return erased

    async def erased_since(self, at: datetime) -> int:
        """How many EHRs were erased after a time, or lost their card by a withdrawal of consent."""
        with store_errors():
            withdrawn = await self._database.removals.distinct("e", {"at": {"$gt": at}})
            return await self._tombstones.ehrs_since(at) + len(withdrawn)

    async def delete_all_ehrs(self) -> int:
        """Empty a development database of EHRs; returns how many there were."""
        return await erasing.delete_all(self._database)

    async def audit_faults(self) -> list[str]:
        """What is wrong with the audit chains; empty if nothing is."""
        return list((await self.check_audit()).faults)

    async def check_audit(
        self, published: Iterable[Head] = (), seen: Callable[[int], None] = lambda _: None
    ) -> AuditState:
        """Look at every batch of the audit, also with regard to heads that were published.

        ``seen`` is told how many batches were looked at. Raises StoreUnavailable.
        """
        return await check_chains(self._database, published, seen)

    async def audit_ends(self) -> list[Head]:
        """The ends of the audit chains that no other chain started from. Raises StoreUnavailable."""
        with store_errors():
            return await chain_ends(self._database)

    def audit_batches(self) -> AsyncIterator[AuditBatch]:
        """The whole audit, by chain and sequence."""
        return all_batches(self._database)

    async def audit_entries(self, ehr_id: str) -> list[AuditEntry]:
        """Every audit entry about an EHR, oldest first."""
        return await entries_of(self._database, ehr_id)

    async def search_audit(
        self, wanted: AuditSearch, *, offset: int = 0, limit: int = 0, seconds: float = 30.0
    ) -> list[AuditEntry]:
        """The entries that fit, newest first; ``limit`` 0 is all. Raises StoreUnavailable, QueryTimeout."""
        return await search_entries(self._database, wanted, offset=offset, limit=limit, seconds=seconds)

    async def _erase_closed(self, ehr_id: str, erasure: str | None = None) -> None:
        kept_by = erasure or str(uuid.uuid4())
        await erasing.erase_closed_ehr(
            self._database, self._tombstones, ehr_id, datetime.now(UTC), erasure=kept_by
        )


async def _prepared(database: Database) -> Tombstones:
    with store_errors():
        await prepare(database)
        return await Tombstones.open(database)
