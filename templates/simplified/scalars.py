"""JSON scalars of FLAT to the primitive types of the reference model.

Forms send numbers and truth values as text; such texts are read. What is of another kind is refused, not
guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

from archetypes.rm.iso8601 import is_date, is_date_time, is_duration, is_time

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_REAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?")


class WrongKind(ValueError):
    """A value that is not of the kind; the text says what was expected."""


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise WrongKind("a text")


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise WrongKind("a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise WrongKind("a whole number")


def _real(value: Any) -> float | int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number: float | int = value
    elif isinstance(value, str) and _REAL.fullmatch(value.strip()):
        number = float(value)
    else:
        raise WrongKind("a number")
    if not isfinite(number):
        raise WrongKind("a number")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise WrongKind("true or false")


def _text_that(is_valid: Callable[[str], bool], expected: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, str) and is_valid(value):
            return value
        raise WrongKind(expected)

    return read


READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "STRING": _string,
        "INTEGER": _integer,
        "REAL": _real,
        "BOOLEAN": _boolean,
        "DATE": _text_that(is_date, "an ISO 8601 date"),
        "TIME": _text_that(is_time, "an ISO 8601 time"),
        "DATE_TIME": _text_that(is_date_time, "an ISO 8601 date and time"),
        "DURATION": _text_that(is_duration, "an ISO 8601 duration"),
    }
)


def is_kind(kind: str, value: Any) -> bool:
    """True if reading gives back the value as it is."""
    try:
        read = READERS[kind](value)
    except WrongKind:
        return False
    return isinstance(value, str) == isinstance(read, str)
