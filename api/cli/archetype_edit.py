"""``helsekort archetype report`` and ``repair``: a page about libraries, and what a machine can mend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import LanguageOption
from archetypes.adl.printer import print_adl
from validators.archetype import check_file, is_repairable, repairs
from validators.archetype.report import lint_report

Out = Annotated[Path | None, typer.Option(help="File to write; without it standard output.")]


def report_libraries(
    folders: Annotated[
        list[Path],
        typer.Argument(exists=True, file_okay=False, help="Folders with .adl files.", metavar="DIR..."),
    ],
    out: Out = None,
    language: LanguageOption = "en",
) -> None:
    """Write a page about whole libraries: findings by code, every error, and samples."""
    page = lint_report({folder.name: folder for folder in folders}, language)
    _write(page, out)


def repair_archetype(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE")],
    out: Out = None,
) -> None:
    """Write an archetype with everything repaired that needs no decision; its constraints stay.

    Repaired are blanks, punctuation, missing translations (added with the mark for "not translated") and
    unused codes. Exit status 1 if the file cannot be read.
    """
    checked = check_file(file)
    if checked.archetype is None:
        found = checked.findings[0]
        line = found.span.line if found.span else 1
        typer.echo(f"{file}:{line}: {found.code} {found.found}", err=True)
        raise typer.Exit(1)
    mended = [found for found in checked.findings if is_repairable(found)]
    _write(print_adl(repairs(checked.archetype, mended)), out)
    typer.echo(f"{len(mended)} of {len(checked.findings)} findings repaired", err=True)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
