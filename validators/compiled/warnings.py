"""Warnings of data that are otherwise valid, in the order in which the interpreter gives them.

Tests know no paths. What they pass along is a chain of list indexes, ``(chain above, index)``, ending at
``(None, list of warnings)``; the rest of a path is known when a test is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archetypes.aom.constraints import CObject
from archetypes.findings import Finding
from templates.operational import step
from validators.codes import SEVERITIES
from validators.composition.report import shortened

Warned = list[tuple[tuple[int, ...], Finding]]


class Unsure(Exception):  # a signal within this package, never seen outside
    """The compiled form cannot say; the interpreter must."""


class NotCompiled(Unsure):
    """An object of a kind that the interpreter must judge each time; what is around it is compiled."""


class Refused(Unsure):
    """The attributes that an object has, or lacks, are an error for certain."""


def unsure() -> bool:
    """Raises Unsure, where a condition stands; a null, say, is as good as an absent attribute."""
    raise Unsure


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the template: ``order`` is the place of the attribute among those of its object."""

    attribute: str
    order: int
    listed: bool
    constraint: CObject | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a warning may arise, and what it says."""

    code: str
    steps: tuple[PathStep, ...]
    below: str
    expected: str

    def warn(self, chain: Any, found: str) -> bool:
        """Note the warning; always true, so that it can stand in a condition."""
        indexes = []
        while chain[0] is not None:
            chain, index = chain
            indexes.append(index)
        warned: Warned = chain[1]
        warned.append(self._finding(indexes, found))
        return True

    def _finding(self, indexes: list[int], found: str) -> tuple[tuple[int, ...], Finding]:
        key: list[int] = []
        path = ""
        for part in self.steps:
            index = indexes.pop() if part.listed else -1
            key += (part.order, index)
            path += f"/{part.attribute}[{index}]" if part.listed else f"/{part.attribute}"
        template_path = "".join(
            step(part.attribute, part.constraint) for part in self.steps if part.constraint is not None
        )
        finding = Finding(
            code=self.code,
            path=path + self.below,
            expected=shortened(self.expected),
            found=shortened(found),
            archetype_path=template_path + self.below,
            severity=SEVERITIES[self.code],
        )
        return tuple(key), finding


def warned_of(chain: Any) -> Warned:
    """The list at the end of a chain."""
    while chain[0] is not None:
        chain = chain[0]
    warned: Warned = chain[1]
    return warned


def last_step(steps: tuple[PathStep, ...], constraint: CObject) -> tuple[PathStep, ...]:
    """The steps, with the constraint that was found to hold at the end."""
    return (*steps[:-1], replace(steps[-1], constraint=constraint)) if steps else steps
