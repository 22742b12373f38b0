"""``helsekort serve`` in a process of its own: start, use, end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import orjson
import pytest

from tests.api.cli_runs import helsekort
from tests.api.visits import visit

HELSEKORT = str(Path(sys.executable).with_name("helsekort"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("HELSEKORT_")}  # noqa: TID251 - what a child process inherits


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A development server on a free port; killed at the end if it still runs."""
    command = [HELSEKORT, "serve", "--mode", "dev", "--port", "0", "--data", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=CLEAN)
    yield process
    process.kill()
    process.communicate()


def address_of(server: subprocess.Popen[str]) -> str:
    """Where the server says that it listens, once it is ready."""
    assert server.stderr is not None
    said = ""
    for line in server.stderr:
        said += line
        if match := re.match(r"Ready: (\S+)", line):
            assert "DEV MODE" in said
            return match[1]
    raise AssertionError(said)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_start_use_and_end(server: subprocess.Popen[str], tmp_path: Path, ending: signal.Signals) -> None:
    address = address_of(server)
    assert httpx.get(f"{address}/health/ready").status_code == 200
    base = f"{address}/openehr/v1"
    place = httpx.post(f"{base}/ehr").headers["Location"]
    assert httpx.post(f"{place}/composition", json=visit(), timeout=30).status_code == 201
    large = httpx.post(
        f"{place}/composition", content=spaces(50), headers={"Content-Type": "application/json"}
    )
    assert (large.status_code, large.json()["code"]) == (413, "body.too_large")
    assert httpx.get(place).status_code == 200
    started = time.monotonic()
    server.send_signal(ending)
    assert server.wait(20) == 0
    assert time.monotonic() - started < 15
    assert server.stderr is not None
    log = server.stderr.read()
    assert "/ehr/{ehr_id}/composition" in log
    assert place.rpartition("/")[2] not in log, "an identifier is in the log"
    assert not list(tmp_path.rglob("mongod.lock")) or not mongod_runs(tmp_path)


@pytest.mark.slow
def test_what_is_not_http_and_headers_without_end(server: subprocess.Popen[str]) -> None:
    host, _, port = address_of(server).removeprefix("http://").partition(":")
    assert raw_answer(host, int(port), [b"nonsense\r\n\r\n"])["code"] == "http.malformed"
    endless = [b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", *[b"a" * 65536] * 9]
    assert raw_answer(host, int(port), endless)["code"] == "headers.too_large"
    assert httpx.get(f"http://{host}:{port}/health/live").status_code == 200


def raw_answer(host: str, port: int, parts: Sequence[bytes]) -> dict[str, object]:
    """The body that the server answers to these bytes."""
    with socket.create_connection((host, port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    assert b"connection: close" in head
    answer: dict[str, object] = orjson.loads(body)
    return answer


def spaces(mebibytes: int) -> Iterator[bytes]:
    for _ in range(mebibytes):
        yield b" " * 1024 * 1024


def mongod_runs(data: Path) -> bool:
    """True if a process still has the data folder on its command line."""
    lines = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return any(str(data).encode() in line and b"mongod" in line for line in lines)


@pytest.mark.slow
def test_the_built_in_issuer_and_the_command_that_uses_it(tmp_path: Path) -> None:
    command = [HELSEKORT, "serve", "--mode", "dev", "--issuer", "builtin", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path)], stderr=subprocess.PIPE, text=True, env=CLEAN
    )
    try:
        address = address_of(process)
        assert httpx.post(f"{address}/openehr/v1/ehr").json()["code"] == "token.missing"
        place = ["--server", address, "--data", str(tmp_path)]
        call = ["token", "call", "POST", "/openehr/v1/ehr", "--as", "fastlege", *place]
        assert helsekort(*call).exit_code == 1  # without a basis
        assert helsekort(*call, "--basis", "UNNTAK").exit_code == 0
        assert helsekort("token", "get", "fagsystem", *place).stdout.count(".") == 2
        headers = helsekort("token", "headers", "GET", "/openehr/v1/query/aql?q=x", "--as", "kvinnen", *place)
        sent = dict(line.split(": ", 1) for line in headers.stdout.splitlines())
        assert httpx.get(f"{address}/openehr/v1/query/aql?q=x", headers=sent).json()["code"] == "aql.syntax"
        assert helsekort("token", "get", "nobody", *place).exit_code == 2
    finally:
        process.kill()
        process.communicate()


def test_production_refuses_the_built_in_issuer() -> None:
    command = [HELSEKORT, "serve", "--mode", "production", "--issuer", "builtin"]
    address = {"HELSEKORT_PUBLIC_URL": "https://cdr.example"}
    ended = subprocess.run(command, capture_output=True, text=True, env=CLEAN | address, check=False)
    assert ended.returncode == 2
    assert "built-in issuer is for --mode dev" in ended.stderr
