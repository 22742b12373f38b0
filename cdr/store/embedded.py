"""A private mongod: one member of a replica set in the data folder, for whoever has no MongoDB yet.

A replica set, because transactions need one. It listens on loopback only. While it is held open a
mongod that dies is started again; one that a killed server left behind is stopped before the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from cdr.errors import DatabaseMissing
from cdr.store.data_folder import FolderLock, finish_swap
from cdr.store.mongod_binary import find_mongod

REPLICA_SET = "helsekort"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
NOT_INITIATED = 94  # NotYetInitialized
INVALID_CONFIG = 93  # InvalidReplicaSetConfig: this member is not in the set's configuration

log = structlog.get_logger(__name__)


class EmbeddedMongod:
    """A running private mongod; made by :meth:`start`, ended by :meth:`stop`."""

    def __init__(
        self, folder: Path, program: Path, cache_mib: int, lock: FolderLock, options: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._program = program
        self._cache_mib = cache_mib
        self._lock = lock
        self._options = options
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, folder: Path, *, mongod: Path | None = None, cache_mib: int = 256, options: Sequence[str] = ()
    ) -> EmbeddedMongod:
        """Start a mongod on ``folder``, with further ``options``, and wait until it takes writes.

        Raises DataFolderInUse if another server works there, DatabaseMissing if no mongod is found or it
        does not start.
        """
        folder = folder.resolve()
        lock = FolderLock(folder)
        embedded = cls(folder, Path(), cache_mib, lock, options)
        try:
            embedded._program = find_mongod(mongod, folder)
            await embedded._stop_orphan()
            finish_swap(folder)
            embedded._port = embedded._choose_port()
            await embedded._launch_alone()
        except BaseException:
            await embedded.stop()
            raise
        embedded._supervisor = asyncio.create_task(embedded._supervise())
        return embedded

    @property
    def uri(self) -> str:
        """The address for clients."""
        return f"mongodb://127.0.0.1:{self._port}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int:
        """The process id of the mongod that runs now."""
        return self._process.pid if self._process else 0

    async def stop(self) -> None:
        """End the mongod cleanly and give the folder free."""
        await self.halt()
        self._lock.release()

    async def halt(self) -> None:
        """End the mongod cleanly and keep the folder: nobody else may start on it before :meth:`stop`."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        if self._process is not None:
            await _terminate(self._process)
            self._process = None

    # --- start ----------------------------------------------------------------------------------

    def _choose_port(self) -> int:
        """The port of last time if it is free: the set's configuration names it."""
        remembered = self._folder / "mongod.port"
        with contextlib.suppress(OSError, ValueError):
            port = int(remembered.read_text())
            if _is_free(port):
                return port
        port = _free_port()
        remembered.write_text(str(port))
        return port

    async def _launch_alone(self) -> None:
        """A mongod that a killed server had only just begun to start may take the folder after we looked."""
        try:
            await self._launch()
        except DatabaseMissing:
            if not await self._stop_orphan():
                raise
            await self._launch()

    async def _launch(self) -> None:
        database = self._folder / "mongo"
        database.mkdir(exist_ok=True, mode=0o700)
        command = [
            str(self._program),
            *("--dbpath", str(database)),
            *("--bind_ip", "127.0.0.1", "--port", str(self._port), "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", "256"),
            *("--wiredTigerCacheSizeGB", f"{self._cache_mib / 1024:.3f}"),
            *("--logpath", str(self._folder / "mongod.log"), "--logappend", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *self._options,
        ]
        # In a session of its own: Ctrl-C in the terminal goes to the server, which stops mongod after itself.
        with self._first_words().open("wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        async with asyncio.timeout(START_SECONDS):
            await self._until_primary(self._process)

    def _first_words(self) -> Path:
        """What mongod says before it opens its log: why it does not like its options."""
        return self._folder / "mongod.out"

    async def _until_primary(self, process: subprocess.Popen[bytes]) -> None:
        uri = f"mongodb://127.0.0.1:{self._port}/?directConnection=true&serverSelectionTimeoutMS=500"
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            while True:
                if process.poll() is not None:
                    raise DatabaseMissing(
                        f"mongod ended with status {process.returncode}; see {self._folder / 'mongod.log'}\n"
                        + self._first_words().read_text(errors="replace")
                    )
                with contextlib.suppress(PyMongoError):
                    if await self._is_primary(client):
                        return
                await asyncio.sleep(0.03)

    async def _is_primary(self, client: AsyncMongoClient[dict[str, Any]]) -> bool:
        hello = await client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            return True
        try:
            await client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code == NOT_INITIATED:
                await client.admin.command("replSetInitiate", self._configuration(version=1))
            elif error.code == INVALID_CONFIG:
                await self._move_to_this_port(client)
        return False

    async def _move_to_this_port(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """The port of last time was taken: the set's only member gets a new address."""
        current = await client.local["system.replset"].find_one({})
        version = int(current["version"]) + 1 if current else 1
        await client.admin.command("replSetReconfig", self._configuration(version=version), force=True)

    def _configuration(self, *, version: int) -> dict[str, Any]:
        member = {"_id": 0, "host": f"127.0.0.1:{self._port}"}
        return {"_id": REPLICA_SET, "version": version, "members": [member]}

    # --- supervision ----------------------------------------------------------------------------

    async def _supervise(self) -> None:
        """Start a mongod that died again; give up on one that dies during its start."""
        while True:
            await asyncio.sleep(0.1)
            process = self._process
            if process is None or process.poll() is None:
                continue
            log.error("mongod ended unexpectedly, starting it again", status=process.returncode)
            try:
                await self._launch()
            except (DatabaseMissing, TimeoutError) as error:
                log.error("mongod does not start; next attempt in 5 s", reason=str(error))
                await asyncio.sleep(5)
            else:
                log.info("mongod runs again", pid=self.pid)

    # --- orphans --------------------------------------------------------------------------------

    async def _stop_orphan(self) -> bool:
        """Stop the mongod that a killed server left behind on this folder; False if there is none."""
        lock = self._folder / "mongo" / "mongod.lock"
        with contextlib.suppress(OSError, ValueError):
            pid = int(lock.read_text())
            if _runs_on(pid, self._folder / "mongo"):
                log.warning("stopping the mongod that a killed server left behind", pid=pid)
                await _stop_process(pid)
                return True
        return False


async def _terminate(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            while process.poll() is None:
                await asyncio.sleep(0.02)
    except TimeoutError:
        process.kill()
        process.wait()


async def _stop_process(pid: int) -> None:
    """End a process that is not our child."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(int(STOP_SECONDS / 0.05)):
            await asyncio.sleep(0.05)
            if _is_zombie(pid):
                return
            os.kill(pid, 0)
        os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    """True for a process that ended but whose parent has not asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _runs_on(pid: int, database: Path) -> bool:
    """Is this process a mongod on our folder? Process ids are given anew, so the number proves nothing."""
    return not _is_zombie(pid) and str(database) in _command_line(pid)


def _command_line(pid: int) -> list[str]:
    proc = Path("/proc")
    if (proc / "self").exists():
        return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    shown = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return shown.stdout.split()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
