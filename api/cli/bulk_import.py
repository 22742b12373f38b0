"""``helsekort import``: many compositions from a file into a server, and again after it was cut off."""

from __future__ import annotations

import gzip
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import typer
import zstandard
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.remote import LOCAL, ServerAddress, TokenFile, bearer
from api.client import Client, bulk
from api.client.formats import JsonObject

EXIT_REFUSED = 1
PIECE_LINES = 200
PIECE_BYTES = 32 * 2**20
SHOWN = 20
KEY = "helsekort-import"  # with it a server stores equal lines once

console = Console(highlight=False)


def import_compositions(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, also as .gz or .zst.", metavar="FILE")
    ],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be refused; store nothing.")
    ] = False,
    together: Annotated[
        bool, typer.Option("--all-or-nothing", help="One transaction for the file (at most 1,000 lines).")
    ] = False,
    rejected: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write refused lines here, to mend and send them.")
    ] = None,
) -> None:
    """Store the compositions of a file, one a line: {"ehr_id": ..., "composition": {...}}.

    A line may have "format" (JSON, FLAT, STRUCTURED), "template_id" and "incomplete". A run that was cut off
    is started again, and so is one whose refused lines were mended: within seven days an equal line is not
    stored twice. Exit status 1 when a line was refused.
    """
    counts: Counter[str] = Counter()
    with Client(server, auth=bearer(token)) as cdr, _bar(file) as advance, _opened(rejected) as refused:
        for piece in _pieces(file, together):
            asked = bulk.store(b"".join(piece.lines), together=together, dry_run=dry_run, key=KEY)
            for result in cdr.send(asked):
                counts["refused" if result.error else "stored"] += 1
                if result.error is not None:
                    _report(counts["refused"], piece.before + result.line, result.error)
                    refused.write(piece.lines[result.line - 1])
            advance(len(piece.lines))
    verb = "could be stored" if dry_run else "stored"
    console.print(f"{counts['stored']} {verb}, {counts['refused']} refused")
    if counts["refused"]:
        raise typer.Exit(EXIT_REFUSED)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of one request; ``before`` is how many lines of the file come before them."""

    before: int
    lines: list[bytes]


def _pieces(file: Path, together: bool) -> Iterator[Piece]:
    """The lines of the file, in one piece or in pieces that a server answers in seconds."""
    before, size = 0, 0
    lines: list[bytes] = []
    with _reading(file) as source:
        for line in source:
            lines.append(line)
            size += len(line)
            if not together and (len(lines) == PIECE_LINES or size > PIECE_BYTES):
                yield Piece(before, lines)
                before, size, lines = before + len(lines), 0, []
    if lines:
        yield Piece(before, lines)


@contextmanager
def _reading(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as raw:
        if file.suffix == ".gz":
            yield io.BufferedReader(gzip.GzipFile(fileobj=raw))
        elif file.suffix == ".zst":
            yield io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
        else:
            yield raw


@contextmanager
def _opened(rejected: Path | None) -> Iterator[IO[bytes]]:
    with (rejected or Path(os.devnull)).open("wb") as file:
        yield file


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """A progress bar over the lines of the file."""
    with _reading(file) as source:
        total = sum(1 for _ in source)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(file.name, total=total)
        yield lambda lines: progress.advance(task, lines)


def _report(count: int, line: int, error: JsonObject) -> None:
    """Show the first refusals, each with its first finding."""
    if count > SHOWN:
        return
    finding = next(iter(error["validationErrors"]), "")
    console.print(f"line {line}: {error['code']}: {error['message']}  {finding}", markup=False)
    if count == SHOWN:
        console.print("... more are counted, and written with --rejected")
