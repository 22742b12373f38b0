"""Compositions over REST: create, read, update, delete, versions, times."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, store_visit, visit

SOMEBODY = "00000000-0000-4000-8000-000000000000"


def at(ehr_id: str, uid: str) -> str:
    return f"{BASE}/ehr/{ehr_id}/composition/{uid}"


def object_of(uid: str) -> str:
    return uid.partition("::")[0]


def test_create_answers_with_version_and_place(client: TestClient, ehr_id: str) -> None:
    response = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit())
    uid = uid_in(response)
    assert response.status_code == 201
    assert response.content == b""
    assert uid.endswith("::no.helsekort.cdr::1")
    assert response.headers["Location"] == f"http://127.0.0.1:8080{at(ehr_id, uid)}"
    assert response.headers["Last-Modified"].endswith("GMT")
    assert response.headers["Cache-Control"] == "no-store"


def test_what_was_stored_comes_back_with_its_uid(client: TestClient, ehr_id: str) -> None:
    stored = store_visit(client, ehr_id, 118)
    uid = uid_in(stored)
    latest, version = client.get(at(ehr_id, object_of(uid))), client.get(at(ehr_id, uid))
    assert latest.status_code == version.status_code == 200
    assert latest.content == version.content
    assert uid_in(latest) == uid
    expected = visit(118) | {"uid": {"_type": "OBJECT_VERSION_ID", "value": uid}}
    assert latest.json() == expected


def test_a_version_uid_may_be_escaped(client: TestClient, ehr_id: str) -> None:
    uid = uid_in(store_visit(client, ehr_id)).replace("::", "%3A%3A")
    assert client.get(at(ehr_id, uid)).status_code == 200


def test_prefer_decides_how_much_comes_back(client: TestClient, ehr_id: str) -> None:
    place = f"{BASE}/ehr/{ehr_id}/composition"
    whole = client.post(place, json=visit(), headers={"Prefer": "return=representation"})
    assert whole.status_code == 201
    assert whole.headers["Preference-Applied"] == "return=representation"
    assert whole.json() == client.get(at(ehr_id, uid_in(whole))).json()
    only_uid = client.post(place, json=visit(), headers={"Prefer": "return=identifier"})
    assert only_uid.status_code == 201
    assert only_uid.json() == {"uid": uid_in(only_uid)}


def test_update_makes_the_next_version_and_keeps_the_first(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id, 110))
    place = at(ehr_id, object_of(first))
    updated = client.put(place, json=visit(120), headers={"If-Match": f'W/"{first}"'})
    assert (updated.status_code, updated.content) == (204, b"")
    second = uid_in(updated)
    assert second == first.removesuffix("1") + "2"
    again = client.put(
        place, json=visit(130), headers={"If-Match": second, "Prefer": "return=representation"}
    )
    assert again.status_code == 200
    assert again.json()["uid"]["value"] == uid_in(again)
    assert client.get(at(ehr_id, first)).json()["uid"]["value"] == first
    assert uid_in(client.get(place)) == uid_in(again)


def test_a_stale_if_match_is_told_the_latest(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    place = at(ehr_id, object_of(first))
    second = uid_in(client.put(place, json=visit(120), headers={"If-Match": f'"{first}"'}))
    stale = client.put(place, json=visit(130), headers={"If-Match": f'"{first}"'})
    assert_error(stale, 412, "version.stale")
    assert uid_in(stale) == second == uid_in(client.get(place))


def test_an_update_needs_if_match(client: TestClient, ehr_id: str) -> None:
    place = at(ehr_id, object_of(uid_in(store_visit(client, ehr_id))))
    assert_error(client.put(place, json=visit(120)), 400, "header.if_match_missing")


def test_delete_by_version(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    deleted = client.delete(at(ehr_id, first))
    assert deleted.status_code == 204
    assert uid_in(deleted).endswith("::2")
    assert client.get(at(ehr_id, object_of(first))).status_code == 204
    assert client.get(at(ehr_id, first)).status_code == 200
    assert_error(client.delete(at(ehr_id, uid_in(deleted))), 400, "version.already_deleted")


def test_delete_of_an_old_version_is_a_conflict(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    client.put(at(ehr_id, object_of(first)), json=visit(120), headers={"If-Match": first})
    refused = client.delete(at(ehr_id, first))
    assert_error(refused, 409, "version.not_latest")
    assert uid_in(refused).endswith("::2")


def test_delete_by_object_and_if_match(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    second = uid_in(client.put(at(ehr_id, object_of(first)), json=visit(120), headers={"If-Match": first}))
    place = at(ehr_id, object_of(first))
    assert_error(client.delete(place), 400, "header.if_match_missing")
    assert_error(client.delete(place, headers={"If-Match": first}), 412, "version.stale")
    other = f"{SOMEBODY}::no.helsekort.cdr::1"
    assert_error(client.delete(place, headers={"If-Match": other}), 412, "composition.other_uid")
    assert client.delete(place, headers={"If-Match": second}).status_code == 204


def test_if_match_may_not_contradict_the_path(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    refused = client.delete(at(ehr_id, first), headers={"If-Match": f"{SOMEBODY}::no.helsekort.cdr::1"})
    assert_error(refused, 400, "header.if_match_contradicts")


def test_a_composition_at_a_time(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id, 110))
    versioned = f"{BASE}/ehr/{ehr_id}/versioned_composition/{object_of(first)}"
    place = at(ehr_id, object_of(first))
    client.put(place, json=visit(120), headers={"If-Match": first})
    history = client.get(f"{versioned}/revision_history").json()["items"]
    times = [item["audits"][0]["time_committed"]["value"] for item in history]
    assert [item["version_id"]["value"][-3:] for item in history] == ["::1", "::2"]
    assert uid_in(client.get(place, params={"version_at_time": times[0]})) == first
    assert uid_in(client.get(place, params={"version_at_time": times[1]})).endswith("::2")
    assert_error(
        client.get(place, params={"version_at_time": "2001-01-01T00:00:00Z"}), 404, "version.unknown"
    )
    assert_error(client.get(place, params={"version_at_time": "last week"}), 400, "parameter.malformed")


def test_the_versioned_object_and_its_versions(client: TestClient, ehr_id: str) -> None:
    headers = {"openehr-audit-details": 'description.value="Kontroll",committer.name="Åse"'.encode()}
    stored = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers=headers)
    first = uid_in(stored)
    versioned = f"{BASE}/ehr/{ehr_id}/versioned_composition/{object_of(first)}"
    assert client.get(versioned).json()["_type"] == "VERSIONED_COMPOSITION"
    latest = client.get(f"{versioned}/version").json()
    assert latest == client.get(f"{versioned}/version/{first}").json()
    assert latest["commit_audit"]["description"]["value"] == "Kontroll"
    assert latest["commit_audit"]["committer"]["name"] == "Åse"
    assert latest["lifecycle_state"]["defining_code"]["code_string"] == "532"
    assert latest["data"] == client.get(at(ehr_id, first)).json()
    contribution = latest["contribution"]["id"]["value"]
    refs = client.get(f"{BASE}/ehr/{ehr_id}/contribution/{contribution}").json()["versions"]
    assert [ref["id"]["value"] for ref in refs] == [first]


def test_an_incomplete_composition(client: TestClient, ehr_id: str) -> None:
    headers = {"openEHR-VERSION.lifecycle_state": 'code_string="553"'}
    stored = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers=headers)
    assert stored.status_code == 201
    versioned = f"{BASE}/ehr/{ehr_id}/versioned_composition/{object_of(uid_in(stored))}/version"
    state = client.get(versioned).json()["lifecycle_state"]
    assert state["defining_code"]["code_string"] == "553"


@pytest.mark.parametrize("uid", [SOMEBODY, f"{SOMEBODY}::no.helsekort.cdr::1"])
def test_an_unknown_object(client: TestClient, ehr_id: str, uid: str) -> None:
    response = client.get(at(ehr_id, uid))
    assert response.json()["code"] in ("object.unknown", "version.unknown")
    assert_error(response, 404, response.json()["code"])


def test_an_ehr_does_not_show_another_ones_compositions(client: TestClient, ehr_id: str) -> None:
    other = client.post(f"{BASE}/ehr").headers["Location"].rpartition("/")[2]
    uid = uid_in(store_visit(client, ehr_id))
    assert client.get(at(other, uid)).status_code == 404
    assert client.get(at(other, object_of(uid))).status_code == 404
    assert client.delete(at(other, uid)).status_code == 404
