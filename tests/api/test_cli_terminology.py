"""``helsekort terminology``: import, impact, list, show, recheck on a real database."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.code_release import ICD_10, KEPT, OLD_DAY, visit
from cdr.compositions import create_composition
from cdr.context import Actor, Ctx
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from tests.api.cli_runs import helsekort
from tests.cdr.terminology.stand_in import running
from tests.cdr.terminology.test_code_checks import visit as fruit

VOLVEN = "urn:oid:2.16.578.1.12.4.1.1.8534"


@pytest.fixture
def database(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database of this test alone, which the environment names."""
    name = f"cli_{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("HELSEKORT_DATABASE", name)
    monkeypatch.setenv("HELSEKORT_MODE", "dev")
    return mongodb_uri


def release(path: Path, version: str, codes: dict[str, str]) -> Path:
    concepts = [
        {"code": code, "display": code, "property": [{"code": "successor", "valueCode": successor}]}
        for code, successor in codes.items()
    ]
    for concept, successor in zip(concepts, codes.values(), strict=True):
        if successor:
            concept["property"].append({"code": "inactive", "valueBoolean": True})  # type: ignore[attr-defined]
        else:
            del concept["property"]
    resource = {"resourceType": "CodeSystem", "url": ICD_10, "version": version, "date": f"{version}-01-01"}
    path.write_bytes(orjson.dumps(resource | {"concept": concepts}))
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return release(tmp_path / "old.json", "2025", {**dict.fromkeys(KEPT, ""), "O15": ""})


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return release(tmp_path / "new.json", "2026", {**dict.fromkeys(KEPT, ""), "O15": "O14"})


async def _store(uri: str, *documents: dict[str, Any], **settings: Any) -> None:
    chosen = Settings(mongodb_uri=uri, **settings)  # type: ignore[arg-type]
    async with open_platform(chosen) as platform:
        ctx: Ctx = platform.context(Actor(id="test", name="Test"))
        await publish_library(ctx)
        ehr = await create_ehr(ctx)
        for document in documents:
            await create_composition(ctx, ehr.ehr_id, document)


def test_from_import_to_impact(database: str, old: Path, new: Path) -> None:
    at = ("--mongodb-uri", database)
    first = helsekort("terminology", "import", old, *at)
    assert first.exit_code == 0 and f"{ICD_10}|2025 is loaded." in first.stdout
    assert "var lastet fra før" in helsekort("terminology", "import", old, *at, "--language", "nb").stdout
    asyncio.run(_store(database, visit("O15", OLD_DAY), visit("O14", OLD_DAY), mode=Mode.DEV))

    ended = helsekort("terminology", "impact", new, *at, "--json")
    (found,) = orjson.loads(ended.stdout)
    assert (ended.exit_code, found["before"], found["checked"]) == (1, "2025", 2)
    (use,) = found["retired"]
    assert (use["code"]["coding"]["code"], use["code"]["successor"], use["values"]) == ("O15", "O14", 1)
    text = helsekort("terminology", "impact", new, *at, "--language", "nb").stdout
    assert "utgåtte -> etterfølger: 1" in text and "helsekort_kontroll.v0: 1" in text

    assert helsekort("terminology", "import", new, *at, "--no-count").exit_code == 0
    listed = orjson.loads(helsekort("terminology", "list", *at, "--json").stdout)
    assert [each["version"] for each in listed["releases"]] == ["2025", "2026"]
    shown = helsekort("terminology", "show", ICD_10, "--day", "2025-03-01", "--csv", *at).stdout
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert {row["code"]: row["retired"] for row in rows}["O15"] == ""
    later = helsekort("terminology", "show", f"{ICD_10}|2026", *at).stdout
    assert "O15" in later and "yes" in later


def test_a_list_from_csv_is_provisional_until_the_real_one(database: str, tmp_path: Path) -> None:
    at = ("--mongodb-uri", database)
    source = tmp_path / "lie.csv"
    source.write_text("code;display\n1;Hodeleie\n", encoding="utf-8")
    about = ("--url", VOLVEN, "--valid-from", "2020-01-01")
    assert helsekort("terminology", "import", source, *at).exit_code == 2
    guess = helsekort("terminology", "import", source, *about, "--version", "0", "--provisional", *at)
    assert guess.exit_code == 0
    assert "Volven 8534 er foreløpig" in helsekort("terminology", "list", "--language", "nb", *at).stdout
    assert helsekort("terminology", "import", source, *about, "--version", "1", *at).exit_code == 0
    listed = helsekort("terminology", "list", *at).stdout
    assert "Volven 8534 is provisional" not in listed and "Volven 8536 is provisional" in listed


def test_what_cannot_be_read_stores_nothing(database: str, old: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"resourceType": "CodeSystem"}')
    ended = helsekort("terminology", "import", old, broken, "--mongodb-uri", database)
    assert ended.exit_code == 2 and "broken.json" in ended.stderr
    listed = orjson.loads(helsekort("terminology", "list", "--mongodb-uri", database, "--json").stdout)
    assert listed["releases"] == []


def test_recheck(database: str) -> None:
    with running() as server:
        server.mode = "broken"
        about = {"terminology_server": server.url, "terminology_silence": "queue", "mode": Mode.DEV}
        asyncio.run(_store(database, fruit("L"), fruit("Q"), **about))
        at = ("--mongodb-uri", database, "--server", server.url)
        waiting = helsekort("terminology", "recheck", "--list", *at)
        assert waiting.exit_code == 1 and "2 waiting, 0 wrong." in waiting.stdout
        server.mode = "ok"
        ended = helsekort("terminology", "recheck", *at, "--json")
        found = orjson.loads(ended.stdout)
        assert (ended.exit_code, found["confirmed"], len(found["checks"])) == (1, 1, 1)
        (finding,) = found["checks"][0]["findings"]
        assert (finding["code"], finding["found"], set(finding["texts"])) == (
            "terminology.unknown_code",
            "Q",
            {"nb", "en"},
        )
        assert "0 venter, 1 har feil." in helsekort("terminology", "recheck", *at, "--language", "nb").stdout
