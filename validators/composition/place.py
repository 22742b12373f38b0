"""Where the walk is: in the data and in the template at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archetypes.aom.constraints import CArchetypeRoot, CObject
from templates.operational import step


class Place:
    """A link to the place above, and the step from there.

    ``index`` is the zero-based place in a list, ``constraint`` what the template says of the object
    here (None where it is silent), ``node`` the data. Paths are written only when a finding needs them.
    """

    __slots__ = ("attribute", "constraint", "depth", "index", "node", "parent")

    def __init__(
        self,
        parent: Place | None,
        attribute: str,
        index: int | None = None,
        constraint: CObject | None = None,
        node: Any = None,
    ) -> None:
        self.parent = parent
        self.attribute = attribute
        self.index = index
        self.constraint = constraint
        self.node = node
        self.depth: int = 0 if parent is None else parent.depth + 1

    def path(self) -> str:
        """The RM path with zero-based indexes; empty for the root."""
        return "".join(
            f"/{place.attribute}" if place.index is None else f"/{place.attribute}[{place.index}]"
            for place in self._down()
        )

    def archetype_path(self) -> str:
        """The path in the template; where it is silent, by the node ids of the data."""
        return "".join(_archetype_step(place) for place in self._down())

    def root(self) -> CArchetypeRoot | None:
        """The nearest archetype root of the template, here or above."""
        place: Place | None = self
        while place is not None:
            if isinstance(place.constraint, CArchetypeRoot):
                return place.constraint
            place = place.parent
        return None

    def _down(self) -> Iterator[Place]:
        chain = []
        place = self
        while place.parent is not None:
            chain.append(place)
            place = place.parent
        return reversed(chain)


def _archetype_step(place: Place) -> str:
    if place.constraint is not None:
        return step(place.attribute, place.constraint)
    node_id = place.node.get("archetype_node_id") if isinstance(place.node, dict) else None
    return f"/{place.attribute}[{node_id}]" if isinstance(node_id, str) else f"/{place.attribute}"
