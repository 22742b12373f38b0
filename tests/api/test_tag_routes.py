"""Item tags, and erasing one composition, over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, count_versions, store_visit, visit

TAGS = [
    {"key": "flag", "value": "follow-up", "target_path": "/context"},
    {"key": "flag", "value": "other"},
    {"key": "seen"},
]


@pytest.fixture
def version(client: TestClient, ehr_id: str) -> str:
    """The version uid of a visit."""
    return uid_in(store_visit(client, ehr_id))


def own(tags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the client said of each tag, in no order."""
    said = [{name: tag[name] for name in ("key", "value", "target_path") if name in tag} for tag in tags]
    return sorted(said, key=str)


def test_tags_of_an_object_and_of_a_version_are_told_apart(
    client: TestClient, ehr_id: str, version: str
) -> None:
    on_version = f"{BASE}/ehr/{ehr_id}/composition/{version}/tags"
    on_object = f"{BASE}/ehr/{ehr_id}/composition/{version.partition('::')[0]}/tags"
    assert client.get(on_object).json() == []
    assert client.put(on_object, json=TAGS).status_code == 204
    assert client.get(on_version).json() == []
    put = client.put(on_version, json=TAGS[2:], headers={"Prefer": "return=representation"})
    (tag,) = put.json()
    assert tag["target"]["id"] == {"_type": "OBJECT_VERSION_ID", "value": version}
    assert tag["owner_id"]["id"]["value"] == ehr_id
    assert own(client.get(on_object).json()) == own(TAGS)
    assert len(client.get(f"{BASE}/ehr/{ehr_id}/tags").json()) == 4
    for query, count in (({"tag_key": "flag"}, 2), ({"tag_value": "other"}, 1), ({"tag_key": "x"}, 0)):
        assert len(client.get(f"{BASE}/ehr/{ehr_id}/tags", params=query).json()) == count
    assert client.delete(f"{on_object}/flag").status_code == 204
    assert own(client.get(on_object).json()) == [{"key": "seen"}]
    assert_error(client.delete(f"{on_object}/flag"), 404, "tag.unknown")
    assert client.put(on_object, json=[]).status_code == 204
    assert client.get(on_object).json() == []


def test_tags_of_a_status(client: TestClient, ehr_id: str) -> None:
    status = uid_in(client.get(f"{BASE}/ehr/{ehr_id}/ehr_status"))
    address = f"{BASE}/ehr/{ehr_id}/ehr_status/{status}/tags"
    assert client.put(address, json=TAGS[:1]).status_code == 204
    assert client.get(address).json()[0]["target"]["type"] == "EHR_STATUS"
    wrong = f"{BASE}/ehr/{ehr_id}/composition/{status}/tags"
    assert_error(client.get(wrong), 404, "object.unknown")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [1],
        [{"value": "x"}],
        [{"key": 1}],
        [{"key": "a", "x": 1}],
        [{"key": "a"}] * 2,
        [{"key": "a" * 201}],
    ],
)
def test_what_is_no_list_of_tags(client: TestClient, ehr_id: str, version: str, body: Any) -> None:
    address = f"{BASE}/ehr/{ehr_id}/composition/{version}/tags"
    assert_error(client.put(address, json=body), 400, "request.bad")


def test_a_composition_is_erased_with_all_that_names_it(
    client: TestClient, ehr_id: str, version: str
) -> None:
    object_id = version.partition("::")[0]
    address = f"{BASE}/ehr/{ehr_id}/composition/{object_id}"
    client.put(address, json=visit(120), headers={"If-Match": version})
    client.put(f"{address}/tags", json=TAGS)
    kept = uid_in(store_visit(client, ehr_id))
    erase = f"{BASE}/admin/ehr/{ehr_id}/composition/{object_id}"
    assert client.delete(erase).status_code == 204
    for gone in (address, f"{BASE}/ehr/{ehr_id}/composition/{version}"):
        assert client.get(gone).status_code == 404
    assert client.get(f"{BASE}/ehr/{ehr_id}/tags").json() == []
    assert client.get(f"{BASE}/ehr/{ehr_id}/composition/{kept}").status_code == 200
    assert_error(client.delete(erase), 404, "object.unknown")
    again = visit() | {"uid": {"_type": "HIER_OBJECT_ID", "value": object_id}}
    refused = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=again)
    assert_error(refused, 409, "object.exists")
    unknown = client.delete(f"{BASE}/admin/ehr/{ehr_id}/composition/{uuid.uuid4()}")
    assert_error(unknown, 404, "object.unknown")


def test_tags_come_with_the_document(client: TestClient, ehr_id: str) -> None:
    headers = {
        "openehr-item-tag": 'key="category",value="final"; key="flag",target_path="/context/start_time"',
        "openehr-version-item-tag": 'key="say",value="a \\"b\\""',
    }
    made = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers=headers)
    assert made.status_code == 201, made.text
    assert {name: made.headers[name] for name in headers} == headers
    uid = uid_in(made)
    place = f"{BASE}/ehr/{ehr_id}/composition"
    for read in (f"{place}/{uid}", f"{place}/{uid.partition('::')[0]}"):
        assert {name: client.get(read).headers.get(name) for name in headers} == headers
    keys = [tag["key"] for tag in client.get(f"{place}/{uid.partition('::')[0]}/tags").json()]
    assert keys == ["category", "flag"]
    assert [tag["value"] for tag in client.get(f"{place}/{uid}/tags").json()] == ['a "b"']
    cleared = client.put(
        f"{place}/{uid.partition('::')[0]}",
        json=visit(120),
        headers={"If-Match": uid, "openehr-item-tag": ""},
    )
    assert cleared.status_code == 204, cleared.text
    assert client.get(f"{place}/{uid.partition('::')[0]}/tags").json() == []


@pytest.mark.parametrize("header", ["openehr-item-tag", "openehr-version-item-tag"])
@pytest.mark.parametrize(
    ("value", "code"),
    [("flag", "header.malformed"), ('key="a', "header.malformed"), ('value="a"', "request.bad"),
     ('key="a"; key="a"', "request.bad"), ('colour="red"', "header.malformed")],
)  # fmt: skip
def test_unreadable_tag_headers_store_nothing(
    client: TestClient, ehr_id: str, header: str, value: str, code: str
) -> None:
    answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", json=visit(), headers={header: value})
    assert_error(answer, 400, code)
    assert count_versions(client, ehr_id) == 0


def test_tags_of_a_status_are_read_with_it_where_a_header_can_say_them(
    client: TestClient, ehr_id: str
) -> None:
    place = f"{BASE}/ehr/{ehr_id}/ehr_status"
    uid = uid_in(client.get(place))
    long = [{"key": f"k{n}", "value": "v" * 900} for n in range(5)]
    for tags, header in (
        ([{"key": "language", "value": "nb"}], 'key="language",value="nb"'),
        ([{"key": "språk", "value": "nb"}], None),
        (long, None),
    ):
        assert client.put(f"{place}/{uid}/tags", json=tags).status_code == 204
        read = client.get(place).headers
        assert (read.get("openehr-version-item-tag"), read.get("openehr-item-tag")) == (header, None)
