"""The directory over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE
from tests.cdr.updates import folder

TREE = folder("root", folder("Svangerskap 2026", folder("Sykehus")))


@pytest.fixture
def address(ehr_id: str) -> str:
    return f"{BASE}/ehr/{ehr_id}/directory"


def test_create_read_update_delete(client: TestClient, address: str) -> None:
    assert_error(client.get(address), 404, "directory.unknown")
    made = client.post(address, json=TREE, headers={"Prefer": "return=representation"})
    assert made.status_code == 201
    assert made.json()["uid"]["value"] == uid_in(made)
    assert made.headers["Location"].endswith(f"/directory/{uid_in(made)}")
    assert client.get(made.headers["Location"]).json() == made.json()
    assert client.get(address).headers["ETag"] == made.headers["ETag"]
    updated = client.put(address, json=folder("new"), headers={"If-Match": f'"{uid_in(made)}"'})
    assert (updated.status_code, updated.content) == (204, b"")
    deleted = client.delete(address, headers={"If-Match": uid_in(updated)})
    assert deleted.status_code == 204
    assert uid_in(deleted).endswith("::3")
    gone = client.get(address)
    assert (gone.status_code, gone.content) == (204, b"")
    at = {"version_at_time": "2000-01-01T00:00:00Z"}
    assert_error(client.get(address, params=at), 404, "directory.unknown")


def test_one_folder_by_names(client: TestClient, address: str) -> None:
    made = client.post(address, json=TREE)
    found = client.get(address, params={"path": "Svangerskap 2026/Sykehus"})
    assert found.json()["name"]["value"] == "Sykehus"
    assert found.headers["ETag"] == made.headers["ETag"]
    by_version = client.get(made.headers["Location"], params={"path": "Svangerskap 2026"})
    assert by_version.json()["name"]["value"] == "Svangerskap 2026"
    assert_error(client.get(address, params={"path": "nowhere"}), 404, "directory.no_such_folder")


def test_a_second_directory_and_a_stale_version(client: TestClient, address: str) -> None:
    made = client.post(address, json=TREE)
    assert_error(client.post(address, json=TREE), 409, "directory.exists")
    assert_error(client.put(address, json=TREE), 400, "header.if_match_missing")
    assert_error(client.delete(address), 400, "header.if_match_missing")
    client.put(address, json=TREE, headers={"If-Match": uid_in(made)})
    for late in (
        client.put(address, json=TREE, headers={"If-Match": uid_in(made)}),
        client.delete(address, headers={"If-Match": uid_in(made)}),
    ):
        assert_error(late, 412, "version.stale")
        assert uid_in(late).endswith("::2")


def test_an_invalid_directory_has_findings(client: TestClient, address: str) -> None:
    body = assert_error(
        client.post(address, json=folder("a", folder("b"), folder("b"))), 400, "directory.invalid"
    )
    assert body["findings"][0]["path"] == "/folders[1]/name/value"


def test_xml(client: TestClient, address: str) -> None:
    made = client.post(address, json=TREE)
    found = client.get(address, headers={"Accept": "application/xml"})
    assert found.headers["Content-Type"].startswith("application/xml")
    again = client.put(
        address,
        content=found.content,
        headers={
            "Content-Type": "application/xml",
            "If-Match": uid_in(made),
            "Prefer": "return=representation",
        },
    )
    assert again.status_code == 200, again.text
    assert again.json()["folders"] == client.get(made.headers["Location"]).json()["folders"]
