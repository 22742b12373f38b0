"""What changed between two constraints on values: lists, ranges, patterns, units, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CDvState,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    CTerminologyCode,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from archetypes.aom.narrowing import is_within
from archetypes.aom.slots import admits, is_everything
from archetypes.changes.kinds import Change, change
from archetypes.rm.iso8601 import duration_seconds, temporal_key

T = TypeVar("T", int, float, str)
Changes = Iterator[Change]


def leaf_changes(old: CObject, new: CObject, path: str) -> Changes:
    """The differences of two constraints without attributes of their own, of one RM type."""
    if old == new:
        return
    match old, new:
        case CPrimitiveObject(), CPrimitiveObject() if old.others or new.others:
            yield change("value_set.changed", path, _alternatives(old), _alternatives(new))
        case CPrimitiveObject(), CPrimitiveObject():
            yield from _primitives(old.item, new.item, path)
        case CCodePhrase(), CCodePhrase():
            yield from _code_phrases(old, new, path)
        case CDvQuantity(), CDvQuantity():
            yield from _quantities(old, new, path)
        case CDvOrdinal(), CDvOrdinal():
            yield from _ordinals(old, new, path)
        case ArchetypeSlot(), ArchetypeSlot():
            yield from _slots(old, new, path)
            before, after = (" | ".join((*s.other_includes, *s.other_excludes)) for s in (old, new))
            if before != after:
                yield change("value_set.changed", path, before or "*", after or "*")
        case ConstraintRef(), ConstraintRef():
            if old.reference != new.reference:
                yield change("value_set.changed", path, old.reference, new.reference)
        case _ if described(old) != described(new):
            yield change("value_set.changed", path, described(old), described(new))


def _alternatives(leaf: CPrimitiveObject) -> str:
    return ", ".join(primitive_text(item) for item in (leaf.item, *leaf.others))


def described(leaf: CObject) -> str:
    """A constraint on a value in short."""
    match leaf:
        case CCodePhrase():
            return f"{leaf.terminology_id or '*'}::{', '.join(leaf.codes) or '*'}"
        case CCodeReference():
            return leaf.reference_set_uri
        case ConstraintRef():
            return leaf.reference
        case CDvQuantity():
            return ", ".join(item.units for item in leaf.items) or leaf.rm_type_name
        case CDvOrdinal():
            return ", ".join(f"{item.value:g}|{item.code}" for item in leaf.items) or leaf.rm_type_name
        case CDvState():
            return ", ".join(state.name for state in leaf.states) or leaf.rm_type_name
        case CTerminologyCode():
            return f"{leaf.status} {leaf.code}".strip()
    return leaf.rm_type_name


# --- lists, ranges, patterns ------------------------------------------------------------------------


def range_changes(
    kind: str,
    old: Interval[T] | None,
    new: Interval[T] | None,
    path: str,
    *,
    what: str = "",
    key: Callable[[T], float] | None = None,
) -> Changes:
    """``kind``.narrowed if a value was allowed and no longer is, else ``kind``.widened; None: any value."""
    unbounded: Interval[T] = Interval()
    if (old or unbounded) != (new or unbounded):
        code = f"{kind}.widened" if is_within(old, new, key) else f"{kind}.narrowed"
        yield change(code, path, old or "*", new or "*", what)


def _lists(kind: str, old: Sequence[object], new: Sequence[object], path: str) -> Changes:
    """Members that went or came; an empty list means any value."""
    if not old and new:
        yield change("values.closed", path, "*", ", ".join(map(str, new)))
    elif old and not new:
        yield change("values.opened", path, ", ".join(map(str, old)), "*")
    else:
        yield from (change(f"{kind}.removed", path, v, "", str(v)) for v in old if v not in new)
        yield from (change(f"{kind}.added", path, "", v, str(v)) for v in new if v not in old)


def _patterns(old: str | None, new: str | None, path: str, *, wider: bool = False) -> Changes:
    if old == new:
        return
    if old is None:
        yield change("pattern.added", path, "*", new)
    elif new is None:
        yield change("pattern.removed", path, old, "*")
    else:
        yield change("pattern.widened" if wider else "pattern.changed", path, old, new)


# --- primitives -------------------------------------------------------------------------------------


def _primitives(old: Primitive | None, new: Primitive | None, path: str) -> Changes:
    match old, new:
        case None, _:
            yield change("constraint.added", path, "*", primitive_text(new))
            return
        case _, None:
            yield change("constraint.removed", path, primitive_text(old), "*")
            return
        case CBoolean(), CBoolean():
            yield from _lists("value", _booleans(old), _booleans(new), path)
        case CString(), CString():
            yield from _patterns(old.pattern, new.pattern, path)
            yield from _lists("value", _closed(old), _closed(new), path)
        case CInteger(), CInteger():
            yield from _lists("value", old.values, new.values, path)
            yield from range_changes("range", old.range, new.range, path)
        case CReal(), CReal():
            yield from _lists("value", old.values, new.values, path)
            yield from range_changes("range", old.range, new.range, path)
        case CTemporal(), CTemporal():
            yield from _temporals(old, new, path)
        case CDuration(), CDuration():
            yield from _durations(old, new, path)
        case _:
            yield change("type.changed", path, primitive_text(old), primitive_text(new))
            return
    if old is not None and new is not None and old.assumed_value != new.assumed_value:
        yield from _assumed(old.assumed_value, new.assumed_value, path)


def primitive_text(item: Primitive | None) -> str:
    """A constraint on a primitive in short."""
    match item:
        case CBoolean():
            return ", ".join(_booleans(item))
        case CString():
            return item.pattern or ", ".join(item.values) or "*"
        case CInteger() | CReal():
            return ", ".join(map(str, item.values)) or str(item.range or "*")
        case CTemporal() | CDuration():
            return item.pattern or str(item.range or "*")
    return "*"


def _booleans(item: CBoolean) -> list[str]:
    allowed = (("true", item.true_valid), ("false", item.false_valid))
    return [name for name, valid in allowed if valid]


def _closed(item: CString) -> tuple[str, ...]:
    return () if item.list_open else item.values


def _temporals(old: CTemporal, new: CTemporal, path: str) -> Changes:
    yield from _patterns(old.pattern, new.pattern, path, wider=_admits_fields(new.pattern, old.pattern))
    yield from range_changes(
        "range", old.range, new.range, path, key=lambda text: temporal_key(text, old.rm_type) or 0.0
    )
    if new.timezone_validity not in (old.timezone_validity, None):
        yield change("timezone.changed", path, _or_any(old.timezone_validity), _or_any(new.timezone_validity))


def _or_any(value: object | None) -> str:
    return "*" if value is None else str(value)


def _admits_fields(wider: str | None, narrower: str | None) -> bool:
    """``yyyy-??-??`` admits every date that ``yyyy-mm-??`` admits."""
    mine, theirs = (_fields(pattern) for pattern in (wider, narrower))
    return len(mine) == len(theirs) and all(w in (n, "??") for w, n in zip(mine, theirs, strict=True))


def _fields(pattern: str | None) -> list[str]:
    return (pattern or "").replace("T", "-").replace(":", "-").split("-")


def _durations(old: CDuration, new: CDuration, path: str) -> Changes:
    if old.pattern is not None and new.pattern is not None and old.pattern != new.pattern:
        lost = duration_fields(old.pattern) - duration_fields(new.pattern)
        yield change("pattern.narrowed" if lost else "pattern.widened", path, old.pattern, new.pattern)
    else:
        yield from _patterns(old.pattern, new.pattern, path)
    yield from range_changes(
        "range", old.range, new.range, path, key=lambda text: duration_seconds(text) or 0.0
    )


def duration_fields(pattern: str) -> set[str]:
    """The fields that ``PWDTHM`` allows; ``M`` before T is months and after it minutes."""
    date, _, time = pattern.upper().removeprefix("P").partition("T")
    return {*date, *(f"T{letter}" for letter in time)}


def _assumed(old: object | None, new: object | None, path: str) -> Changes:
    if old != new:
        yield change("assumed.changed", path, "" if old is None else old, "" if new is None else new)


# --- openEHR's own constraint types -----------------------------------------------------------------


def _code_phrases(old: CCodePhrase, new: CCodePhrase, path: str) -> Changes:
    if old.terminology_id != new.terminology_id and new.terminology_id is not None:
        yield change("terminology.changed", path, described(old), described(new))
    elif old.terminology_id != new.terminology_id:
        yield change("values.opened", path, described(old), described(new))
    else:
        yield from _lists("code", old.codes, new.codes, path)
    yield from _assumed(old.assumed_value, new.assumed_value, path)


def _quantities(old: CDvQuantity, new: CDvQuantity, path: str) -> Changes:
    if old.property != new.property and new.property is not None:
        yield change("property.changed", path, old.property or "*", new.property)
    elif old.property != new.property:
        yield change("constraint.removed", path, old.property, "*")
    before, after = ({item.units: item for item in each.items} for each in (old, new))
    yield from _lists("unit", tuple(before), tuple(after), path)
    for units, item in before.items():
        if units in after:
            yield from _units(item, after[units], path)
    yield from _assumed(old.assumed_value, new.assumed_value, path)


def _units(old: QuantityItem, new: QuantityItem, path: str) -> Changes:
    yield from range_changes("range", old.magnitude, new.magnitude, path, what=old.units)
    yield from range_changes("precision", old.precision, new.precision, path, what=old.units)


def _ordinals(old: CDvOrdinal, new: CDvOrdinal, path: str) -> Changes:
    before, after = ({item.code: item for item in each.items} for each in (old, new))
    if not before or not after:
        yield from _lists("ordinal", tuple(before), tuple(after), path)
    else:
        yield from _ordinal_items(before, after, path)
    yield from _assumed(old.assumed_value, new.assumed_value, path)


def _ordinal_items(before: dict[str, OrdinalItem], after: dict[str, OrdinalItem], path: str) -> Changes:
    yield from _lists("ordinal", tuple(before), tuple(after), path)
    for code in (code for code in before if code in after):
        mine, theirs = before[code], after[code]
        if mine.terminology_id != theirs.terminology_id:
            yield change("terminology.changed", path, mine.terminology_id, theirs.terminology_id, code)
        if mine.value != theirs.value:
            yield change("ordinal.value_changed", path, f"{mine.value:g}", f"{theirs.value:g}", code)


# --- slots ------------------------------------------------------------------------------------------


def _slots(old: ArchetypeSlot, new: ArchetypeSlot, path: str) -> Changes:
    """Patterns are compared as texts, except that a plain id is looked up in the other slot."""
    if _is_open(old) and _is_open(new):
        return
    if _is_open(new):
        yield change("slot.widened", path, slot_text(old), "*")
    elif _is_open(old):
        yield change("slot.narrowed", path, "*", slot_text(new))
    else:
        yield from _slot_patterns(old, new, path)


def _slot_patterns(old: ArchetypeSlot, new: ArchetypeSlot, path: str) -> Changes:
    for pattern in (*_lost(old, new), *_beyond(new.excludes, old.excludes)):
        yield change("slot.narrowed", path, slot_text(old), slot_text(new), pattern)
    for pattern in (*_lost(new, old), *_beyond(old.excludes, new.excludes)):
        yield change("slot.widened", path, slot_text(old), slot_text(new), pattern)


def _lost(mine: ArchetypeSlot, theirs: ArchetypeSlot) -> list[str]:
    """The includes of ``mine`` that ``theirs`` does not cover."""
    there = _parts(theirs.includes)
    if any(is_everything(part) for part in there):
        return []
    return [part for part in _parts(mine.includes) if part not in there and not _takes(theirs, part)]


def _takes(slot: ArchetypeSlot, pattern: str) -> bool:
    archetype_id = pattern.replace("\\.", ".").replace("\\-", "-")
    return not set(archetype_id) & set("*+?()[]|\\") and admits(slot, archetype_id)


def _beyond(mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Excludes of ``mine`` that ``theirs`` lacks; one of everything only closes the list of includes."""
    return [pattern for pattern in mine if pattern not in theirs and not is_everything(pattern)]


def _is_open(slot: ArchetypeSlot) -> bool:
    if any(is_everything(pattern) for pattern in slot.includes):
        return not [pattern for pattern in slot.excludes if not is_everything(pattern)]
    return not slot.includes and not slot.excludes


def _parts(patterns: Sequence[str]) -> list[str]:
    """Tools join patterns by bars; bars inside parentheses are part of a pattern."""
    return [part for pattern in patterns for part in ([pattern] if "(" in pattern else pattern.split("|"))]


def slot_text(slot: ArchetypeSlot) -> str:
    """What a slot takes, in short."""
    excluded = "".join(f" -{pattern}" for pattern in slot.excludes if not is_everything(pattern))
    return (" | ".join(slot.includes) or "*") + excluded
