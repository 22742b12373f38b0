"""The value of a field as the cell of its column: units fixed, codes as codes, dates as dates.

What a column cannot hold (a year where a date belongs, a unit that does not convert) gives :data:`NO_PLACE`
and is counted as left out; it is never rounded into something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any, Final

from archetypes.rm.iso8601 import duration_days, parse_temporal
from cdr.analysis.columns import CardColumn, Kind
from templates.data_values import DataValue
from templates.field_reading import code_of

NO_PLACE: Final = object()


def cell(column: CardColumn, value: DataValue) -> Any:
    """The cell; None where the value says nothing to this column, NO_PLACE where it cannot hold the value."""
    return _CELLS[column.kind](column, value)


def calendar_date(text: Any) -> str | None:
    """The date as written, ``YYYY-MM-DD``; None for less than a date."""
    parts = parse_temporal(text, "DATE_TIME") if isinstance(text, str) else None
    if parts is None or parts.year is None or parts.month is None or parts.day is None:
        return None
    return date(parts.year, parts.month, parts.day).isoformat()


def instant(text: Any) -> str | None:
    """Date and time in UTC, to the millisecond; a time without zone is taken in the server's zone."""
    parts = parse_temporal(text, "DATE_TIME") if isinstance(text, str) else None
    if parts is None or parts.year is None or parts.month is None or parts.day is None or parts.hour is None:
        return None
    micros = int((parts.fraction or "0")[:6].ljust(6, "0"))
    local = datetime(  # noqa: DTZ001 - the zone comes next
        parts.year, parts.month, parts.day, parts.hour, parts.minute or 0, parts.second or 0, micros
    )
    if parts.offset is None:
        aware = local.astimezone()
    else:
        aware = local.replace(tzinfo=timezone(timedelta(minutes=parts.offset)))
    return aware.astimezone(UTC).isoformat(timespec="milliseconds")


def _quantity(column: CardColumn, value: DataValue) -> Any:
    magnitude, units = value.get("magnitude"), value.get("units")
    if not isinstance(magnitude, int | float) or not isinstance(units, str):
        return NO_PLACE
    if units == column.unit:
        return float(magnitude)
    factor = _factor(units, column.unit)
    return NO_PLACE if factor is None else magnitude * factor


@cache
def _factor(units: str, wanted: str) -> float | None:
    """How many ``wanted`` one of ``units`` is; None if they measure different things."""
    # Building the registry takes a second: only data in other units pay it.
    from lark.exceptions import LarkError
    from pint.errors import PintError
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry()
    try:
        return float(registry.from_ucum(units).to(registry.from_ucum(wanted)).magnitude)
    except (LarkError, PintError):
        return None


def _percent(column: CardColumn, value: DataValue) -> Any:
    numerator, denominator = value.get("numerator"), value.get("denominator")
    if not isinstance(numerator, int | float) or not isinstance(denominator, int | float) or not denominator:
        return NO_PLACE
    return float(numerator) if denominator == 100 else numerator / denominator * 100


def _whole(name: str) -> Callable[[CardColumn, DataValue], Any]:
    def read(column: CardColumn, value: DataValue) -> Any:
        number = value.get(name)
        is_whole = isinstance(number, int | float) and not isinstance(number, bool) and number == int(number)
        return int(number) if is_whole and number is not None else NO_PLACE

    return read


def _days(column: CardColumn, value: DataValue) -> Any:
    written = value.get("value")
    days = duration_days(written) if isinstance(written, str) else None
    return NO_PLACE if days is None else int(days)


def _date(column: CardColumn, value: DataValue) -> Any:
    return calendar_date(value.get("value")) or NO_PLACE


def _instant(column: CardColumn, value: DataValue) -> Any:
    return instant(value.get("value")) or NO_PLACE


def _boolean(column: CardColumn, value: DataValue) -> Any:
    found = value.get("value")
    return found if isinstance(found, bool) else NO_PLACE


def _given(column: CardColumn, value: DataValue) -> Any:
    return True


def _text(column: CardColumn, value: DataValue) -> Any:
    found = value.get("value")
    return found if isinstance(found, str) else NO_PLACE


def _written(column: CardColumn, value: DataValue) -> Any:
    found = value.get("value", value.get("magnitude"))
    return NO_PLACE if found is None else str(found)


def _code(column: CardColumn, value: DataValue) -> Any:
    """The code; of a text that is not coded, the text if it is one of the list, else nothing."""
    code = code_of(value)
    if code is not None:
        return code
    written = value.get("value")
    return written if any(written == each.value for each in column.codes) else None


def _answer(column: CardColumn, value: DataValue) -> Any:
    return column.answers.get(str(code_of(value) or value.get("value")), NO_PLACE)


def _identifier(column: CardColumn, value: DataValue) -> Any:
    found = value.get("id")
    return found if isinstance(found, str) else NO_PLACE


_CELLS: Mapping[Kind, Callable[[CardColumn, DataValue], Any]] = {
    Kind.QUANTITY: _quantity,
    Kind.PERCENT: _percent,
    Kind.COUNT: _whole("magnitude"),
    Kind.ORDINAL: _whole("value"),
    Kind.DAYS: _days,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
    Kind.BOOLEAN: _boolean,
    Kind.GIVEN: _given,
    Kind.ANSWER: _answer,
    Kind.CODE: _code,
    Kind.CHOICE: _text,
    Kind.TEXT: _text,
    Kind.WRITTEN: _written,
    Kind.IDENTIFIER: _identifier,
}
