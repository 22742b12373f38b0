"""Tests of lists: which member is which node of the template, and how many of each there are."""

from __future__ import annotations

from typing import Any

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CObject
from archetypes.repository import admits
from archetypes.rm.schema import rm_schema
from validators.compiled.source import Test
from validators.compiled.units import Unit, does_fit
from validators.compiled.warnings import Unsure, warned_of
from validators.composition.data import type_of
from validators.composition.invariants import is_archetype_id
from validators.composition.naming import identifier, listed_names, name_constraint

_MOST_FILLERS = 200  # archetypes of one slot that are remembered


def members_test(unit: Unit) -> Test:
    """The test of a list whose members stand at ``unit``."""
    if unit.is_free:
        return _free(unit)
    claims = _Claims(unit)
    simple = all((child.occurrences.lower or 0) <= 1 for child in unit.candidates) and all(
        child.occurrences.upper in (None, 0, 1) for child in unit.candidates
    )
    has_needy_slot = any(isinstance(c, ArchetypeSlot) and c.occurrences.lower for c in unit.candidates)
    return _by_bits(unit, claims) if simple and not has_needy_slot else _by_counts(unit, claims)


def _free(unit: Unit) -> Test:
    usual = unit.usual

    def test(members: Any, p: Any) -> bool:
        for member in members:  # noqa: SIM110  # a generator costs as much as a small member
            if not usual[0](member, p):
                return False
        return True

    return test


def _by_bits(unit: Unit, claims: _Claims) -> Test:
    """Each node at most once, or as often as one likes: one bit a node is enough.

    Where nothing below can warn, nobody asks for indexes.
    """
    required = 0
    if unit.template.complete:
        required = sum(1 << place for place, child in enumerate(unit.candidates) if child.occurrences.lower)
    sure, choose = claims.sure, claims.choose

    def test(members: Any, p: Any) -> bool:
        seen = 0
        for index, member in enumerate(members):
            try:
                usual, bit, once, _ = sure[member["archetype_node_id"]]
            except KeyError:
                usual, bit, once, _ = choose(member, (p, index))
            if seen & once or not usual[0](member, (p, index)):
                return False
            seen |= bit
        return seen & required == required

    def silent(members: Any, p: Any) -> bool:
        seen = 0
        for member in members:
            try:
                usual, bit, once, _ = sure[member["archetype_node_id"]]
            except KeyError:
                usual, bit, once, _ = choose(member, p)
            if seen & once or not usual[0](member, p):
                return False
            seen |= bit
        return seen & required == required

    can_warn = unit.template.can_warn
    return test if any(can_warn(child) for child in unit.candidates) else silent


def _by_counts(unit: Unit, claims: _Claims) -> Test:
    sure, choose, children = claims.sure, claims.choose, unit.candidates
    upper = [child.occurrences.upper for child in children]
    lower = [(child.occurrences.lower or 0) if unit.template.complete else 0 for child in children]
    fillers = [_filling(child, children) for child in children]

    def test(members: Any, p: Any) -> bool:
        counts = [0] * len(children)
        for index, member in enumerate(members):
            try:
                usual, _, _, place = sure[member["archetype_node_id"]]
            except KeyError:
                usual, _, _, place = choose(member, (p, index))
            if not usual[0](member, (p, index)):
                return False
            counts[place] += 1
        for place, count in enumerate(counts):
            most = upper[place]
            if most is not None and count > most:
                return False
            if count < lower[place] and count + sum(counts[i] for i in fillers[place]) < lower[place]:
                return False
        return True

    return test


def _filling(slot: CObject, children: tuple[CObject, ...]) -> tuple[int, ...]:
    """The nodes that the template itself put into a slot: they count for it too."""
    if not isinstance(slot, ArchetypeSlot):
        return ()
    return tuple(
        place
        for place, child in enumerate(children)
        if isinstance(child, CArchetypeRoot) and admits(slot, child.archetype_id)
    )


# --- which node a member belongs to -----------------------------------------------------------------

# The usual test of the node's place, its bit, the same bit if it may stand only once, and its number.
_Claim = tuple[list[Test], int, int, int]


class _Claims:
    """The nodes of one list by node id; ``sure`` holds those that need no further look."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._units = [unit.narrowed(child) for child in unit.candidates]
        self._claims = [self._claim(place) for place in range(len(unit.candidates))]
        self._slots = [place for place, c in enumerate(unit.candidates) if isinstance(c, ArchetypeSlot)]
        self._fillers: dict[tuple[str, str], _Claim] = {}
        self._places = self._places_by_node_id()
        self._names = [_listed(child) for child in unit.candidates]
        self._anywhere = self._places.get("", [])
        self.sure: dict[Any, _Claim] = {
            node_id: self._claims[places[0]]
            for node_id, places in self._places.items()
            if node_id and len(places) == 1 and self._may_stand(places[0])
        }

    def _claim(self, place: int) -> _Claim:
        unit = self._units[place]
        bit = 1 << place
        once = bit if unit.candidates[0].occurrences.upper == 1 else 0
        return unit.usual, bit, once, place

    def _places_by_node_id(self) -> dict[str, list[int]]:
        """A node without id takes members of any id."""
        places: dict[str, list[int]] = {}
        for place, child in enumerate(self._unit.candidates):
            if not isinstance(child, ArchetypeSlot):
                places.setdefault(identifier(child) if child.node_id else "", []).append(place)
        anywhere = places.get("", [])
        return {key: sorted({*own, *anywhere}) for key, own in places.items()}

    def _may_stand(self, place: int) -> bool:
        return self._unit.candidates[place].occurrences.upper != 0

    def choose(self, member: Any, p: Any) -> _Claim:
        """The node of a member by its name, or by what it fits; the slot that takes it. Raises Unsure."""
        node_id = member.get("archetype_node_id")
        if node_id is None:
            places = sorted({place for places in self._places.values() for place in places})
        else:
            places = self._places.get(node_id) or self._anywhere
        if not places:
            return self._slot(member, node_id)
        if len(places) > 1:
            places = self._named(places, member)
        if len(places) > 1:
            places = [self._first_fitting(places, member, p)]
        if not places or not self._may_stand(places[0]):
            raise Unsure
        return self._claims[places[0]]

    def _named(self, places: list[int], member: Any) -> list[int]:
        written = member["name"]["value"]
        listed = ((place, self._names[place]) for place in places)
        return [place for place, names in listed if names is None or written in names]

    def _first_fitting(self, places: list[int], member: Any, p: Any) -> int:
        warned = warned_of(p)
        for place in places:
            unit = self._units[place]
            before = len(warned)
            is_fitting = does_fit(unit, unit.candidates[0], member, p, len(unit.steps))
            del warned[before:]  # the member is judged again where it counts
            if is_fitting:
                return place
        raise Unsure

    def _slot(self, member: Any, node_id: str) -> _Claim:
        key = (member["_type"], node_id)
        claim = self._fillers.get(key)
        if claim is not None:
            return claim
        if not is_archetype_id(node_id):
            raise Unsure
        seen_type = type_of(member, self._unit.seen)
        for place in self._slots:
            slot = self._unit.candidates[place]
            fits = seen_type is not None and rm_schema().is_a(seen_type, slot.rm_type_name)
            if fits and isinstance(slot, ArchetypeSlot) and admits(slot, node_id) and self._may_stand(place):
                if len(self._fillers) < _MOST_FILLERS:
                    self._fillers[key] = self._claims[place]
                return self._claims[place]
        raise Unsure


def _listed(constraint: CObject) -> frozenset[str] | None:
    """The names that a node may have, if they are a list; None if only a trial can say."""
    names = name_constraint(constraint)
    listed = listed_names(names.children[0]) if names is not None and len(names.children) == 1 else None
    return None if listed is None else frozenset(listed)
