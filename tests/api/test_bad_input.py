"""Bad input: a clear 4xx with code and place, nothing stored, and the server goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, count_versions, store_visit, visit

JSON = {"Content-Type": "application/json"}
TEMPLATES = f"{BASE}/definition/template/adl1.4"
XML = {"Content-Type": "application/xml"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
MIB = 1024 * 1024
Composing = Callable[
    [], dict[str, Any]
]  # compositions are made in the test: the library is not for collection


@pytest.fixture
def untouched(client: TestClient, ehr_id: str) -> Iterator[str]:
    """An EHR with one composition, which still has exactly that one afterwards, and takes another."""
    store_visit(client, ehr_id)
    yield f"{BASE}/ehr/{ehr_id}/composition"
    assert count_versions(client, ehr_id) == 1
    store_visit(client, ehr_id)
    assert count_versions(client, ehr_id) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"_type": "COMPOSITION", "name": ', "json.syntax"),
        (b"{'_type': 'COMPOSITION'}", "json.syntax"),
        (b'{"a": \xff}', "json.syntax"),
        (b"[]", "json.not_object"),
        (b'"COMPOSITION"', "json.not_object"),
        (b"NaN", "json.syntax"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json.too_deep"),
        (b"[" * 10_000 + b"]" * 10_000, "json.too_deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "json.too_deep"),
        (b"", "body.missing"),
        (b"  \n", "body.missing"),
    ],
)
def test_bodies_that_are_not_json(client: TestClient, untouched: str, body: bytes, code: str) -> None:
    answer = assert_error(client.post(untouched, content=body, headers=JSON), 400, code)
    if code == "json.syntax":
        assert answer["findings"][0]["line"] == 1
        assert answer["findings"][0]["column"] >= 1


def changed(**members: Any) -> dict[str, Any]:
    return visit() | members


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (lambda: changed(_type="OBSERVATION"), ""),
        (lambda: changed(content="text"), "/content"),
        (lambda: changed(content=[1, None]), "/content[0]"),
        (lambda: changed(context=[]), "/context"),
        (lambda: changed(name={"_type": "DV_TEXT", "value": 3}), "/name/value"),
        (lambda: changed(language={"_type": "DV_QUANTITY"}), "/language"),
        (lambda: changed(unheard_of=1), "/unheard_of"),
        (lambda: visit(units="kPa"), "/content"),
        (lambda: visit(systolic=-5), "/content"),
    ],
)
def test_wrong_types_and_values_have_their_place(
    client: TestClient, untouched: str, made: Composing, path: str
) -> None:
    answer = assert_error(client.post(untouched, json=made()), 422, "composition.invalid")
    assert any(finding["path"].startswith(path) for finding in answer["findings"]), answer


def test_findings_speak_the_callers_language(client: TestClient, untouched: str) -> None:
    spoken = {}
    for language in ("nb", "en"):
        response = client.post(untouched, json=visit(units="kPa"), headers={"Accept-Language": language})
        assert response.headers["Content-Language"] == language
        spoken[language] = response.json()["findings"][0]
    for word in ("message", "hint"):
        assert spoken["nb"].pop(word) != spoken["en"].pop(word)
    assert spoken["nb"] == spoken["en"]
    assert spoken["en"]["found"]
    assert "mm[Hg]" in spoken["en"]["expected"]


def details(**members: Any) -> dict[str, Any]:
    return changed(archetype_details=visit()["archetype_details"] | members)


def test_an_unknown_template(client: TestClient, untouched: str) -> None:
    composition = details(template_id={"_type": "TEMPLATE_ID", "value": "nothing.v0"})
    answer = assert_error(client.post(untouched, json=composition), 422, "template.unknown")
    assert answer["findings"][0]["path"] == "/archetype_details/template_id/value"
    assert answer["findings"][0]["found"] == "nothing.v0"


@pytest.mark.parametrize(
    "made",
    [
        dict,
        lambda: changed(archetype_details=None),
        lambda: details(template_id=None),
        lambda: details(template_id=[]),
    ],
)
def test_no_template(client: TestClient, untouched: str, made: Composing) -> None:
    assert_error(client.post(untouched, json=made()), 400, "composition.no_template")


def test_a_composition_for_another_template(client: TestClient, untouched: str) -> None:
    composition = details(template_id={"_type": "TEMPLATE_ID", "value": "helsekort_ultralyd.v0"})
    answer = assert_error(client.post(untouched, json=composition), 422, "composition.invalid")
    assert answer["findings"]


def test_an_update_under_another_template(client: TestClient, ehr_id: str) -> None:
    uid = uid_in(store_visit(client, ehr_id))
    composition = details(template_id={"_type": "TEMPLATE_ID", "value": "helsekort_ultralyd.v0"})
    place = f"{BASE}/ehr/{ehr_id}/composition/{uid.partition('::')[0]}"
    assert_error(
        client.put(place, json=composition, headers={"If-Match": uid}), 400, "composition.other_template"
    )
    assert uid_in(client.get(place)) == uid


def test_an_unknown_ehr(client: TestClient) -> None:
    answer = client.post(f"{BASE}/ehr/{UNKNOWN}/composition", json=visit())
    assert UNKNOWN in assert_error(answer, 404, "ehr.unknown")["message"]
    assert_error(client.post(f"{BASE}/ehr/no-uuid/composition", json=visit()), 404, "ehr.unknown")


def test_a_body_of_50_mib_with_and_without_length(client: TestClient, untouched: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * MIB

    assert_error(client.post(untouched, content=b" " * (50 * MIB), headers=JSON), 413, "body.too_large")
    assert_error(client.post(untouched, content=chunks(), headers=JSON), 413, "body.too_large")
    assert_error(client.post(TEMPLATES, content=chunks(), headers=XML), 413, "body.too_large")


@pytest.mark.parametrize(
    "content_type", ["application/openehr.tds2+xml", "application/openehr.nc.flat+json", "text/plain"]
)
def test_other_media_types(client: TestClient, untouched: str, content_type: str) -> None:
    refused = client.post(untouched, json=visit(), headers={"Content-Type": content_type})
    assert content_type in assert_error(refused, 415, "media_type.unsupported")["message"]
    unwanted = client.post(untouched, json=visit(), headers={"Accept": content_type})
    assert content_type in assert_error(unwanted, 406, "media_type.not_acceptable")["message"]


@pytest.mark.parametrize(
    "headers", [{"openehr-version": "nonsense"}, {"openehr-audit-details": 'change_type.code_string="1"'}]
)
def test_headers_that_cannot_be_read(client: TestClient, untouched: str, headers: dict[str, str]) -> None:
    assert_error(client.post(untouched, json=visit(), headers=headers), 400, "header.malformed")


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (
            b'<!DOCTYPE t [<!ENTITY a "b">]><template xmlns="http://schemas.openehr.org/v1">&a;</template>',
            400,
        ),
        (b'<?xml version="1.0"?><!DOCTYPE template SYSTEM "http://127.0.0.1:1/x.dtd"><template/>', 400),
        (b"<template", 400),
        (b"not xml", 400),
        (b"<html/>", 400),
        (b'<template xmlns="http://schemas.openehr.org/v1"/>', 400),
        (b"<a>" * 10_000 + b"</a>" * 10_000, 400),
    ],
)
def test_templates_that_cannot_be_read(client: TestClient, source: bytes, status: int) -> None:
    before = client.get(TEMPLATES).json()
    answer = assert_error(client.post(TEMPLATES, content=source, headers=XML), status, "template.unreadable")
    assert answer["findings"]
    assert client.get(TEMPLATES).json() == before


@pytest.mark.parametrize(
    "uid", ["x", "a::b", "a::b::c", f"{UNKNOWN}::no.helsekort.cdr::0", f"{UNKNOWN}::no.helsekort.cdr::1.1.1"]
)
def test_version_uids_that_make_no_sense(client: TestClient, ehr_id: str, uid: str) -> None:
    place = f"{BASE}/ehr/{ehr_id}/composition/{UNKNOWN}"
    answer = client.put(place, json=visit(), headers={"If-Match": uid})
    assert answer.status_code in (400, 404, 412)
    assert_error(answer, answer.status_code, answer.json()["code"])
