"""Example values of primitive constraints: the middle of a range, the first of a list.

``Choice`` is how a seed decides: seed 0 takes the first of every list and the middle of every range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from archetypes.aom.constraints import (
    CBoolean,
    CDuration,
    CInteger,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
)
from archetypes.rm.iso8601 import duration_seconds, parse_temporal, temporal_key
from templates.example_texts import FAMILIAR_TEXTS, matching_text

T = TypeVar("T")

START = datetime.fromisoformat("2026-01-15T10:30:00+01:00")
TIMEZONE_PROHIBITED = 1003  # VALIDITY_KIND of AOM 1.4
_GOLDEN = (math.sqrt(5) - 1) / 2
_UNIT_SECONDS = {
    "Y": 365.24 * 86_400, "M": 30.42 * 86_400, "W": 604_800, "D": 86_400, "TH": 3_600, "TM": 60, "TS": 1,
}  # fmt: skip
_DAY = timedelta(days=1)


class Impossible(Exception):
    """A constraint that no value meets, as far as we can tell; the text says which."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the seed decides for a node and for all below it.

    Every choice takes its part of the seed and hands on the rest, so that each alternative of each node
    is reached by some seed. ``share`` is the place in a range, from 0 to 1.
    """

    seed: int
    share: float = 0.5

    def among(self, options: Sequence[T]) -> tuple[Sequence[T], Choice]:
        """``options`` with the chosen one first, and the choice for what is below."""
        if len(options) < 2:
            return options, self
        rest, first = divmod(self.seed, len(options))
        return (*options[first:], *options[:first]), replace(self, seed=rest)

    def pick(self, options: Sequence[T]) -> T:
        """The chosen one."""
        return self.among(options)[0][0]

    def at(self, share: float) -> Choice:
        """The same choice with another place in ranges."""
        return replace(self, share=share)

    @classmethod
    def of_seed(cls, seed: int) -> Choice:
        """Seed 0 takes the middle; others spread over the range."""
        return cls(seed, (0.5 + seed * _GOLDEN) % 1)


def primitive_example(item: Primitive, choice: Choice) -> Any:
    """A value that ``item`` allows. Raises Impossible."""
    return _MAKERS[type(item)](item, choice)


def _boolean(item: CBoolean, choice: Choice) -> bool:
    allowed = [value for value, valid in ((True, item.true_valid), (False, item.false_valid)) if valid]
    if not allowed:
        raise Impossible("neither true nor false is allowed")
    return choice.pick(allowed)


def _string(item: CString, choice: Choice) -> str:
    if item.values:
        return choice.pick(item.values)
    if item.pattern is None or item.list_open:
        return FAMILIAR_TEXTS[0]
    made = matching_text(item.pattern)
    if made is None:
        raise Impossible(f"no text found for the pattern {item.pattern}")
    return made


# --- numbers ----------------------------------------------------------------------------------------


def _integer(item: CInteger, choice: Choice) -> int:
    if item.values:
        return choice.pick(item.values)
    return whole_number(item.range, choice)


def _real(item: CReal, choice: Choice) -> float:
    if item.values:
        return choice.pick(item.values)
    return number(item.range, choice)


def whole_number(limits: Interval[int] | Interval[float] | None, choice: Choice) -> int:
    """A whole number in the range. Raises Impossible."""
    lower, upper = _bounds(limits)
    first, last = math.ceil(lower), math.floor(upper)
    if limits is not None and not limits.lower_included and first == limits.lower:
        first += 1
    if limits is not None and not limits.upper_included and last == limits.upper:
        last -= 1
    if first > last:
        raise Impossible(f"no whole number in {limits}")
    return min(last, first + int((last - first + 1) * choice.share))


def number(limits: Interval[float] | None, choice: Choice, decimals: int | None = None) -> float:
    """A number in the range with at most ``decimals`` decimals. Raises Impossible."""
    lower, upper = _bounds(limits)
    exact = lower + (upper - lower) * choice.share
    places = (1, 2, 3, 6) if decimals is None else (decimals,)
    rounded = (round(exact, place) for place in places)
    fitting = next((n for n in rounded if limits is None or limits.contains(n)), None)
    if fitting is not None:
        return fitting
    middle = (lower + upper) / 2
    if decimals is None and limits is not None and limits.contains(middle):
        return middle
    return _on_the_grid(limits, lower, upper, decimals)


def _on_the_grid(limits: Interval[float] | None, lower: float, upper: float, decimals: int | None) -> float:
    scale: int = 10 ** (decimals or 0)
    steps = (math.ceil(lower * scale), math.ceil(lower * scale) + 1, math.floor(upper * scale))
    found = next((s / scale for s in steps if limits is None or limits.contains(s / scale)), None)
    if found is None:
        raise Impossible(f"no number with {decimals} decimals in {limits}")
    return found


def _bounds(limits: Interval[int] | Interval[float] | None) -> tuple[float, float]:
    """Both ends; an open side lies a little beyond the other."""
    if limits is None:
        return 0, 10
    lower, upper = limits.lower, limits.upper
    if lower is None and upper is None:
        return 0, 10
    if lower is None:
        assert upper is not None
        return min(0, upper - 10), upper
    return lower, lower + 10 if upper is None else upper


# --- times ------------------------------------------------------------------------------------------


def _temporal(item: CTemporal, choice: Choice) -> str:
    moments = (START + timedelta(days=choice.seed % 10_000), *_moments_in(item))
    for moment in moments:
        written = _written(moment, item)
        if _within(temporal_key(written, item.rm_type), item, lambda t: temporal_key(t, item.rm_type)):
            return written
    raise Impossible(f"no {item.rm_type} in {item.range} as {item.pattern}")


def _moments_in(item: CTemporal) -> Iterator[datetime]:
    """The ends of the range, and what lies just beside them."""
    ends = (item.range.lower, item.range.upper) if item.range else ()
    for end in ends:
        parts = parse_temporal(end, item.rm_type) if end is not None else None
        if parts is None:
            continue
        day = date(parts.year or START.year, parts.month or 1, parts.day or 1)
        moment = datetime(day.year, day.month, day.day, parts.hour or 0, parts.minute or 0, parts.second or 0,
                          tzinfo=START.tzinfo)  # fmt: skip
        yield from (moment, moment + timedelta(seconds=1), moment - timedelta(seconds=1))
        yield from (moment + _DAY, moment - _DAY, moment + 400 * _DAY, moment - 400 * _DAY)


def temporal_text(kind: str, choice: Choice) -> str:
    """An unconstrained DATE, TIME or DATE_TIME."""
    return _temporal(CTemporal(rm_type=kind), choice)


def _written(moment: datetime, item: CTemporal) -> str:
    """The moment with the fields that the pattern wants: letters and ``??`` are written, ``XX`` not."""
    day, _, time = (item.pattern or "").strip().replace(" ", "T").partition("T")
    if item.rm_type == "TIME":
        day, time = "", time or day
    date_text = _joined("-", (f"{moment:%Y}", f"{moment:%m}", f"{moment:%d}"), day)
    time_text = _joined(":", (f"{moment:%H}", f"{moment:%M}", f"{moment:%S}"), time)
    zone = "" if item.timezone_validity == TIMEZONE_PROHIBITED else "+01:00"
    if item.rm_type == "DATE":
        return date_text
    if item.rm_type == "TIME":
        return time_text + zone
    is_whole_day = len(date_text) == len("2026-01-15")
    return f"{date_text}T{time_text}{zone}" if time_text and is_whole_day else date_text


def _joined(separator: str, fields: tuple[str, ...], pattern: str) -> str:
    wanted = [part[:2].upper() for part in pattern.split(separator)] if pattern else []
    left_out = next((i for i, part in enumerate(wanted) if part == "XX"), len(fields))
    return separator.join(fields[:left_out])


def _within(key: float | None, item: CTemporal | CDuration, key_of: Callable[[str], float | None]) -> bool:
    if item.range is None:
        return True
    lower = None if item.range.lower is None else key_of(item.range.lower)
    upper = None if item.range.upper is None else key_of(item.range.upper)
    keys: Interval[float] = Interval(lower, upper, item.range.lower_included, item.range.upper_included)
    return key is not None and keys.contains(key)


def _duration(item: CDuration, choice: Choice) -> str:
    units = [unit for unit in _UNIT_SECONDS if item.pattern is None or unit in _fields(item.pattern)]
    ends = [end for end in (item.range.lower, item.range.upper) if end is not None] if item.range else []
    made = [_of_unit(unit, amount) for unit in units for amount in _amounts(unit, item)]
    usual = [text for text in ("P1W", "P1D", "PT1H") if set(_fields(text)) <= set(units)]
    for written in (*choice.among(usual)[0], *ends, *made):
        allowed = set(_fields(written)) <= set(units)
        if allowed and _within(duration_seconds(written), item, duration_seconds):
            return written
    raise Impossible(f"no duration in {item.range} as {item.pattern}")


def _amounts(unit: str, item: CDuration) -> tuple[int, ...]:
    lower = duration_seconds(item.range.lower) if item.range and item.range.lower else 0
    at_least = math.ceil((lower or 0) / _UNIT_SECONDS[unit])
    return (max(at_least, 1), at_least + 1, at_least, 0)


def _of_unit(unit: str, amount: int) -> str:
    return f"PT{amount}{unit[1]}" if len(unit) == 2 else f"P{amount}{unit}"


def _fields(duration: str) -> tuple[str, ...]:
    """The fields of a duration or of a duration pattern: Y, M, W, D, TH, TM, TS."""
    day, _, time = duration.upper().lstrip("-").removeprefix("P").partition("T")
    return (*filter(str.isalpha, day), *(f"T{letter}" for letter in time if letter.isalpha()))


_MAKERS: Mapping[type[Primitive], Callable[..., Any]] = MappingProxyType(
    {
        CBoolean: _boolean,
        CString: _string,
        CInteger: _integer,
        CReal: _real,
        CTemporal: _temporal,
        CDuration: _duration,
    }
)
