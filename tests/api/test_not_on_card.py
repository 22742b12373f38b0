"""What may not be on the card is refused or warned of, and kept nowhere: not in the log, not in the audit."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from starlette.testclient import TestClient

from api.app import create_app
from api.log import configure_logging
from cdr.settings import Mode, Settings
from templates.compose import Header, compose
from templates.repository import library_templates
from tests.cdr.updates import contribution, update

DATABASE = "not_on_card"
BASE = "/openehr/v1"
WORDS = "Provosert abort i 2019, zqxj"
CODES = {"icd-10": "O04.9", "icpc-2": "W83", "atc": "G03XB01", "snomed-ct": "57797005"}
SECRETS = ("provosert", "zqxj", *CODES.values())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level, as the server writes it."""
    before, level = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    configure_logging(as_json=True, level="debug")
    for handler in logging.root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(written)
    yield written
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


@pytest.fixture
def server(mongodb_uri: str, tmp_path: Path, log: io.StringIO) -> Iterator[TestClient]:
    settings = Settings(
        mode=Mode.DEV, data=tmp_path, mongodb_uri=SecretStr(mongodb_uri), database=DATABASE, log_level="debug"
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8080") as client:
        yield client


def visit(*, code: tuple[str, str] | None = None, note: str = "") -> dict[str, Any]:
    header = Header(
        start_time="2026-03-02T10:15:00+01:00", setting="231", pregnancy_id="S1", contact_type="at0009"
    )
    values: dict[str, Any] = {"HK13.10": "at0006"}
    if code is not None:
        values["HK5.15"] = {"code": code[1], "system": code[0], "display": "x"}
    if note:
        values["HK13.17"] = note
    return compose(library_templates()["helsekort_kontroll.v0"], header, values)


def everything_but_the_data(mongodb_uri: str) -> str:
    """All collections as text, but for the compositions themselves."""
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client[DATABASE]
        names = set(database.list_collection_names()) - {"versions", "rows", "templates"}
        return "".join(str(document) for name in names for document in database[name].find())


def keeps_quiet(text: str) -> bool:
    return not any(secret.casefold() in text.casefold() for secret in SECRETS)


def test_nothing_repeats_it(server: TestClient, log: io.StringIO, mongodb_uri: str) -> None:
    ehr = server.post(f"{BASE}/ehr").headers["Location"].rpartition("/")[2]
    for name, code in CODES.items():
        for address in (f"{BASE}/ehr/{ehr}/composition", f"{BASE}/validate"):
            answer = server.post(address, json=visit(code=(name, code)))
            found = [f["code"] for f in answer.json()["findings"] if f["severity"] == "error"]
            assert (answer.status_code in (200, 422), found) == (True, ["card.not_on_card"])
            assert keeps_quiet(answer.text)
    warned = server.post(f"{BASE}/validate", json=visit(note=WORDS))
    assert [f["code"] for f in warned.json()["findings"]] == ["card.not_on_card_wording"]
    assert warned.json()["valid"] and keeps_quiet(warned.text)
    both = visit(code=("icd-10", CODES["icd-10"]), note=WORDS)
    refused = server.post(f"{BASE}/ehr/{ehr}/contribution", json=contribution(update("249", both)))
    assert "card.not_on_card" in refused.text and keeps_quiet(refused.text)
    malformed = server.post(f"{BASE}/ehr/{ehr}/composition", content=orjson.dumps({"x": WORDS}))
    assert malformed.status_code in (400, 415, 422) and keeps_quiet(malformed.text)
    assert log.getvalue()
    assert keeps_quiet(log.getvalue())
    assert keeps_quiet(everything_but_the_data(mongodb_uri))
