"""A development server in this process, on a real database, and one that is in production mode."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.server_process import running_server
from cdr.settings import BUILTIN, Mode, Settings
from tests.identity import People

ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the development server; its database is shared by the tests of this process."""
    settings = Settings(mode=Mode.DEV, data=tmp_path_factory.mktemp("api"))
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield opened


@pytest.fixture(scope="session")
def production(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a production server on the same mongod, with a database of its own."""
    uri = client.get("/health/ready").json()["mongodb_uri"]
    settings = Settings(
        mode=Mode.PRODUCTION,
        issuer="https://issuer.example",
        public_url="https://cdr.example",
        mongodb_uri=SecretStr(uri),
        database="api_production",
        data=tmp_path_factory.mktemp("production"),
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield opened


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A development server in a process of its own, for what needs a socket."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server.base_url


@pytest.fixture
def ehr_id(client: TestClient) -> str:
    """An EHR of this test alone."""
    location = client.post("/openehr/v1/ehr").headers["Location"]
    return location.rpartition("/")[2]


@pytest.fixture(scope="session")
def secured(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A development server with the built-in issuer: identity and access are enforced as in production."""
    uri = client.get("/health/ready").json()["mongodb_uri"]
    settings = Settings(
        mode=Mode.DEV,
        issuer=BUILTIN,
        mongodb_uri=SecretStr(uri),
        database="api_secured",
        data=tmp_path_factory.mktemp("secured"),
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield People(opened)


@pytest.fixture(scope="module")
def consenting(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """As ``secured``, with a database of this module alone: a woman says yes once."""
    settings = Settings(
        mode=Mode.DEV,
        issuer=BUILTIN,
        mongodb_uri=SecretStr(client.get("/health/ready").json()["mongodb_uri"]),
        database=f"c_{uuid.uuid4().hex}",
        data=tmp_path_factory.mktemp("consent"),
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield People(opened)
