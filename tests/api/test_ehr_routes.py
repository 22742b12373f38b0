"""EHRs and their status over REST."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.routes.ehr import EXAMPLE_STATUS
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, visit


def status_of(subject: str, **changes: Any) -> dict[str, Any]:
    """The example status for a subject."""
    party = EXAMPLE_STATUS["subject"]
    assert isinstance(party, dict)
    reference = {**party["external_ref"], "id": {**party["external_ref"]["id"], "value": subject}}
    return {**EXAMPLE_STATUS, "subject": {**party, "external_ref": reference}, **changes}


@pytest.fixture
def subject() -> str:
    return f"subject-{uuid.uuid4()}"


def test_an_ehr_without_a_status(client: TestClient) -> None:
    response = client.post(f"{BASE}/ehr", headers={"Prefer": "return=representation"})
    ehr = response.json()
    assert response.status_code == 201
    assert ehr["_type"] == "EHR"
    assert uid_in(response) == ehr["ehr_id"]["value"]
    assert response.headers["Location"] == f"http://127.0.0.1:8080{BASE}/ehr/{ehr['ehr_id']['value']}"
    assert ehr["ehr_status"]["_type"] == "OBJECT_REF"
    assert client.get(f"{BASE}/ehr/{ehr['ehr_id']['value']}").json() == ehr


def test_an_ehr_is_found_by_its_subject(client: TestClient, subject: str) -> None:
    created = client.post(f"{BASE}/ehr", json=status_of(subject))
    assert created.status_code == 201, created.text
    found = client.get(f"{BASE}/ehr", params={"subject_id": subject, "subject_namespace": "demo"})
    assert found.json()["ehr_id"]["value"] == uid_in(created)
    assert_error(client.post(f"{BASE}/ehr", json=status_of(subject)), 409, "subject.exists")


def test_an_unknown_subject(client: TestClient) -> None:
    params = {"subject_id": "nobody", "subject_namespace": "demo"}
    body = assert_error(client.get(f"{BASE}/ehr", params=params), 404, "subject.unknown")
    assert "nobody" not in body["message"]


def test_both_parts_of_a_subject_are_needed(client: TestClient) -> None:
    body = assert_error(client.get(f"{BASE}/ehr", params={"subject_id": "a"}), 400, "parameter.malformed")
    assert [finding["path"] for finding in body["findings"]] == ["subject_namespace"]


def test_an_ehr_id_can_be_chosen_once(client: TestClient) -> None:
    chosen = str(uuid.uuid4())
    created = client.put(f"{BASE}/ehr/{chosen}", headers={"Prefer": "return=identifier"})
    assert (created.status_code, created.json()) == (201, {"uid": chosen})
    assert_error(client.put(f"{BASE}/ehr/{chosen}"), 409, "ehr.exists")
    assert client.put(f"{BASE}/ehr/not-a-uuid").status_code == 400


def test_the_status_is_versioned(client: TestClient, subject: str) -> None:
    ehr_id = uid_in(client.post(f"{BASE}/ehr", json=status_of(subject)))
    place = f"{BASE}/ehr/{ehr_id}/ehr_status"
    first = client.get(place)
    assert first.json()["subject"]["external_ref"]["id"]["value"] == subject
    changed = status_of(subject, is_queryable=False)
    updated = client.put(
        place, json=changed, headers={"If-Match": first.headers["ETag"], "Prefer": "return=representation"}
    )
    assert updated.status_code == 200, updated.text
    assert updated.json()["is_queryable"] is False
    assert uid_in(updated) == uid_in(first).removesuffix("1") + "2"
    assert client.get(f"{place}/{uid_in(first)}").json() == first.json()
    assert_error(client.put(place, json=changed, headers={"If-Match": uid_in(first)}), 412, "version.stale")
    assert_error(client.put(place, json=changed), 400, "header.if_match_missing")
    versioned = f"{BASE}/ehr/{ehr_id}/versioned_ehr_status"
    assert client.get(versioned).json()["_type"] == "VERSIONED_EHR_STATUS"
    assert len(client.get(f"{versioned}/revision_history").json()["items"]) == 2
    assert client.get(f"{versioned}/version").json()["uid"]["value"] == uid_in(updated)
    assert client.get(f"{versioned}/version/{uid_in(first)}").json()["data"] == first.json()


def test_an_ehr_that_is_not_modifiable_takes_no_compositions(client: TestClient, subject: str) -> None:
    ehr_id = uid_in(client.post(f"{BASE}/ehr", json=status_of(subject, is_modifiable=False)))
    refused = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit())
    assert_error(refused, 409, "ehr.not_modifiable")


def test_a_real_looking_national_id_is_refused_in_dev(client: TestClient) -> None:
    status = status_of("15076500565")  # valid control digits, month not raised: looks real
    body = assert_error(client.post(f"{BASE}/ehr", json=status), 422, "identifier.refused")
    assert "15076500565" not in str(body)


@pytest.mark.parametrize(
    "path", ["", "/ehr_status", "/versioned_ehr_status", "/versioned_ehr_status/version"]
)
def test_an_unknown_ehr(client: TestClient, path: str) -> None:
    assert_error(client.get(f"{BASE}/ehr/{uuid.uuid4()}{path}"), 404, "ehr.unknown")


def test_erasing_one_ehr(client: TestClient, ehr_id: str) -> None:
    other = uid_in(client.post(f"{BASE}/ehr"))
    assert client.delete(f"{BASE}/admin/ehr/{ehr_id}").status_code == 204
    assert_error(client.get(f"{BASE}/ehr/{ehr_id}"), 404, "ehr.unknown")
    assert client.get(f"{BASE}/ehr/{other}").status_code == 200
    assert client.delete(f"{BASE}/admin/ehr/all", params={"ehr_id": other}).status_code == 204
    assert_error(client.get(f"{BASE}/ehr/{other}"), 404, "ehr.unknown")
    assert client.put(f"{BASE}/ehr/{ehr_id}").status_code == 409
