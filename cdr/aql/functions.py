"""The single-row functions of AQL 1.1 over plain values; None (unknown) in, None out.

A value of another type than the function wants is unknown too. ``CONCAT_WS`` skips unknown parts, as in
SQL. Positions count from 1. ``ROUND`` rounds halves away from zero; ``MOD`` takes the sign of the dividend,
and MOD by zero is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from types import MappingProxyType
from typing import Any

from archetypes.rm.iso8601 import parse_temporal
from cdr.aql.errors import AqlTooLarge

MANY = 1000
LONGEST_JOINED = 32_000_000

# name: fewest and most arguments
FUNCTION_ARGUMENTS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "LENGTH": (1, 1),
        "CONTAINS": (2, 2),
        "POSITION": (2, 2),
        "SUBSTRING": (2, 3),
        "CONCAT": (1, MANY),
        "CONCAT_WS": (2, MANY),
        "ABS": (1, 1),
        "MOD": (2, 2),
        "CEIL": (1, 1),
        "FLOOR": (1, 1),
        "ROUND": (1, 2),
        "CURRENT_DATE": (0, 0),
        "CURRENT_TIME": (0, 0),
        "CURRENT_DATE_TIME": (0, 0),
        "NOW": (0, 0),
        "CURRENT_TIMEZONE": (0, 0),
        "DAYS_BETWEEN": (2, 2),
        "GESTATIONAL_DAYS": (2, 2),
    }
)
# Not of AQL 1.1: days from one date to another, and the age of a pregnancy by its term.
EXTENSIONS = frozenset({"DAYS_BETWEEN", "GESTATIONAL_DAYS"})
TERM_DAY = 283  # a term is day 283 of a pregnancy in Norway (40 weeks and 3 days), not day 280

Number = int | float


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of a query, with the zone of the server."""

    moment: datetime

    @property
    def offset_minutes(self) -> int:
        """The server's zone in minutes east of UTC."""
        offset = self.moment.utcoffset()
        return 0 if offset is None else int(offset.total_seconds() // 60)

    def value(self, name: str) -> str:
        """The value of a date and time function."""
        zone = f"{'-' if self.offset_minutes < 0 else '+'}{_hours_minutes(abs(self.offset_minutes))}"
        if name == "CURRENT_DATE":
            return self.moment.strftime("%Y-%m-%d")
        if name == "CURRENT_TIME":
            return self.moment.strftime("%H:%M:%S")
        if name == "CURRENT_TIMEZONE":
            return zone
        return self.moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{self.moment.microsecond // 1000:03}{zone}"


def function(name: str) -> Callable[..., Any]:
    """The implementation of a string or numeric function."""
    return _FUNCTIONS[name]


def _length(text: Any) -> int | None:
    return len(text) if isinstance(text, str) else None


def _contains(text: Any, part: Any) -> bool | None:
    return part in text if isinstance(text, str) and isinstance(part, str) else None


def _position(part: Any, text: Any) -> int | None:
    return text.find(part) + 1 if isinstance(text, str) and isinstance(part, str) else None


def _substring(text: Any, position: Any, length: Any = MANY**3) -> str | None:
    if not isinstance(text, str) or not _is_integer(position) or not _is_integer(length):
        return None
    start, end = position - 1, position - 1 + max(length, 0)
    return str(text[max(start, 0) : max(end, 0)])


def _concat(*parts: Any) -> str | None:
    return _joined("", parts) if all(isinstance(part, str) for part in parts) else None


def _concat_ws(separator: Any, *parts: Any) -> str | None:
    known = [part for part in parts if part is not None]
    if not isinstance(separator, str) or not all(isinstance(part, str) for part in known):
        return None
    return _joined(separator, known)


def _joined(separator: str, parts: Sequence[str]) -> str:
    """Raises AqlTooLarge: a query can name a large text a thousand times."""
    if sum(map(len, parts)) + len(separator) * len(parts) > LONGEST_JOINED:
        raise AqlTooLarge("characters in one text that CONCAT makes", LONGEST_JOINED)
    return separator.join(parts)


def _abs(number: Any) -> Number | None:
    return abs(number) if _is_number(number) else None


def _mod(x: Any, y: Any) -> Number | None:
    if not _is_number(x) or not _is_number(y) or y == 0:
        return None
    if isinstance(x, int) and isinstance(y, int):
        remainder = abs(x) % abs(y)
        return -remainder if x < 0 else remainder
    return math.fmod(x, y)


def _ceil(number: Any) -> int | None:
    return math.ceil(number) if _is_number(number) else None


def _floor(number: Any) -> int | None:
    return math.floor(number) if _is_number(number) else None


def _round(number: Any, places: Any = 0) -> Number | None:
    if not _is_number(number) or not _is_integer(places) or abs(places) > 100:
        return None
    if isinstance(number, float) and abs(number) >= 2**53:
        return number
    unit = Decimal(1).scaleb(-places)
    rounded = (Decimal(repr(number)) / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit
    return int(rounded) if isinstance(number, int) or places <= 0 else float(rounded)


def arithmetic(operator: str, left: Any, right: Any) -> Number | None:
    """``left operator right``, in decimals; unknown for what is no number and for a zero divisor.

    It is unknown too where the result is too large. Whole numbers stay whole, save in a division.
    """
    if not _is_number(left) or not _is_number(right) or (operator == "/" and right == 0):
        return None
    whole = isinstance(left, int) and isinstance(right, int) and operator != "/"
    found = _OPERATIONS[operator](_decimal(left), _decimal(right))
    if whole:
        return int(found) if abs(found) < 2**63 else None
    number = float(found)
    return number if math.isfinite(number) else None


def _decimal(number: Number) -> Decimal:
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


_EXACT = Context(prec=80, Emax=100_000, Emin=-100_000, traps=[])
_OPERATIONS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = MappingProxyType(
    {"+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply, "/": _EXACT.divide}
)


def _days_between(start: Any, end: Any) -> int | None:
    first, last = _date(start), _date(end)
    return None if first is None or last is None else (last - first).days


def _gestational_days(term: Any, at: Any) -> int | None:
    left = _days_between(at, term)
    return None if left is None else TERM_DAY - left


def _date(text: Any) -> date | None:
    """The calendar day as written, whatever the zone; None for partial dates."""
    parts = parse_temporal(text, "DATE_TIME") if isinstance(text, str) else None
    if parts is None or parts.year is None or parts.month is None or parts.day is None:
        return None
    return date(parts.year, parts.month, parts.day)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _hours_minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


_FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "LENGTH": _length,
        "CONTAINS": _contains,
        "POSITION": _position,
        "SUBSTRING": _substring,
        "CONCAT": _concat,
        "CONCAT_WS": _concat_ws,
        "ABS": _abs,
        "MOD": _mod,
        "CEIL": _ceil,
        "FLOOR": _floor,
        "ROUND": _round,
        "DAYS_BETWEEN": _days_between,
        "GESTATIONAL_DAYS": _gestational_days,
    }
)
