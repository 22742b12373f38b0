"""A store in miniature: applies a CandidateFilter to records in memory, as strictly as its text allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdr.candidates import (
    CandidateFilter,
    InstantRange,
    Record,
    RowNeeds,
    VersionFilter,
    VersionRecord,
    archetype_matches,
)
from cdr.stored_rows import Row, make_rows
from cdr.temporal import instant


def deliver(candidates: CandidateFilter, records: Sequence[Record]) -> Iterator[Record]:
    """What a store would deliver, in the smallest portions that the filter allows."""
    for record in records:
        if not _admits_ehr(candidates, record):
            continue
        if candidates.as_of is not None:
            if datetime.fromisoformat(record.ehr["time_created"]) > candidates.as_of:
                continue
            record = replace(record, versions=list(_of_then(record.versions, candidates.as_of)))
        versions = [each for each in record.versions if any(_admits(b, each) for b in candidates.branches)]
        required = [branch for branch in candidates.branches if branch.required]
        if not all(any(_admits(branch, each) for each in versions) for branch in required):
            continue
        versions = [_stripped(candidates, each) for each in versions]
        own = record.ehr if candidates.needs_ehr_status else {**record.ehr, "ehr_status": None}
        if candidates.group_by_ehr or candidates.every_ehr:
            if versions or candidates.every_ehr:
                yield Record(ehr=own, versions=versions)
        else:
            yield from (Record(ehr=own, versions=[each]) for each in versions)


def _of_then(versions: Sequence[VersionRecord], then: datetime) -> Iterator[VersionRecord]:
    """The versions of each object, oldest first, as they were."""
    by_object: dict[str, list[VersionRecord]] = {}
    for version in versions:
        if datetime.fromisoformat(version.time_committed) <= then:
            by_object.setdefault(version.uid.partition("::")[0], []).append(version)
    for history in by_object.values():
        history.sort(key=lambda version: int(version.uid.rpartition("::")[2]))
        yield from (replace(each, is_latest=False) for each in history[:-1])
        yield replace(history[-1], is_latest=history[-1].composition is not None)


def _admits_ehr(candidates: CandidateFilter, record: Record) -> bool:
    ehr_id = record.ehr["ehr_id"]
    if candidates.queryable_only and not record.ehr["ehr_status"]["is_queryable"]:
        return False
    known = candidates.ehr_ids is None or ehr_id in candidates.ehr_ids
    return known and ehr_id not in candidates.excluded_ehr_ids


def _stripped(candidates: CandidateFilter, version: VersionRecord) -> VersionRecord:
    if version.composition is None:
        return version
    if candidates.rows is not None:
        rows = make_rows(version.composition)
        if rows is not None:
            return replace(version, composition={}, rows=[_projected(row, candidates.rows) for row in rows])
    if candidates.needs_payload:
        return version
    return replace(version, composition={})


def _projected(row: Row, needs: RowNeeds) -> Row:
    """A row as it comes back from the database, without the values that nobody looks at."""
    kept = {key: value for key, value in row["v"].items() if needs.keys is None or key in needs.keys}
    return {**row, "v": kept}


def _admits(branch: VersionFilter, version: VersionRecord) -> bool:
    if not branch.all_versions and not version.is_latest:
        return False
    if not _within(branch.committed, version.time_committed):
        return False
    canonical = version.composition
    if canonical is None:
        wants_content = branch.archetypes or branch.composition_archetypes or branch.template_ids
        return not (wants_content or branch.start_time or branch.version_uids)
    present = _archetypes(canonical)
    return (
        all(_any(group, present) for group in branch.archetypes)
        and _any(branch.composition_archetypes, {canonical["archetype_node_id"]})
        and _in(branch.template_ids, canonical["archetype_details"]["template_id"]["value"])
        and _in(branch.version_uids, version.uid)
        and _within(branch.start_time, canonical.get("context", {}).get("start_time", {}).get("value"))
    )


def _any(wanted: frozenset[str] | None, present: set[str]) -> bool:
    return wanted is None or any(archetype_matches(w, p) for w in wanted for p in present)


def _in(wanted: frozenset[str] | None, value: str) -> bool:
    return wanted is None or value in wanted


def _within(bounds: InstantRange | None, text: str | None) -> bool:
    if bounds is None:
        return True
    interval = None if text is None else instant(text, 0)
    if interval is None:
        return False
    stored = datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=-1, microseconds=interval[0])
    return (bounds.low or stored) <= stored <= (bounds.high or stored)


def _archetypes(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for each in value for found in _archetypes(each)}
    if not isinstance(value, dict):
        return set()
    own = {value["archetype_node_id"]} if "archetype_node_id" in value else set()
    return own | {found for each in value.values() for found in _archetypes(each)}
