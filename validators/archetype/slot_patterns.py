"""The archetypes that a slot pattern names.

Patterns are regular expressions, in practice ids joined by ``|`` with an optional part for specialisations.
Whatever is more than that names nobody in particular and is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SPECIALISED = re.compile(r"\(-\[[^\]]*\][+*]\)[*?]|\(-\.\*\)[?*]?")
_LITERAL = re.compile(r"[\w.\-]+")
_ID = re.compile(r"[A-Za-z]\w*-[A-Z]\w*-[A-Z_]+\.[\w-]+\.v\d[\w.\-]*")


@dataclass(frozen=True, slots=True)
class NamedArchetype:
    """One alternative of a pattern; ``archetype_id`` is None where the text is no archetype id."""

    text: str
    archetype_id: str | None
    specialisations: bool = False


@lru_cache(maxsize=4096)
def named_archetypes(pattern: str) -> tuple[NamedArchetype, ...]:
    """The alternatives of a pattern that name one archetype each."""
    bare = _SPECIALISED.sub("\0", pattern)
    if "(" in bare:
        return ()
    named = []
    for part in bare.split("|"):
        literal = part.replace("\0", "").replace(r"\.", ".").replace(r"\-", "-")
        if _LITERAL.fullmatch(literal):
            archetype_id = literal if _ID.fullmatch(literal) else None
            named.append(NamedArchetype(literal, archetype_id, "\0" in part))
    return tuple(named)
