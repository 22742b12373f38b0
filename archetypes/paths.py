"""openEHR paths: read, print, and resolve in canonical data.

The only path code of the repository. A path is a tuple of segments
``attribute[node_id]``, ``attribute[node_id,'Name']``, ``attribute[3]`` (zero-based index, ours, for
findings) or ``attribute``. See BASE architecture overview, "Paths and locators".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archetypes.errors import MalformedPath

_SEGMENT = re.compile(
    r"""/?(?P<attribute>[a-z_][a-z0-9_]*)
        (?:\[\s*(?:(?P<index>\d+)
              |(?P<node>[A-Za-z0-9_.\-]+)?\s*
               (?:(?:,|\s+and\s+)?\s*(?:name/value\s*=\s*)?
                  (?P<quote>['"])(?P<name>(?:\\.|(?!(?P=quote)).)*)(?P=quote))?
           )\s*\])?""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class PathSegment:
    """One step: an attribute and what selects among its members."""

    attribute: str
    node_id: str | None = None
    name: str | None = None
    index: int | None = None

    def __str__(self) -> str:
        if self.index is not None:
            return f"{self.attribute}[{self.index}]"
        if self.node_id is None:
            return self.attribute
        if self.name is None:
            return f"{self.attribute}[{self.node_id}]"
        name = self.name.replace("\\", "\\\\").replace("'", "\\'")
        return f"{self.attribute}[{self.node_id},'{name}']"


@dataclass(frozen=True, slots=True)
class RmPath:
    """A path from some root; the empty path is the root itself."""

    segments: tuple[PathSegment, ...] = ()

    @classmethod
    def parse(cls, text: str) -> RmPath:
        """Read a path.

        Raises MalformedPath. A leading ``[root-id]``, as OPT annotations write it, is dropped.
        """
        rest = text.strip()
        if rest.startswith("["):
            rest = rest[rest.index("]") + 1 :] if "]" in rest else rest
        segments = []
        position = 0
        while position < len(rest) and rest != "/":
            match = _SEGMENT.match(rest, position)
            if match is None or (position > 0 and rest[position] != "/"):
                raise MalformedPath(text, f"unreadable at {rest[position : position + 20]!r}")
            segments.append(_segment(match))
            position = match.end()
        return cls(tuple(segments))

    def __str__(self) -> str:
        return "".join(f"/{segment}" for segment in self.segments)

    def __truediv__(self, segment: PathSegment) -> RmPath:
        return RmPath((*self.segments, segment))

    def matches(self, root: Any) -> Iterator[tuple[str, Any]]:
        """All values at this path under ``root`` (canonical data) with their indexed paths."""
        found: list[tuple[str, Any]] = [("", root)]
        for segment in self.segments:
            found = [step for place, node in found for step in _step(place, node, segment)]
        return iter(found)


def _segment(match: re.Match[str]) -> PathSegment:
    index, name = match["index"], match["name"]
    return PathSegment(
        attribute=match["attribute"],
        node_id=match["node"],
        name=None if name is None else re.sub(r"\\(.)", r"\1", name),
        index=None if index is None else int(index),
    )


def _step(place: str, node: Any, segment: PathSegment) -> Iterator[tuple[str, Any]]:
    value = node.get(segment.attribute) if isinstance(node, dict) else None
    if value is None:
        return
    here = f"{place}/{segment.attribute}"
    members = (
        [(f"{here}[{i}]", v) for i, v in enumerate(value)] if isinstance(value, list) else [(here, value)]
    )
    for position, (where, member) in enumerate(members):
        if segment.index in (None, position) and _selects(segment, member):
            yield where, member


def _selects(segment: PathSegment, member: Any) -> bool:
    if segment.node_id is None and segment.name is None:
        return True
    if not isinstance(member, dict):
        return False
    if segment.node_id is not None and _node_id(member) != segment.node_id:
        return False
    return segment.name is None or (member.get("name") or {}).get("value") == segment.name


def _node_id(member: dict[str, Any]) -> str | None:
    """An ISM_TRANSITION is no LOCATABLE: the code of its careflow step stands for its node id."""
    if member.get("_type") == "ISM_TRANSITION":
        careflow_step = member.get("careflow_step") or {}
        return (careflow_step.get("defining_code") or {}).get("code_string")
    return member.get("archetype_node_id")
