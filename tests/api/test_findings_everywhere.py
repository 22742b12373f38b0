"""The same findings, as the same values, from every place that judges: REST, command line, Python."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli.main import app
from api.client import Fault
from api.client.compositions import validate as to_validate
from cdr.settings import Mode, Settings
from templates.example import example_composition
from templates.repository import library_templates
from templates.web_template import to_web_template
from tests.api.conftest import ADDRESS
from tests.api.visits import BASE, visit
from tests.validators.mutations import Mutation, applied, mutations
from validators.document import validate_document
from validators.form_places import FormPlaces
from validators.shown import JsonFinding, shown

OF_EACH_TEMPLATE = 3  # broken compositions, spread over all kinds of mutation
LANGUAGE = "nb"


@pytest.fixture(scope="module")
def empty(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server into whose database no test has loaded code lists."""
    settings = Settings(
        mode=Mode.DEV,
        mongodb_uri=SecretStr(client.get("/health/ready").json()["mongodb_uri"]),
        database="api_findings",
        data=tmp_path_factory.mktemp("findings"),
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield opened


def broken(template_id: str) -> list[dict[str, Any]]:
    """An example of the template with one constraint broken, of as many kinds as there are."""
    opt = library_templates()[template_id]
    example = example_composition(opt)
    by_kind: dict[str, list[Mutation]] = {}
    for mutation in mutations(opt, example):
        if mutation.code not in ("template.mismatch", "rm.wrong_value") or mutation.parent:
            by_kind.setdefault(mutation.kind, []).append(mutation)
    kinds = sorted(by_kind)
    offset = sorted(library_templates()).index(template_id) * OF_EACH_TEMPLATE
    chosen = [by_kind[kinds[(offset + n) % len(kinds)]] for n in range(OF_EACH_TEMPLATE)]
    chosen = [of_kind[len(of_kind) // 2] for of_kind in chosen]
    made = []
    for mutation in chosen:
        with applied(mutation, example):
            made.append(copy.deepcopy(example))
    return made


def many_at_once() -> list[dict[str, Any]]:
    """Several faults in one document, rules of the card and a warning among them."""
    document = visit(900)
    document["territory"]["code_string"] = "NORGE"
    document["not_in_the_model"] = "provosert abort"
    draft = visit(61)
    del draft["context"]["other_context"]
    return [document, draft]


CASES = {template_id: broken(template_id) for template_id in sorted(library_templates())}
CASES["many at once"] = many_at_once()


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_same_findings_from_rest_command_line_and_python(
    empty: TestClient, tmp_path: Path, name: str
) -> None:
    language = {"Accept-Language": LANGUAGE}
    ehr = empty.post(f"{BASE}/ehr").headers["Location"]
    files = []
    for number, document in enumerate(CASES[name]):
        files.append(tmp_path / f"{number:03}.json")
        files[-1].write_bytes(orjson.dumps(document))
    ended = CliRunner().invoke(app, ["validate", "--json", "--language", LANGUAGE, *map(str, files)])
    lines = [orjson.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == len(files)
    for document, line in zip(CASES[name], lines, strict=True):
        expected = in_python(document)
        assert any(finding["severity"] == "error" for finding in expected)
        judged = empty.post(f"{BASE}/validate", json=document, headers=language).json()
        assert (judged["valid"], judged["findings"]) == (False, expected)
        refused = empty.post(f"{ehr}/composition", json=document, headers=language)
        assert (refused.status_code, refused.json()["findings"]) == (422, expected)
        assert (line["valid"], line["findings"]) == (False, expected)
        by_client = to_validate(document).read(
            empty.post(f"{BASE}/validate", json=document, headers=language)
        )
        assert [as_json(fault) for fault in by_client.findings] == expected


def in_python(document: dict[str, Any]) -> list[JsonFinding]:
    """What the library says, without a server."""
    template_id = document["archetype_details"]["template_id"]["value"]
    findings = validate_document(library_templates()[template_id], document)
    return [shown(finding, LANGUAGE, places=places_of(template_id)) for finding in findings]


@cache
def places_of(template_id: str) -> FormPlaces:
    return FormPlaces(to_web_template(library_templates()[template_id]))


def as_json(fault: Fault) -> JsonFinding:
    """A finding of the client in the names of the answer."""
    made = asdict(fault)
    names = {"archetype_path": "archetypePath", "web_template_id": "webTemplateId"}
    return {names.get(name, name): value for name, value in made.items() if value is not None}


def test_there_are_many_and_various() -> None:
    found = [finding for documents in CASES.values() for each in documents for finding in in_python(each)]
    assert sum(map(len, CASES.values())) > 35
    assert len({finding["code"] for finding in found}) > 12
