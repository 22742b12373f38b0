"""Parts of cADL that both generations write alike, the inverse of ``cadl_parts`` and ``primitives``."""

from __future__ import annotations

import re

from archetypes.adl.intervals import print_interval
from archetypes.adl.odin import quote
from archetypes.adl.odin_printer import INDENT
from archetypes.aom.constraints import (
    ArchetypeSlot,
    Cardinality,
    CBoolean,
    CDuration,
    CInteger,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
)


def print_bounds(interval: Interval[int]) -> str:
    if interval.lower == interval.upper and interval.upper is not None:
        return f"{{{interval.lower}}}"
    return f"{{{interval.lower or 0}..{'*' if interval.upper is None else interval.upper}}}"


def print_cardinality(cardinality: Cardinality) -> str:
    order = "ordered" if cardinality.is_ordered else "unordered"
    unique = "; unique" if cardinality.is_unique else ""
    return f"{print_bounds(cardinality.interval)[:-1]}; {order}{unique}}}"


def _regex(pattern: str) -> str:
    escaped = re.sub(r"\\.|/", lambda found: r"\/" if found[0] == "/" else found[0], pattern)
    return f"/{escaped}/"


def print_assertions(slot: ArchetypeSlot, depth: int) -> list[str]:
    """The lines of ``include`` and ``exclude``."""
    outer, inner = INDENT * depth, INDENT * (depth + 1)
    lines: list[str] = []
    for word, patterns, others in (
        ("include", slot.includes, slot.other_includes),
        ("exclude", slot.excludes, slot.other_excludes),
    ):
        if patterns or others:
            lines.append(outer + word)
        lines.extend(f"{inner}archetype_id/value matches {{{_regex(pattern)}}}" for pattern in patterns)
        lines.extend(inner + other for other in others)
    return lines


def beside(lines: list[str], comment: str, pad: str) -> list[str]:
    """The lines of a node with its comment: its last line beside the first, what comes before above it."""
    if not comment:
        return lines
    *above, last = comment.split("\n")
    return [*(f"{pad}-- {line}" for line in above), f"{lines[0]}    -- {last}", *lines[1:]]


def print_primitive(item: Primitive) -> str:
    match item:
        case CBoolean():
            words = [
                str(value) for value in (True, False) if (item.true_valid if value else item.false_valid)
            ]
            return ", ".join(words) + _assumed(item.assumed_value)
        case CString():
            return _string(item)
        case CInteger() | CReal():
            return _number(item)
        case CTemporal():
            if item.timezone_validity is not None:
                raise TypeError("ADL 1.4 cannot say whether a time has a zone")
            text = item.pattern if item.range is None else print_interval(item.range)
            return f"{text or ''}{_assumed(item.assumed_value)}"
        case CDuration():
            parts = [item.pattern, None if item.range is None else print_interval(item.range)]
            return "/".join(part for part in parts if part is not None) + _assumed(item.assumed_value)


def _assumed(value: str | float | None) -> str:
    return "" if value is None else f"; {value}"


def _string(item: CString) -> str:
    assumed = None if item.assumed_value is None else quote(item.assumed_value)
    if item.pattern is not None:
        return _regex(item.pattern) + _assumed(assumed)
    values = [quote(value) for value in item.values] + (["..."] if item.list_open else [])
    return ", ".join(values) + _assumed(assumed)


def _number(item: CInteger | CReal) -> str:
    if item.range is None:
        text = ", ".join(str(value) for value in item.values)
    else:
        text = print_interval(item.range)
    return text + _assumed(item.assumed_value)
