"""Which nodes of a container attribute an example has, and how many of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CAttribute, CObject
from archetypes.aom.slots import admits
from archetypes.rm.schema import RmAttribute
from templates.example_primitives import Choice, Impossible

Make = Callable[[CObject, Choice], Any]


def chosen_members(
    attribute: CAttribute, known: RmAttribute, make: Make, choice: Choice, *, full: bool, least: int = 0
) -> list[Any]:
    """The members, in the order of the template; ``least`` is how many there must be whatever it says.

    Raises Impossible if a mandatory node, or the least number of members, cannot be made.
    """
    stated = attribute.cardinality.interval if attribute.cardinality else known.cardinality
    lower = max(stated.lower or 0, (known.cardinality.lower or 0) if known.mandatory else 0, least)
    order: Sequence[int] = range(len(attribute.children))
    if (stated.upper is not None and stated.upper < len(order)) or (lower and not full):
        order, choice = choice.among(order)  # not all of them will be there
    filling = _Filling(attribute.children, make, choice, stated.upper, order)
    filling.add_mandatory()
    filling.fill_mandatory_slots()
    if stated.upper is not None and filling.count() > stated.upper:
        raise Impossible(f"{known.name} takes {stated} members, and {filling.count()} are mandatory")
    if full:
        filling.add_each_once()
    filling.add_until(lower)
    return [member for members in filling.made for member in members]


@dataclass(slots=True)
class _Filling:
    """The members so far, by the position of their node."""

    children: Sequence[CObject]
    make: Make
    choice: Choice
    upper: int | None
    order: Sequence[int]
    made: list[list[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.made = [[] for _ in self.children]

    def add_mandatory(self) -> None:
        """As many of each node as it must have; slots later, as other nodes may fill them."""
        for position, child in enumerate(self.children):
            if not isinstance(child, ArchetypeSlot):
                for _ in range(child.occurrences.lower or 0):
                    self.made[position].append(self.make(child, self.choice))

    def fill_mandatory_slots(self) -> None:
        """First with archetypes that the template put there, then with a made-up one."""
        for position, slot in enumerate(self.children):
            if not isinstance(slot, ArchetypeSlot):
                continue
            fillers = [
                other
                for other, child in enumerate(self.children)
                if isinstance(child, CArchetypeRoot) and admits(slot, child.archetype_id)
            ]
            there = sum(len(self.made[other]) for other in fillers)
            for _ in range((slot.occurrences.lower or 0) - there):
                if not any(self._added(other) for other in fillers):
                    self.made[position].append(self.make(slot, self.choice))

    def add_each_once(self) -> None:
        """Every node that is not there yet, as long as there is room."""
        for position in self.order:
            if not self.made[position] and not isinstance(self.children[position], ArchetypeSlot):
                self._added(position)

    def add_until(self, lower: int) -> None:
        """More members, until there are enough; nodes that are not there first, slots last."""
        while self.count() < lower:
            order = sorted(self.order, key=self._preference)
            if not any(self._added(position) for position in order):
                raise Impossible(f"fewer than {lower} members can be made")

    def _preference(self, position: int) -> tuple[bool, int]:
        return isinstance(self.children[position], ArchetypeSlot), len(self.made[position])

    def count(self) -> int:
        """How many members there are."""
        return sum(map(len, self.made))

    def _added(self, position: int) -> bool:
        """True if one more of the node was added."""
        child = self.children[position]
        limit = child.occurrences.upper
        if limit is not None and len(self.made[position]) >= limit:
            return False
        if self.upper is not None and self.count() >= self.upper:
            return False
        try:
            self.made[position].append(self.make(child, self.choice))
        except Impossible:
            return False
        return True
