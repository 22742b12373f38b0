"""POST /validate: everything that is wrong, with its place in data, template and form; nothing is stored."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error
from tests.api.visits import BASE, visit
from validators.messages import LANGUAGES

PLACE = f"{BASE}/validate"
PRESSURE = "/content[0]/items[0]/data/events[0]/data/items"


def high(client: TestClient, systolic: int) -> list[dict[str, object]]:
    answer = client.post(PLACE, json=visit(systolic))
    assert answer.status_code == 200
    found: list[dict[str, object]] = answer.json()["findings"]
    return found


def test_a_valid_document_has_no_findings(client: TestClient) -> None:
    answer = client.post(PLACE, json=visit())
    assert answer.status_code == 200
    assert answer.json() == {"valid": True, "templateId": "helsekort_kontroll.v0", "findings": []}


def test_an_error_has_its_place_in_data_template_and_form(client: TestClient) -> None:
    (finding,) = [f for f in high(client, 900) if f["code"] == "quantity.magnitude"]
    assert finding["severity"] == "error"
    assert str(finding["path"]).endswith("/value/magnitude")
    assert "blood_pressure.v2" in str(finding["archetypePath"])
    assert str(finding["webTemplateId"]).startswith("svangerskapskontroll/")
    assert finding["label"] == "Systolisk"
    assert isinstance(finding["texts"], dict)
    assert set(finding["texts"]) == set(LANGUAGES)
    assert finding["texts"]["nb"] != finding["texts"]["en"]
    assert finding["hint"]


def test_rules_of_the_card_are_among_them(client: TestClient) -> None:
    answer = client.post(PLACE, json=visit(61)).json()
    assert answer["valid"] is False
    assert "card.blood_pressure_order" in [finding["code"] for finding in answer["findings"]]


@pytest.mark.parametrize(("language", "word"), [("nb", "utenfor"), ("en", "outside")])
def test_messages_come_in_the_language_of_the_client(client: TestClient, language: str, word: str) -> None:
    answer = client.post(PLACE, json=visit(900), headers={"Accept-Language": language})
    assert any(word in finding["message"] for finding in answer.json()["findings"])


def test_a_draft_may_lack_things(client: TestClient) -> None:
    composition = visit()
    del composition["context"]["other_context"]
    draft = {"openehr-version": 'lifecycle_state.code_string="553"'}
    assert client.post(PLACE, json=composition).json()["valid"] is False
    assert client.post(PLACE, json=composition, headers=draft).json()["valid"] is True


def test_an_unknown_template_is_refused_by_name(client: TestClient) -> None:
    composition = visit()
    composition["archetype_details"]["template_id"]["value"] = "nobody.v9"
    assert_error(client.post(PLACE, json=composition), 422, "template.unknown")


def test_what_is_no_json_is_refused(client: TestClient) -> None:
    answer = client.post(PLACE, content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_nothing_is_stored(client: TestClient, ehr_id: str) -> None:
    query = {"q": "SELECT c/uid/value FROM COMPOSITION c"}
    before = len(client.post(f"{BASE}/query/aql", json=query).json()["rows"])
    client.post(PLACE, json=visit())
    assert len(client.post(f"{BASE}/query/aql", json=query).json()["rows"]) == before
