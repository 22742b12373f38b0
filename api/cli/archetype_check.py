"""``helsekort archetype check``: can we read a library, and print it without losing anything?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from api.cli.checking import Checked, IllegalOption, check_library
from api.cli.report import Format, FormatOption, JsonOption, LanguageOption
from api.cli.sources import findings_of
from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.importing import SUFFIXES, read_archetype
from archetypes.library_files import LibraryFile, fault
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from validators.archetype import validate_archetype


def check_folder(
    folder: Annotated[
        Path, typer.Argument(exists=True, help="Folder or zip file with .adl files.", metavar="DIR")
    ],
    illegal: IllegalOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Read every archetype, print it, read it again and compare; then check its validity.

    Ends with the line "N files, N read, N round-tripped, N with findings". Exit status 1 if a file could
    not be read or came back otherwise, unless --illegal lists it.
    """
    repository = ArchetypeRepository.from_folder(folder) if folder.is_dir() else None
    check_library(
        folder,
        SUFFIXES,
        partial(_check, repository=repository),
        illegal=illegal,
        form=Format.JSON if as_json else form,
        language=language,
    )


def _check(entry: LibraryFile, repository: ArchetypeRepository | None) -> Checked:
    try:
        archetype = read_archetype(entry.content, entry.name)
    except (HelsekortError, RecursionError) as error:
        return Checked(entry.name, False, False, tuple(findings_of(error, entry.name)))
    faults = tuple(_round_trip(archetype, entry))
    try:
        with time_limit(len(entry.content)):
            findings = tuple(validate_archetype(archetype, repository))
    except (HelsekortError, RecursionError) as error:
        findings = tuple(findings_of(error, entry.name))
    return Checked(entry.name, True, not faults, faults, findings)


def _round_trip(archetype: Archetype, entry: LibraryFile) -> Iterator[Finding]:
    try:
        with time_limit(2 * len(entry.content)):
            same = parse_adl(print_adl(archetype), entry.name) == archetype
    except (HelsekortError, RecursionError, TypeError) as error:
        yield fault("archetype.not_round_tripped", entry.name, found=str(error))
        return
    if not same:
        yield fault("archetype.not_round_tripped", entry.name)
