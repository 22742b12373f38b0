"""``helsekort audit``: verify, export, log; on the database that a server uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.cli_runs import helsekort
from tests.api.test_access_routes import record_of
from tests.identity import People


@pytest.fixture
def database(secured: People, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options of a command that works on the database of the secured server."""
    settings = secured.client.app.state.platform.settings
    monkeypatch.setenv("HELSEKORT_DATABASE", settings.database)
    monkeypatch.setenv("HELSEKORT_AUDIT_KEY", str(settings.audit_key_file))
    monkeypatch.setenv("HELSEKORT_AUDIT_HEADS", str(settings.audit_heads_folder))
    assert settings.mongodb_uri is not None
    return ["--mode", "dev", "--mongodb-uri", settings.mongodb_uri.get_secret_value()]


def test_verify_export_and_verify_the_copy(secured: People, database: list[str], tmp_path: Path) -> None:
    record_of(secured, "kvinnen")
    assert helsekort("audit", "publish", *database).exit_code == 0
    found = helsekort("audit", "verify", *database)
    assert found.exit_code == 0, found.output
    assert found.stdout.endswith(": 0 faults\n")
    assert "published files of heads" in found.stdout
    copy = tmp_path / "audit.ndjson"
    assert helsekort("audit", "export", str(copy), *database).exit_code == 0
    public = tmp_path / "public.jwk"
    public.write_text(helsekort("audit", "key", *database[:2]).stdout)
    heads = secured.client.app.state.platform.settings.audit_heads_folder
    against = ["--heads", str(heads), "--key", str(public)]
    checked = helsekort("audit", "verify", "--file", str(copy), *against)
    assert checked.exit_code == 0, checked.output
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(lines[: len(lines) // 2]))
    assert helsekort("audit", "verify", "--file", str(copy), *against).exit_code == 1
    copy.write_bytes(b"".join(lines).replace(b"fastlege", b"fremmed").replace(b"Finn", b"Fred"))
    changed = helsekort("audit", "verify", "--file", str(copy))
    assert changed.exit_code == 1
    assert "was changed" in changed.stdout


def test_the_log_of_a_woman(secured: People, database: list[str]) -> None:
    ehr_id = record_of(secured, "kvinnen")
    shown = helsekort("audit", "log", ehr_id, "--language", "en", *database)
    assert shown.exit_code == 0, shown.output
    assert "Finn Fiktiv, doctor" in shown.stdout
    assert helsekort("audit", "log", ehr_id, "--language", "xx", *database).exit_code == 2
