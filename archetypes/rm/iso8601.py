"""Dates, times and durations as openEHR writes them: ISO 8601 with partial forms.

BASE foundation types, "Time_definitions" and "Iso8601_*": extended and compact forms; any part from
the right may be missing; a comma or a dot before the fraction of a second; never ``24:00``. Texts are
kept as written everywhere; the keys made here are for comparing only.

Keys are whole nanoseconds. The key of a partial value is its lower bound: ``2024-05`` compares as
``2024-05-01T00:00:00``.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date

NANOSECONDS = 1_000_000_000
DAYS_IN_YEAR = 365.24  # openEHR's averages: a year and a month have no fixed length
DAYS_IN_MONTH = 30.42
MAX_OFFSET = 14 * 60  # minutes; the range of zones in use is -12:00..+14:00
MIN_OFFSET = -12 * 60

_OFFSET = r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?"
_TIME = (
    r"(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"|(?P<minute_c>\d\d)(?:(?P<second_c>\d\d)(?:[.,](?P<fraction_c>\d+))?)?)?" + _OFFSET
)
_DATE = r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?|(?P<month_c>\d\d)(?P<day_c>\d\d)?)?"
_PATTERNS = {
    "DATE": re.compile(_DATE, re.ASCII),
    "TIME": re.compile(_TIME, re.ASCII),
    "DATE_TIME": re.compile(f"{_DATE}(?:T{_TIME})?", re.ASCII),
}
_DURATION = re.compile(
    r"(?P<sign>-)?P(?=[\dT])(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)
_LONGEST = 100  # characters; longer texts are no temporal values and never worth reading


@dataclass(frozen=True, slots=True)
class TemporalParts:
    """The parts of a date, time or date-time; what is missing is None.

    ``fraction`` holds the digits after the decimal sign, ``offset`` minutes east of UTC.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    fraction: str | None = None
    offset: int | None = None

    def key(self, default_offset: int = 0) -> int:
        """Nanoseconds from 0001-01-01 (or from midnight, for a time) in UTC, of the lower bound.

        ``default_offset`` is the zone in minutes that a value without one is taken to be in.
        """
        days = 0
        if self.year is not None:
            days = date(self.year, self.month or 1, self.day or 1).toordinal()
        minutes = (self.hour or 0) * 60 + (self.minute or 0)
        if self.hour is not None or self.offset is not None:
            minutes -= default_offset if self.offset is None else self.offset
        seconds = days * 86_400 + minutes * 60 + (self.second or 0)
        fraction = int((self.fraction or "0")[:9].ljust(9, "0"))
        return seconds * NANOSECONDS + fraction

    def end_key(self) -> int:
        """The key of the last nanosecond that a partial value holds: ``2021`` ends with 31 December."""
        month = 12 if self.year is not None and self.month is None else self.month
        day = self.day
        if self.year is not None and month is not None and day is None:
            day = monthrange(self.year, month)[1]
        end = replace(
            self,
            month=month,
            day=day,
            hour=23 if self.hour is None else self.hour,
            minute=59 if self.minute is None else self.minute,
            second=59 if self.second is None else self.second,
            fraction=(self.fraction or "").ljust(9, "9"),
        )
        return end.key()


@dataclass(frozen=True, slots=True)
class DurationParts:
    """The fields of a duration; what is not written is None. ``negative`` turns the whole around."""

    negative: bool = False
    years: int | None = None
    months: int | None = None
    weeks: int | None = None
    days: int | None = None
    hours: int | None = None
    minutes: int | None = None
    seconds: float | None = None

    def total_seconds(self) -> float:
        """The length in seconds, years and months by their average days."""
        days = (
            (self.years or 0) * DAYS_IN_YEAR
            + (self.months or 0) * DAYS_IN_MONTH
            + (self.weeks or 0) * 7
            + (self.days or 0)
        )
        seconds = days * 86_400 + (self.hours or 0) * 3600 + (self.minutes or 0) * 60 + (self.seconds or 0)
        return -seconds if self.negative else seconds


def parse_temporal(text: str, kind: str) -> TemporalParts | None:
    """The parts of a text of ``kind`` DATE, TIME or DATE_TIME, or None if it is not one."""
    if len(text) > _LONGEST:
        return None
    match = _PATTERNS[kind].fullmatch(text)
    if match is None:
        return None
    parts = _parts(match.groupdict())
    return parts if _exists(parts) and not _is_mixed(match.groupdict()) else None


def is_date(text: str) -> bool:
    """True for ``2024``, ``2024-05``, ``2024-05-17`` and the compact forms."""
    return parse_temporal(text, "DATE") is not None


def is_time(text: str) -> bool:
    """True for ``10``, ``10:30``, ``10:30:15.5+02:00`` and the compact forms."""
    return parse_temporal(text, "TIME") is not None


def is_date_time(text: str) -> bool:
    """True for a date, or a date with ``T`` and a time; both may be partial."""
    return parse_temporal(text, "DATE_TIME") is not None


def parse_duration(text: str) -> DurationParts | None:
    """The fields of ``P1Y2M3W4DT5H6M7.5S`` (openEHR lets W stand with others and allows a minus)."""
    match = _DURATION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    fields = match.groupdict()
    seconds = fields["seconds"]
    return DurationParts(
        negative=fields["sign"] is not None,
        seconds=None if seconds is None else float(seconds.replace(",", ".")),
        **{
            name: None if fields[name] is None else int(fields[name])
            for name in ("years", "months", "weeks", "days", "hours", "minutes")
        },
    )


def is_duration(text: str) -> bool:
    """True if the text is a duration."""
    return parse_duration(text) is not None


def duration_seconds(text: str) -> float | None:
    """The average length in seconds, or None if the text is not a duration."""
    parts = parse_duration(text)
    return None if parts is None else parts.total_seconds()


def duration_days(text: str) -> float | None:
    """The average length in days, or None if the text is not a duration."""
    seconds = duration_seconds(text)
    return None if seconds is None else seconds / 86_400


def temporal_key(text: str, kind: str = "DATE_TIME", default_offset: int = 0) -> int | None:
    """The comparison key of a text of ``kind`` (see :meth:`TemporalParts.key`), or None if it is not one.

    A date is a date-time too, so that dates and date-times compare with each other.
    """
    parts = parse_temporal(text, kind)
    return None if parts is None else parts.key(default_offset)


def _parts(fields: dict[str, str | None]) -> TemporalParts:
    def number(name: str) -> int | None:
        text = fields.get(name) or fields.get(f"{name}_c")
        return None if text is None else int(text)

    return TemporalParts(
        year=number("year"),
        month=number("month"),
        day=number("day"),
        hour=number("hour"),
        minute=number("minute"),
        second=number("second"),
        fraction=fields.get("fraction") or fields.get("fraction_c"),
        offset=_offset(fields.get("offset")),
    )


def _offset(text: str | None) -> int | None:
    if text is None or text == "Z":
        return None if text is None else 0
    minutes = int(text[1:3]) * 60 + (int(text[-2:]) if len(text) > 3 else 0)
    return -minutes if text[0] == "-" else minutes


def _is_mixed(fields: dict[str, str | None]) -> bool:
    """A complete date must be extended or compact like its time: ``2024-05-17T1030`` is neither."""
    extended = fields.get("month") is not None or fields.get("minute") is not None
    compact = fields.get("month_c") is not None or fields.get("minute_c") is not None
    return extended and compact


def _exists(parts: TemporalParts) -> bool:
    if (parts.hour or 0) > 23 or (parts.minute or 0) > 59 or (parts.second or 0) > 59:
        return False
    if parts.offset is not None and not MIN_OFFSET <= parts.offset <= MAX_OFFSET:
        return False
    if parts.year is None:
        return True
    if parts.hour is not None and parts.day is None:
        return False
    try:
        date(parts.year, 1 if parts.month is None else parts.month, 1 if parts.day is None else parts.day)
    except ValueError:
        return False
    return True
