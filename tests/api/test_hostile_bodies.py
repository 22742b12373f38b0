"""Whatever a body holds, the answer is a success or an error of ours, never a 500."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.routes.ehr import EXAMPLE_STATUS
from tests.api.answers import assert_error
from tests.api.visits import BASE, visit

RM_NAMES = (
    "DV_QUANTITY",
    "DV_TEXT",
    "CLUSTER",
    "OBSERVATION",
    "PARTY_SELF",
    "EVENT_CONTEXT",
    "LOCATABLE",
    "NOTHING",
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
)
objects = st.dictionaries(
    st.sampled_from(["_type", "value", "name", "items", "uid", "archetype_node_id"]) | st.text(max_size=5),
    st.sampled_from(RM_NAMES) | scalars,
    max_size=4,
)
replacements = scalars | objects | st.lists(scalars | objects, max_size=3)
WORDS = """
SELECT c FROM EHR e CONTAINS COMPOSITION WHERE c/uid/value = 'x' $p ( ) [ ] { } matches AND OR NOT
ORDER BY LIMIT 1 - / , TOP COUNT(*) MAX(c) EXISTS LIKE
"""
calm = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from places(node[key])


def mutated(data: st.DataObject, value: dict[str, Any]) -> bytes:
    """The value with one to three of its parts replaced."""
    changed = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(changed))))
        container[key] = data.draw(replacements)
    return json.dumps(changed).encode()  # whole numbers of any size, unlike orjson


@pytest.mark.slow
@calm
@given(data=st.data())
def test_compositions(client: TestClient, ehr_id: str, data: st.DataObject) -> None:
    body = mutated(data, visit())
    response = client.post(
        f"{BASE}/ehr/{ehr_id}/composition", content=body, headers={"Content-Type": "application/json"}
    )
    if response.status_code != 201:
        assert response.status_code in (400, 412, 422), response.text
        assert_error(response, response.status_code, response.json()["code"])


@pytest.mark.slow
@calm
@given(data=st.data())
def test_statuses(client: TestClient, data: st.DataObject) -> None:
    body = mutated(data, {**EXAMPLE_STATUS, "subject": {"_type": "PARTY_SELF"}})
    response = client.post(f"{BASE}/ehr", content=body, headers={"Content-Type": "application/json"})
    if response.status_code != 201:
        assert response.status_code in (400, 409, 422), response.text
        assert_error(response, response.status_code, response.json()["code"])


@pytest.mark.slow
@calm
@given(data=st.data())
def test_queries(client: TestClient, data: st.DataObject) -> None:
    text = " ".join(data.draw(st.lists(st.sampled_from(WORDS.split()) | st.text(max_size=4), max_size=14)))
    body = {
        "q": f"SELECT c FROM EHR e CONTAINS COMPOSITION c {text}",
        "query_parameters": {"p": data.draw(replacements)},
    }
    response = client.post(
        f"{BASE}/query/aql", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    if response.status_code != 200:
        assert response.status_code in (400, 501), response.text
        assert_error(response, response.status_code, response.json()["code"])
