"""Syntax tree to AQL text, such that the text parses to an equal tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from cdr.aql import ast

T = TypeVar("T")


def print_query(query: ast.AqlQuery) -> str:
    """The query on one line."""
    parts = [_select(query.select), "FROM " + _contains(query.from_expr)]
    if query.as_of is not None:
        parts.append("AS OF " + print_terminal(query.as_of))
    if query.where is not None:
        parts.append("WHERE " + _where(query.where))
    if query.group_by:
        parts.append("GROUP BY " + _joined(query.group_by, print_terminal))
    if query.order_by:
        parts.append("ORDER BY " + _joined(query.order_by, _order_by))
    if query.limit is not None:
        parts.append(f"LIMIT {query.limit.limit}")
        if query.limit.offset:
            parts.append(f"OFFSET {query.limit.offset}")
    return " ".join(parts)


def print_path(path: ast.IdentifiedPath) -> str:
    """``variable[predicate]/path``."""
    tail = "" if path.path is None else "/" + _object_path(path.path)
    return path.variable + _predicate(path.predicate) + tail


def print_column(column: ast.ColumnExpr) -> str:
    """A column without its alias."""
    if isinstance(column, ast.AggregateFunctionCall):
        distinct = "DISTINCT " if column.distinct else ""
        argument = "*" if column.argument is None else print_path(column.argument)
        return f"{column.name}({distinct}{argument})"
    return print_terminal(column)


def print_terminal(terminal: ast.Terminal) -> str:
    """An operand of a comparison or argument of a function."""
    match terminal:
        case ast.Primitive():
            return print_primitive(terminal)
        case ast.Parameter():
            return "$" + terminal.name
        case ast.IdentifiedPath():
            return print_path(terminal)
        case ast.FunctionCall():
            return f"{terminal.name}({_joined(terminal.arguments, print_terminal)})"
        case ast.TerminologyFunction():
            return _terminology(terminal)
        case ast.Arithmetic():
            return _arithmetic(terminal)


def _arithmetic(expr: ast.Arithmetic) -> str:
    printed = _operand(expr.first, "+" if _is_sum(expr) else "*")
    for step in expr.steps:
        printed += f" {step.operator} {_operand(step.operand, step.operator)}"
    return printed


def _operand(operand: ast.Terminal, operator: str) -> str:
    """In parentheses where it would be read otherwise, for one as a segment behind a slash."""
    text = print_terminal(operand)
    if operator == "/":
        alone = isinstance(operand, ast.Primitive | ast.Parameter)
    elif isinstance(operand, ast.Arithmetic):
        alone = operator in "+-" and not _is_sum(operand)
    else:
        alone = True
    return text if alone else f"({text})"


def _is_sum(expr: ast.Arithmetic) -> bool:
    return expr.steps[0].operator in ("+", "-")


def print_primitive(primitive: ast.Primitive) -> str:
    """A literal; a list, which only a parameter can bring, without braces."""
    value = primitive.value
    if isinstance(value, tuple):
        return _joined(value, print_primitive)
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _select(select: ast.SelectClause) -> str:
    words = ["SELECT"]
    if select.distinct:
        words.append("DISTINCT")
    if select.top is not None:
        words.append(f"TOP {select.top.count}")
        if select.top.direction is not None:
            words.append(select.top.direction)
    words.append(_joined(select.columns, _select_expr))
    return " ".join(words)


def _select_expr(expr: ast.SelectExpr) -> str:
    column = print_column(expr.column)
    return column if expr.alias is None else f"{column} AS {expr.alias}"


def _order_by(expr: ast.OrderByExpr) -> str:
    return print_terminal(expr.value) + (" DESC" if expr.descending else "")


def _contains(expr: ast.ContainsExpr) -> str:
    match expr:
        case ast.ContainsAnd():
            return " AND ".join(_contains_operand(operand) for operand in expr.operands)
        case ast.ContainsOr():
            return " OR ".join(_contains_operand(operand) for operand in expr.operands)
        case ast.Containment():
            head = _class_expr(expr.operand)
            if expr.contains is None:
                return head
            inner = _contains(expr.contains)
            if not isinstance(expr.contains, ast.Containment):
                inner = f"({inner})"
            return f"{head}{' NOT' if expr.negated else ''} CONTAINS {inner}"


def _contains_operand(expr: ast.ContainsExpr) -> str:
    """An operand of AND or OR: CONTAINS within would take the rest without parentheses."""
    alone = isinstance(expr, ast.Containment) and expr.contains is None
    return _contains(expr) if alone else f"({_contains(expr)})"


def _class_expr(operand: ast.ClassExpr | ast.VersionClassExpr) -> str:
    variable = "" if operand.variable is None else " " + operand.variable
    if isinstance(operand, ast.ClassExpr):
        return operand.rm_type + variable + _predicate(operand.predicate)
    if operand.predicate is None:
        return "VERSION" + variable
    if isinstance(operand.predicate, str):
        return f"VERSION{variable}[{operand.predicate}]"
    return f"VERSION{variable}[{_criterion(operand.predicate)}]"


def _where(expr: ast.WhereExpr) -> str:
    match expr:
        case ast.ComparisonExpr():
            return f"{print_terminal(expr.left)} {expr.operator} {print_terminal(expr.right)}"
        case ast.LikeExpr():
            return f"{print_path(expr.path)} LIKE {print_terminal(expr.pattern)}"
        case ast.MatchesExpr():
            return f"{print_path(expr.path)} MATCHES {_matches_operand(expr.operand)}"
        case ast.ExistsExpr():
            return f"EXISTS {print_path(expr.path)}"
        case ast.NotExpr():
            return f"NOT {_where_operand(expr.operand)}"
        case ast.AndExpr():
            return " AND ".join(_where_operand(operand) for operand in expr.operands)
        case ast.OrExpr():
            return " OR ".join(_where_operand(operand) for operand in expr.operands)


def _where_operand(expr: ast.WhereExpr) -> str:
    return f"({_where(expr)})" if isinstance(expr, ast.AndExpr | ast.OrExpr) else _where(expr)


def _matches_operand(operand: ast.MatchesOperand) -> str:
    match operand:
        case ast.ValueList():
            return "{" + _joined(operand.items, print_terminal) + "}"
        case ast.UriOperand():
            return "{" + operand.uri + "}"
        case ast.RegexOperand():
            return "{/" + operand.regex + "/}"
        case ast.TerminologyFunction():
            return _terminology(operand)


def _terminology(call: ast.TerminologyFunction) -> str:
    arguments = (call.operation, call.service_api, call.params_uri)
    return f"TERMINOLOGY({_joined(arguments, _quoted)})"


def _object_path(path: ast.ObjectPath) -> str:
    return "/".join(part.name + _predicate(part.predicate) for part in path.parts)


def _predicate(predicate: ast.PathPredicate | None) -> str:
    return "" if predicate is None else f"[{_criterion(predicate)}]"


def _criterion(predicate: ast.PathPredicate) -> str:
    match predicate:
        case ast.ArchetypePredicate():
            return predicate.archetype_id + _name(predicate.name)
        case ast.NodePredicate():
            return predicate.node_id + _name(predicate.name)
        case ast.ParameterPredicate():
            return "$" + predicate.parameter.name
        case ast.StandardPredicate():
            operand = _predicate_operand(predicate.operand)
            return f"{_object_path(predicate.path)}{predicate.operator}{operand}"
        case ast.RegexPredicate():
            path = "" if predicate.path is None else _object_path(predicate.path) + " "
            return f"{path}MATCHES {{/{predicate.regex}/}}"
        case ast.PredicateAnd():
            return " AND ".join(_criterion(operand) for operand in predicate.operands)
        case ast.PredicateOr():
            return " OR ".join(_criterion(operand) for operand in predicate.operands)


def _predicate_operand(
    operand: ast.Primitive | ast.Parameter | ast.NodeCode | ast.ObjectPath,
) -> str:
    if isinstance(operand, ast.ObjectPath):
        return _object_path(operand)
    return operand.code if isinstance(operand, ast.NodeCode) else print_terminal(operand)


def _name(name: ast.NameOperand | None) -> str:
    match name:
        case None:
            return ""
        case ast.NodeCode():
            return ", " + name.code
        case ast.TermCode():
            rubric = "" if name.rubric is None else f"|{name.rubric}|"
            return f", {name.terminology}::{name.code}{rubric}"
        case _:
            return ", " + print_terminal(name)


_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
)


def _quoted(value: str) -> str:
    return "'" + value.translate(_ESCAPES) + "'"


def _joined(items: Sequence[T], printed: Callable[[T], str]) -> str:
    return ", ".join(printed(item) for item in items)
