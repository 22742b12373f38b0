"""POST and GET of contributions over HTTP, and requests that are sent again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from cdr.versions import coded
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, store_visit, visit
from tests.cdr.updates import contribution, folder, update


def post(client: TestClient, ehr_id: str, body: dict[str, Any], **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"{BASE}/ehr/{ehr_id}/contribution", json=body, headers=named)


def test_several_versions_at_once(client: TestClient, ehr_id: str) -> None:
    body = contribution(update("249", visit()), update("249", folder()))
    made = post(client, ehr_id, body, Prefer="return=representation")
    assert made.status_code == 201
    assert made.headers["Preference-Applied"] == "return=representation"
    address = made.headers["Location"]
    assert address.endswith(f"/ehr/{ehr_id}/contribution/{uid_in(made)}")
    found = client.get(address)
    assert found.json() == made.json()
    assert found.headers["ETag"] == made.headers["ETag"]
    for reference, kind in zip(found.json()["versions"], ("composition", "directory"), strict=True):
        assert client.get(f"{BASE}/ehr/{ehr_id}/{kind}/{reference['id']['value']}").status_code in (200, 404)


@pytest.mark.parametrize(
    ("prefer", "text"), [("return=minimal", b""), ("return=identifier", b"uid"), ("", b"")]
)
def test_less_comes_back(client: TestClient, ehr_id: str, prefer: str, text: bytes) -> None:
    made = post(client, ehr_id, contribution(update("249", visit())), Prefer=prefer)
    assert made.status_code == 201
    assert text in made.content
    assert bool(made.content) is bool(text)


def test_the_finding_names_the_version(client: TestClient, ehr_id: str) -> None:
    body = contribution(update("249", visit()), update("249", visit(units="kPa")))
    found = assert_error(post(client, ehr_id, body), 400, "composition.invalid")
    assert {finding["path"].split("/")[1] for finding in found["findings"]} == {"versions[1]"}
    assert client.get(f"{BASE}/ehr/{ehr_id}").status_code == 200


def test_a_stale_predecessor_is_a_conflict_with_the_latest_in_the_tag(
    client: TestClient, ehr_id: str
) -> None:
    first = uid_in(store_visit(client, ehr_id))
    second = uid_in(post(client, ehr_id, contribution(update("251", visit(), after=first))))
    assert second
    late = post(client, ehr_id, contribution(update("251", visit(), after=first)))
    assert_error(late, 409, "version.not_latest")
    assert uid_in(late) == first[:-1] + "2"


@pytest.mark.parametrize("body", [{}, {"versions": []}, contribution(), {"audit": {}, "versions": [1]}])
def test_malformed(client: TestClient, ehr_id: str, body: dict[str, Any]) -> None:
    assert_error(post(client, ehr_id, body), 400, "contribution.malformed")


def test_unknown_ehr_and_unknown_contribution(client: TestClient, ehr_id: str) -> None:
    assert_error(post(client, str(uuid.uuid4()), contribution(update("249", visit()))), 404, "ehr.unknown")
    absent = client.get(f"{BASE}/ehr/{ehr_id}/contribution/{uuid.uuid4()}")
    assert_error(absent, 404, "contribution.unknown")


def test_a_chosen_uid_is_taken_once(client: TestClient, ehr_id: str) -> None:
    body = contribution(update("249", visit()), uid={"value": str(uuid.uuid4())})
    assert post(client, ehr_id, body).status_code == 201
    assert_error(post(client, ehr_id, body), 409, "contribution.exists")


@pytest.mark.parametrize("kind", ["composition", "contribution", "ehr"])
def test_a_request_sent_again_gets_its_first_answer(client: TestClient, ehr_id: str, kind: str) -> None:
    address = f"{BASE}/ehr" if kind == "ehr" else f"{BASE}/ehr/{ehr_id}/{kind}"
    body = {
        "composition": visit(),
        "contribution": contribution(update("249", visit())),
        "ehr": None,
    }[kind]
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Prefer": "return=representation"}
    first, again = (client.post(address, json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    for name in ("ETag", "Location", "Last-Modified"):
        assert first.headers[name] == again.headers[name]
    other = client.post(address, json=visit(100), headers=headers)
    assert_error(other, 422, "idempotency.other_request")


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
def test_unreadable_keys(client: TestClient, ehr_id: str, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers=headers)
    assert_error(answer, 400, "header.malformed")


def test_states_and_restoration_by_headers(client: TestClient, ehr_id: str) -> None:
    uid = uid_in(store_visit(client, ehr_id))
    address = f"{BASE}/ehr/{ehr_id}/composition/{uid.partition('::')[0]}"
    inactive = {"openehr-version": 'lifecycle_state.code_string="800"'}
    refused = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers=inactive)
    assert_error(refused, 409, "version.lifecycle")
    uid = uid_in(client.put(address, json=visit(), headers={"If-Match": uid, **inactive}))
    uid = uid_in(client.delete(f"{BASE}/ehr/{ehr_id}/composition/{uid}"))
    assert_error(client.put(address, json=visit(), headers={"If-Match": uid}), 409, "version.deleted")
    restore = {"If-Match": uid, "openehr-audit-details": 'change_type.code_string="816"'}
    assert client.put(address, json=visit(), headers=restore).status_code == 204
    assert client.get(address).status_code == 200


def elsewhere(data: dict[str, Any], *, trunk: int = 1, object_id: str = "") -> dict[str, Any]:
    """An IMPORTED_VERSION of a composition that was committed in another system."""
    object_id = object_id or str(uuid.uuid4())
    item = {
        "_type": "ORIGINAL_VERSION",
        "uid": {"_type": "OBJECT_VERSION_ID", "value": f"{object_id}::other.example::{trunk}"},
        "contribution": {"id": {"value": str(uuid.uuid4())}, "namespace": "local", "type": "CONTRIBUTION"},
        "commit_audit": {
            "_type": "AUDIT_DETAILS",
            "system_id": "other.example",
            "time_committed": {"_type": "DV_DATE_TIME", "value": "2024-05-01T10:00:00.000Z"},
            "change_type": coded("creation", "249"),
            "committer": {"_type": "PARTY_IDENTIFIED", "name": "Jordmor Elsewhere"},
        },
        "lifecycle_state": coded("complete", "532"),
        "data": data,
    }
    if trunk > 1:
        before = f"{object_id}::other.example::{trunk - 1}"
        item["preceding_version_uid"] = {"_type": "OBJECT_VERSION_ID", "value": before}
    commit_audit = {"change_type": coded("creation", "249")}
    return {"_type": "IMPORTED_VERSION", "commit_audit": commit_audit, "item": item}


def test_versions_of_another_system_are_imported(client: TestClient, ehr_id: str) -> None:
    place = f"{BASE}/ehr/{ehr_id}"
    first = elsewhere(visit(110))
    uid = first["item"]["uid"]["value"]
    object_id = uid.partition("::")[0]
    made = client.post(f"{place}/contribution", json=contribution(first, update("249", visit(111))))
    assert made.status_code == 201, made.text
    version = client.get(f"{place}/versioned_composition/{object_id}/version").json()
    assert version["_type"] == "IMPORTED_VERSION"
    assert version["item"]["uid"]["value"] == uid
    assert version["item"]["commit_audit"] == first["item"]["commit_audit"]
    assert version["contribution"]["id"]["value"] == uid_in(made)
    again = client.post(f"{place}/contribution", json=contribution(first))
    assert_error(again, 409, "object.exists")
    second = elsewhere(visit(120), trunk=2, object_id=object_id)
    assert client.post(f"{place}/contribution", json=contribution(second)).status_code == 201
    assert uid_in(client.get(f"{place}/composition/{object_id}")).endswith("::other.example::2")
    stale = client.post(f"{place}/contribution", json=contribution(second))
    assert_error(stale, 409, "version.not_latest")
    query = "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"
    rows = client.get(f"{BASE}/query/aql", params={"q": query, "ehr_id": ehr_id}).json()["rows"]
    assert len(rows) == 2, "the imported version before the latest is no longer current"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("item",), {}),
        (("item", "uid", "value"), "x::y"),
        (("item", "uid", "value"), "8849182c-82ad-4088-a07f-48ead4180515::other.example::1.1.1"),
        (("item", "uid", "value"), "8849182c-82ad-4088-a07f-48ead4180515::other.example::2"),
        (("item", "data", "_type"), "EHR_STATUS"),
        (("item", "lifecycle_state"), coded("deleted", "523")),
        (("item", "commit_audit", "time_committed", "value"), "2024-05-01T10:00:00"),
        (("item", "commit_audit", "committer"), {"_type": "PERSON"}),
        (("commit_audit", "change_type"), coded("modification", "251")),
        (("data",), {}),
    ],
)
def test_what_is_no_imported_version(
    client: TestClient, ehr_id: str, path: tuple[str, ...], value: Any
) -> None:
    version = elsewhere(visit())
    holder = version
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    answer = client.post(f"{BASE}/ehr/{ehr_id}/contribution", json=contribution(version))
    assert_error(answer, 400, "contribution.malformed")
    assert answer.json()["findings"][0]["path"].startswith("/versions[0]")
