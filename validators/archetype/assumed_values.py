"""VOBAV: an assumed value is one that its own constraint allows (AOM 1.4, C_PRIMITIVE; AOM 2, VOBAV)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from archetypes.aom.constraints import (
    CBoolean,
    CCodePhrase,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
)
from archetypes.findings import Finding
from archetypes.patterns import matches
from archetypes.rm.iso8601 import duration_seconds, temporal_key
from validators.archetype.subject import Subject, at

Number = TypeVar("Number", int, float)


def check_assumed_values(subject: Subject) -> Iterator[Finding]:
    """VOBAV: see the module."""
    for place in subject.places:
        assumed = assumed_value(place.node)
        if assumed is not None and not _is_allowed(place.node):
            yield at(place, "VOBAV", found=assumed)


def assumed_value(node: CObject) -> str | None:
    """The assumed value of a leaf in short, or None if it has none."""
    match node:
        case CPrimitiveObject(item=item) if item is not None:
            value: object = (item, *node.others)[-1].assumed_value
        case CCodePhrase() | CDvOrdinal() | CDvQuantity():
            value = node.assumed_value
        case _:
            value = None
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return None if value is None else str(value)


def _is_allowed(node: CObject) -> bool:
    match node:
        case CPrimitiveObject(item=item) if item is not None:
            return _any_of((item, *node.others))
        case CCodePhrase(assumed_value=str() as code):
            return not node.codes or code.rpartition("::")[2] in node.codes
        case CDvOrdinal(assumed_value=float() | int() as value):
            return not node.items or value in {item.value for item in node.items}
        case CDvQuantity(assumed_value=(magnitude, units)):
            return _quantity(node, float(magnitude), str(units))
    return True


def _any_of(items: tuple[Primitive, ...]) -> bool:
    """The assumed value is stated with the last of several constraints, and any of them may allow it."""
    assumed = items[-1].assumed_value
    return any(_primitive(_assuming(item, assumed)) for item in items)


def _assuming(item: Primitive, value: object) -> Primitive:
    changes: dict[str, Any] = {"assumed_value": value}
    return replace(item, **changes)


def _quantity(node: CDvQuantity, magnitude: float, units: str) -> bool:
    if not node.items:
        return True
    return any(
        item.units == units and (item.magnitude is None or item.magnitude.contains(magnitude))
        for item in node.items
    )


def _primitive(item: Primitive) -> bool:
    match item:
        case CBoolean(assumed_value=bool() as truth):
            return item.true_valid if truth else item.false_valid
        case CString(assumed_value=str() as text):
            return _string(item, text)
        case CInteger(assumed_value=int() as whole):
            return _number(whole, item.values, item.range)
        case CReal(assumed_value=float() | int() as real):
            return _number(float(real), item.values, item.range)
        case CTemporal(assumed_value=str() as moment):
            return _in_range(temporal_key(moment, item.rm_type), _keys(item.range, item.rm_type))
        case CDuration(assumed_value=str() as text):
            return _in_range(duration_seconds(text), _seconds(item.range))
    return True


def _string(item: CString, text: str) -> bool:
    if item.pattern is not None:
        return matches(item.pattern, text)
    return item.list_open or not item.values or text in item.values


def _number(value: Number, values: tuple[Number, ...], span: Interval[Number] | None) -> bool:
    return (not values or value in values) and (span is None or span.contains(value))


def _in_range(value: float | None, span: Interval[float] | None) -> bool:
    """A value or bound that cannot be read is the reader's matter, not ours."""
    return value is None or span is None or span.contains(value)


def _keys(span: Interval[str] | None, rm_type: str) -> Interval[float] | None:
    if span is None:
        return None
    lower = None if span.lower is None else temporal_key(span.lower, rm_type)
    upper = None if span.upper is None else temporal_key(span.upper, rm_type)
    return Interval(lower, upper, span.lower_included, span.upper_included)


def _seconds(span: Interval[str] | None) -> Interval[float] | None:
    if span is None:
        return None
    lower = None if span.lower is None else duration_seconds(span.lower)
    upper = None if span.upper is None else duration_seconds(span.upper)
    return Interval(lower, upper, span.lower_included, span.upper_included)
