"""Comparing ranges: is the narrower one within the wider one?"""

from __future__ import annotations

import re
from typing import TypeVar

from archetypes.intervals import Interval

N = TypeVar("N", int, float)


def start_of(new: Interval[N], old: Interval[N]) -> tuple[N | None, bool]:
    """The lower limit of ``new`` and whether it belongs; where ``new`` has none, that of ``old``."""
    return (old.lower, old.lower_included) if new.lower is None else (new.lower, new.lower_included)


def end_of(new: Interval[N], old: Interval[N]) -> tuple[N | None, bool]:
    """The upper limit of ``new`` and whether it belongs; where ``new`` has none, that of ``old``."""
    return (old.upper, old.upper_included) if new.upper is None else (new.upper, new.upper_included)


def is_within(new: Interval[N], old: Interval[N]) -> bool:
    """True if every stated limit of ``new`` lies within ``old``."""
    below = new.lower is not None and old.lower is not None and new.lower < old.lower
    above = new.upper is not None and old.upper is not None and new.upper > old.upper
    opened_low = new.lower == old.lower and new.lower is not None and new.lower_included > old.lower_included
    opened_high = new.upper == old.upper and new.upper is not None and new.upper_included > old.upper_included
    outside_high = new.lower is not None and old.upper is not None and new.lower > old.upper
    return not (below or above or opened_low or opened_high or outside_high)


_DURATION = re.compile(
    r"-?P(?:([\d.]+)Y)?(?:([\d.]+)M)?(?:([\d.]+)W)?(?:([\d.]+)D)?"
    r"(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?"
)
_FIELD_SECONDS = (31_557_600, 2_629_800, 604_800, 86_400, 3_600, 60, 1)


def in_seconds(limits: Interval[str]) -> Interval[float]:
    """A range of durations in seconds; a year is 365.25 days, a month a twelfth of it."""
    lower = None if limits.lower is None else duration_seconds(limits.lower)
    upper = None if limits.upper is None else duration_seconds(limits.upper)
    return Interval(lower, upper, limits.lower_included, limits.upper_included)


def duration_seconds(text: str) -> float | None:
    """The length of an ISO 8601 duration (openEHR's form: weeks mix, a sign is allowed); None: not one."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    sign = -1 if text.startswith("-") else 1
    return sign * sum(float(n or 0) * s for n, s in zip(match.groups(), _FIELD_SECONDS, strict=True))


def duration_fields(pattern: str | None) -> set[str]:
    """The fields that a duration pattern allows; no pattern allows all."""
    date, _, time = (pattern or "PYMWDTHMS").upper().removeprefix("P").partition("T")
    return {*date, *(f"T{letter}" for letter in time)}
