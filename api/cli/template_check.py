"""``helsekort template check``: can we read a library of templates, write it back, and compile it?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from api.cli.checking import Checked, IllegalOption, check_library
from api.cli.importing import TEMPLATE_SUFFIXES
from api.cli.report import Format, FormatOption, JsonOption, LanguageOption
from api.cli.sources import LibraryOption, findings_of, nested_among, repository_with
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.library_files import LibraryFile, fault
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from templates.compile import compile_template, template_findings
from templates.nesting import Lookup
from templates.oet import read_oet, write_oet
from templates.opt import read_opt, write_opt
from validators.template import lint_template


def check_templates(
    folder: Annotated[
        Path, typer.Argument(exists=True, help="Folder or zip file with .oet or .opt files.", metavar="DIR")
    ],
    illegal: IllegalOption = None,
    library: LibraryOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Read every template, write it, read it again and compare; compile sources; then check validity.

    Ends with the line "N files, N read, N round-tripped, N with findings". Exit status 1 if a file could
    not be read or came back otherwise, unless --illegal lists it. That a source does not compile, for
    instance because --library lacks its archetypes, is a finding.
    """
    check_library(
        folder,
        TEMPLATE_SUFFIXES,
        partial(_check, repository=repository_with(library), nested=nested_among(folder)),
        illegal=illegal,
        form=Format.JSON if as_json else form,
        language=language,
    )


def _check(entry: LibraryFile, repository: ArchetypeRepository, nested: Lookup) -> Checked:
    judge = _source if entry.name.lower().endswith(".oet") else _operational
    try:
        with time_limit(3 * len(entry.content)):
            same, findings = judge(entry, repository, nested)
    except (HelsekortError, RecursionError) as error:
        return Checked(entry.name, False, False, tuple(findings_of(error, entry.name)))
    faults = () if same else (fault("template.not_round_tripped", entry.name),)
    return Checked(entry.name, True, same, faults, tuple(findings))


def _source(
    entry: LibraryFile, repository: ArchetypeRepository, nested: Lookup
) -> tuple[bool, list[Finding]]:
    source = read_oet(entry.content, entry.name)
    findings = template_findings(source, repository, nested)
    if not findings:
        findings = list(lint_template(compile_template(source, repository, nested), repository))
    return read_oet(write_oet(source), entry.name) == source, findings


def _operational(
    entry: LibraryFile, repository: ArchetypeRepository, nested: Lookup
) -> tuple[bool, list[Finding]]:
    template = read_opt(entry.content, entry.name)
    findings: Iterator[Finding] = iter(lint_template(template))
    return read_opt(write_opt(template), entry.name) == template, list(findings)
