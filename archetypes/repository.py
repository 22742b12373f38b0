"""Archetypes by id, from a folder of ADL files, and their flat forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.flattening import flatten
from archetypes.aom.operational import operational_template
from archetypes.aom.slots import admits as admits
from archetypes.errors import AdlSyntaxError, CannotFlatten, UnknownArchetype

SUFFIXES = (".adl", ".adls", ".adlt")  # ADL 1.4; ADL 2; templates of ADL 2
_VERSION = re.compile(r"\.v(\d+(?:\.\d+)*)(-[\w.\-]+)?")
MAX_LINEAGE = 20


class ArchetypeRepository:
    """Archetypes of both generations; a file, named by the id, is read when it is first asked for.

    The ids of ADL 2 have versions of three parts (``.v1.0.2``), references to them mostly of one (``.v1``).
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = dict(paths)
        self._read: dict[str, Archetype] = {}
        self._flat: dict[str, Archetype] = {}

    @classmethod
    def from_folder(cls, folder: Path) -> ArchetypeRepository:
        """All archetypes below ``folder``; of two files with one name the first in path order counts."""
        return cls(archetype_files(folder))

    @classmethod
    def of_texts(cls, texts: Mapping[str, bytes]) -> ArchetypeRepository:
        """Archetypes of ADL texts by id, each read when it is first asked for."""
        return _OfTexts(texts)

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

    def resolve(self, reference: str) -> Archetype:
        """What an ADL 2 archetype refers to: the newest version that begins like the reference's.

        Raises UnknownArchetype, AdlSyntaxError.
        """
        bare = reference.rpartition("::")[2]
        return self.get(newest(bare, self._paths) or bare)

    def parent(self, archetype: Archetype) -> Archetype | None:
        """What an archetype specialises, of its own generation; None for a top-level one.

        Raises UnknownArchetype, AdlSyntaxError.
        """
        if archetype.parent_id is None:
            return None
        resolve = self.resolve if archetype.is_adl2 else self.get
        found = resolve(archetype.parent_id)
        if found.is_adl2 != archetype.is_adl2:
            raise UnknownArchetype(archetype.parent_id)  # the other generation has other codes
        return found

    def flat(self, archetype_id: str) -> Archetype:
        """The flat form of an archetype that the repository holds. Raises what :meth:`flattened` does."""
        if archetype_id not in self._flat:
            self._flat[archetype_id] = self.flattened(self.get(archetype_id))
        return self._flat[archetype_id]

    def flattened(self, archetype: Archetype) -> Archetype:
        """The flat form of any archetype whose parents the repository holds; of ADL 1.4 the archetype itself.

        Raises UnknownArchetype, AdlSyntaxError, CannotFlatten (also for a ring of parents), MalformedPath.
        """
        line = [archetype]
        while archetype.is_adl2 and (parent := self.parent(line[-1])) is not None:
            if any(parent.archetype_id == each.archetype_id for each in line) or len(line) > MAX_LINEAGE:
                raise CannotFlatten(archetype.archetype_id, "", f"{parent.archetype_id} is its own parent")
            line.append(parent)
        flat: Archetype | None = None
        for each in reversed(line):
            flat = flatten(each, flat)
        return flat or archetype

    def with_overlays(self, template: Archetype) -> ArchetypeRepository:
        """This repository and the overlays of a template, which count first."""
        return _WithOverlays(self, template) if template.overlays else self

    def operational_template(self, template: Archetype) -> Archetype:
        """The operational template of a template of ADL 2, which uses its own overlays first.

        Raises what :meth:`flattened` does.
        """
        local = self.with_overlays(template)
        flat: dict[str, Archetype] = {}

        def flat_of(reference: str) -> Archetype:
            if reference not in flat:
                flat[reference] = local.flattened(local.resolve(reference))
            return flat[reference]

        return operational_template(self.flattened(template), flat_of)


class _WithOverlays(ArchetypeRepository):
    """A repository with the overlays of one template."""

    def __init__(self, repository: ArchetypeRepository, template: Archetype) -> None:
        super().__init__(repository._paths | {each.archetype_id: Path() for each in template.overlays})
        self._read = repository._read | {each.archetype_id: each for each in template.overlays}


class _OfTexts(ArchetypeRepository):
    """A repository of texts that lie elsewhere than in files."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__({archetype_id: Path(archetype_id) for archetype_id in texts})
        self._texts = texts

    def get(self, archetype_id: str) -> Archetype:
        if archetype_id not in self._read and archetype_id in self._texts:
            self._read[archetype_id] = parse_adl(self._texts[archetype_id].decode(), archetype_id)
        return super().get(archetype_id)


def newest(reference: str, ids: Iterable[str]) -> str | None:
    """The id of the newest version that begins like the reference's; None if there is none."""
    beginnings = (f"{reference}.", f"{reference}-")
    candidates = [each for each in ids if each == reference or each.startswith(beginnings)]
    return max(candidates, key=_version, default=None)


def archetype_files(folder: Path) -> dict[str, Path]:
    """The archetypes of a folder by their ids; of two files with one name the first in path order counts."""
    paths: dict[str, Path] = {}
    for path in sorted(each for each in folder.rglob("*.adl*") if each.suffix in SUFFIXES):
        paths.setdefault(path.stem, path)
    return paths


def _version(archetype_id: str) -> tuple[tuple[int, ...], bool, str]:
    """Orders versions: by their numbers, a release after its previews."""
    match = _VERSION.search(archetype_id)
    numbers = tuple(int(number) for number in match[1].split(".")) if match else ()
    preview = (match[2] or "") if match else ""
    return numbers, not preview, preview


def _read(path: Path) -> Archetype:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AdlSyntaxError("not UTF-8", source=path.name, line=line, column=1, excerpt="") from error
    archetype = parse_adl(text, path.name)
    if archetype.archetype_id.rpartition("::")[2] != path.stem.rpartition("::")[2]:
        # Whoever asks for an id must not get another archetype.
        message = f"the file is named {path.stem} and holds {archetype.archetype_id}"
        raise AdlSyntaxError(message, source=path.name, line=1, column=1, excerpt="")
    return archetype


@cache
def library() -> ArchetypeRepository:
    """The archetypes that come with the product."""
    return ArchetypeRepository.from_folder(Path(str(files("archetypes") / "library")))
