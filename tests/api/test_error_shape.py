"""Every route answers its errors in the one body shape; /docs and docs/api.md know every route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from cdr.settings import Mode, Settings
from tests.api.answers import assert_error

DOCUMENT = (Path(__file__).parents[2] / "docs/api.md").read_text("utf-8")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
DESCRIPTION = create_app(Settings(mode=Mode.DEV)).openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, described in DESCRIPTION["paths"].items():
        for method, operation in described.items():
            yield method.upper(), path, operation


ROUTES = [(method, path) for method, path, _ in operations()]
OPENEHR = [(method, path) for method, path in ROUTES if path.startswith("/openehr/v1/")]

PAGES = {"GET /", "GET /docs/templates"}
CREATES = ("PUT", "/openehr/v1/ehr/{ehr_id}")
LISTS = ("GET", "/openehr/v1/definition/query/{qualified_query_name}")  # by the beginning of a name
ABOUT_SOMETHING = [route for route in OPENEHR if "{" in route[1] and route not in (CREATES, LISTS)]


def address(path: str) -> str:
    """The path with ids that nothing has."""
    path = path.replace("{tagged}", "composition")
    return re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", path)


def test_there_are_routes() -> None:
    assert len(OPENEHR) > 25


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_document_has_every_route(method: str, path: str) -> None:
    assert f"`{method} {path}`" in DOCUMENT


def test_the_document_has_no_other_routes() -> None:
    named = set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", DOCUMENT, re.MULTILINE))
    assert named == {f"{method} {path}" for method, path in ROUTES} | PAGES


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
def test_methods_that_a_route_has_not(client: TestClient, path: str) -> None:
    has = {method for method, known in ROUTES if known == path}
    for method in set(METHODS) - has:
        response = client.request(method, address(path))
        if response.status_code == 405:
            assert_error(response, 405, "route.method")
            assert set(response.headers["Allow"].split(", ")) >= has
        else:  # the path of another route covers it
            assert_error(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize(("method", "path"), ABOUT_SOMETHING)
def test_unknown_things_without_a_body(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, address(path))
    assert response.status_code in (400, 404)
    assert_error(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize(("method", "path"), [route for route in OPENEHR if route[0] != "DELETE"])
def test_unacceptable_everywhere(client: TestClient, method: str, path: str) -> None:
    response = client.request(
        method, address(path), params=PARAMETERS.get(path), headers={"Accept": "image/png"}
    )
    assert_error(response, 406, "media_type.not_acceptable")


PARAMETERS = {
    "/openehr/v1/ehr": {"subject_id": "a", "subject_namespace": "b"},
    "/openehr/v1/query/aql": {"q": "SELECT e/ehr_id/value FROM EHR e"},
}


@pytest.mark.parametrize(("method", "path"), OPENEHR)
def test_production_lets_nobody_in_yet(production: TestClient, method: str, path: str) -> None:
    response = production.request(method, address(path), params=PARAMETERS.get(path))
    assert_error(response, 401, "token.missing")
    assert response.headers["WWW-Authenticate"].startswith("DPoP algs=")


@pytest.mark.parametrize("path", ["/nothing", "/openehr/v1/nothing", "/ehr", "/static/nothing.js"])
def test_unknown_routes(client: TestClient, path: str) -> None:
    assert_error(client.get(path), 404, "route.unknown")


def test_every_operation_describes_itself_and_its_errors() -> None:
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (method, path, status)
    assert {"Error", "Finding"} <= set(DESCRIPTION["components"]["schemas"])
    assert "HTTPValidationError" not in str(DESCRIPTION)
