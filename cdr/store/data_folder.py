"""The data folder belongs to one server at a time.

The lock is the kernel's (flock), so a server that was killed leaves none behind; the file's text, the
process id of the holder, is for people only.
"""

from __future__ import annotations

import os
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
