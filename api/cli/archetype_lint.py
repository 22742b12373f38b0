"""``helsekort archetype lint``: everything that is wrong or doubtful about archetypes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import Format, FormatOption, JsonOption, LanguageOption, end_with, report_findings
from api.cli.sources import (
    OUR_ARCHETYPES,
    LibraryOption,
    files_below,
    findings_of,
    name_of,
    overlay,
    repository_with,
)
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.importing import SUFFIXES, read_archetype
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from validators.archetype import lint_archetype, validate_archetype
from validators.archetype.lint.units import is_ucum
from validators.archetype.places import with_places


def lint_archetypes(
    places: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders or ids; without any our whole library.", metavar="[PLACE]..."),
    ] = None,
    library: LibraryOption = None,
    validity_only: Annotated[
        bool, typer.Option("--validity-only", help="Only the rules of openEHR, no editorial advice.")
    ] = False,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Check archetypes: can they be read, are they valid, and are they well written.

    Exit status 1 if there is an error among the findings; warnings do not count.
    """
    paths = list(files_below([_place(name) for name in places or ()] or [OUR_ARCHETYPES], SUFFIXES))
    # What is linted together may refer to each other.
    repository = repository_with(library) if library else overlay({path.stem: path for path in paths})
    findings = [
        finding
        for path in paths
        for finding in archetype_findings(path, repository, editorial=not validity_only)
    ]
    report_findings(findings, len(paths), Format.JSON if as_json else form, language)
    end_with(findings)


def _place(name: str) -> Path:
    """A file or folder, or the file of an archetype of ours."""
    path = Path(name)
    if path.exists():
        return path
    ours = next(OUR_ARCHETYPES.rglob(f"{path.name}.adl"), None)
    if ours is None:
        raise typer.BadParameter(f"{name} is neither a file or folder nor an archetype of the library")
    return ours


def archetype_findings(path: Path, repository: ArchetypeRepository, *, editorial: bool) -> list[Finding]:
    """All findings about one file, each with a place in it."""
    name = name_of(path)
    try:
        content = path.read_bytes()
        archetype = read_archetype(content, name)
        is_ucum("1")  # the grammar of units is built once, and not on the time of one file
        with time_limit(len(content)):
            findings = validate_archetype(archetype, repository)
            if editorial:
                findings += lint_archetype(archetype, repository)
    except (HelsekortError, RecursionError) as error:
        return findings_of(error, name)
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}") from error
    return with_places(findings, content.decode("utf-8-sig"), name)
