"""Columns and conditions compiled to closures over a row of slots.

A row holds the objects of FROM's classes first and the values of paths behind them. Conditions are
three-valued: True, False, or None for unknown; only True keeps a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cdr.aql import ast
from cdr.aql.errors import AqlTooLarge
from cdr.aql.functions import FUNCTION_ARGUMENTS, Now, arithmetic, function
from cdr.aql.paths import Step, Test, Truth, all_of, any_of, compare
from cdr.aql.regex import compile_regex
from cdr.aql.values import Zone, equal, scalar, text_of, unlike

Value: TypeAlias = Callable[[list[Any]], Any]


@dataclass(frozen=True, slots=True)
class ExistsPath:
    """How EXISTS looks: below the deepest bound object of its path, the slots deepest first."""

    anchors: tuple[tuple[int, Step | None], ...]


@dataclass(frozen=True, slots=True)
class Slots:
    """Where the value of each path of the query stands in a row."""

    paths: Mapping[ast.IdentifiedPath, int]
    exists: Mapping[ast.IdentifiedPath, ExistsPath]
    now: Now
    zone: Zone


def compile_value(value: ast.ColumnExpr | ast.Terminal, slots: Slots) -> Value:
    """A path, literal or single-row function of a row."""
    match value:
        case ast.IdentifiedPath():
            slot = slots.paths[value]
            return lambda row: row[slot]
        case ast.Primitive():
            constant = value.value
            return lambda row: constant
        case ast.FunctionCall():
            return _function(value, slots)
        case ast.Arithmetic():
            return _arithmetic(value, slots)
        case _:
            raise NotImplementedError(type(value).__name__)


def compile_where(expr: ast.WhereExpr, slots: Slots) -> Test:
    """A condition on a row."""
    match expr:
        case ast.AndExpr():
            return all_of([compile_where(operand, slots) for operand in expr.operands])
        case ast.OrExpr():
            return any_of([compile_where(operand, slots) for operand in expr.operands])
        case ast.NotExpr():
            return _not(compile_where(expr.operand, slots))
        case ast.ComparisonExpr():
            return _comparison(expr, slots)
        case ast.LikeExpr():
            return _like(expr, slots)
        case ast.MatchesExpr():
            return _matches(expr, slots)
        case ast.ExistsExpr():
            return _exists(slots.exists[expr.path])


MOST_COMPARED = 200_000_000  # characters of one text with those of one pattern: half a second


def like_test(pattern: str) -> Callable[[str], bool]:
    r"""Does a text match a LIKE pattern (``?`` one character, ``*`` any number, ``\?`` itself)?

    The parts between stars have fixed lengths, so that taking each at its first place is right: no
    pattern makes the search go back and forth. The test raises AqlTooLarge where a long part with ``?`` would
    have to be tried at each place of a very long text.
    """
    parts = _parts_between_stars(pattern)
    open_parts = [len(part) for part in parts[1:-1] if "." in part]
    longest = MOST_COMPARED // max(open_parts, default=1)
    first, *middle = [re.compile("".join(part), re.DOTALL) for part in parts]
    if not middle:
        return lambda text: first.fullmatch(text) is not None
    last, length = middle.pop(), len(parts[-1])

    def test(text: str) -> bool:
        if open_parts and len(text) > longest:
            raise AqlTooLarge("characters to compare with one pattern", MOST_COMPARED)
        found = first.match(text)
        for part in middle:
            if found is None:
                return False
            found = part.search(text, found.end())
        end = len(text) - length
        return found is not None and found.end() <= end and last.match(text, end) is not None

    return test


def _parts_between_stars(pattern: str) -> list[list[str]]:
    """Each part as one regular expression for each character that it matches."""
    parts: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and pattern[position + 1 : position + 2] in ("?", "*", "\\"):
            position += 1
            parts[-1].append(re.escape(pattern[position]))
        elif char == "*":
            parts.append([])
        else:
            parts[-1].append("." if char == "?" else re.escape(char))
        position += 1
    return parts


def _function(call: ast.FunctionCall, slots: Slots) -> Value:
    if FUNCTION_ARGUMENTS[call.name] == (0, 0):
        moment = slots.now.value(call.name)
        return lambda row: moment
    implementation = function(call.name)
    arguments = [compile_value(argument, slots) for argument in call.arguments]

    def value(row: list[Any]) -> Any:
        return implementation(*(_plain(argument(row)) for argument in arguments))

    return value


def _arithmetic(expr: ast.Arithmetic, slots: Slots) -> Value:
    """From left to right; quantities in unlike units have no sum."""
    first = compile_value(expr.first, slots)
    steps = [(step.operator, compile_value(step.operand, slots)) for step in expr.steps]

    def value(row: list[Any]) -> Any:
        found = first(row)
        for operator, operand in steps:
            other = operand(row)
            if operator in "+-" and type(found) is dict and type(other) is dict and unlike(found, other):
                return None
            found = arithmetic(operator, scalar(found), scalar(other))
        return found

    return value


def _plain(value: Any) -> Any:
    """Data values stand for their text or number; texts forget that they are dates."""
    plain = scalar(value)
    return str(plain) if isinstance(plain, str) else plain


def _not(test: Test) -> Test:
    def negated(row: Any) -> Truth:
        found = test(row)
        return None if found is None else not found

    return negated


def _comparison(expr: ast.ComparisonExpr, slots: Slots) -> Test:
    operator, zone = expr.operator, slots.zone
    left, right = compile_value(expr.left, slots), compile_value(expr.right, slots)
    if isinstance(expr.left, ast.IdentifiedPath) and isinstance(expr.right, ast.Primitive):
        return _path_with_literal(slots.paths[expr.left], operator, expr.right.value, zone)
    return lambda row: compare(operator, left(row), right(row), zone)


def _path_with_literal(slot: int, operator: str, literal: Any, zone: Zone) -> Test:
    """The commonest condition, without detour for numbers and plain texts."""
    plain = _PLAIN[operator]
    kinds: tuple[type, ...] = (str,) if isinstance(literal, str) else (int, float)
    if isinstance(literal, bool) or literal is None:
        kinds = ()

    def test(row: list[Any]) -> Truth:
        value = row[slot]
        if type(value) in kinds:
            return plain(value, literal)
        return compare(operator, value, literal, zone)

    return test


_PLAIN: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def _like(expr: ast.LikeExpr, slots: Slots) -> Test:
    slot = slots.paths[expr.path]
    assert isinstance(expr.pattern, ast.Primitive)
    return _text_test(slot, like_test(str(expr.pattern.value)))


def _text_test(slot: int, matches: Callable[[str], bool]) -> Test:
    def test(row: list[Any]) -> Truth:
        text = text_of(row[slot])
        return None if text is None else matches(text)

    return test


def _matches(expr: ast.MatchesExpr, slots: Slots) -> Test:
    slot, zone = slots.paths[expr.path], slots.zone
    if isinstance(expr.operand, ast.RegexOperand):
        return _text_test(slot, compile_regex(expr.operand.regex))
    assert isinstance(expr.operand, ast.ValueList)
    wanted = [item.value for item in expr.operand.items if isinstance(item, ast.Primitive)]
    texts = frozenset(item for item in wanted if isinstance(item, str))
    only_texts = all(isinstance(item, str) for item in wanted)

    def test(row: list[Any]) -> Truth:
        value = row[slot]
        if value is None:
            return None
        if only_texts and type(value) is str:
            return value in texts
        return _any_equal(value, wanted, zone)

    return test


def _any_equal(value: Any, wanted: Sequence[Any], zone: Zone) -> Truth:
    result: Truth = False
    for item in wanted:
        found = None if item is None else equal(value, item, zone)
        if found:
            return True
        if found is None:
            result = None
    return result


def _exists(path: ExistsPath) -> Test:
    def test(row: list[Any]) -> Truth:
        for slot, rest in path.anchors:
            instance = row[slot]
            if instance is not None:
                return rest is None or any(True for _ in rest(instance))
        return False

    return test
