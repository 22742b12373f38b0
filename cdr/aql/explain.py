"""A plan in words, for people who ask why a query is slow."""

from __future__ import annotations

from collections.abc import Iterator

from cdr.aql.printer import print_query
from cdr.aql.scope import ByColumn, Scope
from cdr.candidates import CandidateFilter, InstantRange, VersionFilter


def explain(scope: Scope, candidates: CandidateFilter, payload_for: str | None = None) -> str:
    """Several lines: the query, the candidates asked of the store, what is decided and kept.

    ``payload_for`` is what rows do not hold of the query.
    """
    return "\n".join(_lines(scope, candidates, payload_for)) + "\n"


def _lines(scope: Scope, candidates: CandidateFilter, payload_for: str | None) -> Iterator[str]:
    yield f"query: {print_query(scope.query)}"
    yield f"ehr: {_set(candidates.ehr_ids)}"
    if candidates.excluded_ehr_ids:
        yield f"ehr excluded: {len(candidates.excluded_ehr_ids)}"
    if candidates.queryable_only:
        yield "ehr: is_queryable only"
    if candidates.as_of is not None:
        yield f"as of: {candidates.as_of.isoformat()}"
    if not candidates.branches:
        yield "versions: none"
    for branch in candidates.branches:
        yield "versions: " + ("; ".join(_conditions(branch)) or "all latest")
    yield "records: " + ("one per EHR" if candidates.group_by_ehr else "in any portion")
    if candidates.every_ehr:
        yield "records: for EHRs without such versions too"
    yield f"decide: {_decided_on(candidates, payload_for)}"
    if candidates.order is not None:
        by = "start time" if candidates.order.key is None else f"value {candidates.order.key}"
        down = "downwards" if candidates.order.descending else "upwards"
        yield f"read: by {by}, {down}, until {candidates.order.enough} rows are sure"
    yield f"columns: {', '.join(column.name for column in scope.columns)}"
    yield "keep: " + "; ".join(_keep(scope))


def _decided_on(candidates: CandidateFilter, payload_for: str | None) -> str:
    if candidates.tally is not None:
        return "by counting in the database"
    if candidates.rows is not None:
        return "on rows"
    if not candidates.needs_payload:
        return "without reading compositions"
    return "on compositions" if payload_for is None else f"on compositions, for {payload_for}"


def _conditions(branch: VersionFilter) -> Iterator[str]:
    if not branch.required:
        yield "optional"
    if branch.all_versions:
        yield "all versions"
    if branch.composition_archetypes is not None:
        yield f"composition {_set(branch.composition_archetypes)}"
    if branch.archetypes:
        yield "contains " + " and ".join(_set(group) for group in branch.archetypes)
    if branch.absent:
        yield f"contains no {_set(branch.absent)}"
    for leaf in branch.leaves:
        yield f"value {leaf.key} {leaf.operator} {' or '.join(map(repr, leaf.values[:5]))}"
    if branch.template_ids is not None:
        yield f"template {_set(branch.template_ids)}"
    if branch.version_uids is not None:
        yield f"uid {_set(branch.version_uids)}"
    if branch.start_time is not None:
        yield f"start_time {_range(branch.start_time)}"
    if branch.committed is not None:
        yield f"committed {_range(branch.committed)}"


def _keep(scope: Scope) -> Iterator[str]:
    if scope.aggregated:
        yield "aggregates by group"
    if scope.query.select.distinct:
        yield "distinct rows"
    skip, count = scope.window
    if scope.order_by:
        keys = [str(key.index) if isinstance(key, ByColumn) else "path" for key in scope.order_by]
        best = "" if count is None else f", the best {skip + count} held"
        yield f"ordered by {', '.join(keys)}{best}"
    elif count is not None and not scope.aggregated:
        yield f"stop after {skip + count} rows"
    else:
        yield "all rows"


def _set(values: frozenset[str] | None) -> str:
    if values is None:
        return "all"
    shown = sorted(values)
    rest = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return " or ".join(shown[:5]) + rest if shown else "none"


def _range(bounds: InstantRange) -> str:
    low = "" if bounds.low is None else bounds.low.isoformat()
    high = "" if bounds.high is None else bounds.high.isoformat()
    return f"{low}..{high}"
