"""A candidate description as a MongoDB query: it may be too wide, never too narrow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cdr.candidates import ZONE_SLACK, InstantRange, LeafCondition, VersionFilter
from cdr.store.database import FAR, Document
from cdr.stored_rows import FORMAT
from cdr.versions import Kind

MAX_HIDDEN = 2000  # more EHRs than that are left out by the reader, not by the query
_OPERATORS = {"=": "$in", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)


def ehr_query(key: str, ehr_ids: frozenset[str] | None, hidden: frozenset[str]) -> Document:
    """Which EHRs are read."""
    if ehr_ids is not None:
        visible = sorted(ehr_ids - hidden)
        return {key: visible[0] if len(visible) == 1 else {"$in": visible}}
    if hidden and len(hidden) <= MAX_HIDDEN:
        return {key: {"$nin": sorted(hidden)}}
    return {}


def versions_query(
    ehrs: Document, branches: Sequence[VersionFilter], as_of: datetime | None = None
) -> Document:
    """Versions of these EHRs that one of the branches admits."""
    alternatives = [{**ehrs, **each} for branch in branches for each in branch_alternatives(branch, as_of)]
    return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}


def branch_alternatives(branch: VersionFilter, as_of: datetime | None = None) -> list[Document]:
    """Versions that a branch admits: by the values of their rows, or because they have none.

    Each alternative is complete in itself, so that the database can take an index for each.
    """
    whole = branch_query(branch, as_of)
    leaves = leaf_query(branch.leaves)
    if not leaves:
        return [whole]
    return [narrowed(whole, leaves), {**whole, "full": {"$lt": FORMAT}}]


def leaf_query(leaves: Sequence[LeafCondition]) -> Document:
    """Versions in whose rows such values stand; no condition where there are no leaves."""
    conditions = [{f"rows.v.{leaf.key}": {_OPERATORS[leaf.operator]: _operand(leaf)}} for leaf in leaves]
    if not conditions:
        return {}
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def _operand(leaf: LeafCondition) -> object:
    return list(leaf.values) if leaf.operator == "=" else leaf.values[0]


def narrowed(query: Document, *conditions: Document) -> Document:
    """What meets the conditions too."""
    more = [each for each in conditions if each]
    return {**query, "$and": [*query.get("$and", ()), *more]} if more else query


def branch_query(branch: VersionFilter, as_of: datetime | None = None) -> Document:
    """Versions that a branch admits, at a time of the past if ``as_of`` is given."""
    query: Document = {"k": Kind.COMPOSITION.value}
    if as_of is not None:
        query["$and"] = [{"tc": {"$lte": as_of}}]
    if not branch.all_versions:
        query["until"] = FAR if as_of is None else {"$gt": as_of}
    present = [*branch.archetypes]
    if branch.composition_archetypes is not None:
        present.append(branch.composition_archetypes)
    if present:
        # Documents carry shorter versions of each id too, so that equality finds ``.v2.0.4`` by ``.v2``.
        query.setdefault("$and", []).extend({"r": {"$in": sorted(ids)}} for ids in present)
    if branch.absent:
        query.setdefault("$and", []).append({"r": {"$nin": sorted(branch.absent)}})
    if branch.template_ids is not None:
        query["tid"] = {"$in": sorted(branch.template_ids)}
    if branch.version_uids is not None:
        query.setdefault("$and", []).append(_uids_query(branch.version_uids))
    if branch.start_time is not None:
        query["t"] = _between(branch.start_time, slack=ZONE_SLACK)
    if branch.committed is not None:
        query["tc"] = _between(branch.committed, slack=timedelta(milliseconds=1))
    return query


def _uids_query(uids: frozenset[str]) -> Document:
    versions, objects = [], []
    for uid in uids:
        parts = uid.split("::")
        if len(parts) == 1:
            objects.append(uid)
        else:
            versions.append(f"{parts[0]}::{parts[-1]}")
    return {"$or": [{"_id": {"$in": sorted(versions)}}, {"o": {"$in": sorted(objects)}}]}


def _between(bounds: InstantRange, *, slack: timedelta) -> Document:
    query: Document = {}
    if bounds.low is not None:
        query["$gte"] = max(bounds.low, EARLIEST) - slack
    if bounds.high is not None:
        query["$lte"] = min(bounds.high, FAR - slack) + slack
    return query
