"""Examples and JSON Schemas over REST and from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.cli.main import app
from archetypes.rm.canonical_xml import read_canonical_xml
from templates.repository import library_templates
from templates.simplified import from_flat, from_structured
from tests.api.answers import assert_error
from tests.api.visits import BASE, TEMPLATE
from tests.shared_data import SHARED, needs_shared
from validators.composition import validate_composition

PLACE = f"{BASE}/definition/template/adl1.4"
OPT = library_templates()[TEMPLATE]


def example(client: TestClient, accept: str = "application/json", **parameters: Any) -> bytes:
    answer = client.get(f"{PLACE}/{TEMPLATE}/example", params=parameters, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith(accept)
    return answer.content


def test_one_example_in_every_format(client: TestClient) -> None:
    made = orjson.loads(example(client))
    assert validate_composition(OPT, made) == []
    assert read_canonical_xml(example(client, "application/xml"), "COMPOSITION") == made
    assert from_flat(OPT, orjson.loads(example(client, "application/openehr.wt.flat+json"))) == made
    structured = orjson.loads(example(client, "application/openehr.wt.structured+json"))
    assert from_structured(OPT, structured) == made


def test_the_levels_types_and_seeds_of_examples(client: TestClient) -> None:
    levels = {level: example(client, detail_level=level) for level in ("required", "medium", "complete")}
    assert len(levels["required"]) < len(levels["medium"])
    assert levels["medium"] == levels["complete"] == example(client)
    assert example(client, seed=3) != example(client, seed=4)
    assert "uid" in orjson.loads(example(client, type="output"))
    assert "uid" not in orjson.loads(example(client, type="input"))


def test_an_example_can_be_committed(client: TestClient) -> None:
    ehr_id = client.post(f"{BASE}/ehr").headers["ETag"].strip('W/"')
    for level in ("required", "complete"):
        body = example(client, detail_level=level)
        headers = {"Content-Type": "application/json"}
        answer = client.post(f"{BASE}/ehr/{ehr_id}/composition", content=body, headers=headers)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing.v0/example", 404, "template.not_found"),
        (f"{TEMPLATE}/example?detail_level=all", 400, "parameter.malformed"),
        (f"{TEMPLATE}/example?type=both", 400, "parameter.malformed"),
        (f"{TEMPLATE}/example?seed=-1", 400, "parameter.malformed"),
        (f"{TEMPLATE}/example?seed=many", 400, "parameter.malformed"),
    ],
)
def test_an_example_that_cannot_be_given(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(f"{PLACE}/{path}")
    assert answer.status_code == status
    assert answer.json()["code"] == code
    not_a_format = client.get(f"{PLACE}/{TEMPLATE}/example", headers={"Accept": "text/plain"})
    assert_error(not_a_format, 406, "media_type.not_acceptable")


@needs_shared
def test_a_template_that_nothing_satisfies(client: TestClient) -> None:
    place = SHARED / "testdata/compositions/cardinality_of_section/opt/cardinality_of_section.opt"
    client.post(PLACE, content=place.read_bytes(), headers={"Content-Type": "application/xml"})
    refused = client.get(f"{PLACE}/cardinality_of_section/example")
    assert "mandatory" in assert_error(refused, 422, "template.no_example")["message"]


def test_the_schema_of_a_template(client: TestClient) -> None:
    answer = client.get(f"{PLACE}/{TEMPLATE}", headers={"Accept": "application/schema+json"})
    assert answer.headers["Content-Type"] == "application/schema+json"
    schema = Draft202012Validator(answer.json())
    made = orjson.loads(example(client))
    assert schema.is_valid(made)
    del made["territory"]
    assert not schema.is_valid(made)


# --- command line -----------------------------------------------------------------------------------


def written(*arguments: str) -> Any:
    ended = CliRunner().invoke(app, ["template", *arguments], prog_name="helsekort")
    assert ended.exit_code == 0, ended.output
    return orjson.loads(ended.stdout)


def test_examples_from_the_command_line(tmp_path: Path) -> None:
    made = written("example", TEMPLATE, "--seed", "2")
    assert validate_composition(OPT, made) == []
    assert from_flat(OPT, written("example", TEMPLATE, "--seed", "2", "--as", "flat")) == made
    assert from_structured(OPT, written("example", TEMPLATE, "--seed", "2", "--as", "structured")) == made
    out = tmp_path / "example.xml"
    CliRunner().invoke(
        app, ["template", "example", TEMPLATE, "--seed", "2", "--as", "xml", "--out", str(out)]
    )
    assert read_canonical_xml(out.read_bytes(), "COMPOSITION") == made
    assert written("example", TEMPLATE, "--language", "en")["language"]["code_string"] == "en"


def test_the_schema_from_the_command_line() -> None:
    schema = Draft202012Validator(written("schema", TEMPLATE))
    assert schema.is_valid(written("example", TEMPLATE, "--size", "minimal"))
