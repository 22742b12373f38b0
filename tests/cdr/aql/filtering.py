"""A store in miniature: applies a CandidateFilter to records in memory, as strictly as its text allows."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdr.candidates import (
    CandidateFilter,
    InstantRange,
    LeafCondition,
    Record,
    RecordOrder,
    RowNeeds,
    Tally,
    VersionFilter,
    VersionRecord,
    archetype_matches,
)
from cdr.stored_rows import Row, make_rows
from cdr.submission import start_time
from cdr.temporal import instant


def deliver(candidates: CandidateFilter, records: Sequence[Record]) -> Iterator[Record]:
    """What a store would deliver, in the smallest portions that the filter allows."""
    found = list(_delivered(candidates, records))
    if candidates.tally is not None:
        counted, found = _counted(candidates, found)
        yield Record(ehr={}, tally=counted)
    if candidates.order is not None:
        found = _in_order(candidates.order, found)
    yield from found


def _counted(
    candidates: CandidateFilter, records: Sequence[Record]
) -> tuple[list[tuple[Any, int]], list[Record]]:
    """The values of the versions with rows, and the records of the others."""
    tally = candidates.tally
    assert tally is not None
    values: Counter[Any] = Counter()
    others = []
    for record in records:
        (version,) = record.versions
        if tally == Tally() and candidates.rows is None:
            values[None] += 1
        elif version.rows is None:
            others.append(record)
        elif tally.key is not None:
            values.update(_values(version.rows, tally.key))
        elif tally.archetype_id is None:
            values[None] += 1
        else:
            roots = [row["a"] for row in version.rows if "a" in row]
            values[None] += sum(archetype_matches(tally.archetype_id, root) for root in roots)
    return list(values.items()), others


def _in_order(order: RecordOrder, records: Sequence[Record]) -> list[Record]:
    """The best first; where nothing is known, before or after all that is in order."""
    known, unknown = [], []
    for record in records:
        best = _best(order, record.versions[0])
        (unknown if best is None else known).append(replace(record, best=best))
    known.sort(key=lambda record: record.best, reverse=order.descending)  # type: ignore[arg-type,return-value]
    without_rows = [record for record in unknown if record.versions[0].rows is None]
    return without_rows + known + [record for record in unknown if record.versions[0].rows is not None]


def _best(order: RecordOrder, version: VersionRecord) -> float | datetime | None:
    if order.key is None:
        return _start(version) or datetime.fromisoformat(version.time_committed)
    numbers = _values(version.rows or (), order.key)
    known = numbers and all(isinstance(number, int | float) for number in numbers)
    return max(numbers) if known else None


def _values(rows: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    return [row["v"][key] for row in rows if key in row["v"]]


def _start(version: VersionRecord) -> datetime | None:
    canonical = _whole.get(version.uid) or version.composition or {}
    text = canonical.get("context", {}).get("start_time", {}).get("value")
    return None if text is None else start_time({"context": {"start_time": {"value": text}}})


_whole: dict[str, Any] = {}  # compositions of the versions that were delivered with rows only


def _delivered(candidates: CandidateFilter, records: Sequence[Record]) -> Iterator[Record]:
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
        own = own if candidates.needs_directory else {**own, "directory": None}
        own = own if candidates.needs_ehr else {**own, "system_id": "", "time_created": ""}
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
            _whole[version.uid] = version.composition
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
        and not (branch.absent and _any(branch.absent, present))
        and _fulfils(branch.leaves, canonical)
        and _any(branch.composition_archetypes, {canonical["archetype_node_id"]})
        and _in(branch.template_ids, canonical["archetype_details"]["template_id"]["value"])
        and _in(branch.version_uids, version.uid)
        and _within(branch.start_time, canonical.get("context", {}).get("start_time", {}).get("value"))
    )


_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _fulfils(leaves: Sequence[LeafCondition], canonical: Mapping[str, Any]) -> bool:
    rows = make_rows(canonical)
    return rows is None or all(any(_holds(leaf, x) for x in _values(rows, leaf.key)) for leaf in leaves)


def _holds(leaf: LeafCondition, value: Any) -> bool:
    for wanted in leaf.values:
        alike = isinstance(value, bool) == isinstance(wanted, bool)
        if isinstance(value, str) != isinstance(wanted, str) or not alike:
            continue
        if value == wanted if leaf.operator == "=" else _OPERATORS[leaf.operator](value, wanted):
            return True
    return False


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
