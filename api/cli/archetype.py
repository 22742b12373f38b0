"""``helsekort archetype``: look at archetypes, check them, compare them, take in public ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.cli.archetype_check import check_folder
from api.cli.archetype_edit import repair_archetype, report_libraries
from api.cli.archetype_impact import archetype_impact
from api.cli.archetype_lint import lint_archetypes
from api.cli.importing import import_archetypes
from api.cli.report import FAULTY, Format, FormatOption, JsonOption, LanguageOption, output, report_changes
from api.cli.sources import (
    LibraryOption,
    archetype_of,
    flat_archetype_of,
    operational_template_of,
    size_of,
)
from api.cli.trees import constraint_tree
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import CComplexObject
from archetypes.aom.generations import with_domain_types
from archetypes.changes import Level, classify_archetype_change, overall_level
from archetypes.repository import library as our_library
from archetypes.time_limit import time_limit

ArchetypeName = Annotated[
    str,
    typer.Argument(
        help="Id of an archetype of our library, or a file (.adl, .adls, .adlt).", metavar="ID|FILE"
    ),
]
FlatOption = Annotated[
    bool,
    typer.Option(
        "--flat",
        help="ADL 2: with all that it inherits; its parents lie in the same folder or in --library.",
    ),
]

archetype_commands = typer.Typer(
    help="Archetypes: look at them, check them, compare them, take in public ones.",
    epilog="Exit status: 0 fine, 1 something is wrong with an archetype, 2 the command was used wrongly.",
    no_args_is_help=True,
)
archetype_commands.command("lint")(lint_archetypes)
archetype_commands.command("check")(check_folder)
archetype_commands.command("impact")(archetype_impact)
archetype_commands.command("import")(import_archetypes)
archetype_commands.command("repair")(repair_archetype)
archetype_commands.command("report")(report_libraries)


@archetype_commands.command("list")
def list_archetypes(language: LanguageOption = "en") -> None:
    """List the archetypes of our library."""
    table = Table("id", "concept")
    for archetype_id in our_library().ids():
        archetype = our_library().get(archetype_id)
        terms = archetype.terminology.terms
        concept = terms.get(language, terms.get(archetype.original_language, {})).get(archetype.concept)
        table.add_row(archetype_id, concept.text if concept else "")
    output().print(table)


@archetype_commands.command("show")
def show_archetype(
    archetype: ArchetypeName,
    flat: FlatOption = False,
    library: LibraryOption = None,
    language: LanguageOption = "en",
) -> None:
    """Show the nodes of an archetype as a tree."""
    read = flat_archetype_of(archetype, library) if flat else archetype_of(archetype)
    shown = with_domain_types(read.definition, read.terminology.value_sets)
    assert isinstance(shown, CComplexObject)
    output().print(constraint_tree(shown, read.terminology.terms, language))


@archetype_commands.command("export")
def export_archetype(
    archetype: ArchetypeName,
    out: Annotated[Path | None, typer.Option(help="File to write; without it standard output.")] = None,
    flat: FlatOption = False,
    operational: Annotated[
        bool, typer.Option("--operational", help="An ADL 2 template as operational template (OPT 2).")
    ] = False,
    library: LibraryOption = None,
) -> None:
    """Write an archetype as ADL of its generation, in the layout that every archetype of ours has."""
    if operational:
        read = operational_template_of(archetype, library)
    else:
        read = flat_archetype_of(archetype, library) if flat else archetype_of(archetype)
    content = print_adl(read).encode()
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


@archetype_commands.command("diff")
def diff_archetypes(
    old: ArchetypeName,
    new: ArchetypeName,
    library: LibraryOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Tell what changed between two archetypes, and whether it is patch, minor or major.

    The rules are written in docs/modelling.md. Specialised archetypes of ADL 2 are compared with what they
    inherit. Exit status 1 if there is a major change.
    """
    before, after = flat_archetype_of(old, library), flat_archetype_of(new, library)
    with time_limit(size_of(old, new)):
        changes = classify_archetype_change(before, after)
    report_changes(changes, version_of(before), new, form=Format.JSON if as_json else form, language=language)
    if overall_level(changes) is Level.MAJOR:
        raise typer.Exit(FAULTY)


def version_of(archetype: Archetype) -> str:
    """The revision that the description states, else the version of the id."""
    details = archetype.description.get("other_details")
    if isinstance(details, Mapping):
        for key in ("edition_revision", "revision"):
            if details.get(key):
                return str(details[key])
    return archetype.archetype_id.rpartition(".v")[2]
