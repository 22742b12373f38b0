"""Many writers at once over HTTP: one wins, and the others are told."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from tests.api.answers import uid_in
from tests.api.visits import BASE, store_visit, visit
from tests.cdr.small_template import status

pytestmark = pytest.mark.slow


def test_of_64_writers_on_one_version_one_wins(client: TestClient, ehr_id: str) -> None:
    first = uid_in(store_visit(client, ehr_id))
    address = f"{BASE}/ehr/{ehr_id}/composition/{first.partition('::')[0]}"

    def write(number: int) -> int:
        return client.put(address, json=visit(100 + number), headers={"If-Match": first}).status_code

    with ThreadPoolExecutor(64) as writers:
        assert Counter(writers.map(write, range(64))) == {204: 1, 412: 63}
    assert uid_in(client.get(address)).endswith("::2")


def test_of_1000_creations_of_one_subject_one_wins(client: TestClient) -> None:
    def create(_: int) -> int:
        return client.post(f"{BASE}/ehr", json=status("wanted-by-1000")).status_code

    with ThreadPoolExecutor(50) as writers:
        assert Counter(writers.map(create, range(1000))) == {201: 1, 409: 999}
    query = {"subject_id": "wanted-by-1000", "subject_namespace": "demo"}
    assert client.get(f"{BASE}/ehr", params=query).status_code == 200
