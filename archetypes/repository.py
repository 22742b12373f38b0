"""Archetypes by id, from a folder of ADL files."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import ArchetypeSlot
from archetypes.errors import UnknownArchetype


class ArchetypeRepository:
    """Archetypes of a folder; a file is read when it is first asked for. Its name is the archetype's id."""

    def __init__(self, paths: dict[str, Path]) -> None:
        self._paths = paths
        self._read: dict[str, Archetype] = {}

    @classmethod
    def from_folder(cls, folder: Path) -> ArchetypeRepository:
        """All ``*.adl`` below ``folder``; of two files with one name the first in path order counts."""
        paths: dict[str, Path] = {}
        for path in sorted(folder.rglob("*.adl")):
            paths.setdefault(path.stem, path)
        return cls(paths)

    def ids(self) -> tuple[str, ...]:
        """All archetype ids, sorted."""
        return tuple(sorted(self._paths))

    def get(self, archetype_id: str) -> Archetype:
        """The archetype. Raises UnknownArchetype, AdlSyntaxError."""
        if archetype_id not in self._read:
            path = self._paths.get(archetype_id)
            if path is None:
                raise UnknownArchetype(archetype_id)
            self._read[archetype_id] = parse_adl(path.read_text("utf-8-sig"), path.name)
        return self._read[archetype_id]


@cache
def library() -> ArchetypeRepository:
    """The archetypes that come with the product."""
    return ArchetypeRepository.from_folder(Path(str(files("archetypes") / "library")))


def admits(slot: ArchetypeSlot, archetype_id: str) -> bool:
    """True if the slot takes an archetype of this id (AOM 1.4, ARCHETYPE_SLOT).

    Patterns match the whole id. With includes, an exclude of everything only closes the list; without
    them, excludes take away from what the slot's type allows.
    """
    closing = any(_is_everything(pattern) for pattern in slot.excludes)
    excluded = any(_matches(p, archetype_id) for p in slot.excludes if not _is_everything(p))
    if slot.includes:
        return not excluded and any(_matches(pattern, archetype_id) for pattern in slot.includes)
    return not closing and not excluded


def _is_everything(pattern: str) -> bool:
    return pattern in (".*", "")


def _matches(pattern: str, archetype_id: str) -> bool:
    return any(re.fullmatch(part, archetype_id) for part in [pattern, *_alternatives(pattern)])


def _alternatives(pattern: str) -> list[str]:
    """Tools join whole ids by ``|`` and mean each of them."""
    return pattern.split("|") if "(" not in pattern else []
