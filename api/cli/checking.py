"""What a check of a whole library says: file by file, and in one last line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.cli.report import FAULTY, Format, finding_json, finding_line, output, print_json
from api.cli.sarif import to_sarif
from api.cli.words import Language, say
from archetypes.findings import Finding
from archetypes.library_files import LibraryFile, library_files

IllegalOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="List of files known to be illegal: path, blank, reason on each line.",
    ),
]


@dataclass(frozen=True, slots=True)
class Checked:
    """One file; ``faults`` kept it from being read or written, ``findings`` are invalid in it."""

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


def check_library(
    folder: Path,
    suffixes: Sequence[str],
    check: Callable[[LibraryFile], Checked],
    *,
    illegal: Path | None,
    form: Format,
    language: Language,
) -> None:
    """Check every file, with a progress bar, and report; exit status 1 if one failed that is legal."""
    known = frozenset(_listed(illegal))
    entries = list(library_files(folder, suffixes))
    shown = sys.stderr.isatty() and form is Format.TEXT
    steps: Iterable[LibraryFile | Finding] = (
        track(entries, console=Console(stderr=True), transient=True) if shown else entries
    )
    checked = [_checked(entry, check, known) for entry in steps]
    match form:
        case Format.JSON:
            files = [_as_json(each, language) for each in checked]
            print_json({"summary": summary(checked), "files": files})
        case Format.SARIF:
            found = [finding for each in checked for finding in (*each.faults, *each.findings)]
            print_json(to_sarif(found, language))
        case Format.TEXT:
            _print(checked, language)
    if any(each.failed for each in checked):
        raise typer.Exit(FAULTY)


def _checked(
    entry: LibraryFile | Finding, check: Callable[[LibraryFile], Checked], known: frozenset[str]
) -> Checked:
    if isinstance(entry, Finding):
        name = entry.span.file if entry.span else ""
        return Checked(name, False, False, (entry,), illegal=name in known)
    return replace(check(entry), illegal=entry.name in known)


def _listed(path: Path | None) -> Iterator[str]:
    """The paths of the list; lines that begin with # are remarks."""
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    return (line.split()[0] for line in lines if line.strip() and not line.startswith("#"))


def summary(checked: list[Checked]) -> str:
    """The last line."""
    read = sum(each.read for each in checked)
    back = sum(each.round_tripped for each in checked)
    found = sum(bool(each.faults or each.findings) for each in checked)
    return f"{len(checked)} files, {read} read, {back} round-tripped, {found} with findings"


def _as_json(each: Checked, language: Language) -> dict[str, object]:
    return {
        "file": each.name,
        "read": each.read,
        "round_tripped": each.round_tripped,
        "illegal": each.illegal,
        "findings": [finding_json(finding, language) for finding in (*each.faults, *each.findings)],
    }


def _print(checked: list[Checked], language: Language) -> None:
    console = output()
    for each in checked:
        for finding in each.faults:
            remark = f" ({say('listed_illegal', language)})" if each.illegal else ""
            console.print(finding_line(finding, language) + remark)
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
