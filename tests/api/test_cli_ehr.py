"""``helsekort ehr``: from one server to another, and two EHRs of one woman joined and split."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app
from api.cli.server_process import running_server
from api.client import Client, Conflict, Refused, compositions, ehrs
from tests.api.visits import visit


@pytest.mark.slow
def test_an_ehr_goes_from_one_server_to_another(tmp_path: Path) -> None:
    file = tmp_path / "ehr.ndjson"
    run = CliRunner().invoke
    with running_server(tmp_path / "here") as here, running_server(tmp_path / "there") as there:
        with Client(here.base_url) as cdr:
            ehr_id = cdr.send(ehrs.create(("demo", "moves"))).ehr_id
            stored = cdr.send(compositions.create(ehr_id, visit(120)))
        exported = run(app, ["ehr", "export", ehr_id, str(file), "--server", here.base_url])
        assert "2 versions" in exported.output, exported.output
        imported = run(app, ["ehr", "import", str(file), "--server", there.base_url])
        assert f"/ehr/{ehr_id}" in imported.output.replace("\n", ""), imported.output
        with Client(there.base_url) as cdr:
            assert cdr.send(ehrs.of_subject("demo", "moves")).ehr_id == ehr_id
            found = cdr.send(compositions.get(ehr_id, stored.uid))
            assert isinstance(found.composition, dict)
            assert found.composition["uid"]["value"] == stored.uid
        again = run(app, ["ehr", "import", str(file), "--server", there.base_url])
        assert isinstance(again.exception, Conflict)


@pytest.mark.slow
def test_two_ehrs_are_joined_and_split(tmp_path: Path) -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["ehr", *arguments, "--server", server.base_url])

    with running_server(tmp_path) as server, Client(server.base_url) as cdr:
        kept, other = (cdr.send(ehrs.create(("demo", name))).ehr_id for name in ("kept", "other"))
        stored = cdr.send(compositions.create(other, visit(120)))
        joined = run("join", kept, other, "--reason", "D-number [of 2025]")
        assert f"{other} is part of {kept}" in joined.output, joined.output
        assert "D-number [of 2025]" in joined.output
        assert run("joins", kept).output == joined.output
        assert cdr.send(compositions.get(kept, stored.uid)).stored.uid == stored.uid
        assert "no EHR is part of" in run("split", kept, other).output
        assert cdr.send(compositions.get(other, stored.uid)).stored.uid == stored.uid
        assert isinstance(run("split", kept, other).exception, Refused)
