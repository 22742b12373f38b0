"""Conditions on single values: primitives of the reference model and the template's constraints on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from archetypes.aom.constraints import (
    CBoolean,
    CDuration,
    CInteger,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
)
from archetypes.patterns import whole_text
from archetypes.rm.iso8601 import is_date, is_date_time, is_duration, is_time
from validators.compiled.source import Source
from validators.compiled.warnings import Unsure, unsure
from validators.composition.place import Place
from validators.composition.primitives import PRIMITIVE_RULES
from validators.composition.reference_model import PRIMITIVES
from validators.composition.report import Report

_DAY = r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?"
_ZONE = r"(?:Z|[+-](?:0\d|1[01]):[0-5]\d)"
# Complete values in extended form, as nearly all are; whatever else there is takes the exact way.
_USUAL = {
    "DATE": re.compile(_DAY, re.ASCII).fullmatch,
    "TIME": re.compile(f"{_CLOCK}{_ZONE}?", re.ASCII).fullmatch,
    "DATE_TIME": re.compile(f"{_DAY}T{_CLOCK}{_ZONE}?", re.ASCII).fullmatch,
}
_SMALLEST, _LARGEST = -(2**63), 2**63
_LONGEST_KEPT = 100  # characters of a text whose verdict is kept


def remembered(judge: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same verdicts, the last thousand of them kept: there are few lengths of a pregnancy."""
    kept = lru_cache(maxsize=1024)(judge)

    def test(value: str) -> bool:
        return kept(value) if len(value) <= _LONGEST_KEPT else judge(value)

    return test


_EXACT: dict[str, Callable[[str], bool]] = {
    "DATE": is_date,
    "TIME": is_time,
    "DATE_TIME": is_date_time,
    "DURATION": remembered(is_duration),
}


class _Refusing(Report):
    """A report in which the first finding ends the judging: something is found."""

    def add(self, *_: object, **__: object) -> None:
        raise Unsure


REFUSING = _Refusing()
NOWHERE = Place(None, "")


def holds(rule: Callable[..., None]) -> Callable[[Any], bool]:
    """A rule of the interpreter as a condition."""

    def test(value: Any) -> bool:
        rule(value, NOWHERE, REFUSING)
        return True

    return test


def primitive_conditions(source: Source, type_name: str, first: str, variable: str) -> list[str]:
    """The value is of the primitive type; ``first`` is what the value is called where it is first used."""
    doubt = source.constant(unsure)
    if type_name == "BOOLEAN":
        return [f"(type({first}) is bool or {variable} is None and {doubt}())"]
    if type_name == "INTEGER":
        whole = f"(type({first}) is int or ({variable} is None or type({variable}) is float) and {doubt}())"
        return [whole, f"{_SMALLEST} < {variable} < {_LARGEST}"]
    if type_name == "REAL":
        finite = f"{variable} - {variable} == 0"
        return [f"((kind := type({first})) is float and {finite} or kind is int or {doubt}())"]
    conditions = [f"(type({first}) is str or {variable} is None and {doubt}())"]
    exact = _EXACT.get(type_name)
    usual = _USUAL.get(type_name)
    if usual is not None:
        conditions.append(f"({source.constant(usual)}({variable}) or {source.constant(exact)}({variable}))")
    elif exact is not None:
        conditions.append(f"{source.constant(exact)}({variable})")
    return conditions


def leaf_conditions(
    source: Source, constraint: CPrimitiveObject, type_name: str, attribute: str, variable: str
) -> list[str]:
    """What the template asks of a primitive value that is right in the reference model."""
    item = constraint.item
    if item is None:
        return []
    _, python_types = PRIMITIVE_RULES[type(item)]
    primitive = PRIMITIVES[type_name]
    if not set(python_types) & set(primitive.python_types) or (type_name == "BOOLEAN") != isinstance(
        item, CBoolean
    ):
        return []  # the constraint is on another type; the interpreter says nothing either
    if isinstance(item, CBoolean):
        allowed = [text for text, valid in (("True", item.true_valid), ("False", item.false_valid)) if valid]
        return [f"{variable} in ({''.join(f'{text}, ' for text in allowed)})"]
    if isinstance(item, CString):
        return _string_conditions(source, item, attribute, variable)
    if isinstance(item, CInteger | CReal):
        return _number_conditions(source, item, variable)
    return _temporal_conditions(source, item, type_name, variable)


def _string_conditions(source: Source, item: CString, attribute: str, variable: str) -> list[str]:
    if item.list_open:
        return []
    conditions = []
    if item.values:
        conditions.append(f"{variable} in {source.constant(frozenset(item.values))}")
    if item.pattern is not None:
        is_match = whole_text(item.pattern)
        if is_match is None:
            raise Unsure
        matches = f"{source.constant(remembered(is_match))}({variable})"
        if attribute == "action_archetype_id":
            matches = f"({matches} or {variable} == {source.constant(item.pattern)})"
        conditions.append(matches)
    return conditions


def _number_conditions(source: Source, item: CInteger | CReal, variable: str) -> list[str]:
    conditions = []
    if item.values:
        conditions.append(f"{variable} in {source.constant(frozenset(item.values))}")
    if item.range is not None:
        conditions += interval_conditions(source, item.range, variable)
    return conditions


def interval_conditions(source: Source, interval: Interval[Any], variable: str) -> list[str]:
    """The number lies in the interval."""
    conditions = []
    if interval.lower is not None:
        sign = "<=" if interval.lower_included else "<"
        conditions.append(f"{source.constant(interval.lower)} {sign} {variable}")
    if interval.upper is not None:
        sign = "<=" if interval.upper_included else "<"
        conditions.append(f"{variable} {sign} {source.constant(interval.upper)}")
    return conditions


def _temporal_conditions(
    source: Source, item: CTemporal | CDuration, type_name: str, variable: str
) -> list[str]:
    rule = PRIMITIVE_RULES[type(item)][0]

    def judge(value: str) -> bool:
        rule(item, value, NOWHERE, REFUSING)
        return True

    condition = f"{source.constant(remembered(judge))}({variable})"
    if isinstance(item, CTemporal) and item.rm_type == type_name and _takes_complete_values(item):
        condition = f"({source.constant(_USUAL[type_name])}({variable}) or {condition})"
    return [condition]


def _takes_complete_values(item: CTemporal) -> bool:
    """True if a complete value always fits: no range, no word on zones, no field prohibited."""
    prohibits = item.pattern is not None and "X" in item.pattern.upper()
    is_free = item.range is None and item.timezone_validity not in (1001, 1003)
    return is_free and not prohibits
