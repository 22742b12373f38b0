"""Which archetypes a slot takes (AOM 1.4, ARCHETYPE_SLOT)."""

from __future__ import annotations

from archetypes.aom.constraints import ArchetypeSlot
from archetypes.patterns import matches

MAX_ID_LENGTH = 255


def admits(slot: ArchetypeSlot, archetype_id: str) -> bool:
    """True if the slot takes an archetype of this id.

    Patterns match the whole id. With includes, an exclude of everything only closes the list; without
    them, excludes take away from what the slot's type allows. Assertions about anything but the id are not
    evaluated.
    """
    excluded = any(_matches(p, archetype_id) for p in slot.excludes if not is_everything(p))
    if slot.includes:
        return not excluded and any(_matches(pattern, archetype_id) for pattern in slot.includes)
    return not excluded and not any(is_everything(pattern) for pattern in slot.excludes)


def is_everything(pattern: str) -> bool:
    """True for the pattern that tools write for 'any archetype'."""
    return pattern in (".*", "")


def _matches(pattern: str, archetype_id: str) -> bool:
    """A pattern that cannot be read admits nothing."""
    return len(archetype_id) <= MAX_ID_LENGTH and matches(pattern, archetype_id)
