"""The command ``helsekort``: a table of its commands, each in a module of its own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.cli.archetype import archetype_commands
from api.cli.audit import audit_commands
from api.cli.bulk_import import import_compositions
from api.cli.coverage import coverage
from api.cli.database import database_commands
from api.cli.demo import demo
from api.cli.ehr import ehr_commands
from api.cli.query import query
from api.cli.serve import serve
from api.cli.tables import tables_commands
from api.cli.template import template_commands
from api.cli.terminology import terminology_commands
from api.cli.token import token_commands
from api.cli.validate import validate
from api.client import ClientError
from api.version import VERSION
from archetypes.errors import HelsekortError

app = typer.Typer(
    name="helsekort",
    help="openEHR clinical data repository for the Norwegian maternity health card.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve)
app.command("demo")(demo)
app.command("coverage")(coverage)
app.command("validate")(validate)
app.command("query")(query)
app.command("import")(import_compositions)
app.add_typer(tables_commands, name="tables")
app.add_typer(archetype_commands, name="archetype")
app.add_typer(audit_commands, name="audit")
app.add_typer(database_commands, name="db")
app.add_typer(ehr_commands, name="ehr")
app.add_typer(template_commands, name="template")
app.add_typer(terminology_commands, name="terminology")
app.add_typer(token_commands, name="token")


def main() -> None:
    """Run the command line; an error of ours becomes one message and exit status 1."""
    try:
        app()
    except (HelsekortError, ClientError, RecursionError) as error:
        print(f"helsekort: {error}", file=sys.stderr)
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"helsekort {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Options of ``helsekort`` itself; the help text is that of the table above."""
