"""Templates over REST."""

from __future__ import annotations

import re
import uuid

import pytest
from starlette.testclient import TestClient

from templates.repository import library_templates
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, TEMPLATE

PLACE = f"{BASE}/definition/template/adl1.4"
XML = {"Content-Type": "application/xml", "Accept": "application/xml"}


def renamed(client: TestClient, template_id: str) -> bytes:
    """The OPT of the visit under another id."""
    source = client.get(f"{PLACE}/{TEMPLATE}", headers={"Accept": "application/xml"}).content
    return re.sub(
        rf"(<template_id>\s*<value>){re.escape(TEMPLATE)}".encode(), rb"\g<1>" + template_id.encode(), source
    )


def test_the_library_is_published_at_start(client: TestClient) -> None:
    listed = client.get(PLACE).json()
    assert {summary["template_id"] for summary in listed} >= set(library_templates())
    assert all(set(row) == {"template_id", "concept", "archetype_id", "created_timestamp"} for row in listed)


def test_a_template_in_both_forms(client: TestClient) -> None:
    as_xml = client.get(f"{PLACE}/{TEMPLATE}", headers={"Accept": "application/xml"})
    assert as_xml.headers["Content-Type"].startswith("application/xml")
    assert b"<template" in as_xml.content
    as_web = client.get(f"{PLACE}/{TEMPLATE}", headers={"Accept": "application/openehr.wt+json"})
    assert as_web.headers["Content-Type"] == "application/openehr.wt+json"
    assert as_web.json()["templateId"] == TEMPLATE
    assert uid_in(as_xml) == TEMPLATE


def test_a_published_template_can_be_used_and_not_changed(client: TestClient) -> None:
    template_id = f"test_{uuid.uuid4().hex}.v0"
    source = renamed(client, template_id)
    created = client.post(PLACE, content=source, headers=XML)
    assert created.status_code == 201, created.text
    assert created.headers["Location"].endswith(f"{PLACE}/{template_id}")
    assert_error(client.post(PLACE, content=source, headers=XML), 409, "template.exists")
    assert client.get(f"{PLACE}/{template_id}").content == source


@pytest.mark.parametrize(
    "name", ["Kontroll på 山", "100 % sikker?", "a&#13;&#10;Set-Cookie: x", 'sitert "navn"']
)
def test_a_template_of_any_name_can_be_fetched_where_it_is_said_to_be(client: TestClient, name: str) -> None:
    created = client.post(PLACE, content=renamed(client, f"{name} {uuid.uuid4()}"), headers=XML)
    assert created.status_code == 201, created.text
    assert "Set-Cookie" not in created.headers
    assert created.headers["Location"].isascii()
    assert created.headers["ETag"].isascii()
    assert client.get(created.headers["Location"]).headers["ETag"] == created.headers["ETag"]


def test_prefer_representation_is_the_template(client: TestClient) -> None:
    template_id = f"test_{uuid.uuid4().hex}.v0"
    source = renamed(client, template_id)
    created = client.post(PLACE, content=source, headers=XML | {"Prefer": "return=representation"})
    assert (created.status_code, created.content) == (201, source)


def test_an_unknown_template(client: TestClient) -> None:
    assert_error(client.get(f"{PLACE}/nothing.v0"), 404, "template.not_found")
    web = client.get(f"{PLACE}/nothing.v0", headers={"Accept": "application/openehr.wt+json"})
    assert_error(web, 404, "template.not_found")


def test_other_forms_are_refused(client: TestClient) -> None:
    refused = client.get(f"{PLACE}/{TEMPLATE}", headers={"Accept": "text/plain"})
    body = assert_error(refused, 406, "media_type.not_acceptable")
    assert "application/openehr.wt+json" in body["message"]
    assert_error(client.post(PLACE, json={}), 415, "media_type.unsupported")
