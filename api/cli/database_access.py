"""What commands that work on a database have in common: which one, who asks, and the progress bar."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cdr.access_rules import SECURITY_LEVEL
from cdr.context import Actor, ActorKind
from cdr.settings import Mode, Settings

DatabaseOption = Annotated[str | None, typer.Option(help="Database that a server uses.", metavar="URI")]
DataOption = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="The same: private database of a stopped server."),
]
ModeOption = Annotated[Mode | None, typer.Option(help="Mode of that server (default: HELSEKORT_MODE).")]

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def database_settings(**options: Any) -> Settings:
    """Settings with the options that were given. Raises typer.BadParameter."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise typer.BadParameter(reason) from error


def command_line_actor(kind: ActorKind = ActorKind.STAFF) -> Actor:
    """Who is at the keyboard, for the audit: whoever reached it may read the database as it lies."""
    user = getpass.getuser()
    return Actor(id=f"command-line:{user}", name=user, kind=kind, security_level=SECURITY_LEVEL)


@contextmanager
def progress_bar(title: str, *, silent: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, moved by calling with how many are done and how many there are."""
    visible = sys.stderr.isatty() and not silent
    console = Console(stderr=True)
    with Progress(*_COLUMNS, console=console, disable=not visible, transient=True) as progress:
        task = progress.add_task(title)
        yield lambda done, total: progress.update(task, completed=done, total=total)
