"""AQL over REST."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, store_visit

PLACE = f"{BASE}/query/aql"
UIDS = "SELECT c/uid/value AS uid FROM EHR e CONTAINS COMPOSITION c WHERE e/ehr_id/value = $ehr ORDER BY uid"


def test_both_methods_give_the_same_rows(client: TestClient, ehr_id: str) -> None:
    stored = sorted(uid_in(store_visit(client, ehr_id)) for _ in range(3))
    by_get = client.get(PLACE, params={"q": UIDS, "ehr": ehr_id}).json()
    by_post = client.post(PLACE, json={"q": UIDS, "query_parameters": {"ehr": ehr_id}}).json()
    assert by_get["rows"] == by_post["rows"] == [[uid] for uid in stored]
    assert by_get["columns"] == by_post["columns"]
    assert by_get["columns"][0]["name"] == "uid"
    tags = {client.get(PLACE, params={"q": UIDS, "ehr": ehr_id}).headers["ETag"] for _ in range(2)}
    store_visit(client, ehr_id)
    tags.add(client.get(PLACE, params={"q": UIDS, "ehr": ehr_id}).headers["ETag"])
    assert len(tags) == 2, "equal rows have one tag, other rows another"
    assert by_get["q"] == UIDS
    assert by_get["meta"]["_type"] == "RESULTSET"
    assert by_get["meta"]["_href"].startswith(f"http://127.0.0.1:8080{PLACE}?q=")


PRESSURE = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value"


@pytest.mark.parametrize(
    ("condition", "params", "rows"),
    [
        (f"{PRESSURE}/magnitude > $n", {"n": "115"}, 2),
        (f"{PRESSURE}/magnitude = $n", {"n": "120.0"}, 1),
        (f"{PRESSURE}/magnitude matches {{$n}}", {"n": ["110", "130"]}, 2),
        (f"{PRESSURE}/magnitude > $n", {"n": "much"}, 0),
        (f"{PRESSURE}/units = $n", {"n": "mm[Hg]"}, 3),
        ("e/ehr_status/is_queryable = $n", {"n": "true"}, 3),
        ("c/context/start_time/value > $n", {"n": "2020"}, 3),
    ],
)
def test_parameters_of_an_address_are_read_as_what_they_are_compared_with(
    client: TestClient, ehr_id: str, condition: str, params: dict[str, Any], rows: int
) -> None:
    for systolic in (110, 120, 130):
        store_visit(client, ehr_id, systolic)
    pressure = "OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"
    query = f"SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c CONTAINS {pressure} WHERE {condition}"
    answer = client.get(PLACE, params={"q": query, "ehr_id": ehr_id, **params})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["rows"]) == rows


def test_paging(client: TestClient, ehr_id: str) -> None:
    stored = sorted(uid_in(store_visit(client, ehr_id)) for _ in range(3))
    page = client.get(PLACE, params={"q": UIDS, "ehr": ehr_id, "offset": 1, "fetch": 1}).json()
    assert page["rows"] == [[stored[1]]]
    query = {"q": UIDS, "query_parameters": {"ehr": ehr_id}, "offset": 2, "fetch": 5}
    assert client.post(PLACE, json=query).json()["rows"] == [[stored[2]]]


def test_a_query_of_one_ehr(client: TestClient, ehr_id: str) -> None:
    uid = uid_in(store_visit(client, ehr_id))
    query = "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"
    by_parameter = client.get(PLACE, params={"q": query, "ehr_id": ehr_id}).json()
    by_header = client.post(PLACE, json={"q": query}, headers={"openehr-ehr-id": ehr_id}).json()
    assert by_parameter["rows"] == by_header["rows"] == [[uid]]
    assert by_header["columns"][0]["name"] == "#0"


def test_two_ehrs_contradict(client: TestClient, ehr_id: str) -> None:
    refused = client.get(PLACE, params={"q": UIDS, "ehr_id": ehr_id}, headers={"openehr-ehr-id": "other"})
    assert_error(refused, 400, "query.ehr_contradicts")


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "/q"),
        ({"q": ""}, "/q"),
        ({"q": 1}, "/q"),
        ({"q": UIDS, "query_parameters": []}, "/query_parameters"),
        ({"q": UIDS, "offset": -1}, "/offset"),
        ({"q": UIDS, "fetch": "10"}, "/fetch"),
        ({"q": UIDS, "fetch": True}, "/fetch"),
        ({"q": UIDS, "limit": 3}, "/limit"),
    ],
)
def test_the_body_of_a_query(client: TestClient, body: dict[str, Any], member: str) -> None:
    assert member in assert_error(client.post(PLACE, json=body), 400, "query.malformed")["message"]


@pytest.mark.parametrize("params", [{}, {"q": UIDS, "offset": "x"}, {"q": UIDS, "fetch": "-1"}])
def test_the_parameters_of_a_query(client: TestClient, params: dict[str, str]) -> None:
    assert_error(client.get(PLACE, params=params), 400, "parameter.malformed")


def test_a_syntax_error_has_line_column_and_caret(client: TestClient) -> None:
    response = client.post(PLACE, json={"q": "SELECT c\nFROM EHR e CONTAIN COMPOSITION c"})
    body = assert_error(response, 400, "aql.syntax")
    assert (body["findings"][0]["line"], body["findings"][0]["column"]) == (2, 12)
    assert body["message"].endswith("FROM EHR e CONTAIN COMPOSITION c\n           ^")


def test_what_is_not_executed_yet_is_named_with_its_place(client: TestClient) -> None:
    query = "SELECT f\nFROM EHR e CONTAINS VERSIONED_FOLDER f"
    body = assert_error(client.post(PLACE, json={"q": query}), 501, "aql.not_supported")
    (finding,) = body["findings"]
    assert finding["code"] == "aql.unsupported.class"
    assert finding["line"] == 2
