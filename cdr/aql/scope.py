"""A query with its words understood: classes, variables, columns, types; parameters are values.

``resolve`` raises AqlSemanticError for what makes no sense; what makes sense and is not executed is
collected in ``Scope.unsupported`` (see ``checks``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.aql.errors import AqlSemanticError
from cdr.aql.functions import FUNCTION_ARGUMENTS
from cdr.aql.parameters import substitute
from cdr.aql.printer import print_column
from cdr.aql.regex import BadRegex, compile_regex
from cdr.aql.rm_types import (
    NUMBERS,
    TEMPORAL_PRIMITIVES,
    Types,
    archetype_class,
    class_types,
    narrowed,
    part_types,
)
from cdr.aql.suggest import did_you_mean
from cdr.aql.unsupported import Unsupported
from cdr.temporal import instant

MAX_CLASSES = 64
# Versions of compositions, their parts, EHR_STATUS and the directory's folders are reached; these are not.
_UNREACHED = frozenset(
    {"CONTRIBUTION", "EHR_ACCESS", "REVISION_HISTORY", "REVISION_HISTORY_ITEM"}
    | {"VERSIONED_OBJECT", "VERSIONED_COMPOSITION", "VERSIONED_EHR_STATUS", "VERSIONED_EHR_ACCESS"}
    | {"VERSIONED_FOLDER", "VERSIONED_PARTY", "ORIGINAL_VERSION", "IMPORTED_VERSION", "AUDIT_DETAILS"}
)
_ORDERED = frozenset(
    {"DV_QUANTITY", "DV_COUNT", "DV_PROPORTION", "DV_ORDINAL", "DV_SCALE", "DV_DURATION"}
    | {"DV_DATE", "DV_TIME", "DV_DATE_TIME", "DV_TEXT", "DV_CODED_TEXT", "DV_BOOLEAN"}
    | {"DV_URI", "DV_EHR_URI", "HIER_OBJECT_ID", "OBJECT_VERSION_ID", "TEMPLATE_ID", "ARCHETYPE_ID"}
    | {"TERMINOLOGY_ID", "GENERIC_ID", "UUID", "ISO_OID", "INTERNET_ID"}
    | {"STRING", "BOOLEAN"}
    | NUMBERS
    | TEMPORAL_PRIMITIVES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromClass:
    """A class expression of FROM; ``index`` counts them in the order of the text.

    ``types`` are the concrete classes that match. ``negated``: it stands within NOT CONTAINS and binds
    nothing.
    """

    index: int
    variable: str | None
    rm_type: str
    types: Types
    expr: ast.ClassExpr | ast.VersionClassExpr
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the result; ``path`` is its AQL text unless it is a bare literal."""

    name: str
    path: str | None
    expr: ast.ColumnExpr


@dataclass(frozen=True, slots=True, kw_only=True)
class ByColumn:
    """A sort key that is a column."""

    index: int
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ByValue:
    """A sort key that is no column."""

    value: ast.Terminal
    descending: bool


SortKey: TypeAlias = ByColumn | ByValue


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The query understood.

    ``query`` has no parameters left; ``classes`` are all class expressions; ``by_expr`` finds one by the
    identity of its node; ``variables`` has the bound ones by name in lower case. ``path_types`` holds the
    types at the end of each path. ``aggregated``: a column is an aggregate, or there is GROUP BY.
    ``group_by`` are the values that rows are grouped by; None: by the plain columns. ``as_of`` is the time of
    AS OF as written.
    """

    query: ast.AqlQuery
    classes: tuple[FromClass, ...]
    variables: Mapping[str, FromClass]
    columns: tuple[Column, ...]
    order_by: tuple[SortKey, ...]
    path_types: Mapping[ast.IdentifiedPath, Types]
    unsupported: tuple[Unsupported, ...]
    aggregated: bool
    group_by: tuple[ast.Terminal, ...] | None = None
    as_of: str | None = None

    def class_of(self, expr: ast.ClassExpr | ast.VersionClassExpr) -> FromClass:
        """The entry of a class expression of the tree (found by identity)."""
        return next(entry for entry in self.classes if entry.expr is expr)

    @property
    def window(self) -> tuple[int, int | None]:
        """Rows to skip and rows to return at most, from LIMIT or TOP."""
        if self.query.limit is not None:
            return self.query.limit.offset, self.query.limit.limit
        top = self.query.select.top
        return 0, None if top is None else top.count


def resolve(query: ast.AqlQuery, parameters: Mapping[str, Any] | None = None) -> Scope:
    """Understand a query; raises AqlSemanticError with code and place."""
    return _Resolver(substitute(query, parameters or {})).scope()


def paths_of_where(expr: ast.WhereExpr | None) -> Iterator[tuple[ast.IdentifiedPath, bool]]:
    """All paths of a condition, each with True if it is the operand of EXISTS."""
    match expr:
        case None:
            return
        case ast.AndExpr() | ast.OrExpr():
            for operand in expr.operands:
                yield from paths_of_where(operand)
        case ast.NotExpr():
            yield from paths_of_where(expr.operand)
        case ast.ExistsExpr():
            yield expr.path, True
        case ast.ComparisonExpr():
            yield from ((path, False) for path in paths_of_terminal(expr.left))
            yield from ((path, False) for path in paths_of_terminal(expr.right))
        case ast.LikeExpr() | ast.MatchesExpr():
            yield expr.path, False


def paths_of_terminal(terminal: ast.ColumnExpr | ast.Terminal) -> Iterator[ast.IdentifiedPath]:
    """All paths of a column, an operand or an argument."""
    match terminal:
        case ast.IdentifiedPath():
            yield terminal
        case ast.FunctionCall():
            for argument in terminal.arguments:
                yield from paths_of_terminal(argument)
        case ast.Arithmetic():
            yield from paths_of_terminal(terminal.first)
            for step in terminal.steps:
                yield from paths_of_terminal(step.operand)
        case ast.AggregateFunctionCall() if terminal.argument is not None:
            yield terminal.argument


def uses(scope: Scope) -> Iterator[tuple[ast.IdentifiedPath, bool]]:
    """Every use of a path, with True where only COUNT wants to know that it is there."""
    for column in scope.columns:
        expr = column.expr
        counted = isinstance(expr, ast.AggregateFunctionCall) and expr.name == "COUNT" and not expr.distinct
        yield from ((path, counted) for path in paths_of_terminal(expr))
    yield from ((path, False) for path, _ in paths_of_where(scope.query.where))
    others = [key.value for key in scope.order_by if isinstance(key, ByValue)]
    for value in (*others, *(scope.group_by or ())):
        yield from ((path, False) for path in paths_of_terminal(value))


class _Resolver:
    """Collects what a query declares and uses."""

    def __init__(self, query: ast.AqlQuery) -> None:
        self._query = query
        self._classes: list[FromClass] = []
        self._variables: dict[str, FromClass] = {}
        self._types: dict[ast.IdentifiedPath, Types] = {}
        self._unsupported: list[Unsupported] = []
        self._aliases: dict[str, int] = {}

    def scope(self) -> Scope:
        self._contains(self._query.from_expr, parents=(), negated=False)
        columns = tuple(self._column(index, expr) for index, expr in enumerate(self._query.select.columns))
        self._where(self._query.where)
        group_by = self._group_by(columns)
        aggregates = any(isinstance(column.expr, ast.AggregateFunctionCall) for column in columns)
        aggregated = aggregates or group_by is not None
        order_by = tuple(self._sort_key(expr, columns, aggregated) for expr in self._query.order_by)
        return Scope(
            query=self._query,
            classes=tuple(self._classes),
            variables={name: entry for name, entry in self._variables.items() if not entry.negated},
            columns=columns,
            order_by=order_by,
            path_types=self._types,
            unsupported=tuple(dict.fromkeys(self._unsupported)),
            aggregated=aggregated,
            group_by=group_by,
            as_of=_as_of(self._query.as_of),
        )

    # -- FROM ------------------------------------------------------------------------------------

    def _contains(self, expr: ast.ContainsExpr, parents: tuple[FromClass, ...], *, negated: bool) -> None:
        if not isinstance(expr, ast.Containment):
            for operand in expr.operands:
                self._contains(operand, parents, negated=negated)
            return
        entry = self._declare(expr.operand, negated=negated)
        self._check_place(entry, parents)
        if expr.contains is not None:
            self._contains(expr.contains, (*parents, entry), negated=negated or expr.negated)

    def _declare(self, expr: ast.ClassExpr | ast.VersionClassExpr, *, negated: bool) -> FromClass:
        if len(self._classes) == MAX_CLASSES:
            message = f"FROM has more than {MAX_CLASSES} classes"
            raise AqlSemanticError("aql.from.classes", message, expr.position)
        version = isinstance(expr, ast.VersionClassExpr)
        rm_type = "VERSION" if version else expr.rm_type.upper()  # type: ignore[union-attr]  # by version
        types = frozenset({"ORIGINAL_VERSION"}) if version else self._class_types(expr, rm_type)
        entry = FromClass(
            index=len(self._classes),
            variable=None if expr.variable is None else expr.variable.lower(),
            rm_type=rm_type,
            types=types,
            expr=expr,
            negated=negated,
        )
        self._classes.append(entry)
        self._bind(entry)
        if expr.predicate is not None and not isinstance(expr.predicate, str):
            self._predicate(types, expr.predicate)
        return entry

    def _class_types(self, expr: ast.ClassExpr | ast.VersionClassExpr, rm_type: str) -> Types:
        types = class_types(rm_type)
        if not types:
            known = _class_names()
            message = f"there is no class {rm_type} in the reference model{did_you_mean(rm_type, known)}"
            raise AqlSemanticError("aql.class.unknown", message, expr.position, subject=rm_type)
        if rm_type in _UNREACHED:
            self._unsupported.append(Unsupported("class", rm_type, expr.position))
        predicate = expr.predicate
        if isinstance(predicate, ast.ArchetypePredicate):
            self._check_archetype_class(rm_type, types, predicate)
            return narrowed(types, predicate)
        return types

    def _check_archetype_class(self, rm_type: str, types: Types, predicate: ast.ArchetypePredicate) -> None:
        named = class_types(archetype_class(predicate.archetype_id))
        if not named & types:
            message = f"{predicate.archetype_id} is no archetype of {rm_type}"
            raise AqlSemanticError(
                "aql.archetype.class", message, predicate.position, subject=predicate.archetype_id
            )

    def _bind(self, entry: FromClass) -> None:
        if entry.variable is None:
            return
        if entry.variable in self._variables:
            message = f"the variable {entry.variable} is declared twice"
            raise AqlSemanticError(
                "aql.variable.duplicate", message, entry.expr.position, subject=entry.variable
            )
        self._variables[entry.variable] = entry

    def _check_place(self, entry: FromClass, parents: tuple[FromClass, ...]) -> None:
        """EHR stands first and alone; VERSION stands below EHR only."""
        ehrs = [known for known in self._classes if known.rm_type == "EHR"]
        if entry.rm_type == "EHR" and len(ehrs) > 1 and not parents:
            self._unsupported.append(Unsupported("several_ehrs", "EHR", entry.expr.position))
        above = [parent.rm_type for parent in parents]
        in_version = [name for name in above if name != "EHR" and name not in _UNREACHED]
        wrong = (entry.rm_type == "EHR" and above) or (entry.rm_type == "VERSION" and in_version)
        if wrong:
            message = f"{above[-1]} cannot contain {entry.rm_type}"
            raise AqlSemanticError(
                "aql.contains.impossible", message, entry.expr.position, subject=entry.rm_type
            )
        if entry.rm_type == "EHR_STATUS" and "VERSION" in above:
            self._unsupported.append(
                Unsupported("version_of_status", "VERSION CONTAINS EHR_STATUS", entry.expr.position)
            )

    # -- SELECT, WHERE, ORDER BY -----------------------------------------------------------------------

    def _column(self, index: int, expr: ast.SelectExpr) -> Column:
        name = f"#{index}"
        if expr.alias is not None:
            name = expr.alias
            if name.lower() in self._aliases:
                message = f"two columns have the name {name}"
                raise AqlSemanticError("aql.alias.duplicate", message, expr.position, subject=name)
            self._aliases[name.lower()] = index
        self._value(expr.column)
        path = None if isinstance(expr.column, ast.Primitive) else print_column(expr.column)
        return Column(name=name, path=path, expr=expr.column)

    def _value(self, value: ast.ColumnExpr | ast.Terminal) -> None:
        match value:
            case ast.IdentifiedPath():
                self._path(value)
            case ast.FunctionCall():
                self._function(value)
            case ast.AggregateFunctionCall():
                self._aggregate(value)
            case ast.Arithmetic():
                self._value(value.first)
                for step in value.steps:
                    self._value(step.operand)
            case ast.TerminologyFunction():
                self._unsupported.append(Unsupported("terminology", "TERMINOLOGY", value.position))

    def _function(self, call: ast.FunctionCall) -> None:
        bounds = FUNCTION_ARGUMENTS.get(call.name)
        if bounds is None:
            message = f"there is no function {call.name}{did_you_mean(call.name, FUNCTION_ARGUMENTS)}"
            raise AqlSemanticError("aql.function.unknown", message, call.position, subject=call.name)
        low, high = bounds
        if not low <= len(call.arguments) <= high:
            wanted = str(low) if low == high else f"{low} to {high}" if high < 1000 else f"at least {low}"
            message = f"{call.name} takes {wanted} arguments, not {len(call.arguments)}"
            raise AqlSemanticError("aql.function.arguments", message, call.position, subject=call.name)
        for argument in call.arguments:
            self._value(argument)

    def _aggregate(self, call: ast.AggregateFunctionCall) -> None:
        if call.argument is None:
            return
        types = self._path(call.argument)
        wanted = {"SUM": NUMBERS, "AVG": NUMBERS, "MIN": _ORDERED, "MAX": _ORDERED}.get(call.name)
        if wanted is not None and not types & wanted:
            what = (
                "numbers (end the path at /magnitude or the like)" if wanted is NUMBERS else "ordered values"
            )
            message = f"{call.name} needs {what}, not {', '.join(sorted(types)[:3])}"
            raise AqlSemanticError("aql.aggregate.type", message, call.position, subject=call.name)

    def _where(self, expr: ast.WhereExpr | None) -> None:
        match expr:
            case ast.AndExpr() | ast.OrExpr():
                for operand in expr.operands:
                    self._where(operand)
            case ast.NotExpr():
                self._where(expr.operand)
            case ast.ExistsExpr():
                self._path(expr.path, in_where=True)
            case ast.ComparisonExpr():
                self._where_value(expr.left)
                self._where_value(expr.right)
            case ast.LikeExpr():
                self._path(expr.path, in_where=True)
            case ast.MatchesExpr():
                self._path(expr.path, in_where=True)
                self._matches(expr.operand)

    def _where_value(self, value: ast.Terminal) -> None:
        if isinstance(value, ast.IdentifiedPath):
            self._path(value, in_where=True)
        else:
            self._value(value)

    def _matches(self, operand: ast.MatchesOperand) -> None:
        match operand:
            case ast.RegexOperand():
                _check_regex(operand.regex, operand.position)
            case ast.UriOperand():
                self._unsupported.append(Unsupported("matches_uri", operand.uri, operand.position))
            case ast.TerminologyFunction():
                self._unsupported.append(Unsupported("terminology", "TERMINOLOGY", operand.position))
            case ast.ValueList():
                for item in operand.items:
                    if isinstance(item, ast.TerminologyFunction):
                        self._matches(item)

    def _sort_key(self, expr: ast.OrderByExpr, columns: tuple[Column, ...], aggregated: bool) -> SortKey:
        """An alias goes before a variable of the same name, as in SQL."""
        value = expr.value
        named = self._aliased(value)
        if named is not None:
            self._check_sortable(columns[named].expr, expr)
            return ByColumn(index=named, descending=expr.descending)
        self._value(value)
        self._check_sortable(value, expr)
        for index, column in enumerate(columns):
            if folded(column.expr) == folded(value):
                return ByColumn(index=index, descending=expr.descending)
        if aggregated or self._query.select.distinct:
            what = "an aggregate" if aggregated else "DISTINCT"
            message = f"with {what}, ORDER BY must name a column of SELECT"
            raise AqlSemanticError("aql.order_by.not_selected", message, expr.position)
        return ByValue(value=value, descending=expr.descending)

    def _aliased(self, value: ast.Terminal) -> int | None:
        """The column that a bare name means."""
        bare = isinstance(value, ast.IdentifiedPath) and value.path is None and value.predicate is None
        return self._aliases.get(value.variable.lower()) if bare else None  # type: ignore[union-attr]  # bare

    def _group_by(self, columns: tuple[Column, ...]) -> tuple[ast.Terminal, ...] | None:
        """The values of GROUP BY; each plain column must be one of them, or made of them."""
        if not self._query.group_by:
            return None
        found: list[ast.Terminal] = []
        for value in self._query.group_by:
            named = self._aliased(value)
            expr = value if named is None else columns[named].expr
            if isinstance(expr, ast.AggregateFunctionCall):
                message = "rows cannot be grouped by an aggregate"
                raise AqlSemanticError("aql.group_by.aggregate", message, value.position)
            self._value(expr)
            found.append(expr)
        keys = {folded(expr) for expr in found}
        for column in columns:
            if not _is_made_of(column.expr, keys):
                message = f"{column.path} must be in GROUP BY or within an aggregate"
                raise AqlSemanticError("aql.group_by.column", message, column.expr.position)
        return tuple(found)

    def _check_sortable(self, value: ast.ColumnExpr, expr: ast.OrderByExpr) -> None:
        if isinstance(value, ast.AggregateFunctionCall) and value.name in ("MIN", "MAX"):
            return
        if isinstance(value, ast.IdentifiedPath) and not self._types[value] & _ORDERED:
            names = ", ".join(sorted(self._types[value])[:3])
            message = f"{names} has no order; end the path at a value"
            raise AqlSemanticError("aql.order_by.type", message, expr.position)

    # -- paths -----------------------------------------------------------------------------------

    def _path(self, path: ast.IdentifiedPath, *, in_where: bool = False) -> Types:
        entry = self._variables.get(path.variable.lower())
        if entry is None:
            raise self._unknown_variable(path, in_where=in_where)
        if entry.negated:
            message = f"{path.variable} stands within NOT CONTAINS and has no value"
            raise AqlSemanticError(
                "aql.variable.not_contained", message, path.position, subject=path.variable
            )
        if path.predicate is not None:
            self._predicate(entry.types, path.predicate)
        types = narrowed(entry.types, path.predicate)
        self._types[path] = self._object_path(types, path.path)
        return self._types[path]

    def _unknown_variable(self, path: ast.IdentifiedPath, *, in_where: bool) -> AqlSemanticError:
        if in_where and path.path is None and path.variable.lower() in self._aliases:
            message = f"{path.variable} is a column name, which WHERE does not know: repeat the path"
            return AqlSemanticError("aql.alias.in_where", message, path.position, subject=path.variable)
        message = f"no class in FROM has the variable {path.variable}"
        message += did_you_mean(path.variable, self._variables)
        return AqlSemanticError("aql.variable.unknown", message, path.position, subject=path.variable)

    def _object_path(self, types: Types, path: ast.ObjectPath | None) -> Types:
        for part in path.parts if path is not None else ():
            types = part_types(types, part, self._unsupported)
            if part.predicate is not None:
                self._predicate(types, part.predicate)
        return types

    def _predicate(self, types: Types, predicate: ast.PathPredicate) -> None:
        match predicate:
            case ast.PredicateAnd() | ast.PredicateOr():
                for operand in predicate.operands:
                    self._predicate(types, operand)
            case ast.StandardPredicate():
                self._object_path(types, predicate.path)
                if isinstance(predicate.operand, ast.ObjectPath):
                    self._object_path(types, predicate.operand)
            case ast.RegexPredicate():
                self._object_path(types, predicate.path)
                _check_regex(predicate.regex, predicate.position)


def folded(value: ast.ColumnExpr) -> ast.ColumnExpr:
    """The value with its variables in lower case, so that equal values are equal."""
    match value:
        case ast.IdentifiedPath():
            return replace(value, variable=value.variable.lower())
        case ast.FunctionCall():
            arguments = tuple(cast(ast.Terminal, folded(each)) for each in value.arguments)
            return replace(value, arguments=arguments)
        case ast.Arithmetic():
            steps = tuple(
                replace(step, operand=cast(ast.Terminal, folded(step.operand))) for step in value.steps
            )
            return replace(value, first=cast(ast.Terminal, folded(value.first)), steps=steps)
        case ast.AggregateFunctionCall() if value.argument is not None:
            return replace(value, argument=cast(ast.IdentifiedPath, folded(value.argument)))
        case _:
            return value


def _is_made_of(value: ast.ColumnExpr, keys: set[ast.ColumnExpr]) -> bool:
    if isinstance(value, ast.AggregateFunctionCall) or folded(value) in keys:
        return True
    match value:
        case ast.IdentifiedPath():
            return False
        case ast.FunctionCall():
            return all(_is_made_of(each, keys) for each in value.arguments)
        case ast.Arithmetic():
            operands = (value.first, *(step.operand for step in value.steps))
            return all(_is_made_of(each, keys) for each in operands)
        case _:
            return True


def _as_of(operand: ast.Primitive | ast.Parameter | None) -> str | None:
    if not isinstance(operand, ast.Primitive):
        return None
    if not isinstance(operand.value, str) or instant(operand.value, 0) is None:
        message = "AS OF needs a date or a date and time (ISO 8601)"
        raise AqlSemanticError("aql.as_of", message, operand.position)
    return operand.value


def _check_regex(regex: str, position: ast.Position) -> None:
    try:
        compile_regex(regex)
    except BadRegex as error:
        message = f"this regular expression cannot be read: {error}"
        raise AqlSemanticError("aql.regex", message, position) from error


def _class_names() -> list[str]:
    return [*rm_schema().classes, "VERSION"]
