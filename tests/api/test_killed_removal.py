"""SIGKILL in the middle of a removal: it is finished after the restart, and nothing was readable in between.

Everything is real: the server in a process of its own with the built-in issuer, its mongod, tokens over HTTP.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from api.cli.server_process import ServerProcess, free_port, start_server
from api.cli.token import held
from api.tokens import DPoPAuth
from tests.api.her import DOCUMENT, MIDWIFE, VISIT, Her, entry
from tests.cdr.test_erasure import bytes_of
from tests.cdr.updates import contribution, update
from tests.identity import ADDRESS, REST, People, stated

MARK = "Merkelig-7781"
ENTRIES, AT_ONCE = 240, 120
AQL = {"q": "SELECT c/uid/value, c/context/health_care_facility/name FROM EHR e CONTAINS COMPOSITION c"}


class PeopleOutside(People):
    """Everybody, as callers of a server in another process."""

    def __init__(self, data: Path, base_url: str) -> None:
        self._data, self._base_url = data, base_url
        self._auth: dict[tuple[str, str | None], DPoPAuth] = {}

    def send(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """As People.send, over a socket."""
        said = {name: options.pop(name, "") for name in ("basis", "reason", "role")}
        through = options.pop("through", None)
        url = (path if path.startswith("http") else f"{REST}{path}").replace(ADDRESS, self._base_url)
        if (who, through) not in self._auth:
            self._auth[who, through] = DPoPAuth(held(who, through, self._base_url, self._data))
        headers = stated(**said) | options.pop("headers", {})
        auth = self._auth[who, through]
        return httpx.request(method, url, headers=headers, auth=auth, timeout=30, **options)


@dataclass
class Readers:
    """Those who go on reading from the withdrawal on; ``seen`` are answers that held what she withdrew."""

    her: Her
    path: str
    seen: list[str] = field(default_factory=list)
    refused: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """One reader; a server that is not there gives nothing away."""
        while not self.stopped.is_set():
            try:
                one = self.her.rest("jordmor", "GET", self.path, **MIDWIFE.said())
                hers = self.her.rest("kvinnen", "POST", "/query/aql", json=AQL)
                many = self.her.rest("jordmor", "POST", "/query/aql", json=AQL, **MIDWIFE.said())
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            self.refused += one.status_code == httpx.codes.FORBIDDEN
            self.seen += [answer.text[:200] for answer in (one, hers, many) if MARK in answer.text]
            time.sleep(0.02)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For the length of a ``with`` block."""
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            thread.join()


@pytest.mark.slow
def test_a_removal_that_was_killed_is_finished_and_nothing_was_readable_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELSEKORT_ISSUER", "builtin")
    port = free_port()
    server = start_server(tmp_path, port)
    try:
        her = Her(PeopleOutside(tmp_path, server.base_url), "14839850078")
        fill_her_card(her)
        readers = Readers(her, f"/ehr/{her.ehr_id}/composition/{her.write(MARK)}")
        assert MARK in her.rest("jordmor", "GET", readers.path, **MIDWIFE.said()).text
        withdrawn = her.hers("POST", "/consent/withdrawal", json=DOCUMENT)
        with readers.reading():
            with database_of(server) as database:
                kill_in_the_middle(server, database)
                job = database["removals"].find_one() or {}
                assert 0 < job["done"] < job["total"] == ENTRIES + 1
                assert job.get("end") is None and places_with_mark(database), "nothing was left to remove"
            server = start_server(tmp_path, port)
            removal = ended(her, withdrawn.json()["removal"])
        assert (removal["total"], removal["removed"]) == (ENTRIES + 1, ENTRIES + 1)
        assert readers.seen == []
        assert readers.refused > 0
        with database_of(server) as database:
            assert places_with_mark(database) == set()
        check = her.people.send("personvernombud", "GET", f"{ADDRESS}/access/v1/audit/check")
        assert check.json()["faults"] == []
        assert her.hers("POST", "/consent", json=DOCUMENT).status_code == 201, "a new consent is possible"
    finally:
        server.process.kill()
        server.process.wait()


def fill_her_card(her: Her) -> None:
    """Consent, a card, and so many entries that their removal takes a while."""
    her.consent()
    her.begin_card()
    for _ in range(ENTRIES // AT_ONCE):
        body = contribution(*(update("249", entry(MARK, VISIT)) for _ in range(AT_ONCE)))
        path = f"/ehr/{her.ehr_id}/contribution"
        stored = her.rest("jordmor", "POST", path, json=body, **MIDWIFE.said())
        assert stored.status_code == 201, stored.text[:500]


@contextmanager
def database_of(server: ServerProcess) -> Iterator[Database[dict[str, Any]]]:
    """The database behind a server, which outlives it for a while."""
    uri = httpx.get(f"{server.base_url}/health/ready").json()["mongodb_uri"]
    with MongoClient[dict[str, Any]](uri) as client:
        yield client["helsekort"]


def kill_in_the_middle(server: ServerProcess, database: Database[dict[str, Any]]) -> None:
    """SIGKILL as soon as something is removed."""
    deadline = time.monotonic() + 30
    while not (database["removals"].find_one() or {}).get("done"):
        assert time.monotonic() < deadline, "the removal does not begin"
        time.sleep(0.001)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()


def places_with_mark(database: Database[dict[str, Any]]) -> set[str]:
    """Names of the collections that hold the marker, payloads unpacked."""
    return {
        name
        for name in database.list_collection_names()
        if any(MARK.encode() in part for document in database[name].find() for part in bytes_of(document))
    }


def ended(her: Her, job: str) -> dict[str, Any]:
    """The removal when it has ended, as she sees it."""
    deadline = time.monotonic() + 60
    while True:
        removal: dict[str, Any] = her.hers("GET", f"/consent/removals/{job}").json()
        if removal["ended"]:
            return removal
        assert time.monotonic() < deadline, "the removal does not end"
        time.sleep(0.05)
