"""Values that break a constraint on a primitive type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archetypes.aom.constraints import CBoolean, CDuration, CInteger, CReal, CString, CTemporal


def broken_values(item: object, value: Any) -> Iterator[tuple[Any, str]]:
    """Values that the constraint refuses, each with the code of the finding."""
    match item:
        case CString():
            yield from _string(item)
        case CInteger() | CReal():
            yield from _number(item)
        case CBoolean():
            if not (item.true_valid and item.false_valid):
                yield not value, "boolean.not_allowed"
        case CTemporal():
            yield from _temporal(item)
        case CDuration():
            yield from _duration(item)


def _string(item: CString) -> Iterator[tuple[Any, str]]:
    if item.list_open:
        return
    if item.values:
        yield "Står ikke i listen", "string.not_in_list"
    if item.pattern is not None:
        for wrong in ("#", "Æ Ø Å §§", "x" * 5000):
            if re.fullmatch(item.pattern, wrong) is None:
                yield wrong, "string.pattern"
                return


def _number(item: CInteger | CReal) -> Iterator[tuple[Any, str]]:
    if item.values:
        yield max(item.values) + 1, "number.not_in_list"
    if item.range is not None and item.range.lower is not None:
        yield item.range.lower - (1 if item.range.lower_included else 0), "number.range"
    if item.range is not None and item.range.upper is not None:
        yield item.range.upper + (1 if item.range.upper_included else 0), "number.range"


def _temporal(item: CTemporal) -> Iterator[tuple[Any, str]]:
    whole = {"DATE": "2024-02-29", "TIME": "10:30:15", "DATE_TIME": "2024-02-29T10:30:15"}[item.rm_type]
    if item.pattern is not None and "XX" in item.pattern.upper():
        yield whole, "temporal.pattern"
    elif item.pattern is not None and re.split("[-:]", item.pattern)[1].isalpha():
        yield whole[: 2 if item.rm_type == "TIME" else 4], "temporal.pattern"
    if item.range is not None and item.range.lower is not None and item.rm_type != "TIME":
        yield whole.replace("2024", "0001"), "temporal.range"
    if item.range is not None and item.range.upper is not None and item.rm_type != "TIME":
        yield whole.replace("2024", "9996"), "temporal.range"


def _duration(item: CDuration) -> Iterator[tuple[Any, str]]:
    fields = {"Y": "P2Y", "M": "P2M", "W": "P2W", "D": "P2D", "TH": "PT2H", "TM": "PT2M", "TS": "PT2S"}
    allowed = list(fields)
    if item.pattern is not None:
        days, _, times = item.pattern.partition("T")
        allowed = [field for field in fields if (field[-1] in times if field[0] == "T" else field in days)]
        missing = [field for field in fields if field not in allowed]
        if missing:
            yield fields[missing[0]], "duration.pattern"
    unit = fields[allowed[0]]
    if item.range is not None and item.range.upper is not None:
        yield unit.replace("2", "99999"), "duration.range"
    if item.range is not None and item.range.lower is not None:
        yield f"-{unit}", "duration.range"
