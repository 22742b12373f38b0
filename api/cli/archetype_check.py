"""``helsekort archetype check``: can we read a library, and print it without losing anything?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.cli.report import FAULTY, JsonOption, LanguageOption, finding_json, finding_line, output, print_json
from api.cli.sources import findings_of
from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.importing import SUFFIXES, read_archetype
from archetypes.library_files import LibraryFile, fault, library_files
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from validators.archetype import validate_archetype


@dataclass(frozen=True, slots=True)
class Checked:
    """One file; ``faults`` kept it from being read or printed, ``findings`` are invalid in it."""

    name: str
    read: bool
    round_tripped: bool
    faults: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    illegal: bool = False

    @property
    def failed(self) -> bool:
        """Did we fail on a legal file?"""
        return not self.illegal and not (self.read and self.round_tripped)


def check_folder(
    folder: Annotated[
        Path, typer.Argument(exists=True, help="Folder or zip file with .adl files.", metavar="DIR")
    ],
    illegal: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="List of files known to be illegal: path, blank, reason on each line.",
        ),
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Read every archetype, print it, read it again and compare; then check its validity.

    Ends with the line "N files, N read, N round-tripped, N with findings". Exit status 1 if a file could
    not be read or came back otherwise, unless --illegal lists it.
    """
    known = frozenset(_listed(illegal))
    repository = ArchetypeRepository.from_folder(folder) if folder.is_dir() else None
    entries = list(library_files(folder, SUFFIXES))
    shown = sys.stderr.isatty() and not as_json
    steps: Iterable[LibraryFile | Finding] = (
        track(entries, console=Console(stderr=True), transient=True) if shown else entries
    )
    checked = [_check(entry, repository, known) for entry in steps]
    if as_json:
        print_json({"summary": summary(checked), "files": [_as_json(each, language) for each in checked]})
    else:
        _print(checked, language)
    if any(each.failed for each in checked):
        raise typer.Exit(FAULTY)


def _listed(path: Path | None) -> Iterator[str]:
    """The paths of the list; lines that begin with # are remarks."""
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    return (line.split()[0] for line in lines if line.strip() and not line.startswith("#"))


def _check(
    entry: LibraryFile | Finding, repository: ArchetypeRepository | None, known: frozenset[str]
) -> Checked:
    if isinstance(entry, Finding):
        name = entry.span.file if entry.span else ""
        return Checked(name, False, False, (entry,), illegal=name in known)
    illegal = entry.name in known
    try:
        archetype = read_archetype(entry.content, entry.name)
    except (HelsekortError, RecursionError) as error:
        return Checked(entry.name, False, False, tuple(findings_of(error, entry.name)), illegal=illegal)
    faults = tuple(_round_trip(archetype, entry))
    try:
        with time_limit(len(entry.content)):
            findings = tuple(validate_archetype(archetype, repository))
    except (HelsekortError, RecursionError) as error:
        findings = tuple(findings_of(error, entry.name))
    return Checked(entry.name, True, not faults, faults, findings, illegal)


def _round_trip(archetype: Archetype, entry: LibraryFile) -> Iterator[Finding]:
    try:
        with time_limit(2 * len(entry.content)):
            same = parse_adl(print_adl(archetype), entry.name) == archetype
    except (HelsekortError, RecursionError, TypeError) as error:
        yield fault("archetype.not_round_tripped", entry.name, found=str(error))
        return
    if not same:
        yield fault("archetype.not_round_tripped", entry.name)


def summary(checked: list[Checked]) -> str:
    """The last line."""
    read = sum(each.read for each in checked)
    back = sum(each.round_tripped for each in checked)
    found = sum(bool(each.faults or each.findings) for each in checked)
    return f"{len(checked)} files, {read} read, {back} round-tripped, {found} with findings"


def _as_json(each: Checked, language: str) -> dict[str, object]:
    return {
        "file": each.name,
        "read": each.read,
        "round_tripped": each.round_tripped,
        "illegal": each.illegal,
        "findings": [finding_json(finding, language) for finding in (*each.faults, *each.findings)],
    }


def _print(checked: list[Checked], language: str) -> None:
    console = output()
    for each in checked:
        for finding in each.faults:
            remark = " (listed as illegal)" if each.illegal else ""
            console.print(finding_line(finding, "nb" if language == "nb" else "en") + remark)
    counts: dict[str, int] = {}
    for each in checked:
        for code in dict.fromkeys(finding.code for finding in each.findings):
            counts[code] = counts.get(code, 0) + 1
    if counts:
        table = Table("code", "files")
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            table.add_row(code, str(count))
        console.print(table)
    console.print(summary(checked))
