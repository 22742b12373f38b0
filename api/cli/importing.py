"""``archetype import`` and ``template import``: a public library becomes a folder, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import (
    FAULTY,
    Format,
    FormatOption,
    JsonOption,
    LanguageOption,
    finding_json,
    finding_line,
    is_error,
    output,
    print_json,
)
from api.cli.sarif import to_sarif
from api.cli.sources import findings_of
from api.cli.words import Language, say
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.importing import read_library
from archetypes.library_files import LibraryFile, fault, library_files
from archetypes.time_limit import time_limit
from templates.oet import read_oet
from templates.opt import read_opt

TEMPLATE_SUFFIXES = (".oet", ".opt")

Source = Annotated[Path, typer.Argument(help="Folder or zip file.", metavar="SOURCE")]
Target = Annotated[
    Path | None, typer.Option("--to", help="New folder to write; without it only the report is given.")
]
Partial = Annotated[bool, typer.Option("--partial", help="Take what can be read, also if something cannot.")]


def import_archetypes(
    source: Source,
    to: Target = None,
    partial: Partial = False,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Take in the archetypes of a public library, sorted by class, with a report on what is wrong with it.

    Nothing is written if anything cannot be read, unless --partial is given. Exit status 1 if so.
    """
    report = read_library(source)
    files = [(each.target, each.content) for each in report.imported]
    _finish(files, report.findings, report.files, to, partial, Format.JSON if as_json else form, language)


def import_templates(
    source: Source,
    to: Target = None,
    partial: Partial = False,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Take in the templates (.oet, .opt) of a public library, with a report on what is wrong with it.

    They are read, not compiled; for that use template lint. Nothing is written if anything cannot be read,
    unless --partial is given. Exit status 1 if so.
    """
    found = list(library_files(source, TEMPLATE_SUFFIXES))
    findings = [each for each in found if isinstance(each, Finding)]
    files: dict[str, LibraryFile] = {}
    for file in (each for each in found if isinstance(each, LibraryFile)):
        _take(file, files, findings)
    named = [(target, file.content) for target, file in files.items()]
    _finish(named, findings, len(found), to, partial, Format.JSON if as_json else form, language)


def _take(file: LibraryFile, files: dict[str, LibraryFile], findings: list[Finding]) -> None:
    suffix = file.name.rpartition(".")[2].lower()
    try:
        with time_limit(len(file.content)):
            if suffix == "oet":
                name = read_oet(file.content, file.name).name
            else:
                name = read_opt(file.content, file.name).template_id
    except (HelsekortError, RecursionError) as error:
        findings.extend(findings_of(error, file.name))
        return
    target = f"{_file_name(name)}.{suffix}"
    first = files.setdefault(target, file)
    if first is not file:
        findings.append(fault("import.duplicate_id", file.name, expected=first.name, found=name))


def _file_name(name: str) -> str:
    """A template's name as a file name: what paths mean something by is replaced."""
    return "".join(c if c.isalnum() or c in " .-_()" else "_" for c in name).strip(". ")[:200] or "template"


def _finish(
    files: Sequence[tuple[str, bytes]],
    findings: Sequence[Finding],
    count: int,
    to: Path | None,
    partial: bool,
    form: Format,
    language: Language,
) -> None:
    errors = sum(map(is_error, findings))
    written = to is not None and (partial or not errors)
    if written and to is not None:
        write_whole(files, to)
    if form is Format.SARIF:
        print_json(to_sarif(findings, language))
    elif form is Format.JSON:
        names = [name for name, _ in files]
        report = [finding_json(finding, language) for finding in findings]
        print_json({"files": count, "importable": names, "written": written, "findings": report})
    else:
        _print(findings, language)
        if to is None:
            output().print(say("would_import", language, imported=len(files), files=count))
        elif written:
            output().print(say("imported", language, imported=len(files), files=count, target=to))
        else:
            output().print(say("not_imported", language, errors=errors))
    if errors:
        raise typer.Exit(FAULTY)


def _print(findings: Iterable[Finding], language: Language) -> None:
    console = output()
    for finding in findings:
        console.print(finding_line(finding, language))


def write_whole(files: Iterable[tuple[str, bytes]], target: Path) -> None:
    """Write all files into the new folder ``target``, which appears when the last one is written.

    Raises typer.BadParameter if it is there already, or cannot be written.
    """
    if target.exists():
        raise typer.BadParameter(f"{target} exists already", param_hint="--to")
    try:
        staging = Path(tempfile.mkdtemp(prefix=".import-", dir=target.parent))
    except OSError as error:
        raise typer.BadParameter(f"{target.parent}: {error.strerror}", param_hint="--to") from error
    try:
        for name, content in files:
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        staging.chmod(0o755)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
