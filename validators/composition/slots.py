"""Slots that the template leaves open (AOM 1.4, ARCHETYPE_SLOT)."""

from __future__ import annotations

from typing import Any

from archetypes.aom.constraints import ArchetypeSlot
from validators.composition.check import Check
from validators.composition.place import Place
from validators.composition.primitives import compiled


def check_slot(slot: ArchetypeSlot, value: Any, place: Place, check: Check) -> None:
    """The filler of an open slot is not of the template: the reference model alone rules below it."""
    node_id = value.get("archetype_node_id") if isinstance(value, dict) else None
    if isinstance(node_id, str) and not admits(slot, node_id):
        check.report.add("slot.not_admitted", place, " | ".join(slot.includes) or "*", node_id)


def admits(slot: ArchetypeSlot, archetype_id: str) -> bool:
    """True if the slot lets in an archetype.

    No include lets in all but the excluded; an exclude of everything leaves the included ones.
    """
    if slot.includes:
        excludes = tuple(pattern for pattern in slot.excludes if pattern != ".*")
        return _any_matches(slot.includes, archetype_id) and not _any_matches(excludes, archetype_id)
    return not _any_matches(slot.excludes, archetype_id)


def _any_matches(patterns: tuple[str, ...], archetype_id: str) -> bool:
    for text in patterns:
        pattern = compiled(text)
        if text == archetype_id or (pattern is not None and pattern.fullmatch(archetype_id)):
            return True
    return False
