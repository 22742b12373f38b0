"""``helsekort audit``: is the audit whole, what does it say, and a copy of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer
from joserfc.jwk import OKPKey, import_key
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from api.cli.database_access import (
    DatabaseOption,
    DataOption,
    ModeOption,
    command_line_actor,
    database_settings,
)
from cdr.access_log import export_audit, search_audit
from cdr.actor import ActorKind
from cdr.audit import AuditSearch, AuditState, ChainCheck, Head, batch_line, read_batch
from cdr.audit_heads import read_folder
from cdr.context import Ctx
from cdr.head_publishing import publish_now, published_heads
from cdr.identity.key_files import seal_key
from cdr.log_words import LANGUAGES, log_line
from cdr.platform import open_platform
from cdr.settings import Settings

T = TypeVar("T")
FAULTY = 1

audit_commands = typer.Typer(
    help="The audit of a server: who did what with whose data, in chains that show every change.",
    epilog="Exit status: 0 fine, 1 something is wrong, 2 the command was used wrongly.",
    no_args_is_help=True,
)
Heads = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Folder of published heads (default: the server's)."),
]
Keys = Annotated[
    list[Path] | None,
    typer.Option("--key", exists=True, help="Public key (JWK) that may have signed the heads; repeatable."),
]


@audit_commands.command("verify")
def verify(
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="An export, instead of a database.")
    ] = None,
    heads: Heads = None,
    key: Keys = None,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
) -> None:
    """Recompute every hash, and hold the chains against the heads that were published elsewhere."""
    if file is not None:
        known, faults = _known_heads(heads, key)
        state = _check_file(file, [head for one in known for head in one])
        _report(state, len(known), faults)
        return
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)

    async def check(ctx: Ctx) -> tuple[AuditState, int, list[str]]:
        if heads is None:
            found, count, faults = await published_heads(settings)
        else:
            known, faults = _known_heads(heads, key or [settings.audit_key_file])
            found, count = [head for one in known for head in one], len(known)
        with _counter("Checking") as seen:
            return await ctx.store.check_audit(found, seen), count, faults

    state, count, faults = asyncio.run(_with_store(settings, check))
    _report(state, count, faults)


@audit_commands.command("export")
def export(
    target: Annotated[Path, typer.Argument(dir_okay=False, help="File to write, one batch a line (NDJSON).")],
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
) -> None:
    """Write the whole audit with its hashes; 'verify --file' checks the copy anywhere."""
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)

    async def write(ctx: Ctx) -> int:
        count = 0
        part = target.with_name(target.name + ".part")
        with part.open("wb") as lines, _counter("Writing") as seen:
            async for batch in await export_audit(ctx):
                lines.write(batch_line(batch))
                count += 1
                seen(count)
        part.replace(target)
        return count

    print(f"{asyncio.run(_with_store(settings, write))} batches in {target}")


@audit_commands.command("log")
def log(
    ehr_id: Annotated[str, typer.Argument(help="The EHR whose log to show.")],
    language: Annotated[str, typer.Option(help="nb or en.")] = "nb",
    fetch: Annotated[int, typer.Option(min=1, max=1000, help="Most lines, newest first.")] = 100,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
) -> None:
    """Show who did what with an EHR, as the woman reads it; that you looked is in the audit."""
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r} is not {' or '.join(LANGUAGES)}", param_hint="--language")
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    found = asyncio.run(
        _with_store(settings, lambda ctx: search_audit(ctx, AuditSearch(ehr_id=ehr_id), fetch=fetch))
    )
    for entry in found:
        line = log_line(entry, language)
        print(f"{line.time}  {line.text}")


@audit_commands.command("publish")
def publish(mongodb_uri: DatabaseOption = None, data: DataOption = None, mode: ModeOption = None) -> None:
    """Sign and publish the heads of the chains now; a running server does so every hour."""
    settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
    print(asyncio.run(_with_store(settings, lambda ctx: publish_now(ctx.store, settings))))


@audit_commands.command("key")
def key(data: DataOption = None, mode: ModeOption = None) -> None:
    """Print the public key of the heads: keep it where whoever changes the database does not reach."""
    settings = database_settings(data=data, mode=mode)
    print(orjson.dumps(seal_key(settings.audit_key_file).as_dict(private=False)).decode())


def _known_heads(folder: Path | None, keys: list[Path] | None) -> tuple[list[tuple[Head, ...]], list[str]]:
    """The heads of a folder, and what is wrong with its files."""
    if folder is None:
        return [], []
    if not keys:
        raise typer.BadParameter("say by --key which key must have signed the heads", param_hint="--heads")
    found, faults = read_folder(folder, [_public_key(file) for file in keys])
    return [one.heads for one in found], faults


def _public_key(file: Path) -> OKPKey:
    key = import_key(orjson.loads(file.read_bytes()))
    if not isinstance(key, OKPKey):
        raise typer.BadParameter(f"{file} holds no Ed25519 key", param_hint="--key")
    key.ensure_kid()
    return key


def _check_file(file: Path, published: list[Head]) -> AuditState:
    with file.open("rb") as lines:
        promised = [end for batch in map(read_batch, lines) for end in batch.heads.items()]
    check = ChainCheck(promised, published)
    with file.open("rb") as lines:
        faults = [fault for batch in map(read_batch, lines) for fault in check.see(batch)]
    return AuditState(check.batches, check.entries, tuple(faults + check.missing()))


def _report(state: AuditState, published: int, faults: list[str]) -> None:
    """Print the faults and one last line; exit status 1 if there are any."""
    found = [*faults, *state.faults]
    for fault in found:
        print(fault)
    against = f"held against {published} published files of heads" if published else "no published heads"
    print(f"{state.batches} batches, {state.entries} entries, {against}: {len(found)} faults")
    if found:
        raise typer.Exit(FAULTY)


@contextmanager
def _counter(title: str) -> Iterator[Callable[[int], None]]:
    """A line on a terminal that counts batches."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed} batches"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda count: progress.update(task, completed=count)


async def _with_store(settings: Settings, work: Callable[[Ctx], Awaitable[T]]) -> T:
    async with open_platform(settings) as platform:
        return await work(platform.context(command_line_actor(ActorKind.OFFICER), basis="the audit"))
