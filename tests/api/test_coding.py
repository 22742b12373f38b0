"""Compressed bodies in both directions, and HEAD."""

from __future__ import annotations

import gzip
from functools import partial

import orjson
import pytest
import zstandard
from starlette.testclient import TestClient

from tests.api.answers import assert_error
from tests.api.visits import BASE, store_visit, visit

PACK = {"gzip": partial(gzip.compress, mtime=0), "zstd": zstandard.compress}


@pytest.mark.parametrize("coding", PACK)
def test_packed_bodies_are_read(client: TestClient, ehr_id: str, coding: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    body = PACK[coding](orjson.dumps(visit()))
    made = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=body, headers=headers)
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("coding", PACK)
def test_a_small_body_that_unpacks_to_much_is_too_large(client: TestClient, ehr_id: str, coding: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    body = PACK[coding](b" " * 50_000_000)
    assert len(body) < 100_000
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=body, headers=headers)
    assert_error(answer, 413, "body.too_large")


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("broken", [b"{}", b"", PACK["gzip"](b"{}" * 100)[:-9]])
def test_what_is_not_packed_as_it_says(client: TestClient, ehr_id: str, coding: str, broken: bytes) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=broken, headers=headers)
    code = "body.missing" if not broken else "body.not_unpacked"
    assert answer.json()["code"] in (code, "body.missing")
    assert answer.status_code == 400


def test_unknown_codings_are_refused(client: TestClient, ehr_id: str) -> None:
    headers = {"Content-Encoding": "br", "Content-Type": "application/json"}
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=b"x", headers=headers)
    assert_error(answer, 415, "media_type.unsupported")


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, zstd", "zstd"),
        ("zstd;q=0, gzip", "gzip"),
        ("identity", None),
        ("br", None),
        ("gzip;q=x", None),
    ],
)
def test_large_answers_are_packed_as_the_client_takes_them(
    client: TestClient, ehr_id: str, accept: str, coding: str | None
) -> None:
    address = store_visit(client, ehr_id).headers["Location"]
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    answer = client.get(address, headers={"Accept-Encoding": accept})
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
    content = answer.content
    if coding == "zstd" and content[:4] == b"\x28\xb5\x2f\xfd":  # a client that does not unpack it itself
        content = zstandard.ZstdDecompressor().decompress(content)
    assert content == plain.content
    assert answer.headers["ETag"] == plain.headers["ETag"]


def test_small_answers_stay_as_they_are(client: TestClient) -> None:
    answer = client.get("/health/live", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_head_is_get_without_a_body(client: TestClient, ehr_id: str) -> None:
    address = store_visit(client, ehr_id).headers["Location"]
    got, headed = client.get(address), client.head(address)
    assert headed.status_code == got.status_code == 200
    assert headed.content == b""
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert headed.headers[name] == got.headers[name]
    assert client.head(f"{BASE}/ehr/{ehr_id}/directory").status_code == 404
    assert client.head(f"{BASE}/nothing").content == b""
