"""Constraints on primitive values: booleans, texts, numbers, dates and durations (AOM 1.4, primitive)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    Primitive,
)
from archetypes.patterns import whole_text
from archetypes.rm.iso8601 import (
    TemporalParts,
    duration_seconds,
    parse_duration,
    parse_temporal,
    temporal_key,
)
from validators.composition.check import Check
from validators.composition.place import Place
from validators.composition.report import Report, shown

TIMEZONE_MANDATORY, TIMEZONE_PROHIBITED = 1001, 1003  # VALIDITY_KIND of AOM 1.4; 1002 is optional

_DATE_FIELDS = ("year", "month", "day")
_TIME_FIELDS = ("hour", "minute", "second")


def check_primitive(constraint: CPrimitiveObject, value: Any, place: Place, check: Check) -> None:
    """A leaf; a value of another Python type is a finding of the reference model, not of this rule."""
    item = constraint.item
    if item is not None:
        rule, python_types = PRIMITIVE_RULES[type(item)]
        if isinstance(value, python_types) and isinstance(value, bool) == isinstance(item, CBoolean):
            rule(item, value, place, check.report)


def _boolean(item: CBoolean, value: bool, place: Place, report: Report) -> None:
    if not (item.true_valid if value else item.false_valid):
        allowed = [name for name, valid in (("true", item.true_valid), ("false", item.false_valid)) if valid]
        report.add("boolean.not_allowed", place, " | ".join(allowed), shown(value))


def _string(item: CString, value: str, place: Place, report: Report) -> None:
    if item.list_open:
        return
    if item.values and value not in item.values:
        report.add("string.not_in_list", place, " | ".join(item.values), value)
    if item.pattern is not None:
        is_match = whole_text(item.pattern)
        if is_match is None:
            report.add("string.pattern_unreadable", place, item.pattern, value)
        elif not is_match(value) and not _is_the_pattern(item.pattern, value, place):
            report.add("string.pattern", place, item.pattern, value)


def _is_the_pattern(pattern: str, value: str, place: Place) -> bool:
    """ACTIVITY.action_archetype_id is itself a pattern of archetype ids: the template's own is right."""
    return place.attribute == "action_archetype_id" and value == pattern


def _number(item: CInteger | CReal, value: float, place: Place, report: Report) -> None:
    if item.values and value not in item.values:
        report.add(
            "number.not_in_list", place, " | ".join(str(allowed) for allowed in item.values), shown(value)
        )
    if item.range is not None and not item.range.contains(value):  # type: ignore[arg-type]  # int or float: both compare
        report.add("number.range", place, f"|{item.range}|", shown(value))


def _temporal(item: CTemporal, value: str, place: Place, report: Report) -> None:
    parts = parse_temporal(value, item.rm_type)
    if parts is None:
        return  # the reference model's format
    if item.pattern is not None and not _fits_pattern(parts, item.pattern, item.rm_type):
        report.add("temporal.pattern", place, item.pattern, value)
    if item.range is not None and not _lies_in(parts, item.range, item.rm_type):
        report.add("temporal.range", place, f"|{item.range}|", value)
    has_zone = parts.offset is not None
    if has_zone and item.timezone_validity == TIMEZONE_PROHIBITED:
        report.add("temporal.timezone", place, "no time zone", value)
    elif not has_zone and item.rm_type != "DATE" and item.timezone_validity == TIMEZONE_MANDATORY:
        report.add("temporal.timezone", place, "a time zone", value)


def _lies_in(parts: TemporalParts, interval: Interval[str], kind: str) -> bool:
    """A partial bound is a span of time: the range goes from the start of the lower to the end of the upper.

    So ``|1900..2021|`` holds every day of 2021, and ``|<2021|`` none of them.
    """
    lower = None if interval.lower is None else temporal_key(interval.lower, kind)
    end = None if interval.upper is None else parse_temporal(interval.upper, kind)
    upper = None if end is None else end.end_key() if interval.upper_included else end.key()
    return Interval(lower, upper, interval.lower_included, interval.upper_included).contains(parts.key())


def _fits_pattern(parts: TemporalParts, pattern: str, kind: str) -> bool:
    """Each field as the pattern wants it: a letter is mandatory, ``??`` optional, ``XX`` prohibited."""
    return all(
        (wanted == "??") or ((getattr(parts, name) is None) == (wanted.upper() == "XX"))
        for name, wanted in _pattern_fields(pattern, kind)
    )


@lru_cache(maxsize=1024)
def _pattern_fields(pattern: str, kind: str) -> tuple[tuple[str, str], ...]:
    date_part, _, time_part = pattern.strip().replace(" ", "T").partition("T")
    if kind == "TIME":
        date_part, time_part = "", time_part or date_part
    date_fields = zip(_DATE_FIELDS, re.split("-", date_part), strict=False)
    time_fields = zip(_TIME_FIELDS, re.split(":", time_part), strict=False)
    return tuple((name, wanted[:2]) for name, wanted in (*date_fields, *time_fields) if wanted)


def _lasts_within(seconds: float, interval: Interval[str]) -> bool:
    lower = None if interval.lower is None else duration_seconds(interval.lower)
    upper = None if interval.upper is None else duration_seconds(interval.upper)
    return Interval(lower, upper, interval.lower_included, interval.upper_included).contains(seconds)


def _duration(item: CDuration, value: str, place: Place, report: Report) -> None:
    parts = parse_duration(value)
    if parts is None:
        return
    if item.pattern is not None and not _used_fields(value) <= _used_fields(item.pattern):
        report.add("duration.pattern", place, item.pattern, value)
    if item.range is not None and not _lasts_within(parts.total_seconds(), item.range):
        report.add("duration.range", place, f"|{item.range}|", value)


def _used_fields(duration: str) -> frozenset[str]:
    """``P1MT5M`` and the pattern ``PMTM`` use month and minute."""
    date_part, _, time_part = duration.upper().partition("T")
    return frozenset(c for c in date_part if c in "YMWD") | frozenset(
        f"T{c}" for c in time_part if c in "HMS"
    )


PRIMITIVE_RULES: Mapping[type[Primitive], tuple[Callable[..., None], tuple[type, ...]]] = {
    CBoolean: (_boolean, (bool,)),
    CString: (_string, (str,)),
    CInteger: (_number, (int, float)),
    CReal: (_number, (int, float)),
    CTemporal: (_temporal, (str,)),
    CDuration: (_duration, (str,)),
}
