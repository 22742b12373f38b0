"""``helsekort db``: care for the database of a server."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cdr.actor import Actor, ActorKind
from cdr.context import Ctx
from cdr.platform import open_platform
from cdr.row_upkeep import check_rows, rebuild_rows
from cdr.settings import Mode, Settings

T = TypeVar("T")
FAULTY = 1

UriOption = Annotated[
    str | None, typer.Option(help="The database; it may be in use.", metavar="URI", show_default=False)
]
DataOption = Annotated[
    Path | None, typer.Option(file_okay=False, help="Or: the private database of a stopped server.")
]
ModeOption = Annotated[Mode | None, typer.Option(help="Mode of that server (default: HELSEKORT_MODE).")]

database_commands = typer.Typer(
    help="The database of a server: what is derived in it, made again and checked.",
    epilog="Exit status: 0 fine, 1 something is wrong, 2 the command was used wrongly.",
    no_args_is_help=True,
)
row_commands = typer.Typer(
    help="Rows: the values of stored compositions laid out flat, on which most queries are decided.",
    no_args_is_help=True,
)
database_commands.add_typer(row_commands, name="rows")


@row_commands.command("rebuild")
def rebuild(mongodb_uri: UriOption = None, data: DataOption = None, mode: ModeOption = None) -> None:
    """Make the rows that are missing or of an older format.

    Servers may run meanwhile: until a composition has its rows, queries read the composition itself.
    """
    settings = _settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    found = asyncio.run(_run(settings, "Making rows", lambda ctx, step: rebuild_rows(ctx, progress=step)))
    print(f"{found.made} compositions have got rows; {found.without} are too large for rows")


@row_commands.command("check")
def check(mongodb_uri: UriOption = None, data: DataOption = None, mode: ModeOption = None) -> None:
    """Compare the rows of every composition with the composition itself, and name those that differ."""
    settings = _settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    found = asyncio.run(_run(settings, "Checking rows", lambda ctx, step: check_rows(ctx, progress=step)))
    for version in found.wrong:
        print(f"wrong: {version}")
    print(f"{found.checked} compositions: {len(found.wrong)} with wrong rows, {found.outdated} to be made")
    if found.wrong:
        raise typer.Exit(FAULTY)


def _settings(**options: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise typer.BadParameter(reason) from error


async def _run(
    settings: Settings, title: str, work: Callable[[Ctx, Callable[[int, int], None]], Awaitable[T]]
) -> T:
    """Work on the database with a progress bar, where somebody looks."""
    user = getpass.getuser()
    actor = Actor(id=f"command-line:{user}", name=user, kind=ActorKind.OPERATOR)
    async with open_platform(settings) as platform:
        ctx = platform.context(actor, basis="upkeep of the database")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
            task = bar.add_task(title, total=None)
            return await work(ctx, lambda done, total: bar.update(task, completed=done, total=total))
