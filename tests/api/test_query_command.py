"""``helsekort query`` against a server in a process of its own, and a client that hangs up."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet
import pytest

from api.cli.server_process import ServerProcess, running_server
from api.client import Client, compositions, ehrs
from tests.api.cli_runs import helsekort
from tests.api.visits import visit

PRESSURES = (
    "SELECT c/context/start_time/value AS day, o/data/events/data/items[at0004]/value/magnitude AS systolic "
    "FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2] "
    "WHERE o/data/events/data/items[at0004]/value/magnitude > $least ORDER BY systolic"
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("query")) as started:
        with Client(started.base_url) as cdr:
            ehr = cdr.send(ehrs.create())
            for systolic in (110, 120, 130, 140):
                cdr.send(compositions.create(ehr.ehr_id, visit(systolic)))
        yield started


def test_rows_on_the_screen(server: ServerProcess) -> None:
    ended = helsekort("query", PRESSURES, "-p", "least=115", "--rows", "2", "--server", server.base_url)
    assert ended.exit_code == 0, ended.output
    assert "120" in ended.output and "130" in ended.output and "140" not in ended.output
    assert "2 rows, and more" in ended.output


def test_rows_in_a_file_of_each_form(server: ServerProcess, tmp_path: Path) -> None:
    text = tmp_path / "pressures.aql"
    text.write_text(PRESSURES, encoding="utf-8")
    for suffix in ("csv", "parquet", "arrow", "ndjson", "json"):
        out = tmp_path / f"rows.{suffix}"
        asked = ("query", f"@{text}", "-p", "least=0", "--server", server.base_url, "--out", out)
        assert helsekort(*asked).exit_code == 0
        assert out.stat().st_size > 100
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet")["systolic"].to_pylist() == [
        110,
        120,
        130,
        140,
    ]
    assert len(json.loads((tmp_path / "rows.json").read_bytes())["rows"]) == 4
    assert not list(tmp_path.glob("*.part"))


def test_a_plot(server: ServerProcess, tmp_path: Path) -> None:
    plot = tmp_path / "pressures.svg"
    ended = helsekort("query", PRESSURES, "-p", "least=0", "--server", server.base_url, "--plot", plot)
    assert ended.exit_code == 0, ended.output
    assert "<svg" in plot.read_text("utf-8")


def test_the_plan(server: ServerProcess) -> None:
    ended = helsekort("query", PRESSURES, "-p", "least=0", "--explain", "--server", server.base_url)
    assert "contains openEHR-EHR-OBSERVATION.blood_pressure.v2" in ended.output
    assert "indexes" in ended.output
    assert "milliseconds" not in ended.output
    measured = helsekort("query", PRESSURES, "-p", "least=0", "--measure", "--server", server.base_url)
    assert "estimated: " in measured.output
    assert "\nrows: " in measured.output


def test_errors_are_one_message(server: ServerProcess, tmp_path: Path) -> None:
    assert helsekort("query", "SELECT 1", "--out", tmp_path / "x.xlsx").exit_code == 2
    assert helsekort("query", "@no-such-file").exit_code == 2
    assert helsekort("query", "SELECT 1", "-p", "x").exit_code == 2


def test_a_query_ends_when_its_client_hangs_up(server: ServerProcess) -> None:
    """A cross product of 64 combinations a place would take until the time limit."""
    classes = " AND ".join(f"ELEMENT x{index}" for index in range(6))
    text = f"SELECT COUNT(*) FROM EHR e CONTAINS COMPOSITION c CONTAINS ({classes})"
    body = json.dumps({"q": text}).encode()
    place = urlsplit(server.base_url)
    with socket.create_connection((place.hostname, place.port)) as connection:
        lines = ("POST /openehr/v1/query/aql HTTP/1.1", f"Host: {place.netloc}")
        head = "\r\n".join((*lines, "Content-Type: application/json", f"Content-Length: {len(body)}"))
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        time.sleep(0.5)
    deadline = time.monotonic() + 30
    while "status=499" not in server.log.read_text("utf-8"):
        assert time.monotonic() < deadline, server.log.read_text("utf-8")[-2000:]
        time.sleep(0.1)
