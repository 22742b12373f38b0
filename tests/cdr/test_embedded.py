"""The private mongod: locks, orphans, and what survives kill -9.

Everything that kills runs in a process of its own, as a server would.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cdr.errors import DatabaseMissing, DataFolderInUse
from cdr.store.data_folder import FolderLock
from cdr.store.embedded import EmbeddedMongod
from cdr.store.mongod_binary import find_mongod

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).with_name("writing_server.py")


def start_writer(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A server that writes and prints each acknowledged version."""
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def check(folder: Path) -> dict[str, object]:
    """What a new server finds in the folder."""
    ran = subprocess.run(
        [sys.executable, str(WRITER), str(folder), "check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT,
    )
    found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return found


def mongod_of(folder: Path) -> int:
    """The process id that mongod wrote into its own lock."""
    return int((folder / "mongo" / "mongod.lock").read_text())


def acknowledged(lines: list[str]) -> set[str]:
    """Version ids among printed lines; the last line of a killed server may be cut."""
    return {line.strip() for line in lines if line.endswith("\n") and "::" in line}


def read_some(process: subprocess.Popen[str], count: int) -> list[str]:
    """Wait for so many lines."""
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_kill_9_of_the_server_loses_nothing_acknowledged(tmp_path: Path) -> None:
    server = start_writer(tmp_path)
    lines = read_some(server, 40)
    orphan = mongod_of(tmp_path)
    server.kill()
    assert server.stdout is not None
    lines += server.stdout.readlines()
    server.wait()
    server.stdout.close()
    assert is_alive(orphan)
    found = check(tmp_path)
    assert acknowledged(lines) - set(found["versions"]) == set()  # type: ignore[call-overload]
    assert found["faults"] == []
    assert not is_alive(orphan)


@pytest.mark.slow
def test_kill_9_of_mongod_loses_nothing_and_the_server_goes_on(tmp_path: Path) -> None:
    server = start_writer(tmp_path)
    lines = read_some(server, 40)
    first = mongod_of(tmp_path)
    os.kill(first, signal.SIGKILL)
    lines += read_some(server, 200)
    assert mongod_of(tmp_path) != first
    server.send_signal(signal.SIGTERM)
    assert server.stdout is not None
    lines += server.stdout.readlines()
    server.wait(60)
    server.stdout.close()
    assert not (tmp_path / "mongo" / "mongod.lock").read_text()
    found = check(tmp_path)
    assert len(acknowledged(lines)) > 200
    assert acknowledged(lines) - set(found["versions"]) == set()  # type: ignore[call-overload]
    assert found["half"] == []
    assert found["faults"] == []


def test_one_server_for_a_folder(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(DataFolderInUse, match=str(os.getpid())):
        FolderLock(tmp_path)
    with pytest.raises(DataFolderInUse):
        asyncio.run(EmbeddedMongod.start(tmp_path))
    lock.release()
    lock.release()
    FolderLock(tmp_path).release()


def test_a_lock_file_that_a_killed_server_left_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text("1")
    FolderLock(tmp_path).release()


def test_a_mongod_that_does_not_start_says_why(tmp_path: Path) -> None:
    stub = tmp_path / "mongod"
    stub.write_text("#!/bin/sh\necho no such option; exit 2\n")
    stub.chmod(0o755)
    with pytest.raises(DatabaseMissing, match=r"status 2.*\n.*no such option"):
        asyncio.run(EmbeddedMongod.start(tmp_path / "data", mongod=stub))
    FolderLock(tmp_path / "data").release()


def test_where_mongod_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatabaseMissing, match="HELSEKORT_MONGOD"):
        find_mongod(tmp_path / "none", tmp_path)
    on_path = tmp_path / "mongod"
    on_path.write_text("")
    on_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod(None, tmp_path) == on_path
    monkeypatch.setenv("PATH", "")
    packaged = find_mongod(None, tmp_path)
    assert os.access(packaged, os.X_OK)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DatabaseMissing, match="HELSEKORT_MONGODB_URI"):
        find_mongod(None, tmp_path)


@pytest.mark.slow
def test_start_until_serving_takes_seconds(tmp_path: Path) -> None:
    async def start_and_stop() -> float:
        began = time.monotonic()
        mongod = await EmbeddedMongod.start(tmp_path)
        took = time.monotonic() - began
        await mongod.stop()
        return took

    assert asyncio.run(start_and_stop()) < 30
    assert asyncio.run(start_and_stop()) < 30
