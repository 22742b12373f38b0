"""The meaning of a query, slow and obvious: the oracle of the tests, used nowhere else.

It tries everything: all objects of an EHR for each class of FROM, all ways to choose a match or nothing for
each path. Of the choices for a variable's paths those count that agree on common prefixes and to which
nothing can be added. It shares with the compiler only what ``Scope`` says, the question what is a population
query, and the reading of ISO 8601 texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import cmp_to_key
from itertools import product
from typing import Any, TypeAlias

from archetypes.rm.iso8601 import duration_seconds, is_date_time, is_time
from cdr.aql import ast
from cdr.aql.filters import is_population
from cdr.aql.reference_objects import Place, Typed, in_folder, is_below, members_of, objects_of
from cdr.aql.reference_values import (
    TEMPORAL,
    TEMPORAL_FAMILY,
    Word,
    all_true,
    any_true,
    calculated,
    call_function,
    fingerprint,
    has_name,
    is_like,
    kind_of,
    known_false,
    moments,
    plain,
    text_of,
    total,
    unwrapped,
)
from cdr.aql.scope import ByColumn, Column, Scope, paths_of_terminal, paths_of_where
from cdr.candidates import QueryAccess, Record, VersionRecord

Cells: TypeAlias = list[Any]


Binding: TypeAlias = dict[int, Typed]
# the places of the instances along a path, and the value at its end
Match: TypeAlias = tuple[tuple[Place, ...], Typed]
Choice: TypeAlias = dict[ast.IdentifiedPath, Match | None]


def evaluate(
    scope: Scope,
    records: Iterable[Record],
    access: QueryAccess | None = None,
    now: datetime | None = None,
) -> list[Cells]:
    """All rows of a query over whole EHRs (one record each)."""
    return _Reference(scope, access or QueryAccess(), now or datetime.now(UTC)).rows(records)


class _Reference:
    def __init__(self, scope: Scope, access: QueryAccess, now: datetime) -> None:
        self.scope = scope
        self.access = access
        self.now = now
        self.population = is_population(scope, access)
        self.exists = {path for path, quantified in paths_of_where(scope.query.where) if quantified}
        self.paths = list(dict.fromkeys(self._valued_paths()))

    def _valued_paths(self) -> Iterator[ast.IdentifiedPath]:
        for column in self.scope.columns:
            yield from paths_of_terminal(column.expr)
        yield from (path for path, quantified in paths_of_where(self.scope.query.where) if not quantified)
        for key in self.scope.order_by:
            if not isinstance(key, ByColumn):
                yield from paths_of_terminal(key.value)
        for value in self.scope.group_by or ():
            yield from paths_of_terminal(value)

    def rows(self, records: Iterable[Record]) -> list[Cells]:
        rows = []
        for record in self._records(records):
            if not self._visible(record):
                continue
            objects = list(objects_of(record))
            for binding in self.matches(self.scope.query.from_expr, objects, ()):
                rows += [row for row in self.choices(binding) if self.condition(row) is True]
        return self._result(rows)

    def _visible(self, record: Record) -> bool:
        if not self.access.allows(record.ehr["ehr_id"]):
            return False
        hidden = (record.ehr.get("ehr_status") or {}).get("is_queryable") is False
        hidden = record.ehr.get("is_queryable", not hidden) is False
        return not (hidden and self.population)

    def _records(self, records: Iterable[Record]) -> Iterator[Record]:
        """The EHRs, with AS OF those that were there, as they were."""
        if self.scope.as_of is None:
            yield from records
            return
        then = moments(self.scope.as_of, self.now)[0]
        for record in records:
            if moments(record.ehr["time_created"], self.now)[0] <= then:
                yield replace(record, versions=_versions_of_then(record, then))

    # -- FROM ------------------------------------------------------------------------------------

    def matches(self, expr: ast.ContainsExpr, objects: Sequence[Typed], within: Place) -> list[Binding]:
        if isinstance(expr, ast.ContainsOr):
            return [found for each in expr.operands for found in self.matches(each, objects, within)]
        if isinstance(expr, ast.ContainsAnd):
            operands = [self.matches(each, objects, within) for each in expr.operands]
            return [_merged(combination) for combination in product(*operands)]
        found = []
        entry = self.scope.class_of(expr.operand)
        for candidate in objects:
            if not self._is_instance(candidate, entry.expr, entry.types, within):
                continue
            own = {entry.index: candidate}
            if expr.contains is None:
                found.append(own)
                continue
            seen = objects
            if candidate.rm_type == "FOLDER":
                seen = [*objects, *in_folder(candidate, objects)]
            inner = self.matches(expr.contains, seen, candidate.place)
            if expr.negated:
                found += [] if inner else [own]
            else:
                found += [own | each for each in inner]
        return found

    def _is_instance(
        self,
        candidate: Typed,
        expr: ast.ClassExpr | ast.VersionClassExpr,
        types: frozenset[str],
        within: Place,
    ) -> bool:
        if candidate.rm_type not in types or not is_below(candidate.place, within):
            return False
        # Superseded versions are seen through VERSION v[ALL_VERSIONS] only.
        superseded = candidate.place[:1] == ("old",)
        if superseded and within[:1] != ("old",) and expr.predicate != "ALL_VERSIONS":
            return False
        if expr.predicate is None or isinstance(expr.predicate, str):
            return True
        return self.predicate(candidate, expr.predicate) is True

    # -- paths -----------------------------------------------------------------------------------

    def choices(self, binding: Binding) -> Iterator[Choice]:
        """Every maximal choice of matches that agree with each other."""
        options: dict[ast.IdentifiedPath, list[Match]] = {}
        for path in [*self.paths, *self.exists]:
            start = binding.get(self.scope.variables[path.variable.lower()].index)
            options[path] = [] if start is None else list(self.path(start, _parts(path), ()))
        by_variable: dict[str, list[ast.IdentifiedPath]] = {}
        for path in self.paths:
            by_variable.setdefault(path.variable.lower(), []).append(path)
        alternatives = [_maximal(paths, options) for paths in by_variable.values()]
        for combination in product(*alternatives):
            choice: Choice = {path: match for each in combination for path, match in each.items()}
            for path in self.exists:
                choice.setdefault(_marker(path), self._existing(path, options[path], choice))
            yield choice

    def _existing(self, path: ast.IdentifiedPath, found: Sequence[Match], choice: Choice) -> Match | None:
        """A match of EXISTS below the deepest instance that the row is bound to."""
        deepest: tuple[Place, ...] = ()
        for other, match in choice.items():
            if match is not None and other.variable.lower() == path.variable.lower():
                shared = match[0][: _common(_parts(path), _parts(other))]
                deepest = max(deepest, shared, key=len)
        return next((match for match in found if match[0][: len(deepest)] == deepest), None)

    def path(self, start: Typed, parts: Sequence[ast.PathPart], places: tuple[Place, ...]) -> Iterator[Match]:
        if not parts:
            yield places, start
            return
        for member in self.step(start, parts[0]):
            yield from self.path(member, parts[1:], (*places, member.place))

    def step(self, owner: Typed, part: ast.PathPart) -> list[Typed]:
        members = [owner] if part.name == "" else [each for each in members_of(owner) if each[0] == part.name]
        found = [each if isinstance(each, Typed) else each[1] for each in members]
        if part.predicate is None:
            return found
        return [each for each in found if self.predicate(each, part.predicate) is True]

    def predicate(self, node: Typed, predicate: ast.PathPredicate) -> bool | None:
        if not isinstance(node.value, dict):
            return False
        name = node.value.get("name") or {}
        match predicate:
            case ast.PredicateAnd():
                return all_true(self.predicate(node, each) for each in predicate.operands)
            case ast.PredicateOr():
                return any_true(self.predicate(node, each) for each in predicate.operands)
            case ast.ArchetypePredicate():
                pattern = re.escape(predicate.archetype_id) + r"(\..*)?"
                found = re.fullmatch(pattern, node.value.get("archetype_node_id", ""))
                return found is not None and has_name(name, predicate.name)
            case ast.NodePredicate():
                same = node.value.get("archetype_node_id") == predicate.node_id
                return same and has_name(name, predicate.name)
            case ast.StandardPredicate():
                left = [match[1] for match in self.path(node, predicate.path.parts, ())]
                right = self._operands(node, predicate.operand)
                pairs = [self.compare(predicate.operator, a, b) for a, b in product(left, right)]
                return True if True in pairs else known_false(pairs)
            case ast.RegexPredicate():
                if predicate.path is None:
                    texts = [node.value.get("archetype_node_id")]
                else:
                    texts = [text_of(match[1]) for match in self.path(node, predicate.path.parts, ())]
                return any(text is not None and re.fullmatch(predicate.regex, text) for text in texts)
            case _:
                raise NotImplementedError

    def _operands(
        self, node: Typed, operand: ast.ObjectPath | ast.Primitive | ast.NodeCode | ast.Parameter
    ) -> list[Typed]:
        if isinstance(operand, ast.ObjectPath):
            return [match[1] for match in self.path(node, operand.parts, ())]
        if isinstance(operand, ast.NodeCode):
            return [Typed((), operand.code, "STRING")]
        return [Typed((), operand.value, "STRING")] if isinstance(operand, ast.Primitive) else []

    # -- WHERE -----------------------------------------------------------------------------------

    def condition(self, choice: Choice) -> bool | None:
        where = self.scope.query.where
        return True if where is None else self.where(where, choice)

    def where(self, expr: ast.WhereExpr, choice: Choice) -> bool | None:
        match expr:
            case ast.AndExpr():
                return all_true(self.where(each, choice) for each in expr.operands)
            case ast.OrExpr():
                return any_true(self.where(each, choice) for each in expr.operands)
            case ast.NotExpr():
                found = self.where(expr.operand, choice)
                return None if found is None else not found
            case ast.ExistsExpr():
                return choice[_marker(expr.path)] is not None
            case ast.ComparisonExpr():
                left, right = self.value(expr.left, choice), self.value(expr.right, choice)
                return self.compare(expr.operator, left, right)
            case ast.LikeExpr():
                text = text_of(self.value(expr.path, choice))
                assert isinstance(expr.pattern, ast.Primitive)
                return None if text is None else is_like(text, str(expr.pattern.value))
            case ast.MatchesExpr(operand=ast.RegexOperand() as operand):
                text = text_of(self.value(expr.path, choice))
                return None if text is None else re.fullmatch(operand.regex, text) is not None
            case ast.MatchesExpr():
                value = self.value(expr.path, choice)
                assert isinstance(expr.operand, ast.ValueList)
                if value.value is None:
                    return None
                items = [self.value(item, choice) for item in expr.operand.items]
                return any_true(self.compare("=", value, item) for item in items)

    def value(self, expr: ast.ColumnExpr | ast.Terminal, choice: Choice) -> Typed:
        match expr:
            case ast.IdentifiedPath():
                match_ = choice[expr]
                return Typed((), None, "") if match_ is None else match_[1]
            case ast.Primitive():
                return Typed((), expr.value, "STRING")
            case ast.FunctionCall():
                arguments = [plain(self.value(each, choice)) for each in expr.arguments]
                return Typed((), call_function(expr.name, arguments, self.now), "STRING")
            case ast.Arithmetic():
                found = self.value(expr.first, choice)
                for step in expr.steps:
                    found = calculated(found, step.operator, self.value(step.operand, choice))
                return found
            case _:
                raise NotImplementedError

    def compare(self, operator: str, left: Typed, right: Typed) -> bool | None:
        a, b = left, right
        if a.value is None or b.value is None:
            return None
        if isinstance(a.value, dict) and isinstance(b.value, dict):
            if a.value.get("units") != b.value.get("units"):
                return None
            if unwrapped(a) is None and unwrapped(b) is None:
                same = a.value == b.value
                return {"=": same, "!=": not same}.get(operator)
        keys = self._keys(unwrapped(a), unwrapped(b))
        if keys is None:
            return None
        (a_low, a_high), (b_low, b_high) = keys
        if operator in ("=", "!="):
            longer, shorter = (
                ((a_low, a_high), b_low) if a_high - a_low >= b_high - b_low else ((b_low, b_high), a_low)
            )
            same = longer[0] <= shorter <= longer[1]
            return same is (operator == "=")
        if isinstance(a.value, bool) or isinstance(plain(a), bool):
            return None
        found = {"<": a_low < b_low, "<=": a_low <= b_low, ">": a_low > b_low, ">=": a_low >= b_low}
        return bool(found[operator])

    def _keys(self, a: Typed | None, b: Typed | None) -> tuple[Any, Any] | None:
        """Both as intervals of something with an order."""
        if a is None or b is None:
            return None
        temporal = {a.rm_type, b.rm_type} & TEMPORAL
        families = {TEMPORAL_FAMILY[name] for name in temporal}
        if isinstance(a.value, str) and isinstance(b.value, str) and temporal:
            if len(families) > 1:
                return None
            low, high = (self._interval(each.value, next(iter(families))) for each in (a, b))
            return None if low is None or high is None else (low, high)
        if kind_of(a.value) != kind_of(b.value):
            return None
        wrap = Word if isinstance(a.value, str) else Fraction
        return (wrap(a.value),) * 2, (wrap(b.value),) * 2

    def _interval(self, text: str, family: str) -> tuple[Any, Any] | None:
        if family == "DURATION":
            seconds = duration_seconds(text)
            return None if seconds is None else (seconds, seconds)
        if not (is_time(text) if family == "TIME" else is_date_time(text)):
            return None
        return moments(text if family != "TIME" else "2000-01-01T" + text, self.now)

    # -- result ----------------------------------------------------------------------------------

    def _result(self, choices: Sequence[Choice]) -> list[Cells]:
        columns = self.scope.columns
        rows: list[tuple[list[Typed], Choice]]
        if self.scope.aggregated:
            rows = [(cells, {}) for cells in self._groups(choices)]
        else:
            rows = [([self.value(column.expr, choice) for column in columns], choice) for choice in choices]
        if self.scope.query.select.distinct:
            first: dict[str, tuple[list[Typed], Choice]] = {}
            for cells, choice in rows:
                first.setdefault(fingerprint(cells), (cells, choice))
            rows = list(first.values())
        if self.scope.order_by:
            rows.sort(key=cmp_to_key(self._row_order))
        top = self.scope.query.select.top
        if top is not None and top.direction == "BACKWARD":
            rows = rows[-top.count :]
        skip, count = self.scope.window
        end = None if count is None else skip + count
        return [[cell.value for cell in cells] for cells, _ in rows[skip:end]]

    def _row_order(self, left: tuple[list[Typed], Choice], right: tuple[list[Typed], Choice]) -> int:
        for key in self.scope.order_by:
            a, b = (
                row[0][key.index] if isinstance(key, ByColumn) else self.value(key.value, row[1])
                for row in (left, right)
            )
            rank = self.order(a, b, descending=key.descending)
            if rank:
                return rank
        return 0

    def order(self, a: Typed, b: Typed, *, descending: bool) -> int:
        """Families one behind the other; without value last, whichever the direction."""
        keys = [self._order_key(each) for each in (a, b)]
        if keys[0] is None or keys[1] is None:
            return (keys[0] is None) - (keys[1] is None)
        found = int(keys[0] > keys[1]) - int(keys[0] < keys[1])
        return -found if descending else found

    def _order_key(self, typed: Typed) -> Any:
        plain = unwrapped(typed)
        if plain is None:
            return None
        if plain.rm_type in TEMPORAL and isinstance(plain.value, str):
            interval = self._interval(plain.value, TEMPORAL_FAMILY[plain.rm_type])
            rank = {"DATE_TIME": 2, "TIME": 3, "DURATION": 4}[TEMPORAL_FAMILY[plain.rm_type]]
            return None if interval is None else (rank, interval[0])
        return ({"number": 0, "string": 1, "boolean": 5}[kind_of(plain.value)], plain.value)

    def _groups(self, choices: Sequence[Choice]) -> list[list[Typed]]:
        columns = self.scope.columns
        plain = [
            column.expr
            for column in columns
            if not isinstance(column.expr, ast.AggregateFunctionCall)
            and any(True for _ in paths_of_terminal(column.expr))
        ]
        grouping = plain if self.scope.group_by is None else self.scope.group_by
        groups: dict[str, list[Choice]] = {} if grouping else {"[]": []}
        for choice in choices:
            key = fingerprint([self.value(expr, choice) for expr in grouping])
            groups.setdefault(key, []).append(choice)
        return [[self._group_cell(column, group) for column in columns] for group in groups.values()]

    def _group_cell(self, column: Column, group: Sequence[Choice]) -> Typed:
        call = column.expr
        if not isinstance(call, ast.AggregateFunctionCall):
            return self.value(call, group[0] if group else {})
        if call.argument is None:
            return Typed((), len(group), "INTEGER")
        values = [self.value(call.argument, choice) for choice in group]
        values = [value for value in values if value.value is not None]
        if call.name == "COUNT":
            known = {fingerprint([value]) for value in values} if call.distinct else values
            return Typed((), len(known), "INTEGER")
        if call.name in ("MIN", "MAX"):
            values = [value for value in values if self._order_key(value) is not None]

            def by_order(a: Typed, b: Typed) -> int:
                return self.order(a, b, descending=call.name == "MAX")

            ordered = sorted(values, key=cmp_to_key(by_order))
            return ordered[0] if ordered else Typed((), None, "")
        numbers = [value.value for value in values if kind_of(value.value) == "number"]
        return Typed((), total(call.name, numbers), "REAL")


# -- choices -----------------------------------------------------------------------------------------


def _parts(path: ast.IdentifiedPath) -> tuple[ast.PathPart, ...]:
    own = () if path.predicate is None else (ast.PathPart(name="", predicate=path.predicate),)
    return own + (() if path.path is None else path.path.parts)


def _versions_of_then(record: Record, then: datetime) -> list[VersionRecord]:
    known = [each for each in record.versions if datetime.fromisoformat(each.time_committed) <= then]
    newest: dict[str, int] = {}
    for version in known:
        object_id, _, number = version.uid.split("::")
        newest[object_id] = max(newest.get(object_id, 0), int(number))
    found = []
    for version in known:
        object_id, _, number = version.uid.split("::")
        latest = int(number) == newest[object_id] and version.composition is not None
        found.append(replace(version, is_latest=latest))
    return found


def _marker(path: ast.IdentifiedPath) -> ast.IdentifiedPath:
    """The key of EXISTS path, apart from the same path as a value."""
    return ast.IdentifiedPath(variable="exists " + path.variable, predicate=path.predicate, path=path.path)


def _maximal(
    paths: Sequence[ast.IdentifiedPath], options: Mapping[ast.IdentifiedPath, Sequence[Match]]
) -> list[Choice]:
    found = []
    for combination in product(*([*options[path], None] for path in paths)):
        choice: Choice = dict(zip(paths, combination, strict=True))
        if _coherent(choice) and not _extendable(choice, options):
            found.append(choice)
    return found


def _coherent(choice: Choice) -> bool:
    bound = [(path, match) for path, match in choice.items() if match is not None]
    return all(_agree(a, b) for a in bound for b in bound)


def _extendable(choice: Choice, options: Mapping[ast.IdentifiedPath, Sequence[Match]]) -> bool:
    missing = [path for path, match in choice.items() if match is None]
    return any(_coherent(choice | {path: match}) for path in missing for match in options[path])


def _agree(a: tuple[ast.IdentifiedPath, Match], b: tuple[ast.IdentifiedPath, Match]) -> bool:
    shared = _common(_parts(a[0]), _parts(b[0]))
    return a[1][0][:shared] == b[1][0][:shared]


def _common(a: Sequence[ast.PathPart], b: Sequence[ast.PathPart]) -> int:
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return count


def _merged(bindings: Sequence[Binding]) -> Binding:
    return {index: found for binding in bindings for index, found in binding.items()}
