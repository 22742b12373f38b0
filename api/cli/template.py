"""``helsekort template``: look at the templates of our library."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from templates.opt import write_opt
from templates.repository import library_templates
from templates.web_template import to_web_template

from archetypes.aom.constraints import CArchetypeRoot
from templates.operational import Node, OperationalTemplate, fixed_name

template_commands = typer.Typer(help="Look at the templates of the library.", no_args_is_help=True)
console = Console(highlight=False)

TemplateId = Annotated[
    str, typer.Argument(help="Id of the template, such as helsekort_kontroll.v0.", metavar="ID")
]


class Form(StrEnum):
    """What a template is exported as."""

    OPT = "opt"
    WEB = "web"


@template_commands.command("list")
def list_templates() -> None:
    """List the templates of the library."""
    table = Table("id", "concept", "root archetype")
    for template_id, template in sorted(library_templates().items()):
        table.add_row(template_id, template.concept, template.definition.archetype_id)
    console.print(table)


@template_commands.command("show")
def show_template(template_id: TemplateId) -> None:
    """Show the nodes of a template as a tree."""
    template = library_template(template_id)
    for node in template.nodes():
        if node.constraint.node_id:
            console.print(_one_line(node, template.language), markup=False, soft_wrap=True)


def _one_line(node: Node, language: str) -> str:
    """``  Systolisk  ELEMENT[at0004] 0..1``, indented by depth."""
    constraint = node.constraint
    ident = constraint.archetype_id if isinstance(constraint, CArchetypeRoot) else constraint.node_id
    term = node.root.terms.get(language, {}).get(constraint.node_id)
    name = fixed_name(constraint) or (term.text if term else "")
    return f"{'  ' * len(node.parents)}{name}  {constraint.rm_type_name}[{ident}] {constraint.occurrences}"


@template_commands.command("export")
def export_template(
    template_id: TemplateId,
    form: Annotated[Form, typer.Option("--as", help="opt: OPT 1.4 XML; web: web template JSON.")] = Form.OPT,
    out: Annotated[Path | None, typer.Option(help="File to write; without it standard output.")] = None,
) -> None:
    """Write a template in a form that other openEHR tools read."""
    template = library_template(template_id)
    content = write_opt(template) if form is Form.OPT else orjson.dumps(to_web_template(template))
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


def library_template(template_id: str) -> OperationalTemplate:
    """A template of the library. Raises typer.BadParameter with the known ids."""
    known = library_templates()
    if template_id not in known:
        raise typer.BadParameter(
            f"no template {template_id} in the library; known: {', '.join(sorted(known))}"
        )
    return known[template_id]
