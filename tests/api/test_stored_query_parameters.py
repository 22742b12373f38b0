"""Stored queries with declared parameters: checked when they run, with defaults, described, and audited."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error
from tests.api.visits import BASE, store_visit

NAME = "no.helsekort::pressures"
SYSTOLIC = "o/data/events/data/items[at0004]/value/magnitude"
DECLARED = {
    "q": f"SELECT {SYSTOLIC} AS s "
    "FROM EHR e CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2] "
    f"WHERE {SYSTOLIC} >= $least AND {SYSTOLIC} < $below ORDER BY s",
    "description": {"nb": "Blodtrykk fra en grense", "en": "Pressures from a limit"},
    "parameters": [
        {"name": "least", "type": "number", "description": {"nb": "Minst", "en": "At least"}},
        {"name": "below", "type": "integer", "default": 200},
    ],
}


def store(client: TestClient, **changed: Any) -> Any:
    """Store the query as its next version."""
    return client.put(f"{BASE}/definition/query/{NAME}", json=DECLARED | changed)


def test_values_are_checked_and_defaults_are_taken(client: TestClient, ehr_id: str) -> None:
    for systolic in (110, 140, 210):
        store_visit(client, ehr_id, systolic=systolic)
    assert store(client).status_code == 200
    place, of_her = f"{BASE}/query/{NAME}", {"openehr-ehr-id": ehr_id}

    def rows(**given: Any) -> Any:
        return client.post(place, json={"query_parameters": given}, headers=of_her)

    assert rows(least=120).json()["rows"] == [[140]]
    assert rows(least=120, below=220).json()["rows"] == [[140], [210]]
    assert client.get(place, params={"least": "130.5", "ehr_id": ehr_id}).json()["rows"] == [[140]]
    as_csv = client.get(place, params={"least": "1", "ehr_id": ehr_id, "format": "csv"})
    assert as_csv.text.split() == ["s", "110", "140"]
    missing = assert_error(rows(), 400, "query.parameter")
    assert "At least" in missing["message"]
    for wrong in ({"least": "high"}, {"least": 1, "below": 1.5}, {"least": True}):
        assert_error(rows(**wrong), 400, "query.parameter")


def test_the_declaration_is_shown(client: TestClient) -> None:
    place = store(client).headers["Location"]
    shown = client.get(place).json()
    assert shown["description"] == DECLARED["description"]
    assert [(each["name"], each["type"], each["required"]) for each in shown["parameters"]] == [
        ("least", "number", True),
        ("below", "integer", False),
    ]
    assert shown["parameters"][1]["default"] == 200


@pytest.mark.parametrize(
    "parameters",
    [
        "least",
        [{"name": "least"}],
        [{"name": "$least", "type": "number"}],
        [{"name": "least", "type": "float"}],
        [{"name": "least", "type": "number", "default": "high"}],
        [{"name": "least", "type": "number", "required": True, "default": 1}],
        [{"name": "least", "type": "number", "unit": "mm"}],
        [{"name": "a", "type": "text"}, {"name": "A", "type": "text"}],
        [{"name": "a", "type": "text", "description": {"se": "x"}}],
    ],
)
def test_what_is_no_declaration(client: TestClient, parameters: Any) -> None:
    assert_error(store(client, parameters=parameters), 400, "query.parameter")
