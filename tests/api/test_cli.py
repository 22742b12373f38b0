"""The command ``helsekort`` without its server: what it prints and how it ends."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app, main
from tests.api.visits import TEMPLATE, visit


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests do not count."""
    for name in ("MODE", "ISSUER", "HOST", "PORT", "DATA"):
        monkeypatch.delenv(f"HELSEKORT_{name}", raising=False)


def helsekort(*arguments: str) -> Result:
    """Run a command to its end."""
    return CliRunner().invoke(app, arguments, prog_name="helsekort")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "production mode needs HELSEKORT_ISSUER"),
        (["serve", "--mode", "production"], "production mode needs HELSEKORT_ISSUER"),
        (["serve", "--mode", "open"], "production"),
        (["serve", "--mode", "dev", "--host", "0.0.0.0"], "loopback only"),
        (["serve", "--mode", "dev", "--port", "70000"], "65535"),
        (["validate", "/no/such/file"], "does not exist"),
        (["template", "show", "nothing.v0"], TEMPLATE),
    ],
)
def test_what_cannot_be_done_is_said(arguments: Sequence[str], words: str) -> None:
    ended = helsekort(*arguments)
    assert ended.exit_code == 2
    assert words in " ".join(ended.stderr.replace("│", " ").split())


def test_a_port_in_use_is_found_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = helsekort("serve", "--mode", "dev", "--port", port, "--data", str(tmp_path / "data"))
    assert ended.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_an_error_of_ours_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{]")
    monkeypatch.setattr("sys.argv", ["helsekort", "validate", str(broken)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("helsekort: not readable as JSON")


def test_version_and_help() -> None:
    assert re.fullmatch(r"helsekort \d+\.\d+\.\d+\n", helsekort("--version").stdout)
    assert "serve" in helsekort("--help").stdout


def test_validate_prints_findings_and_says_how_it_went(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(orjson.dumps(visit()))
    bad.write_bytes(orjson.dumps(visit(units="kPa")))
    assert helsekort("validate", str(good)).exit_code == 0
    ended = helsekort("validate", str(bad), "--template", TEMPLATE, "--language", "nb")
    assert ended.exit_code == 1
    assert "mm[Hg]" in ended.stdout
    assert "/content[" in ended.stdout


def test_a_template_that_was_exported_can_be_validated_against(tmp_path: Path) -> None:
    opt, composition = tmp_path / "visit.opt", tmp_path / "visit.json"
    composition.write_bytes(orjson.dumps(visit()))
    assert TEMPLATE in helsekort("template", "list").stdout
    assert "openEHR-EHR-OBSERVATION.blood_pressure.v2" in helsekort("template", "show", TEMPLATE).stdout
    assert helsekort("template", "export", TEMPLATE, "--out", str(opt)).exit_code == 0
    assert helsekort("validate", str(composition), "--opt", str(opt)).exit_code == 0
    web = helsekort("template", "export", TEMPLATE, "--as", "web").stdout_bytes
    assert orjson.loads(web)["templateId"] == TEMPLATE
