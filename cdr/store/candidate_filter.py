"""A candidate description as a MongoDB query: it may be too wide, never too narrow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cdr.candidates import InstantRange, VersionFilter
from cdr.store.database import FAR, Document
from cdr.versions import Kind

MAX_HIDDEN = 2000  # more EHRs than that are left out by the reader, not by the query
# A start_time without zone is ordered as UTC here and as some zone by the query: any zone must fit in.
ZONE_SLACK = timedelta(hours=14)
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)


def ehr_query(key: str, ehr_ids: frozenset[str] | None, hidden: frozenset[str]) -> Document:
    """Which EHRs are read."""
    if ehr_ids is not None:
        visible = sorted(ehr_ids - hidden)
        return {key: visible[0] if len(visible) == 1 else {"$in": visible}}
    if hidden and len(hidden) <= MAX_HIDDEN:
        return {key: {"$nin": sorted(hidden)}}
    return {}


def branches_query(branches: Sequence[VersionFilter], as_of: datetime | None = None) -> Document:
    """Versions that one of the branches admits."""
    if len(branches) == 1:
        return branch_query(branches[0], as_of)
    return {"$or": [branch_query(branch, as_of) for branch in branches]}


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
