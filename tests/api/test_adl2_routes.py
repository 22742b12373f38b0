"""ADL 2 templates over REST: kept, compiled with what was published before, or refused by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import ArtefactKind
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE
from tests.archetypes.adl_texts import adl, adl2, small_adl2

ADDRESS = f"{BASE}/definition/template/adl2"
TEXT = {"Content-Type": "text/plain"}
Publish = Callable[..., Response]


@pytest.fixture
def publish(client: TestClient) -> Publish:
    def send(text: str, **headers: str) -> Response:
        return client.post(ADDRESS, content=text, headers=TEXT | headers)

    return send


def new_id(version: str = "1.0.0") -> str:
    return f"openEHR-EHR-CLUSTER.t{uuid.uuid4().hex}.v{version}"


def template_of(parent: str, *, archetype_id: str) -> str:
    """A template that specialises an archetype of ``small_adl2``."""
    return adl2(
        "CLUSTER[id1.1] matches { items matches { ELEMENT[id2] occurrences matches {1} } }",
        archetype_id=archetype_id,
        parent=parent.removesuffix(".0.0"),
        terminology='term_definitions = <["en"] = <["id1.1"] = <text = <"Tight"> description = <"T.">>>>',
    ).replace("archetype (", "template (", 1)


def test_an_operational_template_is_kept_and_listed(client: TestClient, publish: Publish) -> None:
    template_id = new_id()
    made = publish(small_adl2(template_id), Prefer="return=representation", Accept="text/plain")
    assert made.status_code == 201, made.text
    assert uid_in(made) == template_id
    read = client.get(made.headers["Location"])
    assert read.headers["Content-Type"].startswith("text/plain")
    assert read.text == made.text
    kept = parse_adl(read.text)
    assert (kept.kind, kept.archetype_id) == (ArtefactKind.OPERATIONAL_TEMPLATE, template_id)
    listed = {each["template_id"]: each for each in client.get(ADDRESS).json()}
    assert listed[template_id]["concept"] == "Box"
    assert_error(publish(small_adl2(template_id)), 409, "template.exists")
    example = client.get(f"{ADDRESS}/{template_id}/example")
    assert_error(example, 501, "template.kind_not_supported")


def test_a_template_is_compiled_with_the_archetypes_published_before(
    client: TestClient, publish: Publish
) -> None:
    parent, template_id = new_id(), new_id()
    text = template_of(parent, archetype_id=template_id)
    refused = publish(text)
    assert_error(refused, 422, "template.invalid")
    assert parent.removesuffix(".0.0") in refused.text
    assert_error(client.get(f"{ADDRESS}/{template_id}"), 404, "template.not_found")
    assert publish(small_adl2(parent, "archetype")).status_code == 201
    assert publish(text).status_code == 201
    made = parse_adl(client.get(f"{ADDRESS}/{template_id}").text)
    assert made.kind is ArtefactKind.OPERATIONAL_TEMPLATE
    assert made.parent_id is None, "it stands alone"
    listed = [each["template_id"] for each in client.get(ADDRESS).json()]
    assert template_id in listed and parent not in listed


def test_a_part_of_a_version_means_the_newest(client: TestClient, publish: Publish) -> None:
    older, newer = new_id("1.2.0"), ""
    newer = older.replace(".v1.2.0", ".v1.10.0")
    for each in (newer, older):
        assert publish(small_adl2(each)).status_code == 201
    stem = older.partition(".v")[0]
    for place in (f"{stem}.v1", stem + ".v1.10", f"{stem}/1", f"{older}/1.10"):
        assert uid_in(client.get(f"{ADDRESS}/{place}")) == newer, place
    assert uid_in(client.get(f"{ADDRESS}/{stem}.v1.2")) == older
    assert_error(client.get(f"{ADDRESS}/{stem}.v2"), 404, "template.not_found")


def test_a_request_sent_again_is_one(publish: Publish) -> None:
    text, key = small_adl2(new_id()), {"Idempotency-Key": str(uuid.uuid4())}
    assert [publish(text, **key).status_code for _ in range(2)] == [201, 201]
    assert_error(publish(small_adl2(new_id()), **key), 422, "idempotency.other_request")


UNFIT = small_adl2("openEHR-EHR-CLUSTER.unfit.v1.0.0").replace("ELEMENT[id2]", "OBSERVATION[id2]")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("operational_template (adl_version=2.0.6)\n", 400, "template.unreadable"),
        (b"\xff\xfe", 400, "template.unreadable"),
        ("(" * 50_000, 400, "template.unreadable"),
        (adl("CLUSTER[at0000] matches {*}"), 400, "request.bad"),
        (small_adl2("openEHR-EHR-CLUSTER.lone.v1.0.0", "template_overlay"), 400, "request.bad"),
        (UNFIT, 422, "template.invalid"),
    ],
)
def test_what_cannot_be_kept_is_refused(client: TestClient, body: Any, status: int, code: str) -> None:
    before = client.get(ADDRESS).json()
    answer = client.post(ADDRESS, content=body, headers=TEXT)
    assert_error(answer, status, code)
    assert code == "request.bad" or answer.json()["findings"]
    assert client.get(ADDRESS).json() == before
