"""How the database finds the candidates of a query: by which index, looking at how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cdr.candidates import CandidateFilter
from cdr.store.candidate_filter import ehr_query, versions_query
from cdr.store.database import Database, Document, store_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One search; ``indexes`` is empty where the whole collection is read.

    ``stored`` is how many documents the collection holds, ``found`` how many the search gives.
    """

    collection: str
    indexes: tuple[str, ...]
    stored: int
    keys_examined: int
    documents_examined: int
    found: int


async def explain_candidates(database: Database, wanted: CandidateFilter, seconds: float) -> Reading | None:
    """The search for the candidates, done once; None if there is none. Raises StoreUnavailable."""
    if wanted.empty:
        return None
    collection = database.versions if wanted.branches else database.ehrs
    query: Document
    if wanted.branches:
        ehrs = ehr_query("e", wanted.ehr_ids, wanted.excluded_ehr_ids)
        query = versions_query(ehrs, wanted.branches, wanted.as_of)
    else:
        query = ehr_query("_id", wanted.ehr_ids, wanted.excluded_ehr_ids)
    with store_errors():
        stored = await collection.estimated_document_count()
        found = await collection.database.command(
            "explain",
            {"find": collection.name, "filter": query, "maxTimeMS": int(seconds * 1000)},
            verbosity="executionStats",
        )
    statistics = found["executionStats"]
    return Reading(
        collection=collection.name,
        indexes=tuple(dict.fromkeys(_indexes(found["queryPlanner"]["winningPlan"]))),
        stored=stored,
        keys_examined=statistics["totalKeysExamined"],
        documents_examined=statistics["totalDocsExamined"],
        found=statistics["nReturned"],
    )


def _indexes(stage: Any) -> Iterator[str]:
    if isinstance(stage, list):
        for each in stage:
            yield from _indexes(each)
    elif isinstance(stage, dict):
        if stage.get("stage") in ("IDHACK", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN"):
            yield stage.get("indexName", "_id_")
        elif isinstance(stage.get("indexName"), str):
            yield stage["indexName"]
        for value in stage.values():
            yield from _indexes(value)
