"""``helsekort template``: look at templates, check and compile them, and see what a change breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from api.cli.importing import import_templates
from api.cli.report import (
    FAULTY,
    Format,
    FormatOption,
    JsonOption,
    LanguageOption,
    output,
    print_json,
    report_changes,
)
from api.cli.sources import LibraryOption, TemplateName, repository_with, size_of, template_of
from api.cli.template_check import check_templates
from api.cli.template_compile import compile_templates
from api.cli.template_example import template_example, template_schema
from api.cli.template_export import export_template
from api.cli.template_impact import template_impact
from api.cli.template_lint import lint_templates
from api.cli.trees import constraint_tree
from archetypes.changes import Level, overall_level
from archetypes.time_limit import time_limit
from templates.changes import classify_template_change
from templates.operational import Node, OperationalTemplate, fixed_name
from templates.repository import library_templates
from templates.rubrics import Rubrics

PlainJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

template_commands = typer.Typer(
    help="Templates: look at them, check and compile them, see what a change breaks.",
    epilog="Exit status: 0 fine, 1 something is wrong with a template, 2 the command was used wrongly.",
    no_args_is_help=True,
)
template_commands.command("lint")(lint_templates)
template_commands.command("check")(check_templates)
template_commands.command("compile")(compile_templates)
template_commands.command("impact")(template_impact)
template_commands.command("example")(template_example)
template_commands.command("schema")(template_schema)
template_commands.command("export")(export_template)
template_commands.command("import")(import_templates)


@template_commands.command("list")
def list_templates(as_json: PlainJson = False) -> None:
    """List the templates of our library."""
    if as_json:
        rows = ((name, each.concept, each.definition.archetype_id) for name, each in known().items())
        print_json([dict(zip(("id", "concept", "archetype"), row, strict=True)) for row in rows])
        return
    table = Table("id", "concept", "root archetype")
    for template_id, template in known().items():
        table.add_row(template_id, template.concept, template.definition.archetype_id)
    output().print(table)


@template_commands.command("show")
def show_template(
    template: TemplateName,
    library: LibraryOption = None,
    as_json: PlainJson = False,
    language: LanguageOption = "nb",
) -> None:
    """Show the nodes of a template as a tree."""
    opt = template_of(template, repository_with(library))
    if as_json:
        print_json([_node(node, language) for node in opt.nodes()])
        return
    output().print(constraint_tree(opt.definition, opt.definition.terms, language))


def _node(node: Node, language: str) -> dict[str, object]:
    constraint = node.constraint
    name = fixed_name(constraint)
    if name is None and constraint.node_id:
        name = Rubrics(node.root, language).name(constraint.node_id)
    return {
        "path": node.path or "/",
        "name": name,
        "type": constraint.rm_type_name,
        "occurrences": str(constraint.occurrences),
    }


def known() -> Mapping[str, OperationalTemplate]:
    """The templates of our library, by id."""
    return dict(sorted(library_templates().items()))


@template_commands.command("diff")
def diff_templates(
    old: TemplateName,
    new: TemplateName,
    library: LibraryOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Tell what changed between two templates, and whether it is patch, minor or major.

    The rules are written in docs/modelling.md. Exit status 1 if there is a major change.
    """
    before, after = (template_of(name, repository_with(library)) for name in (old, new))
    with time_limit(size_of(old, new)):
        changes = classify_template_change(before, after)
    version = before.description.get("other_details.sem_ver") or before.template_id.rpartition(".")[2]
    report_changes(changes, version, new, form=Format.JSON if as_json else form, language=language)
    if overall_level(changes) is Level.MAJOR:
        raise typer.Exit(FAULTY)


def library_template(template_id: str) -> OperationalTemplate:
    """A template of the library. Raises typer.BadParameter with the known ids."""
    there = library_templates()
    if template_id not in there:
        raise typer.BadParameter(
            f"no template {template_id} in the library; known: {', '.join(sorted(there))}"
        )
    return there[template_id]
