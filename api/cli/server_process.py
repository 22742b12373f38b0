"""A server of our own in a process of its own: what demo, bench and crash tests talk to."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from archetypes.errors import HelsekortError

START_SECONDS = 180.0  # a busy machine takes its time
STOP_SECONDS = 30.0


class ServerDidNotStart(HelsekortError):
    """The server ended, or was not ready in time; ``log`` names the file with its words."""

    code = "server.not_started"

    def __init__(self, reason: str, log: Path) -> None:
        tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
        super().__init__(f"the server did not start: {reason}\n{tail}")
        self.log = log


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server; ``log`` holds what it writes."""

    process: subprocess.Popen[bytes]
    base_url: str
    log: Path

    def stop(self) -> int:
        """Ask the server to end, wait for it, and return its exit status."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


def start_server(data: Path, port: int | None = None) -> ServerProcess:
    """Start ``helsekort serve --mode dev`` on a data folder and wait until it is ready.

    Raises ServerDidNotStart.
    """
    data.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    log = data / "server.log"
    with log.open("ab") as output:
        process = _spawn(data, chosen, output)
    server = ServerProcess(process, f"http://127.0.0.1:{chosen}", log)
    _wait_until_ready(server)
    return server


@contextmanager
def running_server(data: Path, port: int | None = None) -> Iterator[ServerProcess]:
    """A server for the length of a ``with`` block."""
    server = start_server(data, port)
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(data: Path, port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    command = Path(sys.executable).with_name("helsekort")
    arguments = ["serve", "--mode", "dev", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)]
    return subprocess.Popen(
        [str(command), *arguments], stdout=output, stderr=output, stdin=subprocess.DEVNULL
    )


def _wait_until_ready(server: ServerProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ServerDidNotStart(f"it ended with status {server.process.returncode}", server.log)
        try:
            if httpx.get(f"{server.base_url}/health/ready", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    server.stop()
    raise ServerDidNotStart(f"not ready after {START_SECONDS:g} s", server.log)
