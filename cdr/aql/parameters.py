"""Parameters become literals in the tree: values, never text, so nothing in them is read as AQL."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from cdr.aql import ast
from cdr.aql.errors import AqlSemanticError
from cdr.aql.suggest import did_you_mean

T = TypeVar("T")

_ARCHETYPE_ID = re.compile(
    r"(?:[A-Za-z][\w.\-]*::)?[A-Za-z]\w*-[A-Za-z]\w*-[A-Za-z]\w*\.[A-Za-z][\w\-]*\.v\d+(?:\.\d+){0,2}(?:-\w+(?:\.\d+)?)?",
    re.ASCII,
)
_NODE_ID = re.compile(r"(?:at|id)\d+(?:\.\d+)*", re.ASCII)


def substitute(query: ast.AqlQuery, parameters: Mapping[str, Any]) -> ast.AqlQuery:
    """The query with a literal in place of each parameter.

    Values are strings, numbers, booleans, None, and lists of them within ``matches {...}``. Raises
    AqlSemanticError ``aql.parameter.missing`` or ``aql.parameter.type``; unused parameters are ignored.
    """
    return _substituted(query, parameters)


def _substituted(node: T, parameters: Mapping[str, Any]) -> T:
    if isinstance(node, tuple):
        return tuple(_substituted(item, parameters) for item in node)  # type: ignore[return-value]  # same T
    if isinstance(node, ast.Parameter):
        return _literal(node, parameters)  # type: ignore[return-value]  # wherever a parameter may stand
    if isinstance(node, ast.ParameterPredicate):
        return _predicate(node, parameters)  # type: ignore[return-value]  # likewise
    if isinstance(node, ast.ValueList):
        return _value_list(node, parameters)  # type: ignore[return-value]  # a ValueList again
    if not isinstance(node, ast.Node):
        return node
    changed = {}
    for field in dataclasses.fields(node):
        before = getattr(node, field.name)
        after = _substituted(before, parameters)
        if after is not before and after != before:
            changed[field.name] = after
    copy = dataclasses.replace(node, **changed) if changed else node
    if isinstance(copy, ast.LikeExpr):
        _require_string(copy)
    return copy


def _literal(parameter: ast.Parameter, parameters: Mapping[str, Any]) -> ast.Primitive:
    primitive = _primitive(parameter, _value(parameter, parameters))
    if primitive is None:
        message = f"${parameter.name} must be a string, a number, a boolean or null here"
        raise _wrong_type(parameter, message)
    return primitive


def _value(parameter: ast.Parameter, parameters: Mapping[str, Any]) -> Any:
    if parameter.name not in parameters:
        hint = did_you_mean(parameter.name, parameters)
        message = f"no value for parameter ${parameter.name}{hint}"
        raise AqlSemanticError("aql.parameter.missing", message, parameter.position, subject=parameter.name)
    return parameters[parameter.name]


def _primitive(parameter: ast.Parameter, value: Any) -> ast.Primitive | None:
    at = parameter.position
    if value is None:
        return ast.Primitive(kind="null", value=None, position=at)
    if isinstance(value, bool):
        return ast.Primitive(kind="boolean", value=value, position=at)
    if isinstance(value, int):
        return ast.Primitive(kind="integer", value=value, position=at)
    if isinstance(value, float) and math.isfinite(value):
        return ast.Primitive(kind="real", value=value, position=at)
    return ast.Primitive(kind="string", value=value, position=at) if isinstance(value, str) else None


def _value_list(operand: ast.ValueList, parameters: Mapping[str, Any]) -> ast.ValueList:
    """A list as value of a parameter stands for its members."""
    items: list[ast.Primitive | ast.Parameter | ast.TerminologyFunction] = []
    for item in operand.items:
        if not isinstance(item, ast.Parameter):
            items.append(item)
            continue
        value = _value(item, parameters)
        for member in value if isinstance(value, list | tuple) else (value,):
            primitive = _primitive(item, member)
            if primitive is None:
                raise _wrong_type(item, f"${item.name} may hold strings, numbers, booleans and null only")
            items.append(primitive)
    return dataclasses.replace(operand, items=tuple(items))


def _predicate(
    node: ast.ParameterPredicate, parameters: Mapping[str, Any]
) -> ast.ArchetypePredicate | ast.NodePredicate:
    value = _value(node.parameter, parameters)
    if isinstance(value, str) and _ARCHETYPE_ID.fullmatch(value):
        return ast.ArchetypePredicate(archetype_id=value, position=node.position)
    if isinstance(value, str) and _NODE_ID.fullmatch(value):
        return ast.NodePredicate(node_id=value, position=node.position)
    raise _wrong_type(node.parameter, f"${node.parameter.name} must be an archetype id or an at-code")


def _require_string(like: ast.LikeExpr) -> None:
    if isinstance(like.pattern, ast.Primitive) and like.pattern.kind != "string":
        message = "the pattern of LIKE must be a string"
        raise AqlSemanticError("aql.parameter.type", message, like.pattern.position)


def _wrong_type(parameter: ast.Parameter, message: str) -> AqlSemanticError:
    return AqlSemanticError("aql.parameter.type", message, parameter.position, subject=parameter.name)
