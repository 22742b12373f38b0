"""Start page, API documentation, health, and what the server says of itself."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from api.middleware import RequestGuard
from tests.api.answers import assert_error


def test_alive_and_ready(client: TestClient, production: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["mode"] == "dev"
    assert ready.json()["mongodb_uri"].startswith("mongodb://")
    assert "mongodb_uri" not in production.get("/health/ready").json()


def test_options_tell_what_the_server_is(client: TestClient) -> None:
    response = client.options("/openehr/v1")
    assert "OPTIONS" in response.headers["Allow"]
    assert response.json()["solution"] == "Helsekort CDR"
    assert response.json()["endpoints"]


def test_pages_need_nothing_from_elsewhere(client: TestClient) -> None:
    for page in ("/", "/docs"):
        response = client.get(page)
        assert response.headers["Content-Type"].startswith("text/html")
        linked = re.findall(r'(?:src|href)="([^"]+)"', response.text)
        assert linked
        for link in linked:
            assert link.startswith("/"), link
            assert client.get(link).status_code == 200, link
    assert "/openapi.json" in client.get("/docs").text


def test_the_start_page_warns(client: TestClient, production: TestClient) -> None:
    assert "without a token" in client.get("/").text
    assert "needs an access token" in production.get("/").text


def test_what_breaks_is_answered_with_an_id_and_no_details() -> None:
    async def broken(_: Request) -> Response:
        raise RuntimeError("secret of a patient")

    app = Starlette(routes=[Route("/", broken)], middleware=[Middleware(RequestGuard)])
    response = TestClient(app).get("/")
    body = assert_error(response, 500, "internal")
    assert "secret" not in response.text
    assert len(body["message"].split()[-1]) == 36


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Host": "rebound.example:8080"},
        {"Host": "127.0.0.1.elsewhere.example"},
        {"Host": "["},
    ],
)
def test_pages_from_elsewhere_cannot_use_a_development_server(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert_error(client.post("/openehr/v1/ehr", headers=headers), 403, "access.denied")


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost:8080"}, {"Host": "[::1]:8080"}, {"Host": "localhost"}]
)
def test_this_machine_can(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/openehr/v1/ehr", headers=headers).status_code == 201
