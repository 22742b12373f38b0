"""Archetypes by id, from a folder of ADL files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.slots import admits as admits
from archetypes.errors import AdlSyntaxError, UnknownArchetype


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
            self._read[archetype_id] = _read(path)
        return self._read[archetype_id]


def _read(path: Path) -> Archetype:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AdlSyntaxError("not UTF-8", source=path.name, line=line, column=1, excerpt="") from error
    archetype = parse_adl(text, path.name)
    if archetype.archetype_id != path.stem:
        # Whoever asks for an id must not get another archetype.
        message = f"the file is named {path.stem} and holds {archetype.archetype_id}"
        raise AdlSyntaxError(message, source=path.name, line=1, column=1, excerpt="")
    return archetype


@cache
def library() -> ArchetypeRepository:
    """The archetypes that come with the product."""
    return ArchetypeRepository.from_folder(Path(str(files("archetypes") / "library")))
