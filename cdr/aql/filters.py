"""From a query to the candidates that the store is asked for: never too narrow, as narrow as is easy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdr.aql import ast
from cdr.aql.rm_types import class_types
from cdr.aql.row_filters import conjuncts, leaf_conditions
from cdr.aql.scope import FromClass, Scope, uses
from cdr.aql.trees import reach
from cdr.aql.values import Zone
from cdr.candidates import CandidateFilter, InstantRange, LeafCondition, QueryAccess, VersionFilter
from cdr.temporal import instant

_ALTERNATIVES = 16
# What an EHR has one of, and records bring beside versions.
FACTS = frozenset({"EHR_STATUS", "FOLDER"})
# The store may take a time without zone in another zone than the query does.
_SLACK = timedelta(days=1)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

# (path below the variable, operator, values): a condition that every row meets
Condition = tuple[tuple[str, ...], str, tuple[Any, ...]]


def candidate_filter(scope: Scope, access: QueryAccess, zone: Zone) -> CandidateFilter:
    """The candidates of a query under an access predicate."""
    ehr_ids = queried_ehr_ids(scope, access)
    top = scope.query.from_expr
    branches = tuple(_branches(top, scope, zone, required=True))
    if access.sights.partial:  # what is hidden in a composition is not in it
        branches = tuple(replace(branch, absent=frozenset()) for branch in branches)
    facts = _reached_facts(scope)
    streaming = _streams(top) and not (facts and branches)
    return CandidateFilter(
        ehr_ids=ehr_ids,
        excluded_ehr_ids=access.excluded,
        queryable_only=is_population(scope, access),
        branches=branches,
        group_by_ehr=bool(branches) and not streaming,
        every_ehr=bool(facts) or _matches_without_versions(top),
        needs_payload=_needs_payload(scope) or access.sights.partial,
        needs_directory="FOLDER" in facts,
        needs_ehr_status="EHR_STATUS" in facts or _uses_attribute(scope, "EHR", "ehr_status"),
        needs_ehr=_needs_ehr(scope),
        needs_audit=any(entry.rm_type == "VERSION" for entry in scope.classes),
        as_of=as_of_time(scope, zone),
        row_limit=_row_limit(scope),
        sights=access.sights,
    )


def queried_ehr_ids(scope: Scope, access: QueryAccess) -> frozenset[str] | None:
    """The EHRs that query and access admit; None: all (but ``access.excluded``)."""
    admitted = access.ehr_ids
    for entry in scope.classes:
        if entry.rm_type != "EHR" or entry.negated or isinstance(scope.query.from_expr, ast.ContainsOr):
            continue
        for path, operator, values in _conditions(entry, scope):
            if path == ("ehr_id", "value") and operator == "=":
                ids = frozenset(value for value in values if isinstance(value, str))
                admitted = ids if admitted is None else admitted & ids
    return admitted


def as_of_time(scope: Scope, zone: Zone) -> datetime | None:
    """The time of AS OF; a date means its first moment, and the future is as good as now."""
    interval = None if scope.as_of is None else instant(scope.as_of, zone.offset)
    if interval is None:
        return None
    moment = _moment(interval[0], timedelta())
    return _END_OF_TIME if moment is None else min(moment, _END_OF_TIME)


def is_population(scope: Scope, access: QueryAccess) -> bool:
    """A query not narrowed down to one EHR: EHRs with is_queryable = false are no part of it."""
    ehr_ids = queried_ehr_ids(scope, access)
    return ehr_ids is None or len(ehr_ids) > 1


# -- branches --------------------------------------------------------------------------------------


def _branches(expr: ast.ContainsExpr, scope: Scope, zone: Zone, *, required: bool) -> Iterator[VersionFilter]:
    """One filter for each class expression that stands for (a part of) a version."""
    match expr:
        case ast.ContainsAnd():
            for operand in expr.operands:
                yield from _branches(operand, scope, zone, required=required)
        case ast.ContainsOr():
            for operand in expr.operands:
                yield from _branches(operand, scope, zone, required=False)
        case ast.Containment():
            entry = scope.class_of(expr.operand)
            if not _is_ehr(expr) and not entry.types <= FACTS:
                yield _version_filter(expr, scope, zone, required=required)
            elif expr.contains is not None and entry.types != {"EHR_STATUS"}:
                inner = required and not expr.negated
                yield from _branches(expr.contains, scope, zone, required=inner)


def _version_filter(expr: ast.Containment, scope: Scope, zone: Zone, *, required: bool) -> VersionFilter:
    made = VersionFilter(
        archetypes=tuple(dict.fromkeys(_archetypes(expr, scope)))[:_ALTERNATIVES],
        absent=_absent(expr, scope),
        leaves=tuple(dict.fromkeys(_leaves(expr, scope)))[:_ALTERNATIVES],
        all_versions=_all_versions(expr),
        required=required and not _facts_of(scope.class_of(expr.operand)),
    )
    for entry in _whole_objects(expr, scope):
        for condition in _conditions(entry, scope):
            made = _narrowed(made, entry, condition, zone)
        if entry.rm_type == "COMPOSITION":
            own = _predicate_archetypes(entry.expr.predicate)
            made = replace(made, composition_archetypes=own[0] if own else None)
    return made


def _leaves(expr: ast.ContainsExpr, scope: Scope) -> Iterator[LeafCondition]:
    """What rows must hold for a version to be of use, whichever class of it asks."""
    if not isinstance(expr, ast.Containment):
        for operand in expr.operands:
            yield from _leaves(operand, scope)
        return
    yield from leaf_conditions(scope.class_of(expr.operand), scope)
    if expr.contains is not None and not expr.negated:
        yield from _leaves(expr.contains, scope)


def _absent(expr: ast.Containment, scope: Scope) -> frozenset[str]:
    """Archetypes that NOT CONTAINS directly below the composition leaves out."""
    entry = scope.class_of(expr.operand)
    if entry.rm_type == "VERSION" and isinstance(expr.contains, ast.Containment) and not expr.negated:
        return _absent(expr.contains, scope)
    if entry.rm_type != "COMPOSITION" or not expr.negated or expr.contains is None:
        return frozenset()
    inner = expr.contains
    operands = inner.operands if isinstance(inner, ast.ContainsOr) else (inner,)
    return frozenset(found for operand in operands for found in _bare_archetype(operand))


def _bare_archetype(expr: ast.ContainsExpr) -> Iterator[str]:
    """The archetype of a class expression that asks for nothing but it."""
    if isinstance(expr, ast.Containment) and expr.contains is None:
        predicate = expr.operand.predicate
        if isinstance(predicate, ast.ArchetypePredicate) and predicate.name is None:
            yield predicate.archetype_id


def _whole_objects(expr: ast.Containment, scope: Scope) -> Iterator[FromClass]:
    """The VERSION and the COMPOSITION of a branch, where they are sure to be matched."""
    entry = scope.class_of(expr.operand)
    if entry.rm_type in ("VERSION", "COMPOSITION"):
        yield entry
    inner = expr.contains
    if entry.rm_type == "VERSION" and isinstance(inner, ast.Containment) and not expr.negated:
        yield from _whole_objects(inner, scope)


def _narrowed(made: VersionFilter, entry: FromClass, condition: Condition, zone: Zone) -> VersionFilter:
    path, operator, values = condition
    texts = frozenset(value for value in values if isinstance(value, str))
    if path == ("uid", "value") and operator == "=":
        return replace(made, version_uids=_both(made.version_uids, texts))
    if entry.rm_type == "COMPOSITION":
        if path == ("archetype_details", "template_id", "value") and operator == "=":
            return replace(made, template_ids=_both(made.template_ids, texts))
        if path in (("context", "start_time", "value"), ("context", "start_time")):
            return replace(made, start_time=_bounded(made.start_time, operator, values, zone))
    if entry.rm_type == "VERSION" and path[:2] == ("commit_audit", "time_committed"):
        return replace(made, committed=_bounded(made.committed, operator, values, zone))
    return made


def _both(known: frozenset[str] | None, more: frozenset[str]) -> frozenset[str]:
    return more if known is None else known & more


def _bounded(
    known: InstantRange | None, operator: str, values: tuple[Any, ...], zone: Zone
) -> InstantRange | None:
    """The range of ``known`` cut by a comparison, a day wider than it says."""
    intervals = [instant(value, zone.offset) if isinstance(value, str) else None for value in values]
    certain = [interval for interval in intervals if interval is not None]
    # A partial value equals what lies within it, and the other way round: ``=`` bounds nothing.
    if operator in ("=", "!=") or len(certain) != len(intervals) or not certain:
        return known
    low = _moment(min(interval[0] for interval in certain), -_SLACK)
    high = _moment(max(interval[1] for interval in certain), _SLACK)
    made = known or InstantRange()
    if operator in (">", ">=") and low is not None:
        made = replace(made, low=low if made.low is None else max(low, made.low))
    if operator in ("<", "<=") and high is not None:
        made = replace(made, high=high if made.high is None else min(high, made.high))
    return made


def _moment(microseconds: int, slack: timedelta) -> datetime | None:
    try:
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=-1, microseconds=microseconds) + slack
    except OverflowError:
        return None


def _all_versions(expr: ast.Containment) -> bool:
    return isinstance(expr.operand, ast.VersionClassExpr) and expr.operand.predicate == "ALL_VERSIONS"


def _archetypes(expr: ast.ContainsExpr, scope: Scope) -> list[frozenset[str]]:
    """Archetypes that a version must hold to match, as a conjunction of alternatives."""
    match expr:
        case ast.ContainsAnd():
            return [group for operand in expr.operands for group in _archetypes(operand, scope)]
        case ast.ContainsOr():
            return _alternatives([_archetypes(operand, scope) for operand in expr.operands])
        case ast.Containment():
            predicate = expr.operand.predicate
            own = [] if isinstance(predicate, str) else _predicate_archetypes(predicate)
            if expr.contains is None or expr.negated:
                return own
            return own + _archetypes(expr.contains, scope)


def _predicate_archetypes(predicate: ast.PathPredicate | str | None) -> list[frozenset[str]]:
    match predicate:
        case ast.ArchetypePredicate():
            return [frozenset({predicate.archetype_id})]
        case ast.PredicateAnd():
            return [group for operand in predicate.operands for group in _predicate_archetypes(operand)]
        case ast.PredicateOr():
            return _alternatives([_predicate_archetypes(operand) for operand in predicate.operands])
        case _:
            return []


def _alternatives(options: Sequence[list[frozenset[str]]]) -> list[frozenset[str]]:
    """Of each option one group: one of these archetypes is there, whichever option holds."""
    if not all(options):
        return []
    return [frozenset().union(*(groups[0] for groups in options))]


# -- conditions ------------------------------------------------------------------------------------


def _conditions(entry: FromClass, scope: Scope) -> Iterator[Condition]:
    """What surely holds for the object of a class: its own predicate, and the conjuncts of WHERE."""
    predicate = entry.expr.predicate
    if predicate is not None and not isinstance(predicate, str):
        yield from _predicate_conditions(predicate)
    if entry.variable is not None:
        for conjunct in conjuncts(scope.query.where):
            yield from _where_condition(conjunct, entry.variable)


def _predicate_conditions(predicate: ast.PathPredicate) -> Iterator[Condition]:
    if isinstance(predicate, ast.PredicateAnd):
        for operand in predicate.operands:
            yield from _predicate_conditions(operand)
    if isinstance(predicate, ast.StandardPredicate) and isinstance(predicate.operand, ast.Primitive):
        path = _plain_path(predicate.path)
        if path is not None:
            yield path, predicate.operator, (predicate.operand.value,)


def _where_condition(expr: ast.WhereExpr, variable: str) -> Iterator[Condition]:
    path: ast.IdentifiedPath
    match expr:
        case ast.ComparisonExpr(left=ast.IdentifiedPath() as path, right=ast.Primitive() as literal):
            operator: str = expr.operator
            values: tuple[Any, ...] = (literal.value,)
        case ast.MatchesExpr(path=path, operand=ast.ValueList() as operand):
            literals = [item for item in operand.items if isinstance(item, ast.Primitive)]
            operator, values = "=", tuple(item.value for item in literals)
        case _:
            return
    plain = _plain_path(path.path)
    if path.variable.lower() == variable and path.predicate is None and plain is not None:
        yield plain, operator, values


def _plain_path(path: ast.ObjectPath | None) -> tuple[str, ...] | None:
    if path is None or any(part.predicate is not None for part in path.parts):
        return None
    return tuple(part.name for part in path.parts)


# -- shape -----------------------------------------------------------------------------------------


def _is_ehr(expr: ast.Containment) -> bool:
    return isinstance(expr.operand, ast.ClassExpr) and expr.operand.rm_type.upper() == "EHR"


def _streams(expr: ast.ContainsExpr) -> bool:
    """Is each row made from one version alone?"""
    match expr:
        case ast.ContainsAnd():
            return False
        case ast.ContainsOr():
            return all(_streams(operand) for operand in expr.operands)
        case ast.Containment():
            if not _is_ehr(expr):
                return True
            return expr.contains is not None and not expr.negated and _streams(expr.contains)


def _matches_without_versions(expr: ast.ContainsExpr) -> bool:
    match expr:
        case ast.ContainsAnd():
            return all(_matches_without_versions(operand) for operand in expr.operands)
        case ast.ContainsOr():
            return any(_matches_without_versions(operand) for operand in expr.operands)
        case ast.Containment():
            if not _is_ehr(expr):
                return False
            return expr.contains is None or expr.negated or _matches_without_versions(expr.contains)


def _facts_of(entry: FromClass) -> frozenset[str]:
    """Which of EHR_STATUS and FOLDER the class can be, or be a part of."""
    parts = reach(entry.types)
    return frozenset(name for name in FACTS if name in entry.types or name in parts)


def _reached_facts(scope: Scope) -> frozenset[str]:
    """Which of them a class directly below EHR (or none) looks into."""
    return frozenset().union(*(_facts_of(entry) for entry in _outermost(scope.query.from_expr, scope)))


def _outermost(expr: ast.ContainsExpr, scope: Scope) -> Iterator[FromClass]:
    if not isinstance(expr, ast.Containment):
        for operand in expr.operands:
            yield from _outermost(operand, scope)
    elif _is_ehr(expr):
        if expr.contains is not None:
            yield from _outermost(expr.contains, scope)
    elif not isinstance(expr.operand, ast.VersionClassExpr):
        yield scope.class_of(expr.operand)


def _needs_payload(scope: Scope) -> bool:
    """Not, if nothing is asked of a composition but that it is there."""
    return any(_looks_into(entry, scope) for entry in scope.classes if entry.rm_type != "EHR")


def _looks_into(entry: FromClass, scope: Scope) -> bool:
    found = [(path, counted) for path, counted in uses(scope) if path.variable.lower() == entry.variable]
    if entry.rm_type == "VERSION":
        predicate = entry.expr.predicate
        paths = [path.path for path, _ in found]
        paths += [predicate.path] if isinstance(predicate, ast.StandardPredicate) else []
        return any(path is None or path.parts[0].name == "data" for path in paths)
    plain = entry.types == class_types("COMPOSITION") and entry.expr.predicate is None
    return not plain or not all(counted and _is_bare(path) for path, counted in found)


def _needs_ehr(scope: Scope) -> bool:
    """Is anything asked of the EHR but its id?"""
    ehrs = [entry for entry in scope.classes if entry.rm_type == "EHR"]
    variables = {entry.variable for entry in ehrs}
    of_ehrs = [(path, counted) for path, counted in uses(scope) if path.variable.lower() in variables]
    plain = all(
        (counted and _is_bare(path)) or _plain_path(path.path) == ("ehr_id", "value")
        for path, counted in of_ehrs
    )
    predicates = [entry.expr.predicate for entry in ehrs if entry.expr.predicate is not None]
    return not plain or not all(_is_about_id(predicate) for predicate in predicates)


def _is_about_id(predicate: ast.PathPredicate | str) -> bool:
    if not isinstance(predicate, ast.StandardPredicate):
        return False
    return _plain_path(predicate.path) == ("ehr_id", "value")


def _is_bare(path: ast.IdentifiedPath) -> bool:
    return path.path is None and path.predicate is None


def _uses_attribute(scope: Scope, rm_type: str, attribute: str) -> bool:
    variables = {entry.variable for entry in scope.classes if entry.rm_type == rm_type}
    for path, _ in uses(scope):
        if path.variable.lower() in variables and (path.path is None or path.path.parts[0].name == attribute):
            return True
    predicates = [entry.expr.predicate for entry in scope.classes if entry.rm_type == rm_type]
    return any(_begins_with(predicate, attribute) for predicate in predicates)


def _begins_with(predicate: ast.PathPredicate | str | None, attribute: str) -> bool:
    match predicate:
        case ast.PredicateAnd() | ast.PredicateOr():
            return any(_begins_with(operand, attribute) for operand in predicate.operands)
        case ast.StandardPredicate():
            paths = [predicate.path, predicate.operand]
            return any(isinstance(p, ast.ObjectPath) and p.parts[0].name == attribute for p in paths)
        case _:
            return False


def _row_limit(scope: Scope) -> int | None:
    skip, count = scope.window
    if count is None or scope.aggregated or scope.order_by or scope.query.select.distinct:
        return None
    return skip + count
