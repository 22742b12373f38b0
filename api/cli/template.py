"""``helsekort template``: look at templates, check and compile them, and see what a change breaks."""

from __future__ import annotations

import typer
from rich.table import Table

from api.cli.importing import import_templates
from api.cli.report import FAULTY, JsonOption, LanguageOption, output, report_changes
from api.cli.sources import LibraryOption, TemplateName, repository_with, size_of, template_of
from api.cli.template_compile import compile_templates
from api.cli.template_example import template_example, template_schema
from api.cli.template_export import export_template
from api.cli.template_impact import template_impact
from api.cli.template_lint import lint_templates
from api.cli.trees import constraint_tree
from archetypes.changes import Level, overall_level
from archetypes.time_limit import time_limit
from templates.changes import classify_template_change
from templates.operational import OperationalTemplate
from templates.repository import library_templates

template_commands = typer.Typer(
    help="Templates: look at them, check and compile them, see what a change breaks.",
    epilog="Exit status: 0 fine, 1 something is wrong with a template, 2 the command was used wrongly.",
    no_args_is_help=True,
)
template_commands.command("lint")(lint_templates)
template_commands.command("compile")(compile_templates)
template_commands.command("impact")(template_impact)
template_commands.command("example")(template_example)
template_commands.command("schema")(template_schema)
template_commands.command("export")(export_template)
template_commands.command("import")(import_templates)


@template_commands.command("list")
def list_templates() -> None:
    """List the templates of our library."""
    table = Table("id", "concept", "root archetype")
    for template_id, template in sorted(library_templates().items()):
        table.add_row(template_id, template.concept, template.definition.archetype_id)
    output().print(table)


@template_commands.command("show")
def show_template(
    template: TemplateName, library: LibraryOption = None, language: LanguageOption = "nb"
) -> None:
    """Show the nodes of a template as a tree."""
    opt = template_of(template, repository_with(library))
    output().print(constraint_tree(opt.definition, opt.definition.terms, language))


@template_commands.command("diff")
def diff_templates(
    old: TemplateName,
    new: TemplateName,
    library: LibraryOption = None,
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
    report_changes(changes, version, as_json=as_json, language=language)
    if overall_level(changes) is Level.MAJOR:
        raise typer.Exit(FAULTY)


def library_template(template_id: str) -> OperationalTemplate:
    """A template of the library. Raises typer.BadParameter with the known ids."""
    known = library_templates()
    if template_id not in known:
        raise typer.BadParameter(
            f"no template {template_id} in the library; known: {', '.join(sorted(known))}"
        )
    return known[template_id]
