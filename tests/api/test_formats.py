"""The same objects as canonical JSON and canonical XML, in and out."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from archetypes.rm.canonical_xml import read_canonical_xml, write_canonical_xml
from templates.opt import write_opt
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, TEMPLATE, count_versions, visit
from tests.cdr.small_template import note, small_template

XML = {"Content-Type": "application/xml", "Accept": "application/xml"}


def as_xml(systolic: float = 112) -> bytes:
    return write_canonical_xml(visit(systolic), "COMPOSITION", "composition")


def test_a_composition_sent_as_xml_is_the_one_sent_as_json(client: TestClient, ehr_id: str) -> None:
    created = client.post(
        f"{BASE}/ehr/{ehr_id}/composition",
        content=as_xml(),
        headers={**XML, "Prefer": "return=representation"},
    )
    assert created.status_code == 201, created.text
    assert created.headers["Content-Type"].startswith("application/xml")
    place = created.headers["Location"]
    in_json = client.get(place, headers={"Accept": "application/json"}).json()
    assert {name: value for name, value in in_json.items() if name != "uid"} == visit()
    assert read_canonical_xml(client.get(place, headers=XML).content, "COMPOSITION") == in_json


def test_an_update_may_come_in_another_format(client: TestClient, ehr_id: str) -> None:
    created = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit())
    uid = created.headers["ETag"].removeprefix("W/").strip('"')
    place = f"{BASE}/ehr/{ehr_id}/composition/{uid.partition('::')[0]}"
    updated = client.put(place, content=as_xml(131), headers={**XML, "If-Match": f'"{uid}"'})
    assert updated.status_code == 204, updated.text
    assert "131" in client.get(place).text


def test_what_xml_holds_is_validated_at_rm_paths(client: TestClient, ehr_id: str) -> None:
    body = as_xml().replace(b">112<", b">1120<")
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=body, headers=XML)
    assert_error(answer, 422, "composition.invalid")
    assert [finding["code"] for finding in answer.json()["findings"]] == ["quantity.magnitude"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<composition", "xml.syntax"),
        (b"<!DOCTYPE c><composition/>", "xml.doctype"),
        (b"<composition><colour>red</colour></composition>", "xml.element"),
        (b"<c>" * 5000, "xml.syntax"),
    ],
)
def test_xml_that_cannot_be_read_is_400_with_its_line(
    client: TestClient, ehr_id: str, body: bytes, code: str
) -> None:
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=body, headers=XML)
    assert_error(answer, 400, code)
    assert answer.json()["findings"][0]["line"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/ehr_status",
        "/versioned_ehr_status",
        "/versioned_ehr_status/version",
        "/versioned_ehr_status/revision_history",
    ],
)
def test_record_and_status_are_there_as_xml(client: TestClient, ehr_id: str, path: str) -> None:
    answer = client.get(f"{BASE}/ehr/{ehr_id}{path}", headers={"Accept": "application/xml"})
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"<?xml")
    assert b"http://schemas.openehr.org/v1" in answer.content


def test_a_record_is_opened_with_a_status_in_xml(client: TestClient) -> None:
    status = client.get(f"{client.post(f'{BASE}/ehr').headers['Location']}/ehr_status", headers=XML).content
    created = client.post(f"{BASE}/ehr", content=status, headers=XML)
    assert created.status_code == 201, created.text


FLAT = "application/openehr.wt.flat+json"
STRUCTURED = "application/openehr.wt.structured+json"


@pytest.mark.parametrize(
    "media_type",
    [
        FLAT,
        STRUCTURED,
        "application/openehr.wt.flat.schema+json",
        "application/openehr.wt.structured.schema+json",
    ],
)
def test_a_composition_goes_out_and_in_as_a_simplified_format(
    client: TestClient, ehr_id: str, media_type: str
) -> None:
    place = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit()).headers["Location"]
    simplified = client.get(place, headers={"Accept": media_type})
    assert simplified.headers["Content-Type"].startswith(media_type), simplified.text
    body = {name: value for name, value in simplified.json().items() if not name.endswith("_uid")}
    again = client.post(
        f"{BASE}/ehr/{ehr_id}/composition",
        json=without_uid(body),
        headers={"Content-Type": media_type, "openehr-template-id": TEMPLATE},
    )
    assert again.status_code == 201, again.text
    stored = client.get(again.headers["Location"], headers={"Accept": "application/json"}).json()
    assert {name: value for name, value in stored.items() if name != "uid"} == visit()


def without_uid(body: dict[str, Any]) -> dict[str, Any]:
    """A new composition must not carry the uid of a stored one."""
    return {
        name: {n: v for n, v in value.items() if n != "_uid"} if isinstance(value, dict) else value
        for name, value in body.items()
    }


def test_the_parameter_format_names_body_and_answer(client: TestClient, ehr_id: str) -> None:
    place = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit()).headers["Location"]
    flat = client.get(place, params={"format": "FLAT"}).json()
    del flat[next(name for name in flat if name.endswith("/_uid"))]
    answer = client.post(
        f"{BASE}/ehr/{ehr_id}/composition",
        params={"format": "FLAT", "templateId": TEMPLATE},
        json=flat,
        headers={"Prefer": "return=representation"},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json().keys() > flat.keys() - {"ctx/time"}


def test_an_unknown_flat_path_is_refused_by_name(client: TestClient, ehr_id: str) -> None:
    answer = client.post(
        f"{BASE}/ehr/{ehr_id}/composition",
        json={"ctx/language": "nb", "ctx/territory": "NO", "svangerskapskontroll/farge": "rød"},
        headers={"Content-Type": FLAT, "openehr-template-id": TEMPLATE},
    )
    assert_error(answer, 422, "flat.refused")
    assert "svangerskapskontroll/farge" in [finding["path"] for finding in answer.json()["findings"]]


def test_a_flat_body_without_template_is_refused(client: TestClient, ehr_id: str) -> None:
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", json={}, headers={"Content-Type": FLAT})
    assert_error(answer, 400, "flat.no_template")


def test_an_unknown_format_is_refused(client: TestClient, ehr_id: str) -> None:
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition?format=YAML", json=visit())
    assert_error(answer, 400, "parameter.malformed")


def test_what_flat_cannot_say_is_not_stored_where_flat_is_the_answer(client: TestClient, ehr_id: str) -> None:
    """A template that leaves its content open takes any entry, and has no FLAT path for it."""
    client.post(
        f"{BASE}/definition/template/adl1.4",
        content=write_opt(small_template("open.v0")),
        headers={"Content-Type": "application/xml"},
    )
    place = f"{BASE}/ehr/{ehr_id}/composition"
    body = note(template_id="open.v0") | {"content": visit()["content"]}
    wanted = {"Prefer": "return=representation", "Accept": FLAT}
    refused = client.post(place, json=body, headers=wanted)
    assert_error(refused, 406, "flat.not_sayable")
    assert [finding["path"] for finding in refused.json()["findings"]] == ["/content"]
    assert count_versions(client, ehr_id) == 0
    stored = client.post(place, json=body, headers={"Accept": FLAT})
    assert stored.status_code == 201, stored.text
    assert_error(client.get(stored.headers["Location"], headers={"Accept": FLAT}), 406, "flat.not_sayable")
    object_id = uid_in(stored).partition("::")[0]
    again = client.put(f"{place}/{object_id}", json=body, headers={"If-Match": uid_in(stored), **wanted})
    assert_error(again, 406, "flat.not_sayable")
    assert uid_in(client.get(f"{place}/{object_id}")) == uid_in(stored)
