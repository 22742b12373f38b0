"""Kill the database, then the server, in the middle of a load: what was acknowledged is there, whole.

Everything is real: the server in a process of its own, its mongod, SIGKILL.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.server_process import ServerProcess, start_server
from api.demo import play
from api.demo.story import Contact, read_story
from templates.repository import library_templates

WRITERS = 4


@dataclass
class Load:
    """Writers that send contacts without pause; ``acknowledged`` holds what the server promised to keep."""

    base_url: str
    ehr_id: str
    contacts: Iterator[Contact]
    acknowledged: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """One writer: an answer that does not come, or 503, is no promise."""
        while not self.stopped.is_set():
            with self.lock:
                contact = next(self.contacts)
            composition = contact.composition(library_templates())
            try:
                with httpx.Client(base_url=self.base_url, timeout=20) as client:
                    uid = play.register(client, self.ehr_id, contact, composition)
            except (httpx.TransportError, play.UnexpectedAnswer):
                time.sleep(0.05)
                continue
            with self.lock:
                self.acknowledged[uid] = composition

    def wait_for(self, count: int) -> None:
        """Until so many contacts are acknowledged; fails after a minute."""
        deadline = time.monotonic() + 60
        while len(self.acknowledged) < count:
            assert time.monotonic() < deadline, f"only {len(self.acknowledged)} acknowledged"
            time.sleep(0.02)


@pytest.mark.slow
def test_kill_of_database_and_server_loses_nothing_acknowledged(tmp_path: Path) -> None:
    server = start_server(tmp_path)
    load = _start_load(server)
    writers = [threading.Thread(target=load.run) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        load.wait_for(40)
        os.kill(_database_of(server.process.pid), signal.SIGKILL)
        load.wait_for(len(load.acknowledged) + 40)
        server.process.kill()
    finally:
        load.stopped.set()
        for writer in writers:
            writer.join()
        server.process.kill()
        server.process.wait()
    again = start_server(tmp_path)
    try:
        _check(again, load)
    finally:
        again.stop()


def _start_load(server: ServerProcess) -> Load:
    (woman,) = read_story()
    with httpx.Client(base_url=server.base_url, timeout=20) as client:
        ehr_id = play.open_record(client, woman)
    return Load(server.base_url, ehr_id, itertools.cycle(woman.contacts))


def _check(server: ServerProcess, load: Load) -> None:
    with httpx.Client(base_url=server.base_url, timeout=20) as client:
        for uid, composition in load.acknowledged.items():
            assert play.read_back(client, load.ehr_id, uid) == composition
        stored = _ask(client, "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c")
        assert set(load.acknowledged) <= set(stored)
        # What was under way when the server died may have been stored, but then wholly.
        assert len(stored) <= len(load.acknowledged) + 2 * WRITERS
        for uid in set(stored) - set(load.acknowledged):
            version = (
                f"/openehr/v1/ehr/{load.ehr_id}/versioned_composition/{uid.split('::')[0]}/version/{uid}"
            )
            contribution = client.get(version).raise_for_status().json()["contribution"]["id"]["value"]
            client.get(f"/openehr/v1/ehr/{load.ehr_id}/contribution/{contribution}").raise_for_status()


def _ask(client: httpx.Client, aql: str) -> list[str]:
    result = client.post("/openehr/v1/query/aql", json={"q": aql}).raise_for_status().json()
    return [row[0] for row in result["rows"]]


def _database_of(pid: int) -> int:
    """The mongod that the server started."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        if lines["Name"].startswith("mongod") and int(lines["PPid"]) == pid:
            return int(lines["Pid"])
    raise AssertionError("the server has no mongod")
