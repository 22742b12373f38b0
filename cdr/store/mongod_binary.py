"""Where the mongod program lies."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import stat
import sys
from pathlib import Path

from cdr.errors import DatabaseMissing


def find_mongod(configured: Path | None, data: Path) -> Path:
    """The mongod to run: the configured one, the one on PATH, that of the extra ``embedded``.

    Raises DatabaseMissing with what to install.
    """
    if configured is not None:
        if not os.access(configured, os.X_OK):
            raise DatabaseMissing(f"HELSEKORT_MONGOD names {configured}, which is no program")
        return configured
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    packaged = _packaged_mongod()
    if packaged is None:
        raise DatabaseMissing(_what_to_install())
    return _executable(packaged, data)


def _packaged_mongod() -> Path | None:
    # Importing fiftyone would run its start-up code: only its place is asked for.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder) / "db" / "bin" / "mongod"
        if program.is_file():
            return program
    return None


def _executable(program: Path, data: Path) -> Path:
    """The wheel holds mongod without its run bit: set it, or run a copy where we may not."""
    if os.access(program, os.X_OK):
        return program
    try:
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except PermissionError:
        return _runnable_copy(program, data)
    return program


def _runnable_copy(program: Path, data: Path) -> Path:
    copy = data / "bin" / "mongod"
    if copy.is_file() and copy.stat().st_size == program.stat().st_size:
        return copy
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_suffix(".part")
    shutil.copyfile(program, unfinished)
    unfinished.chmod(0o755)
    unfinished.rename(copy)
    return copy


def _what_to_install() -> str:
    here = f"{sys.platform} {platform.machine()}"
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        remedy = "install the extra: pip install 'helsekort-cdr[embedded]'"
    else:
        remedy = "install MongoDB 6.0 or newer so that mongod is on PATH"
    return (
        f"no mongod was found on this machine ({here}): {remedy}, "
        "or set HELSEKORT_MONGODB_URI to a replica set that is running"
    )
