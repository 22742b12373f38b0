"""How the database finds the candidates of a query: by which index, at what cost, against an estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cdr.candidates import CandidateFilter
from cdr.store.candidate_filter import ehr_query, versions_query
from cdr.store.candidate_searches import Indexes, Search, searches
from cdr.store.database import Collection, Database, Document, store_errors

SAMPLE = 1000  # documents drawn at random for an estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One search; ``indexes`` is empty where the whole collection is read.

    ``stored`` is how many documents the collection holds, ``found`` how many the search gives, and
    ``estimated`` how many it would be thought to give from SAMPLE documents alone.
    """

    collection: str
    indexes: tuple[str, ...]
    stored: int
    keys_examined: int
    documents_examined: int
    found: int
    estimated: int = 0


async def explain_candidates(
    database: Database, wanted: CandidateFilter, seconds: float, hot: Indexes
) -> Reading | None:
    """The searches for the candidates, each done once to its end; None if there is none.

    A query that stops early looks at less. Raises StoreUnavailable.
    """
    if wanted.empty:
        return None
    collection = database.versions if wanted.branches else database.ehrs
    readings = [await _explained(collection, each, seconds) for each in _searches(wanted, hot)]
    with store_errors():
        stored = await collection.estimated_document_count()
    return Reading(
        collection=collection.name,
        indexes=tuple(dict.fromkeys(index for each in readings for index in each.indexes)),
        stored=stored,
        keys_examined=sum(each.keys_examined for each in readings),
        documents_examined=sum(each.documents_examined for each in readings),
        found=sum(each.found for each in readings),
        estimated=await _estimated(database, wanted, stored, seconds, hot),
    )


async def _estimated(
    database: Database, wanted: CandidateFilter, stored: int, seconds: float, hot: Indexes
) -> int:
    """The share of a sample that the searches find, over all EHRs, and the share of the EHRs asked for."""
    collection = database.versions if wanted.branches else database.ehrs
    everywhere = _searches(replace(wanted, ehr_ids=None), hot)
    finding = [each.pipeline[0]["$match"] if each.pipeline else each.query for each in everywhere]
    count: Document = {"$group": {"_id": None, "n": {"$sum": 1}}}
    counts = {str(number): [{"$match": each}, count] for number, each in enumerate(finding)}
    with store_errors():
        cursor = await collection.aggregate(
            [{"$sample": {"size": SAMPLE}}, {"$facet": {**counts, "all": [count]}}],
            maxTimeMS=int(seconds * 1000),
        )
        async with cursor:
            (told,) = [document async for document in cursor]
        ehrs = 1 if wanted.ehr_ids is None else await database.ehrs.estimated_document_count()
    sampled = {name: found[0]["n"] if found else 0 for name, found in told.items()}
    drawn = sampled.pop("all")
    asked = 1 if wanted.ehr_ids is None else len(wanted.ehr_ids - wanted.excluded_ehr_ids)
    return round(stored * sum(sampled.values()) / max(1, drawn) * asked / max(1, ehrs))


def _searches(wanted: CandidateFilter, hot: Indexes) -> Iterator[Search]:
    hidden = wanted.excluded_ehr_ids
    if not wanted.branches:
        yield Search(ehr_query("_id", wanted.ehr_ids, hidden))
    elif wanted.group_by_ehr or wanted.every_ehr:
        ehrs = ehr_query("e", wanted.ehr_ids, hidden)
        yield Search(versions_query(ehrs, wanted.branches, wanted.as_of))
    else:
        yield from searches(wanted, hidden, hot)


async def _explained(collection: Collection, search: Search, seconds: float) -> Reading:
    command: Document = {"find": collection.name, "filter": search.query, "maxTimeMS": int(seconds * 1000)}
    if search.pipeline:
        command = {"aggregate": collection.name, "pipeline": list(search.pipeline), "cursor": {}}
    if search.sort is not None:
        command["sort"] = {search.sort[0]: -1 if search.sort[1] else 1}
    if search.hint is not None:
        command["hint"] = search.hint
    with store_errors():
        told = await collection.database.command("explain", command, verbosity="executionStats")
    # An aggregation tells of its stages; the first is the search.
    found = told["stages"][0]["$cursor"] if "stages" in told else told
    statistics = found["executionStats"]
    return Reading(
        collection=collection.name,
        indexes=tuple(dict.fromkeys(_indexes(found["queryPlanner"]["winningPlan"]))),
        stored=0,
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
