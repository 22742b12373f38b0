"""``helsekort query``: AQL against a server; rows on the screen, in a file, or as a plot."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import orjson
import typer
from rich.console import Console
from rich.table import Table

from api.analysts import PROJECT_HEADER
from api.cli.plotting import PLOTS, write_plot
from api.cli.remote import LOCAL, SECONDS, As, ProjectName, ServerAddress, TokenFile, caller, download
from api.client import Client, Rows, queries
from api.client.operation import REST, Operation

console = Console(highlight=False)
T = TypeVar("T")
FORMS: Mapping[str, str] = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.stream",
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
}


def query(
    aql: Annotated[str, typer.Argument(help="The query, @FILE, or - for standard input.", metavar="AQL")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="NAME=VALUE; the value as JSON, else as text.", metavar="N=V"),
    ] = None,
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
    project: ProjectName = None,
    ehr: Annotated[str | None, typer.Option(help="Ask this EHR only.", metavar="EHR_ID")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Most rows on the screen and in a plot.")] = 100,
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write all rows: .csv, .parquet, .arrow, .ndjson or .json."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Draw the columns over the first one: .svg, .png or .pdf."),
    ] = None,
    explain: Annotated[bool, typer.Option(help="Show how it would be answered, and run nothing.")] = False,
    measure: Annotated[bool, typer.Option(help="As --explain, but run it, and tell rows and time.")] = False,
) -> None:
    """Ask a server in AQL.

    Example: helsekort query "SELECT e/ehr_id/value FROM EHR e LIMIT 5" --out ehrs.parquet
    """
    text, parameters = _text(aql), _parameters(parameter or ())
    for file, known in ((out, FORMS), (plot, PLOTS)):
        if file is not None and file.suffix not in known:
            raise typer.BadParameter(f"{file.name} must end in {', '.join(known)}")
    auth = caller(server, token, who)
    with _connection(server, auth, project) as http, Client(server, auth=auth, timeout=SECONDS) as cdr:
        if explain or measure:
            explained = queries.explain(text, parameters, ehr_id=ehr, measure=measure)
            plan = cdr.send(_in_project(explained, project))
            _show_plan(plan)
            return
        if out is not None:
            _write(http, text, parameters, ehr, out)
        if out is None or plot is not None:
            asked = queries.run(text, parameters, ehr_id=ehr, fetch=rows + 1)
            found = cdr.send(_in_project(asked, project))
            _show(found, rows, out is None and plot is None)
            if plot is not None:
                write_plot(Rows(found.columns, found.rows[:rows], found.meta), plot)
                console.print(f"{plot}")


def _connection(server: str, auth: httpx.Auth | None, project: str | None) -> httpx.Client:
    headers = {PROJECT_HEADER: project} if project else {}
    return httpx.Client(base_url=server, auth=auth, timeout=SECONDS, headers=headers)


def _in_project(asked: Operation[T], project: str | None) -> Operation[T]:
    return replace(asked, headers={**asked.headers, PROJECT_HEADER: project}) if project else asked


def _text(aql: str) -> str:
    if aql == "-":
        return sys.stdin.read()
    if not aql.startswith("@"):
        return aql
    file = Path(aql[1:])
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    return file.read_text("utf-8")


def _parameters(given: list[str] | tuple[()]) -> dict[str, Any]:
    found = {}
    for each in given:
        name, is_there, value = each.partition("=")
        if not is_there:
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE")
        try:
            found[name.removeprefix("$")] = json.loads(value)
        except ValueError:
            found[name.removeprefix("$")] = value
    return found


def _write(http: httpx.Client, text: str, parameters: Mapping[str, Any], ehr: str | None, out: Path) -> None:
    headers = {"Accept": FORMS[out.suffix], "Content-Type": "application/json"}
    if ehr is not None:
        headers["openehr-ehr-id"] = ehr
    body = orjson.dumps({"q": text, "query_parameters": dict(parameters)})
    download(http, "POST", f"{REST}/query/aql", out, headers, content=body)
    console.print(f"{out}  {out.stat().st_size:,} bytes")


def _show(found: Rows, most: int, on_screen: bool) -> None:
    if on_screen:
        table = Table(*found.columns)
        for row in found.rows[:most]:
            table.add_row(*map(_cell, row))
        console.print(table)
        more = len(found) > most
        console.print(
            f"{most if more else len(found)} rows{', and more: use --rows or --out' if more else ''}"
        )
    if hidden := found.meta.get("_hidden_cells"):
        console.print(f"{hidden} small counts are hidden", style="yellow")
    if (erased := found.meta.get("_erased_since")) is not None:
        console.print(f"{erased} EHRs were erased since", style="yellow")
    for finding in found.meta.get("_warnings", ()):
        console.print(
            f"{finding['line']}:{finding['column']} {finding['message']}", style="yellow", markup=False
        )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _show_plan(answer: Mapping[str, Any]) -> None:
    console.print(answer["plan"], markup=False, soft_wrap=True)
    measured = {name: answer[name] for name in ("rows", "milliseconds") if name in answer}
    for name, value in {**(answer.get("reading") or {}), **measured}.items():
        console.print(f"{name}: {value}", markup=False)
