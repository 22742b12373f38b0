"""Everything that can be said about ADL files: read, valid, well edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archetypes.aom.archetype import Archetype
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.importing import SUFFIXES, error_finding, read_archetype
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from validators.archetype.lint import lint_archetype
from validators.archetype.lint.units import is_ucum
from validators.archetype.places import with_places
from validators.archetype.validate import validate_archetype

LANGUAGES = ("nb", "en")


@dataclass(frozen=True, slots=True)
class CheckedArchetype:
    """A file with its findings; ``archetype`` is None where it could not be read."""

    file: Path
    archetype: Archetype | None
    findings: tuple[Finding, ...]


def check_folder(folder: Path, *, languages: tuple[str, ...] = LANGUAGES) -> Iterator[CheckedArchetype]:
    """Every ``*.adl`` below a folder in path order, each beside all others as its repository."""
    repository = ArchetypeRepository.from_folder(folder)
    for file in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        yield check_file(file, repository, languages=languages)


def check_file(
    file: Path, repository: ArchetypeRepository | None = None, *, languages: tuple[str, ...] = LANGUAGES
) -> CheckedArchetype:
    """One file, judged with :func:`validate_archetype` and :func:`lint_archetype`, within its time.

    What cannot be read is a finding with its place. Raises OSError.
    """
    content = file.read_bytes()
    try:
        archetype = read_archetype(content, file.name)
        is_ucum("1")  # the grammar of units is built once, and not on the time of one file
        with time_limit(len(content)):
            findings = [
                *validate_archetype(archetype, repository),
                *lint_archetype(archetype, repository, languages=languages),
            ]
    except HelsekortError as error:
        return CheckedArchetype(file, None, (error_finding(error, file.name),))
    text = content.decode("utf-8-sig")
    return CheckedArchetype(file, archetype, tuple(with_places(findings, text, file.name)))
