"""``helsekort db``: care for the database of a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
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
from cdr.restoring import Reapplied
from cdr.row_upkeep import check_rows, rebuild_rows
from cdr.settings import Settings
from cdr.store.replica_set import record_scrub, replica_set_members, scrub_procedure
from cdr.store.scrub import scrub as rewrite

T = TypeVar("T")
FAULTY = 1
PATIENCE = 20.0  # seconds in which a removal must get on

database_commands = typer.Typer(
    help="The database of a server: rows made again and checked, traces and restored backups cleaned.",
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


@database_commands.command("reapply")
def reapply(
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    ledger: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder of the ledger (default: HELSEKORT_ERASURE_LEDGER)."),
    ] = None,
) -> None:
    """After a backup was restored: erase and withdraw again what was erased and withdrawn since.

    The ledger of erasures, which is kept apart from the database, says what. A server that starts on a
    restored database does the same before it lets anybody in; this command says what was done, and waits
    until the removals of cards have ended. It may be given again at any time.
    """
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode, erasure_ledger=ledger)
    done, left = asyncio.run(_reapply(settings))
    if done is None:
        print(f"no ledger of this database in {settings.erasure_ledger_folder}: nothing can be told from it")
        raise typer.Exit(FAULTY)
    print(
        f"{done.lines} erasures were not known to this database; erased again: {done.ehrs} records, "
        f"{done.objects} entries; withdrawn again: {done.cards} cards"
    )
    if left:
        print(f"{left} removals of cards have not ended; the server goes on with them")
        raise typer.Exit(FAULTY)
    if done.lines:
        print("Next: helsekort db scrub, which takes it out of the database's own traces.")


async def _reapply(settings: Settings) -> tuple[Reapplied | None, int]:
    """What opening the database erased again (None: there is no ledger), and how many removals go on."""
    async with open_platform(settings) as platform:
        ledger, removals = platform.store.erasures.ledger, platform.store.removals
        if ledger is None or not ledger.files():
            return None, 0
        before, quiet = await removals.waiting(), time.monotonic()
        while before[0] and time.monotonic() - quiet < PATIENCE:
            await asyncio.sleep(0.1)
            now = await removals.waiting()
            before, quiet = now, (quiet if now == before else time.monotonic())
        return platform.reapplied, before[0]


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
