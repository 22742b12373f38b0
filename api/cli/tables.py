"""``helsekort tables``: the card as files for R, Python and spreadsheets, each with its codebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from api.analysts import PROJECT_HEADER
from api.answers import ANALYSIS_PATH
from api.cli.query import FORMS
from api.cli.remote import LOCAL, SECONDS, As, ProjectName, ServerAddress, TokenFile, caller, download
from api.client.errors import NoAnswer, refusal
from api.tables import ERASED_SINCE

console = Console(highlight=False)
tables_commands = typer.Typer(
    help="The card as tables: woman, pregnancy, contact, fetus, test, sf, earlier.", no_args_is_help=True
)
SUFFIXES = {suffix[1:]: media_type for suffix, media_type in FORMS.items() if suffix != ".json"}


@tables_commands.command("list")
def list_tables(
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
    project: ProjectName = None,
) -> None:
    """Show the tables that there are."""
    shown = Table("Table", "Norsk", "English")
    with _connection(server, caller(server, token, who), project) as http:
        for each in _json(http, f"{ANALYSIS_PATH}/tables"):
            shown.add_row(each["name"], each["label"]["nb"], each["label"]["en"])
    console.print(shown)


@tables_commands.command("codebook")
def show_codebook(
    table: Annotated[str, typer.Argument(help="Name of a table.")],
    language: Annotated[str, typer.Option(help="Language of the labels: nb or en.")] = "en",
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
    project: ProjectName = None,
) -> None:
    """Show the columns of a table: label, type, unit, codes, and how filled they are."""
    if language not in ("nb", "en"):
        raise typer.BadParameter("nb or en", param_hint="--language")
    with _connection(server, caller(server, token, who), project) as http:
        book = _json(http, f"{ANALYSIS_PATH}/tables/{table}/codebook")
    shown = Table("Column", "Label", "Type", "Unit", "Codes", "Filled")
    for column in book["columns"]:
        codes = "; ".join(f"{code['code']}={code[language]}" for code in column["codes"])
        filled = "" if column["filled"] is None else f"{column['filled']:.0%}"
        label = column[f"label_{language}"]
        shown.add_row(column["name"], label, column["type"], column["unit"] or "", codes, filled)
    console.print(shown)
    for column in book["withheld"]:
        console.print(f"withheld: {column['name']} ({column['because']})")


@tables_commands.command("export")
def export(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Tables; without any, all.", metavar="[TABLE]...")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the files.")] = Path("tables"),
    form: Annotated[
        str, typer.Option("--format", help="parquet, csv, arrow or ndjson.", metavar="FORMAT")
    ] = "parquet",
    as_of: Annotated[
        str | None, typer.Option(help="The card as it was at this time (ISO 8601).", metavar="TIME")
    ] = None,
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
    project: ProjectName = None,
) -> None:
    """Write tables as files, each with its codebook (CSV).

    Example: helsekort tables export contact sf --out tables
    """
    if form not in SUFFIXES:
        raise typer.BadParameter(f"{form} is none of {', '.join(SUFFIXES)}", param_hint="--format")
    out.mkdir(parents=True, exist_ok=True)
    asked = {} if as_of is None else {"as_of": as_of}
    with _connection(server, caller(server, token, who), project) as http:
        for name in tables or [each["name"] for each in _json(http, f"{ANALYSIS_PATH}/tables")]:
            place = f"{ANALYSIS_PATH}/tables/{name}"
            file, book = out / f"{name}.{form}", out / f"{name}.codebook.csv"
            headers = download(http, "GET", place, file, {"Accept": SUFFIXES[form]}, params=asked)
            download(http, "GET", f"{place}/codebook", book, {"Accept": FORMS[".csv"]}, params=asked)
            since = headers.get(ERASED_SINCE)
            erased = f", {since} EHRs erased since" if since else ""
            console.print(f"{file}  {file.stat().st_size:,} bytes{erased}")


def _connection(server: str, auth: httpx.Auth | None, project: str | None) -> httpx.Client:
    headers = {PROJECT_HEADER: project} if project else {}
    return httpx.Client(base_url=server, auth=auth, timeout=SECONDS, headers=headers)


def _json(http: httpx.Client, path: str) -> Any:
    try:
        response = http.get(path)
    except httpx.TransportError as error:
        raise NoAnswer(f"GET {path}", 1, str(error)) from error
    if response.is_error:
        raise refusal(response)
    return response.json()
