"""Delivers the versions that a query may need, from one snapshot (``cdr.candidates``)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ExecutionTimeout, OperationFailure

from cdr.candidates import CandidateFilter, Record
from cdr.errors import QueryTimeout
from cdr.folder_items import named_objects, without_items
from cdr.sight import Sights
from cdr.store.candidate_explain import Reading, explain_candidates
from cdr.store.candidate_filter import ehr_query, versions_query
from cdr.store.candidate_records import best_value, projection, version_record
from cdr.store.candidate_searches import Search, searches
from cdr.store.database import FAR, Database, Document, store_errors
from cdr.store.documents import decompress, version_marks
from cdr.store.hot_indexes import HotIndexes
from cdr.store.sight_filter import marks_of
from cdr.versions import Kind, iso

BATCH = 200
FEW = 20  # what is read first where few rows are wanted
SNAPSHOT_GONE = frozenset({239, 246})  # SnapshotTooOld, SnapshotUnavailable


class SnapshotGone(QueryTimeout):
    """The state that is read cannot be read any more; a new index makes older states unreadable at once."""


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
    hot: HotIndexes

    async def explain(self, wanted: CandidateFilter, seconds: float) -> Reading | None:
        """How the database finds the candidates; None if it is not asked. Raises StoreUnavailable."""
        return await explain_candidates(self.database, wanted, seconds, self.hot)

    @asynccontextmanager
    async def snapshot(self, seconds: float) -> AsyncIterator[Snapshot]:
        """One state of the database, for at most ``seconds``. Raises QueryTimeout, StoreUnavailable."""
        try:
            with store_errors():
                async with self.database.client.start_session(snapshot=True) as session:
                    yield Snapshot(self.database, session, Deadline(seconds), self.hot)
        except ExecutionTimeout as error:
            raise QueryTimeout(seconds) from error
        except OperationFailure as error:
            if error.code in SNAPSHOT_GONE:
                raise SnapshotGone(seconds) from error
            raise


@dataclass(frozen=True, slots=True)
class Portion:
    """Some EHRs with their documents, ``size`` of them, packed as they lie in the database."""

    wanted: CandidateFilter
    packed: Sequence[tuple[Document, Sequence[Document]]]
    size: int

    ordered: bool = False
    tally: Sequence[tuple[Any, int]] | None = None

    def records(self) -> Iterator[Record]:
        """Unpacked one by one."""
        if self.tally is not None:
            yield Record(ehr={}, tally=self.tally)
        order = self.wanted.order if self.ordered else None
        for ehr, documents in self.packed:
            versions = [version_record(document, self.wanted) for document in documents]
            best = None if order is None else best_value(documents[0], order)
            yield Record(ehr=ehr, versions=versions, best=best)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Reads that all see the same state."""

    database: Database
    session: AsyncClientSession
    deadline: Deadline
    hot: HotIndexes

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
        self.hot.ask_for(wanted)
        known: dict[str, Document] = {}
        for search in searches(wanted, hidden, self.hot):
            if search.pipeline:
                yield Portion(wanted, (), 0, tally=await self._counted(search))
                continue
            async for documents in self._batches(search, wanted):
                visible = [document for document in documents if document["e"] not in hidden]
                known |= await self._facts_of(visible, known, wanted)
                packed = [(known[each["e"]], (each,)) for each in visible if each["e"] in known]
                yield Portion(wanted, packed, len(packed), ordered=search.ordered)

    async def _counted(self, search: Search) -> Sequence[tuple[Any, int]]:
        cursor = await self.database.versions.aggregate(
            list(search.pipeline), session=self.session, maxTimeMS=self.deadline.milliseconds()
        )
        async with cursor:
            return [(document["_id"], document["n"]) async for document in cursor]

    async def _facts_of(
        self, documents: Sequence[Document], known: Mapping[str, Document], wanted: CandidateFilter
    ) -> dict[str, Document]:
        fresh = sorted({document["e"] for document in documents} - known.keys())
        if wanted.needs_ehr or wanted.needs_ehr_status or wanted.needs_directory or wanted.as_of is not None:
            return await self._ehr_facts(fresh, wanted)
        return {ehr_id: {"ehr_id": ehr_id} for ehr_id in fresh}

    async def _batches(self, search: Search, wanted: CandidateFilter) -> AsyncIterator[list[Document]]:
        few = wanted.row_limit or (wanted.order.enough if search.sort and wanted.order else BATCH)
        size = max(FEW, min(BATCH, few))
        cursor = self.database.versions.find(
            search.query,
            projection(wanted),
            session=self.session,
            batch_size=size,
            max_time_ms=self.deadline.milliseconds(),
            hint=search.hint,
        )
        if search.sort is not None:
            cursor = cursor.sort(search.sort[0], DESCENDING if search.sort[1] else ASCENDING)
        batch: list[Document] = []
        async with cursor:
            async for document in cursor:
                batch.append(document)
                if len(batch) == size:
                    yield await self._shown(batch, wanted)
                    batch, size = [], BATCH
                    self.deadline.milliseconds()
        yield await self._shown(batch, wanted)

    async def _shown(self, documents: list[Document], wanted: CandidateFilter) -> list[Document]:
        """What the caller may see; the rest is as if it were not stored."""
        sights = wanted.sights
        if sights.whole:
            return documents
        seen = [each for each in documents if sights.of(each["e"]).sees(each["o"], version_marks(each))]
        if wanted.needs_audit:
            await self._discreet(seen, sights)
        return seen

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
            return await self._ehrs_of(versions_query(where, wanted.branches, wanted.as_of))
        found: set[str] | None = None
        for branch in required:
            ehrs = await self._ehrs_of(versions_query(where, (branch,), wanted.as_of))
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
        query = versions_query({"e": {"$in": list(ehr_ids)}}, wanted.branches, wanted.as_of)
        search = Search(query)
        documents = [document async for batch in self._batches(search, wanted) for document in batch]
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
        wholes = {Kind.EHR_STATUS: wanted.needs_ehr_status, Kind.FOLDER: wanted.needs_directory}
        kinds = [kind for kind, needed in wholes.items() if needed]
        if not kinds:
            return facts
        query: Document = {"e": here, "until": FAR, "k": {"$in": [kind.value for kind in kinds]}}
        if wanted.as_of is not None:
            query |= {"until": {"$gt": wanted.as_of}, "tc": {"$lte": wanted.as_of}}
        async for found in self.database.versions.find(query, session=self.session):
            seen = wanted.sights.of(found["e"]).sees(found["o"], version_marks(found))
            if found["e"] in facts and seen:
                name = "directory" if found["k"] == Kind.FOLDER.value else "ehr_status"
                facts[found["e"]][name] = orjson.loads(decompress(found["z"]))
        if wanted.needs_directory and not wanted.sights.whole:
            await self._without_hidden_items(facts, wanted.sights)
        return facts

    async def _without_hidden_items(self, facts: Mapping[str, Document], sights: Sights) -> None:
        """Directories name nothing that is hidden."""
        named = {ehr_id: named_objects(ehr.get("directory", {})) for ehr_id, ehr in facts.items()}
        marks = await marks_of(self.database, facts, frozenset().union(*named.values()), self.session)
        for ehr_id, names in named.items():
            sight = sights.of(ehr_id)
            hidden = frozenset(each for each in names & marks.keys() if not sight.sees(each, marks[each]))
            if hidden:
                facts[ehr_id]["directory"] = without_items(facts[ehr_id]["directory"], hidden)

    async def _discreet(self, documents: Sequence[Document], sights: Sights) -> None:
        """What was said of a contribution is left out where part of that is hidden: it may tell of it."""
        told = {each["ct"] for each in documents if "d" in each["au"]}
        if not told:
            return
        found = self.database.contributions.find({"_id": {"$in": sorted(told)}}, session=self.session)
        parts = {each["_id"]: {one["o"] for one in each["v"]} async for each in found}
        ehr_ids = {each["e"] for each in documents}
        marks = await marks_of(self.database, ehr_ids, set().union(*parts.values()), self.session)
        for document in documents:
            sight = sights.of(document["e"])
            others = parts.get(document["ct"], set()) & marks.keys()
            if any(not sight.sees(each, marks[each]) for each in others):
                document["au"].pop("d", None)
