"""``helsekort validate`` over many files: order, verdicts, summary, JSON, other processes."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app
from tests.api.visits import visit


def helsekort(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="helsekort")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten valid files, one invalid, one that is no JSON, one that is not looked at."""
    for number in range(10):
        (tmp_path / f"good{number}.json").write_bytes(orjson.dumps(visit()))
    (tmp_path / "high.json").write_bytes(orjson.dumps(visit(900)))
    (tmp_path / "torn.json").write_bytes(b'{"_type": ')
    (tmp_path / "notes.txt").write_text("not a composition")
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_ends_with_a_summary(folder: Path, jobs: str) -> None:
    ended = helsekort("validate", str(folder), "--jobs", jobs)
    assert ended.exit_code == 1
    assert "12 files: 10 valid, 1 invalid, 1 unreadable; 1 errors, 0 warnings" in ended.output
    assert "quantity.magnitude" in ended.output
    assert "Systolisk" in ended.output
    assert "torn.json" in ended.output


def test_several_valid_files(folder: Path) -> None:
    ended = helsekort("validate", *(str(folder / f"good{number}.json") for number in range(3)))
    assert ended.exit_code == 0
    assert "3 files: 3 valid, 0 invalid, 0 unreadable" in ended.output


def test_json_has_one_line_a_file_in_order(folder: Path) -> None:
    ended = helsekort("validate", str(folder), "--json", "--jobs", "1", "--language", "nb")
    lines = [orjson.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert [Path(line["file"]).name for line in lines] == sorted(p.name for p in folder.glob("*.json"))
    high = next(line for line in lines if line["file"].endswith("high.json"))
    (finding,) = high["findings"]
    assert (finding["code"], finding["label"]) == ("quantity.magnitude", "Systolisk")
    assert finding["webTemplateId"].startswith("svangerskapskontroll/")
    assert next(line for line in lines if line["file"].endswith("torn.json"))["unreadable"]


def test_a_file_named_twice_is_checked_once(folder: Path) -> None:
    one = str(folder / "good1.json")
    assert "no findings" in helsekort("validate", one, one).output
