"""Everything that can be said about one ADL file: read, valid, well edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.errors import AdlSyntaxError
from archetypes.findings import Finding, SourceSpan
from archetypes.repository import ArchetypeRepository
from validators.archetype.lint import lint_archetype
from validators.archetype.places import with_places
from validators.archetype.subject import finding
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
    for file in sorted(folder.rglob("*.adl")):
        yield check_file(file, repository, languages=languages)


def check_file(
    file: Path, repository: ArchetypeRepository | None = None, *, languages: tuple[str, ...] = LANGUAGES
) -> CheckedArchetype:
    """One file, judged with :func:`validate_archetype` and :func:`lint_archetype`. Raises OSError."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return CheckedArchetype(file, None, (_unreadable("not UTF-8", file, line, 1),))
    try:
        archetype = parse_adl(text, file.name)
    except AdlSyntaxError as error:
        return CheckedArchetype(file, None, (_unreadable(error.message, file, error.line, error.column),))
    findings = [
        *validate_archetype(archetype, repository),
        *lint_archetype(archetype, repository, languages=languages),
    ]
    return CheckedArchetype(file, archetype, tuple(with_places(findings, text, file.name)))


def _unreadable(message: str, file: Path, line: int, column: int) -> Finding:
    return finding("archetype.unreadable", "/", found=message, span=SourceSpan(file.name, line, column))
