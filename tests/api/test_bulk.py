"""Many compositions at once: each or all, tried or stored, again after a cut."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli.main import app
from api.cli.server_process import running_server
from api.client import Client, Invalid, bulk, ehrs, queries
from tests.api.answers import assert_error
from tests.api.visits import TEMPLATE, count_versions, visit

BULK = "/bulk/v1/compositions"
NOBODY = "00000000-0000-4000-8000-000000000000"


def ndjson(lines: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def line(ehr_id: str, systolic: float = 112, **more: Any) -> dict[str, Any]:
    return {"ehr_id": ehr_id, "composition": visit(systolic, **more)}


def send(
    client: TestClient, lines: Sequence[Any], headers: dict[str, str] | None = None, **params: Any
) -> list[dict[str, Any]]:
    """The lines of the answer, the summary last."""
    response = client.post(
        BULK,
        content=ndjson(lines),
        params=params,
        headers={"Content-Type": "application/x-ndjson", **(headers or {})},
    )
    assert response.status_code == 200, response.text
    return [json.loads(answer) for answer in response.text.splitlines()]


def test_each_line_has_its_own_fate(client: TestClient, ehr_id: str) -> None:
    lines = [
        line(ehr_id, 110),
        line(ehr_id, units="kPa"),
        line(NOBODY),
        {"ehr_id": ehr_id},
        line(ehr_id, 120),
    ]
    *results, summary = send(client, lines)
    assert [result["line"] for result in results] == [1, 2, 3, 4, 5]
    assert [result["status"] for result in results] == [201, 422, 404, 400, 201]
    assert [result["error"]["code"] for result in results[1:4]] == [
        "composition.invalid",
        "ehr.unknown",
        "bulk.malformed",
    ]
    assert results[1]["error"]["findings"][0]["code"] == "quantity.units"
    assert summary == {"summary": {"lines": 5, "stored": 2, "refused": 3}}
    assert count_versions(client, ehr_id) == 2


def test_all_lines_or_none(client: TestClient, ehr_id: str) -> None:
    lines = [line(ehr_id, 110), line(ehr_id, units="kPa"), line(NOBODY)]
    response = client.post(
        BULK, content=ndjson(lines), params={"mode": "all"}, headers={"Content-Type": "application/x-ndjson"}
    )
    assert_error(response, 422, "bulk.refused")
    places = [finding["path"] for finding in response.json()["findings"]]
    assert places[0].startswith("/lines[2]/content[0]")
    assert places[-1] == "/lines[3]"
    assert count_versions(client, ehr_id) == 0
    *results, _ = send(client, [line(ehr_id, 110), line(ehr_id, 120)], mode="all")
    assert [result["status"] for result in results] == [201, 201]
    assert count_versions(client, ehr_id) == 2


def test_what_only_the_database_refuses_takes_all_with_it(client: TestClient, ehr_id: str) -> None:
    uid = {"_type": "HIER_OBJECT_ID", "value": "8849182c-82ad-4088-a07f-48ead4180515"}
    chosen = {"ehr_id": ehr_id, "composition": {**visit(), "uid": uid}}
    response = client.post(
        BULK,
        content=ndjson([line(ehr_id, 110), chosen, chosen]),
        params={"mode": "all"},
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert_error(response, 422, "bulk.refused")
    assert [finding["path"] for finding in response.json()["findings"]] == ["/lines[3]"]
    assert count_versions(client, ehr_id) == 0


@pytest.mark.parametrize("mode", ["each", "all"])
def test_a_dry_run_stores_nothing(client: TestClient, ehr_id: str, mode: str) -> None:
    *results, _ = send(client, [line(ehr_id)], mode=mode, dry_run=True)
    assert [result["status"] for result in results] == [200]
    assert count_versions(client, ehr_id) == 0
    *results, _ = send(client, [line(ehr_id, units="kPa"), line(NOBODY)], dry_run=True)
    assert [result["status"] for result in results] == [422, 404]


@pytest.mark.parametrize("mode", ["each", "all"])
def test_with_a_key_equal_lines_are_stored_once(client: TestClient, ehr_id: str, mode: str) -> None:
    key = {"Idempotency-Key": f"bulk-{ehr_id}"}
    *first, _ = send(client, [line(ehr_id, 110), line(ehr_id, 120)], key, mode=mode)
    *again, _ = send(client, [line(ehr_id, 110), line(ehr_id, 120), line(ehr_id, 130)], key, mode=mode)
    assert [result["uid"] for result in again[:2]] == [result["uid"] for result in first]
    assert count_versions(client, ehr_id) == 3
    *own, _ = send(client, [line(ehr_id, 140) | {"key": "a"}, line(ehr_id, 150) | {"key": "a"}])
    assert sorted(result["status"] for result in own) == [201, 422]


def test_flat_and_structured_lines(client: TestClient, ehr_id: str) -> None:
    place = f"/openehr/v1/definition/template/adl1.4/{TEMPLATE}/example"
    lines = []
    for form in ("FLAT", "STRUCTURED", "JSON"):
        example = client.get(place, params={"format": form}).json()
        lines.append({"ehr_id": ehr_id, "format": form, "template_id": TEMPLATE, "composition": example})
    *results, _ = send(client, lines)
    assert [result["status"] for result in results] == [201, 201, 201]
    *results, _ = send(client, [{**lines[0], "template_id": "nobody's"}, {**lines[0], "format": "YAML"}])
    assert [result["status"] for result in results] == [422, 400]


@pytest.mark.parametrize(
    "broken",
    [b"{", b"[]", b'{"ehr_id": 1, "composition": {}}', b'{"x": 1}', b"\xff\xfe", b'"x"', b"[" * 5000],
)
def test_a_broken_line_harms_no_other(client: TestClient, ehr_id: str, broken: bytes) -> None:
    response = client.post(
        BULK,
        content=broken + b"\n\n" + ndjson([line(ehr_id)]),
        headers={"Content-Type": "application/x-ndjson"},
    )
    first, second, _ = [json.loads(answer) for answer in response.text.splitlines()]
    assert (first["line"], first["status"]) == (1, 400)
    assert (second["line"], second["status"]) == (3, 201)


def test_too_many_lines_for_one_transaction(client: TestClient) -> None:
    response = client.post(
        BULK,
        content=ndjson([{"ehr_id": NOBODY}] * 1001),
        params={"mode": "all"},
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert_error(response, 413, "request.too_large")


@pytest.mark.slow
def test_a_file_is_imported_in_pieces_and_again_without_doubles(tmp_path: Path) -> None:
    run = CliRunner().invoke
    with running_server(tmp_path / "server") as server, Client(server.base_url) as cdr:
        ehr_id = cdr.send(ehrs.create()).ehr_id
        lines = [line(ehr_id, 100 + number % 60) | {"key": str(number)} for number in range(250)]
        good, bad, rejected = tmp_path / "good.ndjson.gz", tmp_path / "bad.ndjson.zst", tmp_path / "r.ndjson"
        good.write_bytes(gzip.compress(ndjson(lines)))
        bad.write_bytes(zstandard.compress(ndjson([lines[0], line(ehr_id, units="kPa")])))
        address = ["--server", server.base_url]
        assert "250 could be stored" in run(app, ["import", str(good), "--dry-run", *address]).output
        first = run(app, ["import", str(good), *address])
        assert (first.exit_code, "250 stored, 0 refused" in first.output) == (0, True), first.output
        again = run(app, ["import", str(good), *address])
        assert again.exit_code == 0
        refused = run(app, ["import", str(bad), "--rejected", str(rejected), *address])
        assert refused.exit_code == 1
        assert "line 2: composition.invalid" in refused.output
        assert json.loads(rejected.read_text()) == line(ehr_id, units="kPa")
        with pytest.raises(Invalid, match=r"bulk\.refused"):
            cdr.send(bulk.store(ndjson([line(ehr_id), line(NOBODY)]), together=True))
        count = "SELECT COUNT(*) AS n FROM EHR e CONTAINS COMPOSITION c"
        assert cdr.send(queries.run(count, ehr_id=ehr_id)).dicts() == [{"n": 250}]
