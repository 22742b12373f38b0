"""Ids of a subject and joined EHRs over HTTP."""

from __future__ import annotations

import uuid

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, store_visit
from tests.cdr.small_template import status


def an_ehr(client: TestClient, subject: str | None = None) -> str:
    made = client.post(f"{BASE}/ehr", json=status(subject or f"s-{uuid.uuid4()}"))
    assert made.status_code == 201, made.text
    return uid_in(made)


def test_an_ehr_is_found_with_the_id_in_the_body(client: TestClient) -> None:
    subject = f"s-{uuid.uuid4()}"
    ehr_id = an_ehr(client, subject)
    asked = {"subject_id": subject, "subject_namespace": "demo"}
    found = client.post(f"{BASE}/ehr/find", json=asked)
    assert found.status_code == 200
    assert found.json() == client.get(f"{BASE}/ehr", params=asked).json()
    assert uid_in(found) == ehr_id
    as_xml = client.post(f"{BASE}/ehr/find", json=asked, headers={"Accept": "application/xml"})
    assert ehr_id in as_xml.text
    unknown = client.post(f"{BASE}/ehr/find", json=asked | {"subject_id": "nobody"})
    assert "nobody" not in str(assert_error(unknown, 404, "subject.unknown"))
    assert_error(client.post(f"{BASE}/ehr/find", json={"subject_id": 1}), 400, "request.bad")


def test_ids_of_other_times(client: TestClient) -> None:
    ehr_id, former = an_ehr(client), f"was-{uuid.uuid4()}"
    address = f"{BASE}/ehr/{ehr_id}/subject_ids"
    named = {"namespace": "demo", "id": former}
    added = client.post(address, json=named | {"until": "2026-01-01T00:00:00+01:00"})
    assert added.json()[1] == named | {
        "in_force": False, "since": None, "until": "2025-12-31T23:00:00.000Z"
    }  # fmt: skip
    assert client.get(address).json() == added.json()
    asked = {"subject_id": former, "subject_namespace": "demo"}
    assert uid_in(client.post(f"{BASE}/ehr/find", json=asked)) == ehr_id
    assert client.post(f"{address}/withdraw", json=named).status_code == 204
    assert_error(client.post(f"{address}/withdraw", json=named), 404, "subject.no_such_id")


@pytest.mark.parametrize(
    "body", [{}, {"namespace": "a"}, {"namespace": "a", "id": 1}, {"namespace": "a", "id": "b", "x": 1},
             {"namespace": "a", "id": "b", "until": "2026-01-01T00:00:00"},
             {"namespace": "a", "id": "b", "until": "yesterday"}],
)  # fmt: skip
def test_bodies_that_name_no_id(client: TestClient, ehr_id: str, body: dict[str, object]) -> None:
    assert_error(client.post(f"{BASE}/ehr/{ehr_id}/subject_ids", json=body), 400, "request.bad")


def test_a_join_and_its_split(client: TestClient) -> None:
    old, new = an_ehr(client), an_ehr(client)
    version = uid_in(store_visit(client, old))
    address = f"{BASE}/admin/ehr/{new}/joins"
    joined = client.post(address, json={"ehr_id": old, "reason": "one woman"})
    assert joined.status_code == 200, joined.text
    assert [(join["ehr_id"], join["reason"]) for join in joined.json()] == [(old, "one woman")]
    assert client.get(address).json() == joined.json()
    answer = client.get(f"{BASE}/ehr/{old}/composition/{version}")
    assert_error(answer, 410, "ehr.joined")
    assert answer.headers["openehr-ehr-id"] == new
    assert answer.headers["Location"].endswith(f"/ehr/{new}/composition/{version}")
    assert client.get(answer.headers["Location"]).status_code == 200
    assert client.delete(f"{address}/{old}").json() == []
    assert client.get(f"{BASE}/ehr/{old}/composition/{version}").status_code == 200
    assert_error(client.delete(f"{address}/{old}"), 404, "ehr.not_joined")


def test_a_directory_is_erased_alone(client: TestClient, ehr_id: str) -> None:
    made = client.post(
        f"{BASE}/ehr/{ehr_id}/directory",
        json={"name": {"_type": "DV_TEXT", "value": "root"}, "archetype_node_id": "openEHR-EHR-FOLDER.a.v1"},
    )
    object_id = uid_in(made).partition("::")[0]
    address = f"{BASE}/admin/ehr/{ehr_id}"
    assert_error(client.delete(f"{address}/composition/{object_id}"), 404, "object.unknown")
    assert client.delete(f"{address}/directory/{object_id}").status_code == 204
    assert_error(client.get(f"{BASE}/ehr/{ehr_id}/directory"), 404, "directory.unknown")
