"""``helsekort demo``: three pregnancies through a running server, from submitting to querying."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.cli.server_process import ServerProcess, start_server
from api.demo import play
from api.demo.expected import expected_rows
from api.demo.story import Contact, Woman, read_story
from archetypes.errors import HelsekortError
from templates.repository import library_templates

Language = Literal["nb", "en"]
REFUSED_CONTACT = "P2-C08"
PIPED_WIDTH = 120
FAULTS = 4  # language missing, systolic, diastolic, unit of weight


class DemoFailed(HelsekortError):
    """Something was not as it should be."""

    code = "demo.failed"


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the queries; exit status 0 if all was right.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the server; 0 takes a free one.")] = 0,
    data: Annotated[Path, typer.Option(help="Data folder; emptied first.")] = Path("var/demo"),
    language: Annotated[Language, typer.Option(help="Language of titles and findings.")] = "en",
) -> None:
    """Play three pregnancies through a server: submit, refuse, read back, query."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    shutil.rmtree(data, ignore_errors=True)
    with console.status("Starting MongoDB and the server ..."):
        server = start_server(data, port or None)
    try:
        _play(console, server, language)
        _show_where_to_look(console, server)
        if not once:
            _wait_for_interrupt(console, server)
    finally:
        server.stop()


def _play(console: Console, server: ServerProcess, language: Language) -> None:
    with httpx.Client(base_url=server.base_url, timeout=60, headers={"Accept-Language": language}) as client:
        console.print(f"[bold]Templates[/bold]  {', '.join(play.template_ids(client))}\n")
        for woman in read_story():
            ehr_id = play.open_record(client, woman)
            _register_all(console, client, ehr_id, woman)
            _show_refusal(console, client, ehr_id, woman)
            show_queries(console, client, ehr_id, language)


def _register_all(console: Console, client: httpx.Client, ehr_id: str, woman: Woman) -> None:
    """Send every contact, read each back, and compare."""
    stored: dict[str, int] = {}
    for contact in _with_progress(console, woman.contacts):
        composition = contact.composition(library_templates())
        uid = play.register(client, ehr_id, contact, composition)
        if play.read_back(client, ehr_id, uid) != composition:
            raise DemoFailed(f"contact {contact.id} was not read back as it was sent")
        stored[contact.organisation] = stored.get(contact.organisation, 0) + 1
    table = Table("Organisation", "Contacts", title=f"Stored and read back equal: {sum(stored.values())}")
    for organisation, count in sorted(stored.items()):
        table.add_row(organisation, str(count))
    console.print(table)


def _with_progress(console: Console, contacts: tuple[Contact, ...]) -> Iterator[Contact]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Registering", total=len(contacts))
        for contact in contacts:
            progress.update(task, description=f"{contact.header.start_time[:10]} {contact.organisation:<32}")
            yield contact
            progress.advance(task)


def _show_refusal(console: Console, client: httpx.Client, ehr_id: str, woman: Woman) -> None:
    contact = next(contact for contact in woman.contacts if contact.id == REFUSED_CONTACT)
    answer = play.refuse(client, ehr_id, play.with_faults(contact.composition(library_templates())))
    console.print(f"\n[bold]A visit with slips of the pen[/bold]  422 {answer['code']}")
    for finding in answer["findings"]:
        console.print(
            f"  {finding['code']}  {finding['path']}", soft_wrap=True, highlight=False, markup=False
        )
        console.print(f"      {finding['message']}", soft_wrap=True, highlight=False, markup=False)
    console.print()
    if len(answer["findings"]) < FAULTS:
        raise DemoFailed(f"the faulty visit has {FAULTS} faults, the server found fewer")


def show_queries(console: Console, client: httpx.Client, ehr_id: str, language: Language) -> None:
    """Print the answers of the five queries. Raises DemoFailed if one is not what the story says."""
    story = json.loads((files("api") / "demo" / "story.json").read_bytes())
    expected = expected_rows(story)
    for query in play.read_queries():
        result = play.ask(client, query, ehr_id)
        console.print(_result_table(getattr(query, language), result))
        if comparable(result["rows"], ehr_id) != comparable(expected[query.name], ehr_id):
            raise DemoFailed(f"query {query.name} answers otherwise than the story: {result['rows']}")


def comparable(rows: list[list[Any]], ehr_id: str) -> list[list[Any]]:
    """Rows without the EHR id, which the story cannot know."""
    return [[value for value in row if value != ehr_id] for row in rows]


def _result_table(title: str, result: dict[str, Any]) -> Table:
    table = Table(*(column["name"] for column in result["columns"]), title=title, title_justify="left")
    for row in result["rows"]:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def _show_where_to_look(console: Console, server: ServerProcess) -> None:
    console.print(f"\nAPI documentation  [bold]{server.base_url}/docs[/bold]  (opens without internet)")
    console.print(f"Start page         {server.base_url}/")
    console.print(f"Server log         {server.log}")


def _wait_for_interrupt(console: Console, server: ServerProcess) -> None:
    console.print("\nThe server runs until you press Ctrl-C.")
    try:
        server.process.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
