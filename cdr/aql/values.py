"""Values and their comparison: three-valued, by the type of what stands in the data.

A cell is a JSON value. A text that the data model says is a date, a time or a duration is an ``Instant``,
``TimeOfDay`` or ``Length`` (strings that know what they are). An ordered data value (DV_QUANTITY,
DV_DATE_TIME, ...) stands for its number or text. Unlike types and unreadable texts compare as unknown,
which is None. ``docs/aql.md`` has the rules in words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archetypes.rm.iso8601 import duration_seconds
from cdr.temporal import instant, time_of_day


class Instant(str):
    """A date or date-time as written."""

    __slots__ = ()


class TimeOfDay(str):
    """A time as written."""

    __slots__ = ()


class Length(str):
    """A duration as written."""

    __slots__ = ()


class AddressText(str):
    """A parameter out of a web address, where everything is text: it is read as what it is compared with."""

    __slots__ = ()

    def read_as(self, other: Any) -> Any:
        """The number or the boolean that the text writes, if ``other`` is one; else the text."""
        if isinstance(other, bool):
            return {"true": True, "false": False}.get(self, str(self))
        return float(self) if is_number(other) and _NUMBER.fullmatch(self) else str(self)


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

TEMPORAL_CLASSES: Mapping[str, type[str]] = MappingProxyType(
    {"DV_DATE": Instant, "DV_DATE_TIME": Instant, "DV_TIME": TimeOfDay, "DV_DURATION": Length}
)
_WITH_VALUE = (
    *("DV_ORDINAL", "DV_SCALE", "DV_TEXT", "DV_CODED_TEXT", "DV_PARAGRAPH", "DV_BOOLEAN", "DV_URI"),
    *("DV_EHR_URI", "DV_DATE", "DV_TIME", "DV_DATE_TIME", "DV_DURATION"),
    *("HIER_OBJECT_ID", "OBJECT_VERSION_ID", "TEMPLATE_ID", "ARCHETYPE_ID", "TERMINOLOGY_ID"),
    *("GENERIC_ID", "UUID", "ISO_OID", "INTERNET_ID"),
)
_SCALAR_ATTRIBUTE: Mapping[str, str] = MappingProxyType(
    {"DV_QUANTITY": "magnitude", "DV_COUNT": "magnitude"} | dict.fromkeys(_WITH_VALUE, "value")
)


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone, in minutes east of UTC, of times that state none."""

    offset: int = 0


def equal(left: Any, right: Any, zone: Zone) -> bool | None:
    """Is ``left = right``? A partial date equals what lies within it."""
    kind_left, kind_right = type(left), type(right)
    if kind_left is kind_right and kind_left in (str, bool, float, int):
        return bool(left == right)
    if kind_left is dict and kind_right is dict:
        return _equal_objects(left, right, zone)
    pair = _comparable(left, right, zone)
    if pair is None:
        return None
    low, high = pair
    if isinstance(low, tuple):
        return _overlap(low, high)
    return bool(low == high)


def order(left: Any, right: Any, zone: Zone) -> int | None:
    """-1, 0 or 1; partial dates by their lower bounds; None if the two have no order."""
    if type(left) is dict and type(right) is dict and unlike(left, right):
        return None
    pair = _comparable(left, right, zone)
    if pair is None or isinstance(pair[0], bool):
        return None
    low, high = pair
    if isinstance(low, tuple):
        low, high = low[0], high[0]
    return int(low > high) - int(low < high)


def scalar(value: Any) -> Any:
    """What a data value stands for in a comparison; None if it is no such thing."""
    if type(value) is not dict:
        return value
    rm_type = value.get("_type")
    if rm_type == "DV_PROPORTION":
        numerator, denominator = value.get("numerator"), value.get("denominator")
        return (
            numerator / denominator
            if is_number(numerator) and is_number(denominator) and denominator
            else None
        )
    attribute = _SCALAR_ATTRIBUTE.get(rm_type or "")
    plain = None if attribute is None else value.get(attribute)
    kind = TEMPORAL_CLASSES.get(rm_type or "")
    return kind(plain) if kind is not None and isinstance(plain, str) else plain


def order_key(value: Any, zone: Zone) -> tuple[int, Any] | None:
    """A key for sorting unlike values together: numbers, texts, instants, times, durations, booleans.

    None for what has no place in an order (missing, objects, unreadable dates).
    """
    plain = scalar(value)
    if plain is None or isinstance(plain, dict | list):
        return None
    if isinstance(plain, bool):
        return (5, plain)
    if isinstance(plain, int | float):
        return (0, plain)
    rank, key = 1, plain
    if type(plain) is Instant:
        rank, key = 2, _lower(instant(plain, zone.offset))
    elif type(plain) is TimeOfDay:
        rank, key = 3, _lower(time_of_day(plain, zone.offset))
    elif type(plain) is Length:
        rank, key = 4, duration_seconds(plain)
    return None if key is None else (rank, key)


def identity(value: Any) -> Any:
    """A hashable key, equal for values that DISTINCT and grouping take as one (1 and 1.0, not 1 and true)."""
    if value is None or isinstance(value, str):
        return str(value) if value is not None else None
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float):
        return ("number", value)
    if isinstance(value, dict):
        return ("object", frozenset((key, identity(member)) for key, member in value.items()))
    return ("list", tuple(identity(member) for member in value))


def is_number(value: Any) -> bool:
    """A JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: Any) -> str | None:
    """The text that LIKE and the string functions see; None for numbers and objects without text."""
    plain = scalar(value)
    return str(plain) if isinstance(plain, str) else None


def _comparable(left: Any, right: Any, zone: Zone) -> tuple[Any, Any] | None:
    """Both as numbers, texts, booleans or intervals of time; None if they do not compare."""
    left, right = scalar(left), scalar(right)
    if isinstance(left, AddressText):
        left = left.read_as(right)
    if isinstance(right, AddressText):
        right = right.read_as(left)
    if isinstance(left, str) and isinstance(right, str):
        return _comparable_texts(left, right, zone)
    if isinstance(left, bool) and isinstance(right, bool):
        return left, right
    return (left, right) if is_number(left) and is_number(right) else None


def _comparable_texts(left: str, right: str, zone: Zone) -> tuple[Any, Any] | None:
    """A plain text compared with a temporal value is read as one."""
    kinds = {type(left), type(right)} - {str}
    if not kinds:
        return left, right
    if len(kinds) > 1:
        return None
    kind = kinds.pop()
    a, b = _temporal(kind, left, zone), _temporal(kind, right, zone)
    return None if a is None or b is None else (a, b)


def _temporal(kind: type, text: str, zone: Zone) -> Any:
    if kind is Instant:
        return instant(str(text), zone.offset)
    return time_of_day(str(text), zone.offset) if kind is TimeOfDay else duration_seconds(text)


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """The shorter lies within the longer (by its first moment)."""
    wide, narrow = (a, b) if a[1] - a[0] >= b[1] - b[0] else (b, a)
    return wide[0] <= narrow[0] <= wide[1]


def _equal_objects(left: dict[str, Any], right: dict[str, Any], zone: Zone) -> bool | None:
    if unlike(left, right):
        return None
    plain_left, plain_right = scalar(left), scalar(right)
    if plain_left is None and plain_right is None:
        return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    return equal(plain_left, plain_right, zone)


def unlike(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Quantities in different units: never converted silently."""
    return left.get("units") != right.get("units")


def _lower(interval: tuple[int, int] | None) -> int | None:
    return None if interval is None else interval[0]
