"""A query as an analyst may ask it: private values stay out of conditions, ids become pseudonyms, small
counts are hidden. Pure.

What may not be shown is refused by name; nothing is left out silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from archetypes.findings import Finding, SourceSpan
from cdr.analysis.aql_privacy import KEY, PathPrivacy, Shown
from cdr.analysis.columns import Privacy
from cdr.analysis.small_cells import Cell, hidden_cells
from cdr.analysis.view import View
from cdr.aql import ast
from cdr.aql.printer import print_column
from cdr.aql.scope import Scope, paths_of_terminal, paths_of_where, resolve
from cdr.errors import NotAllowed
from templates.operational import OperationalTemplate

PERSONS = "helsekort_ehr"  # the variable of EHR where the query has none
_CODE = re.compile(r"[\w.:\-/^#+]{1,64}", re.ASCII)
_KEPT: Mapping[str, tuple[str, ...]] = {
    "DV_QUANTITY": ("_type", "magnitude", "units", "precision"),
    "DV_COUNT": ("_type", "magnitude"),
    "DV_PROPORTION": ("_type", "numerator", "denominator", "type", "precision"),
    "DV_ORDINAL": ("_type", "value"),
    "CODE_PHRASE": ("_type", "terminology_id", "code_string"),
}
_VALUE = ("_type", "value")
Treatment = Literal["as it is", "pseudonym", "code", "value"]


class Withheld(NotAllowed):
    """A query asks for what its analyst may not see; each place is in ``findings``."""

    code = "query.withheld"

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__("query.run", f"{first.found} is {first.expected}", type(self).code)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class AnalystQuery:
    """The query to run in place of the one that was asked, and what becomes of its rows.

    ``counted``: it counts; then its last column is the number of persons, and all rows are needed at once.
    """

    scope: Scope
    view: View
    treatments: tuple[Treatment, ...]
    counted: bool
    asked: Scope

    def seen(self, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
        """Rows with pseudonyms in place of ids."""
        return [
            [_treated(cell, how, self.view) for cell, how in zip(row, self.treatments, strict=False)]
            for row in rows
        ]

    def finished(
        self, rows: Sequence[Sequence[Any]], skip: int, count: int | None
    ) -> tuple[list[list[Any]], int]:
        """The rows of a counting query from ``skip`` on, ``count`` at most, and how many cells are hidden."""
        kinds = [_kind(column.expr) for column in self.asked.columns]
        hidden = hidden_cells(rows, kinds) if self.view.hides_small_cells else frozenset[Cell]()
        shown = [
            [None if (at, column) in hidden else cell for column, cell in enumerate(row[:-1])]
            for at, row in enumerate(rows)
        ]
        if self.asked.query.select.distinct:
            shown = [list(row) for row in dict.fromkeys(map(tuple, shown))]
        top = self.asked.query.select.top
        if top is not None and top.direction == "BACKWARD":
            shown = shown[-top.count :]
        else:
            first, most = self.asked.window
            shown = shown[first:] if most is None else shown[first : first + most]
        end = None if count is None else skip + count
        return self.seen(shown[skip:end]), len(hidden)


def for_analyst(scope: Scope, templates: Iterable[OperationalTemplate], view: View) -> AnalystQuery:
    """The query as this analyst may ask it. Raises Withheld."""
    privacy = PathPrivacy(scope, templates)
    findings = list(_Judge(scope, privacy, view).findings())
    if findings:
        raise Withheld(findings)
    treatments = tuple(_treatment(column.expr, privacy, scope) for column in scope.columns)
    if not scope.aggregated:
        return AnalystQuery(scope, view, treatments, False, scope)
    return AnalystQuery(resolve(_with_persons(scope)), view, treatments, True, scope)


# --- what may be asked ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judge:
    scope: Scope
    privacy: PathPrivacy
    view: View

    def findings(self) -> Iterator[Finding]:
        """Each place where the query asks for too much."""
        query = self.scope.query
        for column in self.scope.columns:
            yield from self._column(column.expr)
        for path, exists in paths_of_where(query.where):
            yield from self._restricted(path) if exists else self._open(path)
        values = [*query.group_by, *(each.value for each in query.order_by)]
        aliases = {column.name.lower() for column in self.scope.columns}
        for value in values:
            for path in paths_of_terminal(value):
                if path.path is not None or path.variable.lower() not in aliases:
                    yield from self._open(path)
        yield from self._ordered_by_keys()
        for predicate in _predicates(self.scope):
            yield from self._predicate(predicate)

    def _column(self, value: ast.ColumnExpr) -> Iterator[Finding]:
        if isinstance(value, ast.IdentifiedPath):
            yield from self._visible(value, keys=True)
        elif isinstance(value, ast.AggregateFunctionCall):
            if value.argument is not None:
                counts = value.name == "COUNT"
                yield from self._restricted(value.argument) if counts else self._open(value.argument)
        else:
            for path in paths_of_terminal(value):
                yield from self._open(path)

    def _open(self, path: ast.IdentifiedPath) -> Iterator[Finding]:
        yield from self._visible(path, keys=False)

    def _visible(self, path: ast.IdentifiedPath, *, keys: bool) -> Iterator[Finding]:
        shown = self.privacy.of(path)
        if shown & KEY and not keys:
            yield _finding(path, "an id, which may stand in SELECT only")
        yield from self._hidden(path, shown)

    def _restricted(self, path: ast.IdentifiedPath) -> Iterator[Finding]:
        yield from self._hidden(path, self.privacy.restricted(path))

    def _hidden(self, path: ast.IdentifiedPath, shown: frozenset[Shown]) -> Iterator[Finding]:
        kinds = {each.privacy.value for each in shown if not self.view.shows(each.privacy, each.fields)}
        yield from (_finding(path, kind) for kind in sorted(kinds))

    def _ordered_by_keys(self) -> Iterator[Finding]:
        """The order of real ids would be the same in every project."""
        for key in self.scope.order_by:
            index = getattr(key, "index", None)
            value = None if index is None else self.scope.columns[index].expr
            if isinstance(value, ast.IdentifiedPath) and self.privacy.of(value) & KEY:
                yield _finding(value, "an id, which orders nothing")

    def _predicate(self, predicate: ast.StandardPredicate | ast.RegexPredicate) -> Iterator[Finding]:
        names = [part.name for part in predicate.path.parts] if predicate.path is not None else []
        is_name = names[:1] in (["name"], ["archetype_node_id"], []) and isinstance(
            predicate, ast.StandardPredicate
        )
        is_code_or_number = names[-1:] in (["code_string"], ["magnitude"], ["time_committed"])
        of_time = names[-3:] == ["commit_audit", "time_committed", "value"]
        if not (is_name or is_code_or_number or of_time):
            text = "/".join(names) or "a regular expression"
            yield _placed(text, predicate.position, "no condition that stands in a predicate; use WHERE")


def _predicates(scope: Scope) -> Iterator[ast.StandardPredicate | ast.RegexPredicate]:
    """Every comparison that stands in brackets."""
    for entry in scope.classes:
        if not isinstance(entry.expr.predicate, str):
            yield from _comparisons(entry.expr.predicate)
    for path in scope.path_types:
        yield from _comparisons(path.predicate)
        for part in path.path.parts if path.path is not None else ():
            yield from _comparisons(part.predicate)


def _comparisons(predicate: Any) -> Iterator[ast.StandardPredicate | ast.RegexPredicate]:
    match predicate:
        case ast.PredicateAnd() | ast.PredicateOr():
            for operand in predicate.operands:
                yield from _comparisons(operand)
        case ast.StandardPredicate() | ast.RegexPredicate():
            yield predicate


def _finding(path: ast.IdentifiedPath, why: str) -> Finding:
    return _placed(print_column(path), path.position, why)


def _placed(text: str, position: ast.Position, why: str) -> Finding:
    span = SourceSpan(file="query", line=position.line, column=position.column)
    return Finding(code=Withheld.code, path="", found=text, expected=why, span=span)


# --- what becomes of the cells ----------------------------------------------------------------------


def _treatment(value: ast.ColumnExpr, privacy: PathPrivacy, scope: Scope) -> Treatment:
    if not isinstance(value, ast.IdentifiedPath):
        return "as it is"
    if privacy.of(value) & KEY:
        return "pseudonym"
    if value.path is not None and value.path.parts[-1].name == "code_string":
        return "code"
    return "value"


def _treated(cell: Any, how: Treatment, view: View) -> Any:
    if cell is None or how == "as it is":
        return cell
    if how == "pseudonym":
        text = cell.get("value") if isinstance(cell, dict) else cell
        return view.pseudonym(str(text))
    if how == "code":
        return cell if isinstance(cell, str) and _CODE.fullmatch(cell) else None
    return _reduced(cell) if isinstance(cell, dict) and Privacy.TEXT.value not in view.permitted else cell


def _reduced(value: Mapping[str, Any]) -> Any:
    """A data value without what a user may have written beside it."""
    kind = str(value.get("_type"))
    if kind in ("DV_TEXT", "DV_CODED_TEXT"):
        code = value.get("defining_code")
        return {"_type": kind, "value": value.get("value"), **({"defining_code": code} if code else {})}
    return {name: value[name] for name in _KEPT.get(kind, _VALUE) if name in value}


# --- counting ---------------------------------------------------------------------------------------


def _kind(value: ast.ColumnExpr) -> Literal["key", "count", "other"]:
    if not isinstance(value, ast.AggregateFunctionCall):
        return "key"
    return "count" if value.name == "COUNT" else "other"


def _with_persons(scope: Scope) -> ast.AqlQuery:
    """The query with a last column that counts persons, and all its rows."""
    query = scope.query
    known = next((each for each in scope.variables.values() if each.rm_type == "EHR"), None)
    variable = PERSONS if known is None or known.variable is None else known.variable
    from_expr = query.from_expr if variable != PERSONS else _with_ehr(query.from_expr)
    parts = (ast.PathPart(name="ehr_id"), ast.PathPart(name="value"))
    path = ast.IdentifiedPath(variable=variable, path=ast.ObjectPath(parts=parts))
    persons = ast.SelectExpr(column=ast.AggregateFunctionCall(name="COUNT", argument=path, distinct=True))
    select = replace(query.select, columns=(*query.select.columns, persons), distinct=False, top=None)
    return replace(query, select=select, from_expr=from_expr, limit=None)


def _with_ehr(expr: ast.ContainsExpr) -> ast.ContainsExpr:
    """FROM with a variable for the EHR."""
    match expr:
        case ast.Containment(operand=ast.ClassExpr(rm_type=name) as operand) if name.upper() == "EHR":
            return replace(expr, operand=replace(operand, variable=PERSONS))
    return ast.Containment(operand=ast.ClassExpr(rm_type="EHR", variable=PERSONS), contains=expr)
