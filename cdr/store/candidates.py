"""Delivers the versions that a query may need, from one snapshot (``cdr.candidates``)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ExecutionTimeout, OperationFailure

from cdr.candidates import CandidateFilter, Record, VersionRecord
from cdr.errors import QueryTimeout
from cdr.sight import Sights
from cdr.store.candidate_explain import Reading, explain_candidates
from cdr.store.candidate_filter import branch_query, branches_query, ehr_query
from cdr.store.database import FAR, Database, Document, store_errors
from cdr.store.documents import decompress, preceding_uid, stored_version, version_marks
from cdr.stored_rows import FORMAT
from cdr.versions import Kind, iso

BATCH = 200
SNAPSHOT_GONE = frozenset({239, 246})  # SnapshotTooOld, SnapshotUnavailable


class Deadline:
    """The end of the time that a query may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def milliseconds(self) -> int:
        """What is left. Raises QueryTimeout if nothing is."""
        left = int((self._end - time.monotonic()) * 1000)
        if left <= 0:
            raise QueryTimeout(self._seconds)
        return left


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records for queries."""

    database: Database

    async def explain(self, wanted: CandidateFilter, seconds: float) -> Reading | None:
        """How the database finds the candidates; None if it is not asked. Raises StoreUnavailable."""
        return await explain_candidates(self.database, wanted, seconds)

    @asynccontextmanager
    async def snapshot(self, seconds: float) -> AsyncIterator[Snapshot]:
        """One state of the database, for at most ``seconds``. Raises QueryTimeout, StoreUnavailable."""
        try:
            with store_errors():
                async with self.database.client.start_session(snapshot=True) as session:
                    yield Snapshot(self.database, session, Deadline(seconds))
        except ExecutionTimeout as error:
            raise QueryTimeout(seconds) from error
        except OperationFailure as error:
            if error.code in SNAPSHOT_GONE:
                raise QueryTimeout(seconds) from error
            raise


@dataclass(frozen=True, slots=True)
class Portion:
    """Some EHRs with their documents, ``size`` of them, packed as they lie in the database."""

    wanted: CandidateFilter
    packed: Sequence[tuple[Document, Sequence[Document]]]
    size: int

    def records(self) -> Iterator[Record]:
        """Unpacked one by one."""
        for ehr, documents in self.packed:
            versions = [_version_record(document, self.wanted) for document in documents]
            yield Record(ehr=ehr, versions=versions)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Reads that all see the same state."""

    database: Database
    session: AsyncClientSession
    deadline: Deadline

    async def records(self, wanted: CandidateFilter) -> AsyncIterator[Record]:
        """The records that ``wanted`` describes; whoever has enough stops reading."""
        async for portion in self.portions(wanted):
            for record in portion.records():
                yield record

    async def portions(self, wanted: CandidateFilter) -> AsyncIterator[Portion]:
        """The same, read and not unpacked yet: unpacking costs time that a thread can spend."""
        if wanted.empty:
            return
        hidden = wanted.excluded_ehr_ids
        if wanted.queryable_only:
            hidden = hidden | await self._not_queryable()
        whole_ehrs = wanted.group_by_ehr or wanted.every_ehr or not wanted.branches
        async for portion in self._by_ehr(wanted, hidden) if whole_ehrs else self._streamed(wanted, hidden):
            yield portion

    async def _not_queryable(self) -> frozenset[str]:
        found = self.database.ehrs.find({"queryable": False}, {"_id": 1}, session=self.session)
        return frozenset([document["_id"] async for document in found])

    # --- one version a record -------------------------------------------------------------------

    async def _streamed(self, wanted: CandidateFilter, hidden: frozenset[str]) -> AsyncIterator[Portion]:
        known: dict[str, Document] = {}
        query = {**ehr_query("e", wanted.ehr_ids, hidden), **branches_query(wanted.branches, wanted.as_of)}
        async for documents in self._batches(query, wanted):
            visible = [document for document in documents if document["e"] not in hidden]
            fresh = {document["e"] for document in visible} - known.keys()
            known |= await self._ehr_facts(sorted(fresh), wanted)
            yield Portion(
                wanted, [(known[each["e"]], (each,)) for each in visible if each["e"] in known], len(visible)
            )

    async def _batches(self, query: Document, wanted: CandidateFilter) -> AsyncIterator[list[Document]]:
        cursor = self.database.versions.find(
            query,
            _projection(wanted),
            session=self.session,
            batch_size=BATCH,
            max_time_ms=self.deadline.milliseconds(),
        )
        batch: list[Document] = []
        async with cursor:
            async for document in cursor:
                batch.append(document)
                if len(batch) == BATCH:
                    yield _visible(batch, wanted.sights)
                    batch = []
                    self.deadline.milliseconds()
        yield _visible(batch, wanted.sights)

    # --- whole EHRs -----------------------------------------------------------------------------

    async def _by_ehr(self, wanted: CandidateFilter, hidden: frozenset[str]) -> AsyncIterator[Portion]:
        async for ehr_ids in self._chunks(wanted, hidden):
            facts = await self._ehr_facts(ehr_ids, wanted)
            versions = await self._versions_of(list(facts), wanted)
            admitted = [
                (ehr, versions.get(ehr_id, ()))
                for ehr_id, ehr in facts.items()
                if wanted.every_ehr or not wanted.branches or ehr_id in versions
            ]
            yield Portion(wanted, admitted, sum(len(documents) for _, documents in admitted))
            self.deadline.milliseconds()

    async def _chunks(self, wanted: CandidateFilter, hidden: frozenset[str]) -> AsyncIterator[list[str]]:
        chunk: list[str] = []
        async for ehr_id in self._ehr_ids(wanted, hidden):
            if ehr_id in hidden:
                continue
            chunk.append(ehr_id)
            if len(chunk) == BATCH:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    async def _ehr_ids(self, wanted: CandidateFilter, hidden: frozenset[str]) -> AsyncIterator[str]:
        """The EHRs that may give rows, in no particular order."""
        if wanted.ehr_ids is not None:
            for ehr_id in sorted(wanted.ehr_ids):
                yield ehr_id
        elif wanted.every_ehr or not wanted.branches:
            cursor = self.database.ehrs.find(
                {}, {"_id": 1}, session=self.session, max_time_ms=self.deadline.milliseconds()
            )
            async with cursor:
                async for document in cursor:
                    yield document["_id"]
        else:
            for ehr_id in await self._ehrs_with_versions(wanted, hidden):
                yield ehr_id

    async def _ehrs_with_versions(self, wanted: CandidateFilter, hidden: frozenset[str]) -> Iterable[str]:
        """EHRs in which every required branch finds a version; without such branches, any branch."""
        required = [branch for branch in wanted.branches if branch.required]
        where = ehr_query("e", None, hidden)
        if not required:
            return await self._ehrs_of({**where, **branches_query(wanted.branches, wanted.as_of)})
        found: set[str] | None = None
        for branch in required:
            ehrs = await self._ehrs_of({**where, **branch_query(branch, wanted.as_of)})
            found = ehrs if found is None else found & ehrs
        return found or ()

    async def _ehrs_of(self, query: Document) -> set[str]:
        pipeline: list[Document] = [{"$match": query}, {"$group": {"_id": "$e"}}]
        cursor = await self.database.versions.aggregate(
            pipeline, session=self.session, maxTimeMS=self.deadline.milliseconds()
        )
        async with cursor:
            return {document["_id"] async for document in cursor}

    async def _versions_of(
        self, ehr_ids: Sequence[str], wanted: CandidateFilter
    ) -> dict[str, Sequence[Document]]:
        if not wanted.branches or not ehr_ids:
            return {}
        query = {"e": {"$in": list(ehr_ids)}, **branches_query(wanted.branches, wanted.as_of)}
        documents = [document async for batch in self._batches(query, wanted) for document in batch]
        documents.sort(key=lambda document: str(document["e"]))
        return {
            ehr_id: list(group)
            for ehr_id, group in groupby(documents, key=lambda document: str(document["e"]))
        }

    async def _ehr_facts(self, ehr_ids: Sequence[str], wanted: CandidateFilter) -> dict[str, Document]:
        if not ehr_ids:
            return {}
        here = {"$in": list(ehr_ids)}
        facts: dict[str, Document] = {}
        ehrs: Document = {"_id": here}
        if wanted.as_of is not None:
            ehrs["created"] = {"$lte": wanted.as_of}
        async for found in self.database.ehrs.find(ehrs, session=self.session):
            facts[found["_id"]] = {
                "ehr_id": found["_id"],
                "system_id": found["system"],
                "time_created": iso(found["created"]),
            }
        if wanted.needs_ehr_status:
            query = {"e": here, "until": FAR, "k": Kind.EHR_STATUS.value}
            if wanted.as_of is not None:
                query |= {"until": {"$gt": wanted.as_of}, "tc": {"$lte": wanted.as_of}}
            async for status in self.database.versions.find(query, session=self.session):
                if status["e"] in facts:
                    facts[status["e"]]["ehr_status"] = orjson.loads(decompress(status["z"]))
        return facts


_HEAD: Document = dict.fromkeys(("e", "o", "n", "s", "ct", "au", "lc", "tc", "until", "ps", "k", "full"), 1)
_ROW = ("c", "q", "p", "m", "a")


def _projection(wanted: CandidateFilter) -> Document:
    """What is read of a document: its composition, its rows if they are enough, or neither."""
    if not wanted.needs_payload:
        return {"r": 0, "z": 0, "rows": 0}
    if wanted.rows is None:
        return {"r": 0, "rows": 0}
    values = ["v"] if wanted.rows.keys is None else [f"v.{key}" for key in sorted(wanted.rows.keys)]
    without = {"$cond": [{"$eq": ["$full", FORMAT]}, "$$REMOVE", "$z"]}
    return _HEAD | {f"rows.{field}": 1 for field in (*_ROW, *values)} | {"z": without}


def _is_latest(document: Document, as_of: datetime | None) -> bool:
    """Was it the latest version then? A deletion ends when it begins and is never."""
    return bool(document["until"] == FAR if as_of is None else document["until"] > as_of)


def _visible(documents: list[Document], sights: Sights) -> list[Document]:
    """What the caller may see; the rest is as if it were not stored."""
    if sights.whole:
        return documents
    return [each for each in documents if sights.of(each["e"]).sees(each["o"], version_marks(each))]


def _partly_hidden(document: Document, wanted: CandidateFilter) -> bool:
    """Rows do not tell which section they come from: where one is hidden, the payload decides."""
    return bool(wanted.sights.of(document["e"]).sections)


def _shown(document: Document, wanted: CandidateFilter) -> Mapping[str, Any]:
    composition: Mapping[str, Any] = orjson.loads(decompress(document["z"]))
    return wanted.sights.of(document["e"]).shown(composition)


def _version_record(document: Document, wanted: CandidateFilter) -> VersionRecord:
    composition, rows = None, None
    if document["until"] != document["tc"] or "z" in document:  # a deletion ends when it begins
        if (
            wanted.rows is not None
            and document.get("full") == FORMAT
            and not _partly_hidden(document, wanted)
        ):
            rows = document["rows"]
        reads = wanted.needs_payload and rows is None
        composition = _shown(document, wanted) if reads else {}
    preceding = preceding_uid(document)
    return VersionRecord(
        rows=rows,
        uid=f"{document['o']}::{document['s']}::{document['n']}",
        composition=composition,
        is_latest=_is_latest(document, wanted.as_of),
        contribution=document["ct"],
        audit=stored_version({**document, "z": None}).audit.to_canonical() if wanted.needs_audit else {},
        lifecycle=document["lc"],
        preceding_uid=None if preceding is None else str(preceding),
        time_committed=iso(document["tc"]),
    )
