"""The routes of tables and projects, and ``helsekort tables`` against a server in a process of its own."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from api.cli.server_process import ServerProcess, running_server
from api.client import Client, compositions, ehrs
from api.demo.story import read_story
from templates.repository import library_templates
from tests.api.answers import assert_error
from tests.api.cli_runs import helsekort
from tests.identity import ADDRESS, People

TABLES = "/analysis/v1/tables"
PROJECTS = f"{ADDRESS}/analysis/v1/projects"
DOCS = Path(__file__).parents[2] / "docs" / "card-tables.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the story's third pregnancy."""
    with running_server(tmp_path_factory.mktemp("tables")) as started:
        with Client(started.base_url) as cdr:
            ehr = cdr.send(ehrs.create())
            for contact in read_story()[0].contacts[-17:]:
                cdr.send(compositions.create(ehr.ehr_id, contact.composition(library_templates())))
        yield started


def test_the_tables_are_listed_and_have_codebooks(client: TestClient) -> None:
    listed = client.get(TABLES).json()
    assert [each["name"] for each in listed][:3] == ["woman", "pregnancy", "contact"]
    book = client.get(listed[2]["codebook"], params={"counted": False}).json()
    pressure = next(column for column in book["columns"] if column["name"] == "systolic_mmhg")
    assert (pressure["unit"], pressure["field"], pressure["label_nb"]) == (
        "mm[Hg]",
        "HK13.4",
        "Blodtrykk systolisk",
    )
    assert {place["template"] for place in pressure["source"]} == {
        "helsekort_kontroll.v0",
        "helsekort_forste_kontroll.v0",
    }
    answer = client.get(listed[2]["codebook"], params={"format": "csv", "counted": False})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["name"] for row in rows] == [column["name"] for column in book["columns"]]


def test_what_is_not_there_or_not_readable(client: TestClient) -> None:
    assert_error(client.get(f"{TABLES}/women"), 404, "table.unknown")
    assert_error(client.get(f"{TABLES}/woman", params={"as_of": "yesterday"}), 400, "parameter.malformed")
    assert_error(
        client.get(f"{TABLES}/woman", headers={"Accept": "application/pdf"}), 406, "media_type.not_acceptable"
    )
    assert_error(client.get(f"{TABLES}/woman", headers={"helsekort-project": "x"}), 403, "access.project")


def test_projects_are_made_by_the_officer(secured: People) -> None:
    asked = {"title": "Anaemia", "members": []}
    assert secured.send("analytiker", "PUT", f"{PROJECTS}/anaemia", json=asked).status_code == 403
    made = secured.send("personvernombud", "PUT", f"{PROJECTS}/anaemia", json=asked)
    assert made.status_code == 200, made.text
    table = f"{ADDRESS}{TABLES}/woman"
    assert secured.send("analytiker", "GET", table).status_code == 200
    (own,) = secured.send("analytiker", "GET", PROJECTS).json()
    members = {"members": own["members"]}
    assert secured.send("personvernombud", "PUT", f"{PROJECTS}/anaemia", json=members).status_code == 204
    permit = {"what": "HK13.17", "reason": "notes", "until": "2099-01-01T00:00:00Z"}
    place = f"{PROJECTS}/anaemia/permits"
    assert_error(secured.send("personvernombud", "POST", place, json=permit), 400, "request.bad")
    assert secured.send("analytiker", "GET", place).json() == []
    assert secured.send("redaktor", "GET", table).status_code == 403
    assert secured.send("personvernombud", "DELETE", f"{PROJECTS}/anaemia").status_code == 204
    in_project = {"helsekort-project": "anaemia"}
    assert secured.send("analytiker", "GET", table, headers=in_project).status_code == 403


@pytest.mark.slow
def test_export_to_files(server: ServerProcess, tmp_path: Path) -> None:
    ended = helsekort("tables", "export", "--out", tmp_path, "--server", server.base_url)
    assert ended.exit_code == 0, ended.output
    contacts = pyarrow.parquet.read_table(tmp_path / "contact.parquet")
    assert contacts.num_rows == 16
    assert str(contacts.schema.field("contact_date").type) == "date32[day]"
    assert str(contacts.schema.field("contact_time").type) == "timestamp[ms, tz=UTC]"
    assert max(each or 0 for each in contacts["systolic_mmhg"].to_pylist()) == 134
    assert (tmp_path / "contact.codebook.csv").stat().st_size > 1000
    shown = helsekort("tables", "codebook", "sf", "--language", "nb", "--server", server.base_url)
    assert "SF-mål" in shown.output
    assert "woman" in helsekort("tables", "list", "--server", server.base_url).output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "command"), [("python", sys.executable), ("r", shutil.which("Rscript"))]
)
def test_the_script_of_the_docs_makes_its_table_and_its_plot(
    server: ServerProcess, tmp_path: Path, language: str, command: str | None
) -> None:
    if command is None:
        pytest.skip("R is not installed here")
    script = DOCS.read_text("utf-8").partition("## Ten lines")[2]
    script = script.partition(f"```{language}\n")[2].partition("```")[0]
    assert len([line for line in script.splitlines() if line.strip()]) == 10
    file = tmp_path / f"sf.{language}"
    file.write_text(script.replace("http://127.0.0.1:8080", server.base_url), encoding="utf-8")
    ran = subprocess.run([command, str(file)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    heights = {24: 23.0, 28: 27.5, 32: 32.0, 36: 36.0, 38: 37.0}
    written = pandas.read_csv(tmp_path / "sf_by_week.csv", index_col="week")
    assert written["mean" if language == "python" else "sf.mean"].to_dict() == heights
    assert "<svg" in (tmp_path / "sf_by_week.svg").read_text("utf-8")
