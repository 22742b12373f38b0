"""Values of the reference evaluator: three-valued logic, times, LIKE, functions, each the obvious way."""

from __future__ import annotations

import calendar
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from archetypes.rm.iso8601 import is_date_time
from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.aql.reference_objects import Typed

TEMPORAL_FAMILY = {"DATE": "DATE_TIME", "DATE_TIME": "DATE_TIME", "TIME": "TIME", "DURATION": "DURATION"}
TEMPORAL = frozenset(TEMPORAL_FAMILY)


class Word(str):
    """A text that takes part in the arithmetic of intervals: all are of length nothing."""

    def __sub__(self, other: object) -> int:
        return 0


def all_true(truths: Iterable[bool | None]) -> bool | None:
    found = list(truths)
    return False if False in found else None if None in found else True


def any_true(truths: Iterable[bool | None]) -> bool | None:
    found = list(truths)
    return True if True in found else None if None in found else False


def known_false(truths: Sequence[bool | None]) -> bool | None:
    """Known wins over unknown: of many values, those that do not compare say nothing."""
    return False if False in truths else None


def has_name(name: Mapping[str, Any], wanted: ast.NameOperand | None) -> bool:
    code = name.get("defining_code") or {}
    pair = ((code.get("terminology_id") or {}).get("value"), code.get("code_string"))
    match wanted:
        case None:
            return True
        case ast.NodeCode():
            return pair == ("local", wanted.code)
        case ast.TermCode():
            return pair == (wanted.terminology, wanted.code)
        case ast.Primitive():
            return bool(name.get("value") == wanted.value)
        case _:
            return False


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else "object"


def unwrapped(typed: Typed) -> Typed | None:
    """The number or text that a data value stands for."""
    if not isinstance(typed.value, dict):
        return typed if typed.value is not None else None
    rm_type = typed.value.get("_type", "")
    if rm_type == "DV_PROPORTION":
        top, bottom = typed.value.get("numerator"), typed.value.get("denominator")
        return (
            Typed((), top / bottom, "REAL")
            if kind_of(top) == kind_of(bottom) == "number" and bottom
            else None
        )
    name = "magnitude" if rm_type in ("DV_QUANTITY", "DV_COUNT") else "value"
    schema = rm_schema()
    family = ("DATA_VALUE", "OBJECT_ID", "UID")
    if rm_type in ("DV_IDENTIFIER", "DV_PARSABLE", "DV_STATE") or not any(
        schema.is_a(rm_type, each) for each in family
    ):
        return None
    attribute = schema.attribute(rm_type, name)
    if attribute is None or typed.value.get(name) is None or isinstance(typed.value[name], dict):
        return None
    return Typed((), typed.value[name], attribute.type_name)


def plain(typed: Typed) -> Any:
    found = unwrapped(typed)
    return None if found is None else found.value


def text_of(typed: Typed) -> str | None:
    found = plain(typed)
    return found if isinstance(found, str) else None


def is_like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(is_like(text[i:], pattern[1:]) for i in range(len(text) + 1))
    if pattern[0] == "\\" and pattern[1:2] in ("?", "*", "\\") and pattern[1:2]:
        return text[:1] == pattern[1] and is_like(text[1:], pattern[2:])
    return bool(text) and pattern[0] in ("?", text[0]) and is_like(text[1:], pattern[1:])


def moments(text: str, now: datetime) -> tuple[datetime, datetime]:
    """First and last microsecond; a time without zone is taken in the zone of ``now``."""
    fields = re.fullmatch(
        r"(\d{4})(?:-?(\d\d))?(?:-?(\d\d))?(?:T(\d\d)(?::?(\d\d))?(?::?(\d\d))?(?:[.,](\d+))?)?(Z|[+-][\d:]+)?",
        text,
    )
    assert fields is not None
    year, month, day, hour, minute, second = (
        None if each is None else int(each) for each in fields.groups()[:6]
    )
    micros = int((fields[7] or "0")[:6].ljust(6, "0"))
    offset = now.utcoffset() or timedelta()
    if fields[8]:
        digits = re.sub(r"\D", "", fields[8]).ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        offset = -offset if fields[8][0] == "-" else offset
    start = datetime(year or 1, month or 1, day or 1, hour or 0, minute or 0, second or 0, micros, tzinfo=UTC)
    days = 366 if calendar.isleap(start.year) else 365
    length = timedelta(microseconds=1)
    for missing, span in (
        (second, timedelta(minutes=1)),
        (minute, timedelta(hours=1)),
        (hour, timedelta(days=1)),
        (day, timedelta(days=calendar.monthrange(start.year, start.month)[1])),
        (month, timedelta(days=days)),
    ):
        length = span if missing is None else length
    return start - offset, start - offset + length - timedelta(microseconds=1)


def fingerprint(cells: Sequence[Typed]) -> str:
    return json.dumps([_tagged(cell.value) for cell in cells], sort_keys=True)


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tagged(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_tagged(member) for member in value]
    return float(value) if kind_of(value) == "number" else value


def total(name: str, numbers: Sequence[int | float]) -> int | float | None:
    if not numbers:
        return None
    total = sum(Fraction(repr(number)) for number in numbers)
    if name == "AVG":
        return float(total / len(numbers))
    return int(total) if all(isinstance(number, int) for number in numbers) else float(total)


def calculated(left: Typed, operator: str, right: Typed) -> Typed:
    """Exact fractions; whole numbers stay whole, save in a division."""
    nothing = Typed((), None, "REAL")
    both_objects = isinstance(left.value, dict) and isinstance(right.value, dict)
    if operator in "+-" and both_objects and left.value.get("units") != right.value.get("units"):
        return nothing
    a, b = plain(left), plain(right)
    if not kind_of(a) == kind_of(b) == "number" or (operator == "/" and b == 0):
        return nothing
    x, y = Fraction(repr(a)), Fraction(repr(b))
    found = {"+": x + y, "-": x - y, "*": x * y, "/": x / (y or 1)}[operator]
    if operator != "/" and isinstance(a, int) and isinstance(b, int):
        return Typed((), int(found), "INTEGER") if abs(found) < 2**63 else nothing
    try:
        return Typed((), float(found), "REAL")
    except OverflowError:
        return nothing


def call_function(name: str, arguments: list[Any], now: datetime) -> Any:
    zone = now.strftime("%z")
    clock = {
        "CURRENT_DATE": now.strftime("%Y-%m-%d"),
        "CURRENT_TIME": now.strftime("%H:%M:%S"),
        "CURRENT_TIMEZONE": f"{zone[:3]}:{zone[3:5]}",
    }
    if not arguments:
        return clock.get(name, now.isoformat(timespec="milliseconds"))
    if name == "CONCAT_WS":
        arguments = [arguments[0], *(each for each in arguments[1:] if each is not None)]
    kinds = {kind_of(each) for each in arguments}
    if name in ("DAYS_BETWEEN", "GESTATIONAL_DAYS"):
        days = [_calendar_day(each) for each in arguments]
        if days[0] is None or days[1] is None:
            return None
        return days[1] - days[0] if name == "DAYS_BETWEEN" else 283 - (days[0] - days[1])
    if name in ("ABS", "CEIL", "FLOOR", "ROUND", "MOD"):
        return _numeric(name, arguments) if kinds == {"number"} else None
    if name == "SUBSTRING":
        proper = kind_of(arguments[0]) == "string" and all(type(each) is int for each in arguments[1:])
        return _substring(*arguments) if proper else None
    return _textual(name, arguments) if kinds == {"string"} else None


def _calendar_day(text: Any) -> int | None:
    if not isinstance(text, str) or not is_date_time(text):
        return None
    fields = re.match(r"(\d{4})-?(\d\d)-?(\d\d)", text)
    return None if fields is None else date(int(fields[1]), int(fields[2]), int(fields[3])).toordinal()


def _textual(name: str, arguments: list[str]) -> Any:
    match name:
        case "LENGTH":
            return sum(1 for _ in arguments[0])
        case "CONTAINS":
            return arguments[0].count(arguments[1]) > 0
        case "POSITION":
            starts = [i for i in range(len(arguments[1]) + 1) if arguments[1].startswith(arguments[0], i)]
            return starts[0] + 1 if starts else 0
        case "CONCAT":
            return "".join(arguments)
        case _:
            return arguments[0].join(arguments[1:])


def _substring(text: str, position: int, length: int | None = None) -> str:
    end = math.inf if length is None else position + max(length, 0)
    return "".join(char for number, char in enumerate(text, 1) if position <= number < end)


def _numeric(name: str, arguments: list[Any]) -> Any:
    exact = [Fraction(repr(each)) for each in arguments]
    whole = all(isinstance(each, int) for each in arguments)
    match name:
        case "ABS":
            return max(arguments[0], -arguments[0])
        case "CEIL":
            return -((-exact[0]) // 1)
        case "FLOOR":
            return exact[0] // 1
        case "MOD":
            if exact[1] == 0:
                return None
            rest = exact[0] - exact[1] * math.trunc(exact[0] / exact[1])
            return int(rest) if whole else math.fmod(arguments[0], arguments[1])
        case _:
            places = arguments[1] if len(arguments) > 1 else 0
            if not isinstance(places, int):
                return None
            scaled = abs(exact[0]) * Fraction(10) ** places
            rounded = Fraction(int(scaled + Fraction(1, 2))) / Fraction(10) ** places
            signed = -rounded if exact[0] < 0 else rounded
            return int(signed) if isinstance(arguments[0], int) or places <= 0 else float(signed)
