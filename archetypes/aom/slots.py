"""Which archetypes a slot takes (AOM 1.4, ARCHETYPE_SLOT)."""

from __future__ import annotations

import re
from functools import lru_cache

from archetypes.aom.constraints import ArchetypeSlot

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
    compiled = _compiled(pattern)
    return (
        compiled is not None
        and len(archetype_id) <= MAX_ID_LENGTH
        and compiled.fullmatch(archetype_id) is not None
    )


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or None where it is no regular expression: such a one admits nothing."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
