"""``helsekort archetype report`` and ``repair``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from api.cli.archetype import archetype_commands
from archetypes.adl.parser import parse_adl
from validators.archetype import lint_archetype

SAMPLES = Path(__file__).parents[1] / "data" / "adl" / "invalid"
RUNNER = CliRunner()


def test_a_repaired_file_has_no_finding_left(tmp_path: Path) -> None:
    out = tmp_path / "mended.adl"
    result = RUNNER.invoke(
        archetype_commands, ["repair", str(SAMPLES / "lint" / "lint.spaces.adl"), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert lint_archetype(parse_adl(out.read_text(encoding="utf-8"))) == []


def test_an_unreadable_file_is_not_repaired(tmp_path: Path) -> None:
    broken = tmp_path / "broken.adl"
    broken.write_text("archetype\n    openEHR-EHR-CLUSTER.a.v1\n", encoding="utf-8")
    out = tmp_path / "mended.adl"
    result = RUNNER.invoke(archetype_commands, ["repair", str(broken), "--out", str(out)])
    assert result.exit_code == 1
    assert "adl.syntax" in result.output
    assert not out.exists()


def test_a_report_counts_and_names(tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    result = RUNNER.invoke(archetype_commands, ["report", str(SAMPLES), "--out", str(out)])
    assert result.exit_code == 0, result.output
    page = out.read_text(encoding="utf-8")
    assert "| `VARCN` | error | 2 | 2 |" in page
    assert "- `VARDT`, line 38: `VARDT` The definition begins with CLUSTER" in page
    assert "| `lint.spaces` | `lint.spaces` |" in page
