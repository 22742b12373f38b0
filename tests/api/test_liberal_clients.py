"""What clients written for other servers send: other spellings, slashes, whole versions, XML."""

from __future__ import annotations

import orjson
import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.contributions_in_xml import contribution_xml, data_xml, version_xml
from tests.api.visits import BASE, TEMPLATE, store_visit, visit
from tests.cdr.small_template import status
from tests.cdr.updates import contribution, folder, update


@pytest.mark.parametrize("type_name", ["ORIGINAL_VERSION", "UPDATE_VERSION"])
@pytest.mark.parametrize("spelling", ["application/xml", "text/xml; charset=utf-8"])
def test_a_contribution_in_xml(client: TestClient, ehr_id: str, type_name: str, spelling: str) -> None:
    body = contribution_xml(
        version_xml(data_xml(visit()), type_name=type_name), version_xml(data_xml(folder()))
    )
    made = client.post(f"{BASE}/ehr/{ehr_id}/contribution", content=body, headers={"Content-Type": spelling})
    assert made.status_code == 201, made.text
    shown = client.get(made.headers["Location"]).json()
    assert [reference["type"] for reference in shown["versions"]] == ["COMPOSITION", "FOLDER"]
    uid = shown["versions"][0]["id"]["value"]
    assert client.get(f"{BASE}/ehr/{ehr_id}/composition/{uid}").json() | {"uid": 0} == visit() | {"uid": 0}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<contribution", "xml.syntax"),
        (b"<contribution><colour/></contribution>", "xml.element"),
        (contribution_xml(version_xml("<data>1</data>")), "xml.type"),
        (contribution_xml(), "contribution.malformed"),
    ],
)
def test_faults_of_a_contribution_in_xml(client: TestClient, ehr_id: str, body: bytes, code: str) -> None:
    headers = {"Content-Type": "application/xml"}
    answer = client.post(f"{BASE}/ehr/{ehr_id}/contribution", content=body, headers=headers)
    assert_error(answer, 400, code)


def test_a_whole_original_version_is_taken(client: TestClient, ehr_id: str) -> None:
    whole = update(
        "249",
        visit(),
        uid={"_type": "OBJECT_VERSION_ID", "value": "d11739a8-545d-4137-9bcd-9e5617252a0b::EMR::1"},
        contribution={"id": {"_type": "HIER_OBJECT_ID", "value": "x"}, "namespace": "EMR", "type": "C"},
        _type="ORIGINAL_VERSION",
        preceding_version_uid={"_type": "OBJECT_VERSION_ID", "value": ""},
    )
    made = client.post(f"{BASE}/ehr/{ehr_id}/contribution", json=contribution(whole))
    assert made.status_code == 201, made.text
    merged = update("249", visit(), other_input_version_uids=[{"value": "a::b::1"}])
    answer = client.post(f"{BASE}/ehr/{ehr_id}/contribution", json=contribution(merged))
    assert_error(answer, 400, "contribution.malformed")


@pytest.mark.parametrize(
    "path", ["", "/ehr_status", "/versioned_ehr_status", "/versioned_ehr_status/revision_history"]
)
def test_a_slash_at_the_end(client: TestClient, ehr_id: str, path: str) -> None:
    address = f"{BASE}/ehr/{ehr_id}{path}"
    assert client.get(f"{address}/").json() == client.get(address).json()
    assert client.options(f"{BASE}/").status_code == 200


def test_text_xml(client: TestClient, ehr_id: str) -> None:
    found = client.get(f"{BASE}/ehr/{ehr_id}", headers={"Accept": "text/xml"})
    assert found.status_code == 200
    assert found.headers["Content-Type"].startswith("application/xml")


def test_every_answer_about_a_version_has_its_address(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    place = f"{BASE}/ehr/{ehr_id}/composition/{first.partition('::')[0]}"
    assert client.get(place).headers["Location"].endswith(f"/composition/{first}")
    updated = client.put(place, json=visit(120), headers={"If-Match": first})
    second = uid_in(updated)
    stale = client.put(place, json=visit(121), headers={"If-Match": first})
    late = client.delete(f"{BASE}/ehr/{ehr_id}/composition/{first}")
    assert (updated.status_code, stale.status_code, late.status_code) == (204, 412, 409)
    for answer in (updated, stale, late):
        assert answer.headers["Location"].endswith(f"/ehr/{ehr_id}/composition/{second}")
    shown = client.get(f"{BASE}/ehr/{ehr_id}/ehr_status")
    assert client.get(shown.headers["Location"]).json() == shown.json()
    wrong = {"If-Match": uid_in(shown)[:-1] + "7"}
    answer = client.put(f"{BASE}/ehr/{ehr_id}/ehr_status", json=status(), headers=wrong)
    assert answer.headers["Location"] == shown.headers["Location"]


def test_a_web_template_as_plain_json(client: TestClient) -> None:
    address = f"{BASE}/definition/template/adl1.4/{TEMPLATE}"
    as_json = client.get(address, headers={"Accept": "application/json"})
    named = client.get(address, headers={"Accept": "application/openehr.wt+json"})
    assert as_json.json() == named.json()
    assert as_json.json()["templateId"] == TEMPLATE


def test_a_stored_query_as_json_and_as_text(client: TestClient) -> None:
    address = f"{BASE}/definition/query/no.liberal::ids/1.0.0"
    text = "SELECT e/ehr_id/value FROM EHR e"
    assert client.put(address, json={"q": text}).status_code == 200
    assert client.get(address).json()["q"] == text
    assert client.get(address, headers={"Accept": "text/plain"}).text == text


def test_other_details_need_no_archetype_details(client: TestClient) -> None:
    details = {
        "_type": "ITEM_TREE",
        "name": {"_type": "DV_TEXT", "value": "family group"},
        "archetype_node_id": "openEHR-EHR-ITEM_TREE.family.v1",
        "items": [],
    }
    made = client.post(f"{BASE}/ehr", json=status() | {"other_details": details})
    assert made.status_code == 201, made.text


def test_numbers_as_text_are_stored_as_numbers(client: TestClient, ehr_id: str) -> None:
    sent = orjson.dumps(visit(131)).replace(b'"magnitude":131', b'"magnitude":"131"')
    assert sent != orjson.dumps(visit(131))
    stored = client.post(
        f"{BASE}/ehr/{ehr_id}/composition", content=sent, headers={"Content-Type": "application/json"}
    )
    assert stored.status_code == 201, stored.text
    read = client.get(stored.headers["Location"]).json()
    assert {name: value for name, value in read.items() if name != "uid"} == visit(131)
    judged = client.post(
        f"{BASE}/validate", content=sent, headers={"Content-Type": "application/json"}
    ).json()
    assert judged["valid"] is True
    assert [(each["code"], each["severity"]) for each in judged["findings"]] == [
        ("rm.wrong_value", "warning")
    ]
