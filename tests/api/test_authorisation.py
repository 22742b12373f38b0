"""The authorisation matrix: every route by every kind of caller, as docs/authorisation.md says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from cdr.settings import BUILTIN, Mode, Settings
from tests.api.test_access_routes import WOMEN, record_of
from tests.identity import ADDRESS, People

DOCUMENT = Path(__file__).parents[2] / "docs" / "authorisation.md"
SUBJECT = "nora"
Caller = tuple[str, dict[str, str]]

# The columns of the table; those who may do most come last, for what they do may stay done.
CALLERS: Mapping[str, Caller | None] = {
    "nobody": None,
    "other woman": ("line", {}),
    "level 3": ("svakt_innlogget", {"basis": "UNNTAK", "role": "LE"}),
    "role AA": ("ambulanse", {"basis": "UNNTAK", "role": "AA"}),
    "no relation": ("jordmor", {"basis": "UNNTAK", "role": "JO", "through": "sykehus"}),
    "no basis": ("fastlege", {"role": "LE"}),
    "herself": (SUBJECT, {}),
    "her GP": ("fastlege", {"basis": "UNNTAK", "role": "LE"}),
    "system": ("fagsystem", {}),
    "register": ("folkeregister", {}),
    "analyst": ("analytiker", {}),
    "staff": ("redaktor", {}),
    "operator": ("driftsvakt", {}),
    "officer": ("personvernombud", {}),
}
QUERY = "no.helsekort::none"
TEXT = {"Content-Type": "text/plain"}
FOUND_BY = {"subject_id": WOMEN[SUBJECT], "subject_namespace": "2.16.578.1.12.4.1.4.1"}
PATIENT = "nhn-patient-nin"
HERS = FOUND_BY | {PATIENT: WOMEN[SUBJECT]}
BODIES: Mapping[str, Any] = {"/openehr/v1/ehr/find": FOUND_BY}  # instead of the description's example
PATH_VALUES = {
    "organisation": "999000096",
    "tagged": "composition",
    "erasable": "composition",
    "template_id": "helsekort_kontroll.v0",
    "qualified_query_name": QUERY,
    "version": "1.0.0",
    "version_uid": "8849182c-82ad-4088-a07f-48ead4180515::no.helsekort.cdr::1",
    "key": "flag",
}
SOME_ID = "8849182c-82ad-4088-a07f-48ead4180515"
DESCRIBED = create_app(Settings(mode=Mode.DEV, issuer=BUILTIN)).openapi()["paths"]
ROUTES = [f"{method.upper()} {path}" for path, operations in DESCRIBED.items() for method in operations]


def expected() -> dict[str, dict[str, str]]:
    """The table of the document: route to column to outcome."""
    rows = [
        line.strip("|").split("|") for line in DOCUMENT.read_text("utf-8").splitlines() if line[:1] == "|"
    ]
    names = [cell.strip() for cell in rows[0]][1:]
    return {
        row[0].strip(" `"): dict(zip(names, (cell.strip() for cell in row[1:]), strict=True))
        for row in rows[2:]
    }


EXPECTED = expected()


def test_the_table_has_no_other_routes_and_every_caller() -> None:
    assert set(EXPECTED) - set(ROUTES) == set(), "routes that are not there: take their rows out"
    assert {tuple(row) for row in EXPECTED.values()} == {tuple(CALLERS)}


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_who_gets_in(secured: People, route: str) -> None:
    record = record_of(secured, SUBJECT)
    secured.send(
        "redaktor", "PUT", f"/definition/query/{QUERY}/1.0.0", content=b"SELECT 1 FROM EHR e", headers=TEXT
    )
    found = {name: outcome(secured, route, caller, record) for name, caller in CALLERS.items()}
    row = f"| `{route}` | {' | '.join(found.values())} |"
    assert route in EXPECTED, (
        f"docs/authorisation.md lacks this route; if this is as it should be, add\n{row}"
    )
    assert found == EXPECTED[route], f"found is\n{row}"


def outcome(people: People, route: str, caller: Caller | None, record: str) -> str:
    """What a caller gets: ``in``, ``401``, or the code of the refusal without ``access.``."""
    method, path = route.split(" ")
    url, request = example(method, path, record)
    if caller is None:
        answer = people.client.request(method, url, **request)
    else:
        who, said = caller
        answer = people.send(who, method, url, **request, **said)
    if answer.status_code == 401:
        return "401" if caller is None else answer.json()["code"]
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    code = answer.json()["code"] if answer.status_code == 403 else ""
    return code.removeprefix("access.") if code.startswith("access.") else "in"


def example(method: str, path: str, ehr_id: str) -> tuple[str, dict[str, Any]]:
    """A request as the description of the route shows it, about the EHR."""
    operation = DESCRIBED[path][method.lower()]
    values = PATH_VALUES | {"ehr_id": ehr_id}
    filled = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], SOME_ID), path)
    request: dict[str, Any] = {"headers": {}, "params": {}}
    for parameter in operation.get("parameters", []):
        wanted = parameter.get("required") or parameter["name"] == PATIENT
        if wanted and parameter["in"] in ("header", "query"):
            place = request["headers" if parameter["in"] == "header" else "params"]
            place[parameter["name"]] = shown(parameter)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        body = BODIES.get(path, content.get("example", ""))
        request |= {"json": body} if isinstance(body, dict | list) else {"content": str(body).encode()}
        request["headers"]["Content-Type"] = media_type
        break
    return ADDRESS + filled, request


def shown(parameter: Mapping[str, Any]) -> str:
    """An example of a parameter."""
    examples = parameter.get("schema", {}).get("examples") or [parameter.get("example", "x")]
    return HERS.get(parameter["name"], str(examples[0]))
