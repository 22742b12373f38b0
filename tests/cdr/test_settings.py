"""Settings: what a mode promises, and that each is in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from cdr.settings import BUILTIN, Mode, Settings

DOCS = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def test_production_needs_an_issuer() -> None:
    with pytest.raises(ValidationError, match="HELSEKORT_ISSUER"):
        Settings(mode=Mode.PRODUCTION)
    assert not Settings(
        mode=Mode.PRODUCTION, issuer="https://issuer.example", public_url="https://cdr.example"
    ).is_dev


def test_production_needs_to_know_its_address_and_takes_no_built_in_issuer() -> None:
    with pytest.raises(ValidationError, match="HELSEKORT_PUBLIC_URL"):
        Settings(mode=Mode.PRODUCTION, issuer="https://issuer.example")
    with pytest.raises(ValidationError, match="built-in issuer"):
        Settings(mode=Mode.PRODUCTION, issuer=BUILTIN, public_url="https://cdr.example")
    assert not Settings(mode=Mode.DEV).enforces_access
    assert Settings(mode=Mode.DEV, issuer=BUILTIN).enforces_access


@pytest.mark.parametrize("issuer", ["http://issuer.example", "issuer", "ftp://x"])
def test_an_issuer_is_an_https_address(issuer: str) -> None:
    with pytest.raises(ValidationError, match="issuer"):
        Settings(mode=Mode.DEV, issuer=issuer)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::"])
def test_development_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValidationError, match="loopback"):
        Settings(mode=Mode.DEV, host=host)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELSEKORT_MODE", "dev")
    monkeypatch.setenv("HELSEKORT_PORT", "9001")
    monkeypatch.setenv("HELSEKORT_MONGODB_URI", "mongodb://u:secret@h/")
    settings = Settings()
    assert (settings.mode, settings.port) == (Mode.DEV, 9001)
    assert "secret" not in repr(settings)


def test_each_setting_is_documented_as_it_is() -> None:
    documented = dict(re.findall(r"^\| `HELSEKORT_([A-Z_]+)` \|.*\| ([^|]+) \|$", DOCS, re.MULTILINE))
    assert documented == {name.upper(): field.description for name, field in Settings.model_fields.items()}
