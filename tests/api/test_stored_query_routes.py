"""Stored queries over HTTP."""

from __future__ import annotations

import uuid

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error
from tests.api.visits import BASE, store_visit

TEXT = {"Content-Type": "text/plain"}
QUERY = "SELECT c/uid/value AS uid FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value != $not"


@pytest.fixture
def name() -> str:
    """The name of a query of this test alone."""
    return f"no.test::q{uuid.uuid4().hex}"


def store(client: TestClient, name: str, version: str, text: str = QUERY) -> None:
    answer = client.put(f"{BASE}/definition/query/{name}/{version}", content=text, headers=TEXT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Location"].endswith(f"/definition/query/{name}/{version}")


def test_store_read_list_delete(client: TestClient, name: str) -> None:
    store(client, name, "1.0.0")
    address = f"{BASE}/definition/query/{name}"
    again = client.put(f"{address}/1.0.0", content=QUERY, headers=TEXT)
    assert_error(again, 409, "query.exists")
    assert client.put(address, content=QUERY, headers=TEXT).headers["Location"].endswith("/1.0.1")
    found = client.get(f"{address}/1").json()
    assert found | {"saved": ""} == {
        "name": name, "type": "AQL", "version": "1.0.1", "saved": "", "q": QUERY,
    }  # fmt: skip
    assert [query["version"] for query in client.get(address).json()] == ["1.0.1", "1.0.0"]
    assert found in client.get(f"{BASE}/definition/query").json()
    assert client.delete(f"{address}/1.0.1").status_code == 204
    assert_error(client.get(f"{address}/1.0.1"), 404, "query.unknown")


def test_run_by_get_and_post(client: TestClient, ehr_id: str, name: str) -> None:
    store_visit(client, ehr_id)
    store(client, name, "1.2.0")
    for address in (f"{BASE}/query/{name}", f"{BASE}/query/{name}/1", f"{BASE}/query/{name}/1.2.0"):
        got = client.get(address, params={"not": "x", "ehr_id": ehr_id}).json()
        body = {"query_parameters": {"not": "x"}, "fetch": 5}
        posted = client.post(address, json=body, headers={"openehr-ehr-id": ehr_id}).json()
        assert len(got["rows"]) == 1
        assert got["rows"] == posted["rows"]
        assert got["name"] == posted["name"] == f"{name}/1.2.0"
        assert got["q"] == QUERY
        assert "_href" in got["meta"] and "_href" not in posted["meta"]
    assert_error(client.post(f"{BASE}/query/{name}"), 400, "aql.parameter.missing")
    assert_error(client.get(f"{BASE}/query/{name}/2"), 404, "query.unknown")
    unknown = client.post(f"{BASE}/query/{name}", json={"q": QUERY})
    assert_error(unknown, 400, "query.malformed")


def test_faults_are_located_when_a_query_is_stored(client: TestClient, name: str) -> None:
    address = f"{BASE}/definition/query/{name}/1.0.0"
    answer = client.put(address, content="SELECT c\nFROM EHR e WHER", headers=TEXT)
    (finding,) = assert_error(answer, 400, answer.json()["code"])["findings"]
    assert (finding["line"], finding["column"]) == (2, 12)
    assert_error(client.put(address, content=b"\xff", headers=TEXT), 400, "body.not_utf8")
    assert_error(client.put(address, json={"text": QUERY}), 400, "query.malformed")
    xml = client.put(address, content="<q/>", headers={"Content-Type": "application/xml"})
    assert_error(xml, 415, "media_type.unsupported")
    assert_error(client.put(address, headers=TEXT), 400, "body.missing")
    other = client.put(address, params={"query_type": "SQL"}, content=QUERY, headers=TEXT)
    assert_error(other, 400, "parameter.malformed")
    reserved = client.put(f"{BASE}/definition/query/no.x::AQL", content=QUERY, headers=TEXT)
    assert_error(reserved, 400, "query.name_malformed")
