"""Slots that the template leaves open (AOM 1.4, ARCHETYPE_SLOT)."""

from __future__ import annotations

from typing import Any

from archetypes.aom.constraints import ArchetypeSlot
from archetypes.repository import admits
from validators.composition.check import Check
from validators.composition.place import Place


def check_slot(slot: ArchetypeSlot, value: Any, place: Place, check: Check) -> None:
    """The filler of an open slot is not of the template: the reference model alone rules below it."""
    node_id = value.get("archetype_node_id") if isinstance(value, dict) else None
    if isinstance(node_id, str) and not admits(slot, node_id):
        check.report.add("slot.not_admitted", place, " | ".join(slot.includes) or "*", node_id)
