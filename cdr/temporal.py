"""Dates, date-times and times as written, as intervals of microseconds; partial ones are longer."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from archetypes.rm.iso8601 import TemporalParts, parse_temporal

_MICRO = 1_000_000


@lru_cache(maxsize=65536)
def instant(text: str, offset: int) -> tuple[int, int] | None:
    """First and last microsecond of a date or date-time, perhaps partial."""
    parts = parse_temporal(text, "DATE_TIME")
    if parts is None or parts.year is None:
        return None
    days = date(parts.year, parts.month or 1, parts.day or 1).toordinal()
    clock = _clock(parts, offset)
    low = days * 86_400 * _MICRO + clock
    if parts.hour is not None:
        return low, low + _span(parts) - 1
    if parts.day is not None:
        return low, low + 86_400 * _MICRO - 1
    month = 12 if parts.month is None else parts.month
    following = date(parts.year + 1, 1, 1) if month == 12 and parts.year < 9999 else None
    if following is None:
        following = date(parts.year, month + 1, 1) if month < 12 else date.max
    return low, following.toordinal() * 86_400 * _MICRO + clock - 1


@lru_cache(maxsize=4096)
def time_of_day(text: str, offset: int) -> tuple[int, int] | None:
    """First and last microsecond of a time, perhaps partial."""
    parts = parse_temporal(text, "TIME")
    if parts is None:
        return None
    low = _clock(parts, offset)
    return low, low + _span(parts) - 1


def _clock(parts: TemporalParts, offset: int) -> int:
    zone = offset if parts.offset is None else parts.offset
    minutes = (parts.hour or 0) * 60 + (parts.minute or 0) - zone
    fraction = int((parts.fraction or "0")[:6].ljust(6, "0"))
    return (minutes * 60 + (parts.second or 0)) * _MICRO + fraction


def _span(parts: TemporalParts) -> int:
    if parts.minute is None:
        return 3600 * _MICRO
    return 60 * _MICRO if parts.second is None else 1
