"""Puts archetypes into the slots of other archetypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
    Interval,
)
from archetypes.intervals import ANY_NUMBER, OPTIONAL
from archetypes.paths import PathSegment
from archetypes.repository import admits
from archetypes.rm.schema import rm_schema
from templates.faults import Faults
from templates.source import Item
from templates.tree import with_attribute


@dataclass(frozen=True, slots=True)
class Filler:
    """A compiled archetype and the item of the source that asks for it."""

    item: Item
    root: CArchetypeRoot


def fill(
    parent: CComplexObject, segment: PathSegment, fillers: Sequence[Filler], faults: Faults
) -> CComplexObject:
    """``parent`` with the fillers in the slot (or the open attribute) that ``segment`` names.

    The fillers stand where the slot stood and the slot is gone: a filled slot is closed. A slot that
    nobody fills stays open. Faults are recorded at the items.
    """
    attribute = parent.attribute(segment.attribute)
    if attribute is None or not attribute.children:
        return _fill_open(parent, segment, fillers, faults)
    slots = [
        child
        for child in attribute.children
        if isinstance(child, ArchetypeSlot) and segment.node_id in (None, child.node_id)
    ]
    placed: dict[int, list[Filler]] = {}
    for filler in fillers:
        slot = _slot_for(filler, slots, faults)
        if slot is not None:
            placed.setdefault(id(slot), []).append(filler)
    children: list[CObject] = []
    for child in attribute.children:
        into = placed.get(id(child))
        children.extend((child,) if into is None else _placed(into, child.occurrences, faults))
    return with_attribute(parent, replace(attribute, children=tuple(children)))


def _slot_for(filler: Filler, slots: Sequence[ArchetypeSlot], faults: Faults) -> ArchetypeSlot | None:
    here = faults.at(filler.item.span, filler.item.path)
    if not slots:
        here.error("template.no_slot", found=filler.root.archetype_id)
        return None
    schema = rm_schema()
    for slot in slots:
        if schema.is_a(filler.root.rm_type_name, slot.rm_type_name) and admits(
            slot, filler.root.archetype_id
        ):
            if slot.occurrences.upper == 0:
                here.error("template.slot_closed", found=filler.root.archetype_id)
                return None
            return slot
    allowed = "|".join(pattern for slot in slots for pattern in slot.includes)
    here.error("template.slot_refuses", expected=allowed, found=filler.root.archetype_id)
    return None


def _fill_open(
    parent: CComplexObject, segment: PathSegment, fillers: Sequence[Filler], faults: Faults
) -> CComplexObject:
    """An attribute that the archetype says nothing about takes what the reference model allows."""
    known = rm_schema().attribute(parent.rm_type_name, segment.attribute)
    if known is None or segment.node_id is not None:
        faults.error("template.no_slot", found=str(segment))
        return parent
    for filler in fillers:
        if not rm_schema().is_a(filler.root.rm_type_name, known.type_name):
            faults.at(filler.item.span, filler.item.path).error(
                "template.wrong_type", expected=known.type_name, found=filler.root.rm_type_name
            )
    occurrences = ANY_NUMBER if known.container else OPTIONAL
    there = parent.attribute(segment.attribute) or CAttribute(rm_attribute_name=segment.attribute)
    return with_attribute(parent, replace(there, children=_placed(fillers, occurrences, faults)))


def _placed(
    fillers: Sequence[Filler], occurrences: Interval[int], faults: Faults
) -> tuple[CArchetypeRoot, ...]:
    alone = len(fillers) == 1
    if occurrences.lower and not alone and not any(filler.item.minimum for filler in fillers):
        item = fillers[0].item
        faults.at(item.span, item.path).warning("template.minimum_lost", expected=str(occurrences))
    return tuple(
        replace(filler.root, occurrences=_occurrences(filler.item, occurrences, faults, alone=alone))
        for filler in fillers
    )


def _occurrences(item: Item, slot: Interval[int], faults: Faults, *, alone: bool) -> Interval[int]:
    """What the item states, else what the slot says; one of several fillers is not mandatory by itself."""
    inherited = (slot.lower or 0) if alone else 0
    lower = inherited if item.minimum is None else item.minimum
    upper = slot.upper if item.maximum is None else item.maximum
    if slot.upper is not None and (upper is None or upper > slot.upper or lower > slot.upper):
        faults.at(item.span, item.path).error(
            "template.occurrences_widened", expected=str(slot), found=str(Interval(lower, upper))
        )
    if upper is not None and lower > upper:
        faults.at(item.span, item.path).error("template.occurrences_empty", found=f"{lower}..{upper}")
    return Interval(lower, upper)
