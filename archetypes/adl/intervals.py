"""Intervals between bars, ``|0..5|``, as ODIN and cADL write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from archetypes.aom.constraints import Interval

T = TypeVar("T", int, float, str)

_BOUND = r"(?:(?!\.\.)[^|<>\s])+"
_INTERVAL = re.compile(
    rf"""\|?\s*(?:(?P<low_open>>=?)?\s*(?P<lower>{_BOUND})\s*\.\.\s*(?P<high_open><=?)?\s*(?P<upper>{_BOUND})
         |(?P<operator>[<>]=?)\s*(?P<bound>{_BOUND})
         |(?P<point>{_BOUND}))\s*\|?""",
    re.VERBOSE,
)
_MAX_LENGTH = 200


def parse_interval(text: str, read: Callable[[str], T]) -> Interval[T]:
    """``|0..5|``, ``|>=0|``, ``|>0..<5|``, ``|3|`` as an interval; ValueError if it is none.

    ``read`` turns the text of a bound into its value.
    """
    match = _INTERVAL.fullmatch(text.strip()) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise ValueError(f"{text[:_MAX_LENGTH]!r} is not an interval")
    if match["point"] is not None:
        return Interval(read(match["point"]), read(match["point"]))
    if match["operator"] is not None:
        bound, included = read(match["bound"]), match["operator"].endswith("=")
        if match["operator"].startswith(">"):
            return Interval(bound, None, lower_included=included)
        return Interval(None, bound, upper_included=included)
    return Interval(
        None if match["lower"] == "*" else read(match["lower"]),
        None if match["upper"] == "*" else read(match["upper"]),
        lower_included=match["low_open"] != ">",
        upper_included=match["high_open"] != "<",
    )


def print_interval(interval: Interval[int] | Interval[float] | Interval[str]) -> str:
    """The text that :func:`parse_interval` reads as ``interval``."""
    lower, upper = interval.lower, interval.upper
    if lower is not None and upper is None:
        return f"|>{'=' if interval.lower_included else ''}{lower}|"
    if upper is not None and lower is None:
        return f"|<{'=' if interval.upper_included else ''}{upper}|"
    if lower is None or upper is None:
        return "|*..*|"
    if lower == upper and interval.lower_included and interval.upper_included:
        return f"|{lower}|"
    return (
        f"|{'' if interval.lower_included else '>'}{lower}..{'' if interval.upper_included else '<'}{upper}|"
    )
