"""Compositions of the library's template for an antenatal visit, and what goes around them."""

from __future__ import annotations

from functools import cache
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from templates.compose import Header, compose
from templates.header import HPR, Party
from templates.repository import library_templates

BASE = "/openehr/v1"
TEMPLATE = "helsekort_kontroll.v0"
SYSTOLIC = "/content"  # every blood pressure lies below it

_HEADER = Header(
    start_time="2026-03-02T10:15:00+01:00",
    setting="231",
    composer=Party(name="Eksempel, Jordmor Kari", identifier="999000001", issuer=HPR),
    role=("JO", "Jordmor"),
    facility=Party(name="Eksempelby helsestasjon"),
    pregnancy_id="S1",
    gestational_age="P24W1D",
    contact_type="at0009",
)


def visit(systolic: float = 112, units: str = "mm[Hg]") -> dict[str, Any]:
    """A visit with weight and blood pressure; other ``units`` than mm[Hg] make it invalid."""
    composition = _visit()
    _pressure(composition)["value"] |= {"magnitude": systolic, "units": units}
    return composition


@cache
def _template() -> Any:
    return library_templates()[TEMPLATE]


def _visit() -> dict[str, Any]:
    values = {
        "HK13.3": "68.5 kg",
        "HK13.4": "112 mm[Hg]",
        "HK13.5": "70 mm[Hg]",
    }
    return compose(_template(), _HEADER, values)


def _pressure(node: Any) -> dict[str, Any]:
    """The first element at0004 of a blood pressure."""
    found = list(_elements(node, "openEHR-EHR-OBSERVATION.blood_pressure.v2", "at0004"))
    assert found
    return found[0]


def _elements(node: Any, archetype_id: str, node_id: str, inside: bool = False) -> Any:
    if isinstance(node, list):
        for member in node:
            yield from _elements(member, archetype_id, node_id, inside)
    if isinstance(node, dict):
        inside = inside or node.get("archetype_node_id") == archetype_id
        if inside and node.get("archetype_node_id") == node_id:
            yield node
        for member in node.values():
            yield from _elements(member, archetype_id, node_id, inside)


def store_visit(client: TestClient, ehr_id: str, systolic: float = 112) -> Response:
    """Store a visit; the answer is 201."""
    response = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(systolic))
    assert response.status_code == 201, response.text
    return response


def count_versions(client: TestClient, ehr_id: str) -> int:
    """How many compositions AQL sees in an EHR."""
    query = {"q": "SELECT COUNT(*) AS n FROM EHR e CONTAINS COMPOSITION c", "query_parameters": {}}
    response = client.post(f"{BASE}/query/aql", json=query, headers={"openehr-ehr-id": ehr_id})
    assert response.status_code == 200, response.text
    return int(response.json()["rows"][0][0])
