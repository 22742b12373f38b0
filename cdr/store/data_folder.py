"""The data folder belongs to one server at a time.

The lock is the kernel's (flock), so a server that was killed leaves none behind; the file's text, the
process id of the holder, is for people only.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cdr.errors import DatabaseMissing, DataFolderInUse

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """Held while the server runs."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, making the folder if need be. Raises DataFolderInUse, DatabaseMissing."""
        if fcntl is None:
            raise DatabaseMissing(
                "the private database runs on Linux and macOS only; set HELSEKORT_MONGODB_URI"
            )
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "server.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise DataFolderInUse(str(folder), path.read_text() or "unknown") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the folder free; calling it twice does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


# --- swapping in a rewritten database (cdr.store.scrub) ---------------------------------------------------


FRESH = "scrub"  # where a rewritten database grows, inside the data folder
_WHOLE = "whole"  # in it, once it is whole and checked
_OLD = "mongo.old"


def fresh_folder(folder: Path) -> Path:
    """An empty folder for a rewritten database; what an interrupted rewriting left there is deleted."""
    fresh = folder / FRESH
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    return fresh


def declare_whole(folder: Path) -> None:
    """From now on the rewritten database takes the place of the old one, also after a kill."""
    _write_durably(folder / FRESH / _WHOLE)


def finish_swap(folder: Path) -> None:
    """Put a whole rewritten database in the place of the old one, and delete that with its log.

    Each step may be repeated: a kill between them loses nothing. Does nothing where nothing was rewritten.
    """
    fresh, current, old = folder / FRESH, folder / "mongo", folder / _OLD
    if not (fresh / _WHOLE).exists():
        return
    if (fresh / "mongo").exists():
        if current.exists():
            current.rename(old)
        (fresh / "mongo").rename(current)
        shutil.copyfile(fresh / "mongod.port", folder / "mongod.port")
    for written in folder.glob("mongod.log*"):
        written.unlink()
    (folder / "mongod.out").unlink(missing_ok=True)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(fresh)


def _write_durably(path: Path) -> None:
    with path.open("wb") as file:
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
