"""The ledger of erasures: a file apart from the database, which tells a restored backup what it must forget.

A line is what was done, when, and keyed hashes of the ids that it was done to: no content, and nothing that
can be read without the key of the database. Each machine writes a file of its own; all of a folder count.
"""

from __future__ import annotations

import errno
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import orjson

from archetypes.errors import HelsekortError

SUFFIX = ".jsonl"


class Done(StrEnum):
    """What was done."""

    EHR = "ehr"  # an EHR was erased
    OBJECT = "object"  # one object was, with all its versions
    WITHDRAWAL = "withdrawal"  # a consent was withdrawn, and the card removed


@dataclass(frozen=True, slots=True)
class Erased:
    """One line; ``marks`` are keyed hashes of the ids (of an EHR also those of EHRs joined into it)."""

    id: str
    done: Done
    at: datetime
    marks: tuple[str, ...]


class LedgerUnreadable(HelsekortError):
    """A line of the ledger that is none: what it said must not be left out in silence."""

    code = "ledger.unreadable"

    def __init__(self, file: Path, line: int) -> None:
        super().__init__(f"{file}, line {line}: not a line of a ledger of erasures; restore the file")
        self.file = file
        self.line = line


class ErasureLedger:
    """The ledger of one database, whose name is a hash of its key, in a folder that many may share."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database
        self._known: set[str] | None = None  # ids of lines, once the files were read

    @property
    def folder(self) -> Path:
        """Where the ledger lies."""
        return self._folder

    def files(self) -> Sequence[Path]:
        """The files of this database, of all machines."""
        return sorted(self._folder.glob(f"{self._database}-*{SUFFIX}"))

    def read(self) -> Sequence[Erased]:
        """Every line, oldest first, each once. Raises LedgerUnreadable, OSError."""
        lines = {line.id: line for file in self.files() for line in _lines(file)}
        self._known = set(lines)
        return sorted(lines.values(), key=lambda line: (line.at, line.id))

    def write(self, erased: Iterable[Erased]) -> None:
        """Append what is not in it yet; it is on the disk when this returns.

        Raises LedgerUnreadable, OSError.
        """
        if self._known is None:
            self.read()
        known = self._known or set()
        new = {line.id: line for line in erased if line.id not in known}
        if not new:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _append(self._own_file(), b"".join(map(_written, new.values())))
        self._known = known | new.keys()

    def _own_file(self) -> Path:
        machine = re.sub(r"[^A-Za-z0-9.\-]", "", platform.node()) or "machine"
        return self._folder / f"{self._database}-{machine}{SUFFIX}"


def _written(line: Erased) -> bytes:
    """Times in full: a line that is read is the line that was written."""
    said = {"id": line.id, "done": line.done.value, "at": line.at.isoformat(), "of": list(line.marks)}
    return orjson.dumps(said) + b"\n"


def _lines(file: Path) -> Iterable[Erased]:
    """The lines of a file; the beginning of one that a kill cut off is no line."""
    whole, _, _ = file.read_bytes().rpartition(b"\n")
    for number, text in enumerate(whole.split(b"\n") if whole else (), 1):
        if not text:
            continue
        try:
            said = orjson.loads(text)
            marks = tuple(map(str, said["of"]))
            yield Erased(str(said["id"]), Done(said["done"]), datetime.fromisoformat(said["at"]), marks)
        except (ValueError, KeyError, TypeError) as fault:
            raise LedgerUnreadable(file, number) from fault


def _append(file: Path, lines: bytes) -> None:
    """In one write, in the place of what a kill cut off before."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, file.read_bytes().rfind(b"\n") + 1)
        written = os.write(descriptor, lines)
        os.fsync(descriptor)
        if written < len(lines):
            raise OSError(errno.ENOSPC, "the disk took a part only", str(file))
    finally:
        os.close(descriptor)
