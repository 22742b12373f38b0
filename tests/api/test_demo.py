"""The demo as a newcomer runs it, and that it notices when an answer is not what the story says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from api.cli.demo import DemoFailed, show_queries
from api.cli.server_process import running_server
from api.demo import play
from api.demo.story import read_story
from templates.repository import library_templates


@pytest.mark.slow
def test_demo_once_plays_everything_and_ends_well(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("helsekort")),
        "demo",
        "--once",
        "--data",
        str(tmp_path / "demo"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Stored and read back equal: 48" in run.stdout
    assert "422 composition.invalid" in run.stdout
    for query in play.read_queries():
        assert query.en in run.stdout


@pytest.mark.slow
def test_demo_fails_when_a_contact_is_missing(tmp_path: Path) -> None:
    (woman,) = read_story()
    with running_server(tmp_path) as server, httpx.Client(base_url=server.base_url, timeout=30) as client:
        ehr_id = play.open_record(client, woman)
        for contact in woman.contacts[:-1]:
            play.register(client, ehr_id, contact, contact.composition(library_templates()))
        with pytest.raises(DemoFailed, match="registreringer"):
            show_queries(Console(quiet=True), client, ehr_id, "nb")
