"""Is one leaf constraint equal to or narrower than another? (AOM 1.4, valid redefinition)

The answers err on the side of no: patterns are compared as texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from archetypes.aom.constraints import (
    CBoolean,
    CCodePhrase,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
    QuantityItem,
)
from archetypes.patterns import matches
from archetypes.rm.iso8601 import duration_seconds, temporal_key

T = TypeVar("T", int, float, str)


def is_within(
    inner: Interval[T] | None, outer: Interval[T] | None, key: Callable[[T], float] | None = None
) -> bool:
    """True if ``inner`` lies in ``outer``; None stands for any value. ``key`` orders texts."""
    if outer is None:
        return True
    if inner is None:
        return outer.lower is None and outer.upper is None
    order = key or float
    return _starts_within(inner, outer, order) and _ends_within(inner, outer, order)


def _starts_within(inner: Interval[T], outer: Interval[T], order: Callable[[T], float]) -> bool:
    if outer.lower is None:
        return True
    if inner.lower is None:
        return False
    mine, theirs = order(inner.lower), order(outer.lower)
    return mine > theirs or (mine == theirs and (outer.lower_included or not inner.lower_included))


def _ends_within(inner: Interval[T], outer: Interval[T], order: Callable[[T], float]) -> bool:
    if outer.upper is None:
        return True
    if inner.upper is None:
        return False
    mine, theirs = order(inner.upper), order(outer.upper)
    return mine < theirs or (mine == theirs and (outer.upper_included or not inner.upper_included))


def leaf_is_narrower(child: CObject, parent: CObject) -> bool:
    """True if every value that ``child`` allows is allowed by ``parent``, both leaves of one RM type."""
    match child, parent:
        case CPrimitiveObject(), CPrimitiveObject():
            return _primitive(child.item, parent.item)
        case CCodePhrase(), CCodePhrase():
            return parent.terminology_id is None or (
                child.terminology_id == parent.terminology_id and _subset(child.codes, parent.codes)
            )
        case ConstraintRef(), ConstraintRef():
            return child.reference == parent.reference
        case CCodePhrase(), ConstraintRef():
            return True  # a value set outside, chosen from
        case CDvQuantity(), CDvQuantity():
            return _quantity(child, parent)
        case CDvOrdinal(), CDvOrdinal():
            return _subset(child.items, parent.items)
    return child == parent


def _subset(child: tuple[object, ...], parent: tuple[object, ...]) -> bool:
    """An empty list stands for any value."""
    return not parent or (bool(child) and set(child) <= set(parent))


def _quantity(child: CDvQuantity, parent: CDvQuantity) -> bool:
    if parent.property is not None and child.property != parent.property:
        return False
    if not parent.items:
        return True
    by_units = {item.units: item for item in parent.items}
    return bool(child.items) and all(
        item.units in by_units and _unit(item, by_units[item.units]) for item in child.items
    )


def _unit(child: QuantityItem, parent: QuantityItem) -> bool:
    return is_within(child.magnitude, parent.magnitude) and is_within(child.precision, parent.precision)


def _primitive(child: Primitive | None, parent: Primitive | None) -> bool:
    if parent is None:
        return True
    match child, parent:
        case CString(), CString():
            return _string(child, parent)
        case CBoolean(), CBoolean():
            return child.true_valid <= parent.true_valid and child.false_valid <= parent.false_valid
        case CInteger(), CInteger():
            return _numbers_narrower(child.values, child.range, parent.values, parent.range)
        case CReal(), CReal():
            return _numbers_narrower(child.values, child.range, parent.values, parent.range)
        case CTemporal(), CTemporal():
            same = parent.pattern is None or child.pattern == parent.pattern
            return same and _temporal_range(child, parent)
        case CDuration(), CDuration():
            return _duration(child, parent)
    return False


def _string(child: CString, parent: CString) -> bool:
    if parent.pattern is not None:
        if child.pattern is not None:
            return child.pattern == parent.pattern
        return bool(child.values) and all(matches(parent.pattern, value) for value in child.values)
    if parent.list_open:
        return True
    return not child.list_open and _subset(child.values, parent.values)


def _numbers_narrower(
    values: tuple[T, ...], span: Interval[T] | None, allowed: tuple[T, ...], allowed_span: Interval[T] | None
) -> bool:
    if allowed and not (values and set(values) <= set(allowed)):
        return False
    if values:
        return allowed_span is None or all(allowed_span.contains(value) for value in values)
    return is_within(span, allowed_span)


def _temporal_range(child: CTemporal, parent: CTemporal) -> bool:
    def key(text: str) -> float:
        return temporal_key(text, child.rm_type) or 0

    return is_within(child.range, parent.range, key)


def _duration(child: CDuration, parent: CDuration) -> bool:
    if parent.pattern is not None and not _same_fields(child.pattern, parent.pattern):
        return False
    return is_within(child.range, parent.range, lambda text: duration_seconds(text) or 0.0)


def _same_fields(child: str | None, parent: str) -> bool:
    """A pattern names the fields that may be used, ``M`` being months before T and minutes after it."""
    if child is None:
        return False
    mine, theirs = child.upper().partition("T"), parent.upper().partition("T")
    return set(mine[0]) <= set(theirs[0]) and set(mine[2]) <= set(theirs[2])
