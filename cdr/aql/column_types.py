"""The type that all cells of a column have, as far as the text of a query and the model tell."""

from __future__ import annotations

from cdr.aql import ast
from cdr.aql.rm_types import NUMBERS, TEMPORAL_PRIMITIVES, Types
from cdr.aql.scope import Column, Scope
from cdr.rows import CellType, TypedColumn

_WHOLE_FUNCTIONS = frozenset({"LENGTH", "POSITION", "DAYS_BETWEEN", "GESTATIONAL_DAYS"})
_NUMBER_FUNCTIONS = frozenset({"ABS", "MOD", "CEIL", "FLOOR", "ROUND"})
_PRIMITIVES = {"string": CellType.TEXT, "integer": CellType.WHOLE, "real": CellType.NUMBER}
_TEXTS = frozenset({"STRING"}) | TEMPORAL_PRIMITIVES


def typed_column(column: Column, scope: Scope) -> TypedColumn:
    """The column with its type; JSON where cells may be of several types."""
    return TypedColumn(column.name, _type(column.expr, scope))


def _type(value: ast.ColumnExpr | ast.Terminal, scope: Scope) -> CellType:
    match value:
        case ast.IdentifiedPath():
            return type_of(scope.path_types[value])
        case ast.Primitive():
            return _PRIMITIVES.get(value.kind, CellType.BOOLEAN if value.kind == "boolean" else CellType.JSON)
        case ast.FunctionCall():
            return _function_type(value.name)
        case ast.AggregateFunctionCall():
            return _aggregate_type(value, scope)
        case ast.Arithmetic():
            return CellType.NUMBER
        case _:
            return CellType.JSON


def type_of(types: Types) -> CellType:
    """The type of cells whose values are of these classes or primitives of the model."""
    if types <= {"INTEGER"}:
        return CellType.WHOLE
    if types <= NUMBERS:
        return CellType.NUMBER
    if types <= {"BOOLEAN"}:
        return CellType.BOOLEAN
    return CellType.TEXT if types <= _TEXTS else CellType.JSON


def _function_type(name: str) -> CellType:
    if name in _WHOLE_FUNCTIONS:
        return CellType.WHOLE
    if name in _NUMBER_FUNCTIONS:
        return CellType.NUMBER
    return CellType.BOOLEAN if name == "CONTAINS" else CellType.TEXT


def _aggregate_type(call: ast.AggregateFunctionCall, scope: Scope) -> CellType:
    if call.name == "COUNT":
        return CellType.WHOLE
    if call.name in ("SUM", "AVG") or call.argument is None:
        return CellType.NUMBER
    return _type(call.argument, scope)
