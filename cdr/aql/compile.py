"""A query as a plan: which candidates it needs, and closures that decide on them exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any, TypeAlias

from cdr.aql import ast
from cdr.aql.collectors import (
    Aggregate,
    Collector,
    Count,
    Extreme,
    Grouped,
    Limits,
    Sorted,
    Stream,
    Sum,
)
from cdr.aql.containment import Matcher, OpenRecord, compile_contains, wanted_types
from cdr.aql.errors import AqlSemanticError
from cdr.aql.explain import explain
from cdr.aql.expressions import ExistsPath, Slots, Value, compile_value, compile_where
from cdr.aql.filters import FACTS, candidate_filter, queried_ehr_ids
from cdr.aql.functions import Now
from cdr.aql.paths import Rows, Step, Test, TrieNode, all_of, compile_trie, compile_values, parts_of
from cdr.aql.rm_types import Types
from cdr.aql.row_filters import record_order, tally_of
from cdr.aql.row_paths import both_ways, keys_read, values_both_ways
from cdr.aql.rows_decide import predicate_selector, why_payload
from cdr.aql.scope import ByColumn, ByValue, Column, Scope, paths_of_terminal, paths_of_where
from cdr.aql.values import Zone
from cdr.candidates import CandidateFilter, QueryAccess, Record, RowNeeds
from cdr.stored_rows import root_code

Cells: TypeAlias = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the result, asked for beside the text (REST ``offset`` and ``fetch``)."""

    offset: int = 0
    fetch: int | None = None


@dataclass(frozen=True, slots=True)
class VariablePaths:
    """The paths of one variable: its object's slot, the slots of its values, and how they are found.

    ``test`` holds the conditions that look at no other variable.
    """

    slot: int
    first: int
    last: int
    rows: Rows
    test: Test | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A compiled query; a value that can be run many times, at the same time too.

    ``candidates`` says what to deliver; ``start`` opens an execution. ``payload_for`` is what needs the
    compositions themselves, None where rows can decide.
    """

    scope: Scope
    access: QueryAccess
    candidates: CandidateFilter
    payload_for: str | None
    now: datetime
    page: Page | None
    columns: tuple[Column, ...]
    _match: Matcher
    _variables: tuple[VariablePaths, ...]
    _where: Test | None
    _width: int
    _wanted: Types
    _collector: Callable[[Limits], Collector]

    def start(self, limits: Limits | None = None) -> Execution:
        """A new execution, which takes records and gives rows."""
        own = limits or Limits()
        return Execution(self, own, self._collector(own))

    def run(self, records: Iterable[Record], limits: Limits | None = None) -> Iterator[Cells]:
        """The rows of all records."""
        execution = self.start(limits)
        for record in records:
            yield from execution.feed(record)
            if execution.done:
                break
        yield from execution.finish()

    @property
    def named(self) -> frozenset[str]:
        """The EHRs that the text itself names, of those that the caller may query."""
        named = queried_ehr_ids(self.scope, QueryAccess()) or frozenset()
        return named & (self.access.ehr_ids or frozenset())

    def explain(self) -> str:
        """What the plan does, for people."""
        return explain(self.scope, self.candidates, self.payload_for)


@dataclass(slots=True)
class Execution:
    """A running query: ``feed`` records until ``done``, then ``finish``."""

    plan: Plan
    limits: Limits
    collector: Collector
    done: bool = field(default=False, init=False)
    _row: list[Any] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._row = [None] * (self.plan._width + 1)
        self.done = self.plan.candidates.empty

    def feed(self, record: Record) -> list[Cells]:
        """Take a record; rows that are final now."""
        if record.tally is not None:
            self._count(record.tally)
        elif record.best is not None and self.collector.is_beaten(record.best):
            self.done = True
        elif not self.done and self._admits(record):
            self._row[-1] = record.ehr["ehr_id"]
            opened = OpenRecord(record, self.plan._wanted, self.limits.tick)
            self.done = self.plan._match(opened, self._row, opened.spans, self._bound) or self.done
        return self.collector.ready()

    def take_owners(self) -> frozenset[str]:
        """The EHRs of the rows that were given out since this was last asked."""
        owners = frozenset(self.collector.owners)
        self.collector.owners.clear()
        return owners

    def finish(self) -> list[Cells]:
        """The rest of the rows."""
        self.done = True
        return self.collector.finish()

    def _count(self, tally: Sequence[tuple[Any, int]]) -> None:
        """Each value as often as it stands there; all paths of such a query are one leaf."""
        classes = len(self.plan.scope.classes)
        where = [variable.test for variable in self.plan._variables] + [self.plan._where]
        for value, times in tally:
            row = [True] * classes + [value] * (self.plan._width - classes) + [""]
            if all(test is None or test(row) is True for test in where):
                self.collector.add(row, times)

    def _admits(self, record: Record) -> bool:
        """Decided here again, whatever the store has filtered."""
        candidates = self.plan.candidates
        ehr_id = record.ehr["ehr_id"]
        if not self.plan.access.allows(ehr_id):
            return False
        if not candidates.queryable_only:
            return True
        if candidates.as_of is not None:
            return record.ehr.get("is_queryable") is not False
        return (record.ehr.get("ehr_status") or {}).get("is_queryable") is not False

    def _bound(self) -> bool:
        """FROM is bound: each combination of the values of its variables is a row."""
        row, variables = self._row, self.plan._variables
        if len(variables) == 1:
            only = variables[0]
            return any(self._take(only, values) for values in self._values(only))
        pools = [list(self._values(each)) for each in variables]
        for combination in product(*pools):
            for variable, values in zip(variables, combination, strict=True):
                row[variable.first : variable.last] = values
            if self._keep():
                return True
        return False

    def _values(self, variable: VariablePaths) -> Iterator[Sequence[Any]]:
        """The values of a variable's paths, those only that its own conditions let through."""
        row = self._row
        instance = row[variable.slot]
        found = variable.rows(instance) if instance is not None else ()
        for values in found or ((None,) * (variable.last - variable.first),):
            row[variable.first : variable.last] = values
            if variable.test is None or variable.test(row) is True:
                yield values

    def _take(self, variable: VariablePaths, values: Sequence[Any]) -> bool:
        self._row[variable.first : variable.last] = values
        return self._keep()

    def _keep(self) -> bool:
        self.limits.tick()
        where = self.plan._where
        return (where is None or where(self._row) is True) and self.collector.add(self._row)


def compile_query(
    scope: Scope,
    access: QueryAccess,
    *,
    now: datetime | None = None,
    page: Page | None = None,
    by_rows: bool = True,
) -> Plan:
    """Compile a query that ``check`` has nothing against.

    ``by_rows`` false: compositions decide, though rows could (tests compare the two).

    ``now`` is the moment of the query and, by its zone, the zone of times without one (default: UTC).
    ``page`` cuts the result after LIMIT; raises AqlSemanticError ``aql.top.page`` if the query has TOP.
    """
    moment = Now(now or datetime.now(UTC))
    zone = Zone(moment.offset_minutes)
    layout = _Layout(scope, moment, zone)
    candidates = candidate_filter(scope, access, zone)
    payload_for = why_payload(scope)
    window = _window(scope, page)
    if by_rows:
        candidates = _with_rows(candidates, scope, access, layout, payload_for, window)
    return Plan(
        scope=scope,
        access=access,
        candidates=candidates,
        payload_for=payload_for,
        now=moment.moment,
        page=page,
        columns=scope.columns,
        _match=compile_contains(scope.query.from_expr, scope, zone, layout.used),
        _variables=layout.variables(),
        _where=layout.rest_of_where(),
        _width=layout.width,
        _wanted=wanted_types(scope),
        _collector=_collector(scope, layout.slots, window, known=access.ehr_ids is not None),
    )


def _with_rows(
    candidates: CandidateFilter,
    scope: Scope,
    access: QueryAccess,
    layout: _Layout,
    payload_for: str | None,
    window: tuple[int, int | None],
) -> CandidateFilter:
    """What rows spare the store."""
    needs = RowNeeds(layout.row_keys()) if payload_for is None and candidates.needs_payload else None
    single = len(candidates.branches) == 1 and not candidates.all_versions and candidates.as_of is None
    streams = single and not (candidates.group_by_ehr or candidates.every_ehr)
    order = record_order(scope, skipped=window[0], count=window[1]) if streams else None
    tally = tally_of(scope, access) if streams and payload_for is None else None
    return replace(candidates, rows=needs, order=order, tally=tally)


class _Layout:
    """Which slot of a row holds what."""

    def __init__(self, scope: Scope, now: Now, zone: Zone) -> None:
        self._scope = scope
        self._zone = zone
        self._tries = {entry.index: TrieNode(entry.types) for entry in scope.classes}
        self._exists: list[ast.IdentifiedPath] = []
        nodes = {path: self._add(path) for path in self._paths()}
        for path in self._exists:
            for node in self._trie(path).along(parts_of(path))[1:]:
                node.bound = True
        self.width = len(scope.classes)
        self._ranges: dict[int, tuple[int, int]] = {}
        for index, trie in self._tries.items():
            trie.slot = index
            end = trie.number(self.width)
            self._ranges[index] = (self.width, end)
            self.width = end
        paths = {path: node.slot for path, node in nodes.items()}
        exists = {path: self._exists_path(path) for path in self._exists}
        self.slots = Slots(paths=paths, exists=exists, now=now, zone=zone)
        self.used = frozenset(
            scope.variables[path.variable.lower()].index for path in (*nodes, *self._exists)
        )
        self._conjuncts = _conjuncts(scope.query.where)

    def variables(self) -> tuple[VariablePaths, ...]:
        """The variables with paths, each with the conditions of its own."""
        found = []
        for index, (first, last) in self._ranges.items():
            tests = [
                compile_where(each, self.slots) for each in self._conjuncts if self._owners(each) == {index}
            ]
            if first == last and not tests:
                continue
            trie = self._tries[index]
            rows = both_ways(compile_trie(trie, self._zone), trie) if first < last else _no_rows
            found.append(VariablePaths(index, first, last, rows, all_of(tests) if tests else None))
        return tuple(found)

    def row_keys(self) -> frozenset[str] | None:
        """The codes of the values that a query over rows reads; None where the data decide which."""
        keys: set[str] = set()
        for entry in self._scope.classes:
            trie = TrieNode(entry.types)
            for path in (*self.slots.paths, *self._exists):
                if self._scope.variables[path.variable.lower()] is entry and path.path is not None:
                    trie.add(parts_of(path)).leaf = True
            if entry.rm_type in ("EHR", "VERSION") or entry.types <= FACTS or not trie.children:
                continue
            predicate = entry.expr.predicate
            root = None if predicate is None or isinstance(predicate, str) else predicate_selector(predicate)
            if root is None:
                return None
            keys |= keys_read(trie, root_code(root[0]))
        return frozenset(keys)

    def rest_of_where(self) -> Test | None:
        """The conditions that look at no variable or at several."""
        tests = [compile_where(each, self.slots) for each in self._conjuncts if len(self._owners(each)) != 1]
        return all_of(tests) if tests else None

    def _owners(self, expr: ast.WhereExpr) -> set[int]:
        return {self._scope.variables[path.variable.lower()].index for path, _ in paths_of_where(expr)}

    def _paths(self) -> Iterator[ast.IdentifiedPath]:
        for column in self._scope.columns:
            yield from paths_of_terminal(column.expr)
        for path, exists in paths_of_where(self._scope.query.where):
            if exists:
                self._exists.append(path)
            else:
                yield path
        for key in self._scope.order_by:
            if isinstance(key, ByValue):
                yield from paths_of_terminal(key.value)
        for value in self._scope.group_by or ():
            yield from paths_of_terminal(value)

    def _trie(self, path: ast.IdentifiedPath) -> TrieNode:
        return self._tries[self._scope.variables[path.variable.lower()].index]

    def _add(self, path: ast.IdentifiedPath) -> TrieNode:
        node = self._trie(path).add(parts_of(path))
        node.leaf = True
        return node

    def _exists_path(self, path: ast.IdentifiedPath) -> ExistsPath:
        parts = parts_of(path)
        along = self._trie(path).along(parts)
        anchors: list[tuple[int, Step | None]] = []
        for depth in range(len(along) - 1, -1, -1):
            rest = parts[depth:]
            step = None
            if rest:
                rest_path = ast.ObjectPath(parts=rest)
                over_data = compile_values(rest_path, along[depth].types, self._zone)
                step = values_both_ways(over_data, rest_path, along[depth])
            anchors.append((along[depth].slot, step))
        return ExistsPath(tuple(anchors))


def _no_rows(_: Any) -> Sequence[tuple[Any, ...]]:
    return ()


def _conjuncts(expr: ast.WhereExpr | None) -> list[ast.WhereExpr]:
    if isinstance(expr, ast.AndExpr):
        return [each for operand in expr.operands for each in _conjuncts(operand)]
    return [] if expr is None else [expr]


def _window(scope: Scope, page: Page | None) -> tuple[int, int | None]:
    """Rows to skip and to return, of LIMIT and page together."""
    skip, count = scope.window
    if page is None:
        return skip, count
    top = scope.query.select.top
    if top is not None:
        message = "TOP cannot be combined with fetch and offset"
        raise AqlSemanticError("aql.top.page", message, top.position)
    left = None if count is None else max(0, count - page.offset)
    counts = [each for each in (left, page.fetch) if each is not None]
    return skip + page.offset, min(counts) if counts else None


# -- collectors ------------------------------------------------------------------------------------


def _collector(
    scope: Scope, slots: Slots, window: tuple[int, int | None], *, known: bool
) -> Callable[[Limits], Collector]:
    """``known``: it is known which EHRs the caller may query, and aggregates tell of these women."""
    if scope.aggregated:
        return _grouped(scope, slots, window, known=known)
    columns = [compile_value(column.expr, slots) for column in scope.columns]
    keys = [(_sort_value(key, columns, slots), key.descending) for key in scope.order_by]
    return _plain(scope, columns, keys, slots.zone, window)


def _sort_value(key: ByColumn | ByValue, columns: Sequence[Value], slots: Slots) -> Value:
    return columns[key.index] if isinstance(key, ByColumn) else compile_value(key.value, slots)


def _plain(
    scope: Scope,
    columns: Sequence[Value],
    keys: Sequence[tuple[Value, bool]],
    zone: Zone,
    window: tuple[int, int | None],
) -> Callable[[Limits], Collector]:
    distinct = scope.query.select.distinct
    skip, count = window
    top = scope.query.select.top
    # Without an order any rows are the last ones.
    last = top.count if keys and top is not None and top.direction == "BACKWARD" else None
    if last is not None:
        count = None

    def make(limits: Limits) -> Collector:
        if not keys:
            return Stream(columns, distinct=distinct, skip=skip, count=count, limits=limits)
        return Sorted(
            columns, keys, distinct=distinct, skip=skip, count=count, last=last, limits=limits, zone=zone
        )

    return make


def _grouped(
    scope: Scope, slots: Slots, window: tuple[int, int | None], *, known: bool
) -> Callable[[Limits], Collector]:
    """Groups first; their rows then go through ORDER BY, DISTINCT and LIMIT like any others."""
    plain: list[tuple[int, Value]] = []
    constants: list[tuple[int, Value]] = []
    aggregates: list[tuple[int, ast.AggregateFunctionCall, Value]] = []
    for index, column in enumerate(scope.columns):
        expr = column.expr
        if isinstance(expr, ast.AggregateFunctionCall):
            aggregates.append((index, expr, _aggregated_value(expr, slots)))
        elif any(True for _ in paths_of_terminal(expr)):
            plain.append((index, compile_value(expr, slots)))
        else:
            constants.append((index, compile_value(expr, slots)))
    grouping = [value for _, value in plain]
    if scope.group_by is not None:
        grouping = [compile_value(value, slots) for value in scope.group_by]
    cells = [_cell(index) for index in range(len(scope.columns))]
    keys = [(_sort_value(key, cells, slots), key.descending) for key in scope.order_by]
    rest = _plain(scope, cells, keys, slots.zone, window)

    def make(limits: Limits) -> Collector:
        makers = [(index, _aggregate(call, slots.zone, limits), value) for index, call, value in aggregates]
        return Grouped(
            grouping,
            plain,
            makers,
            constants,
            limits=limits,
            rest=rest(limits),
            names_owners=known or bool(grouping),
        )

    return make


def _aggregated_value(call: ast.AggregateFunctionCall, slots: Slots) -> Value:
    if call.argument is None:
        return lambda row: True
    return compile_value(call.argument, slots)


def _aggregate(call: ast.AggregateFunctionCall, zone: Zone, limits: Limits) -> Callable[[], Aggregate]:
    match call.name:
        case "COUNT":
            return lambda: Count(limits, distinct=call.distinct)
        case "MIN" | "MAX":
            return lambda: Extreme(zone, largest=call.name == "MAX")
        case _:
            return lambda: Sum(mean=call.name == "AVG")


def _cell(index: int) -> Value:
    return lambda row: row[index]
