"""Ranges, and how many of something: used by the reference model and by constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", int, float, str)


@dataclass(frozen=True, slots=True)
class Interval(Generic[T]):
    """A range; numbers are compared as numbers, ISO 8601 texts by whoever knows their type."""

    lower: T | None = None
    upper: T | None = None
    lower_included: bool = True
    upper_included: bool = True

    def contains(self, value: T) -> bool:
        """True if ``value`` lies in the range (natural order of T)."""
        above = self.lower is None or (value >= self.lower if self.lower_included else value > self.lower)
        below = self.upper is None or (value <= self.upper if self.upper_included else value < self.upper)
        return above and below

    def __str__(self) -> str:
        lower = "*" if self.lower is None else f"{'' if self.lower_included else '>'}{self.lower}"
        upper = "*" if self.upper is None else f"{'' if self.upper_included else '<'}{self.upper}"
        return f"{lower}..{upper}"


ONCE: Interval[int] = Interval(1, 1)
OPTIONAL: Interval[int] = Interval(0, 1)
ANY_NUMBER: Interval[int] = Interval(0, None)
PROHIBITED: Interval[int] = Interval(0, 0)
