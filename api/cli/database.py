"""``helsekort db``: care for the database of a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from api.cli.database_access import (
    DatabaseOption,
    DataOption,
    ModeOption,
    command_line_actor,
    database_settings,
    progress_bar,
)
from cdr.actor import ActorKind
from cdr.context import Ctx
from cdr.platform import open_platform
from cdr.row_upkeep import check_rows, rebuild_rows
from cdr.settings import Settings
from cdr.store.replica_set import record_scrub, replica_set_members, scrub_procedure
from cdr.store.scrub import scrub as rewrite

T = TypeVar("T")
FAULTY = 1

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
def rebuild(mongodb_uri: DatabaseOption = None, data: DataOption = None, mode: ModeOption = None) -> None:
    """Make the rows that are missing or of an older format.

    Servers may run meanwhile: until a composition has its rows, queries read the composition itself.
    """
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    found = asyncio.run(_run(settings, "Making rows", lambda ctx, step: rebuild_rows(ctx, progress=step)))
    print(f"{found.made} compositions have got rows; {found.without} are too large for rows")


@row_commands.command("check")
def check(mongodb_uri: DatabaseOption = None, data: DataOption = None, mode: ModeOption = None) -> None:
    """Compare the rows of every composition with the composition itself, and name those that differ."""
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    found = asyncio.run(_run(settings, "Checking rows", lambda ctx, step: check_rows(ctx, progress=step)))
    for version in found.wrong:
        print(f"wrong: {version}")
    print(f"{found.checked} compositions: {len(found.wrong)} with wrong rows, {found.outdated} to be made")
    if found.wrong:
        raise typer.Exit(FAULTY)


@database_commands.command("scrub")
def scrub(
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    done: Annotated[
        bool, typer.Option("--done", help="Record that the members of a replica set were rewritten.")
    ] = False,
) -> None:
    """Rewrite the database so that nothing erased is left in its oplog, journal and free pages.

    The private database of a stopped server is rewritten now; a kill on the way loses nothing. For a replica
    set the command prints what to do, member by member, and with --done keeps when it was done.
    """
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    if settings.mongodb_uri is not None:
        print(asyncio.run(_scrub_set(settings.mongodb_uri.get_secret_value(), settings.database, done=done)))
        return
    with progress_bar("Rewriting") as progress:
        rewriting = rewrite(
            settings.data,
            mongod=settings.mongod,
            cache_mib=settings.mongod_cache_mib,
            progress=progress,
        )
        found = asyncio.run(rewriting)
    print(
        f"{found.documents} documents ({found.bytes / 1e6:.1f} MB) rewritten in {found.seconds:.1f} s; "
        f"files were {found.before / 1e6:.0f} MB and are {found.after / 1e6:.0f} MB"
    )


async def _scrub_set(uri: str, database: str, *, done: bool) -> str:
    if done:
        await record_scrub(uri, database)
        return "Recorded: removals that ended before now are gone from the traces of the database too."
    return scrub_procedure(await replica_set_members(uri))


async def _run(
    settings: Settings, title: str, work: Callable[[Ctx, Callable[[int, int], None]], Awaitable[T]]
) -> T:
    """Work on the database with a progress bar, where somebody looks."""
    async with open_platform(settings) as platform:
        ctx = platform.context(command_line_actor(ActorKind.OPERATOR), basis="upkeep of the database")
        with progress_bar(title) as progress:
            return await work(ctx, progress)
