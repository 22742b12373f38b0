"""The command ``helsekort`` as people start it."""

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

from tests.api.visits import TEMPLATE, visit

HELSEKORT = str(Path(sys.executable).with_name("helsekort"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("HELSEKORT_")}  # noqa: TID251 - what a child process inherits


def helsekort(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [HELSEKORT, *arguments], capture_output=True, text=True, timeout=60, env=CLEAN, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["serve"], 2, "production mode needs HELSEKORT_ISSUER"),
        (["serve", "--mode", "production"], 2, "production mode needs HELSEKORT_ISSUER"),
        (["serve", "--mode", "open"], 2, "production"),
        (["serve", "--mode", "dev", "--host", "0.0.0.0"], 2, "loopback only"),
        (["serve", "--mode", "dev", "--port", "70000"], 2, "65535"),
        (["validate", "/no/such/file"], 2, "does not exist"),
        (["template", "show", "nothing.v0"], 2, TEMPLATE),
    ],
)
def test_what_cannot_be_done_is_said(arguments: Sequence[str], status: int, words: str) -> None:
    ended = helsekort(*arguments)
    assert ended.returncode == status
    assert words in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = helsekort("serve", "--mode", "dev", "--port", port, "--data", str(tmp_path / "data"))
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_version_and_help() -> None:
    assert re.fullmatch(r"helsekort \d+\.\d+\.\d+\n", helsekort("--version").stdout)
    assert "serve" in helsekort("--help").stdout


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


def test_validate_prints_findings_and_says_how_it_went(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(orjson.dumps(visit()))
    bad.write_bytes(orjson.dumps(visit(units="kPa")))
    assert helsekort("validate", str(good)).returncode == 0
    ended = helsekort("validate", str(bad), "--template", TEMPLATE, "--language", "nb")
    assert ended.returncode == 1
    assert "mm[Hg]" in ended.stdout
    assert "/content[" in ended.stdout


def test_a_template_that_was_exported_can_be_validated_against(tmp_path: Path) -> None:
    opt, composition = tmp_path / "visit.opt", tmp_path / "visit.json"
    composition.write_bytes(orjson.dumps(visit()))
    assert TEMPLATE in helsekort("template", "list").stdout
    assert "openEHR-EHR-OBSERVATION.blood_pressure.v2" in helsekort("template", "show", TEMPLATE).stdout
    assert helsekort("template", "export", TEMPLATE, "--out", str(opt)).returncode == 0
    assert helsekort("validate", str(composition), "--opt", str(opt)).returncode == 0
    web = helsekort("template", "export", TEMPLATE, "--as", "web").stdout
    assert orjson.loads(web)["templateId"] == TEMPLATE
