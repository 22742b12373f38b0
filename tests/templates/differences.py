"""What differs between two JSON values, place by place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

ABSENT = "<absent>"


class Difference(NamedTuple):
    """One place; a key that one side lacks is ``<absent>`` there."""

    place: str
    one: Any
    other: Any


def differences(one: Any, other: Any, place: str = "") -> Iterator[Difference]:
    """All places where the two differ; a list of another length is one place."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), f"{place}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{place}[{index}]")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield Difference(place, one, other)


class Argued(NamedTuple):
    """A difference that is right: ``place`` is a regular expression over the whole place."""

    place: str
    holds: Callable[[Difference], bool]
    reason: str


def unexplained(found: Iterable[Difference], argued: Iterable[Argued]) -> list[Difference]:
    """The differences that no argument covers."""
    reasons = list(argued)
    return [
        difference
        for difference in found
        if not any(re.fullmatch(each.place, difference.place) and each.holds(difference) for each in reasons)
    ]
