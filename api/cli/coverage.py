"""``helsekort coverage``: every field of the card, its node, a value it takes and one that it refuses."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from templates.fields import RM_FIELDS, provisional_lists
from templates.repository import library_templates
from validators.coverage import Coverage, template_coverage

COLUMNS = ("Field", "Certainty", "Template", "Type", "Takes", "Refuses", "Breaks", "Covered")
PIPED_WIDTH = 170  # no terminal, no width: wide enough for every cell


def coverage(
    template: Annotated[str | None, typer.Option(help="Only this template of our library.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with the node's path.")] = False,
) -> None:
    """Try every field of the card in every template; exit status 1 if one is not covered."""
    chosen = [opt for name, opt in sorted(library_templates().items()) if template in (None, name)]
    if not chosen:
        raise typer.BadParameter(f"no template {template} in our library", param_hint="--template")
    rows = [row for opt in chosen for row in template_coverage(opt)]
    if as_csv:
        _print_csv(rows)
    else:
        _print_table(rows, {field: name for opt in chosen for field, name in provisional_lists(opt).items()})
    if not all(row.is_covered for row in rows):
        raise typer.Exit(1)


def _cells(row: Coverage) -> tuple[str, ...]:
    name = row.template_id.removeprefix("helsekort_")
    covered = "yes" if row.is_covered else "NO"
    return row.field, row.certainty, name, row.rm_type, row.value, row.other_value, row.broken, covered


def _print_csv(rows: Sequence[Coverage]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow((*COLUMNS, "Path"))
    writer.writerows((*_cells(row), row.path) for row in rows)


def _print_table(rows: Sequence[Coverage], provisional: Mapping[str, str]) -> None:
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    fields = {row.field for row in rows}
    covered = sum(row.is_covered for row in rows)
    console.print(f"{len(fields)} fields at {len(rows)} nodes, {covered} covered.")
    if provisional:
        stand_ins = ", ".join(f"{field} ({name})" for field, name in sorted(provisional.items()))
        console.print(f"Provisional, with codes of our own until the list is known: {stand_ins}.")
    console.print(f"{len(RM_FIELDS)} more fields are part of the reference model: {', '.join(RM_FIELDS)}.")
