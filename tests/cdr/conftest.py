"""A store on a fresh database, a clock that the test moves, and contexts of requests."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient

from cdr.context import Actor, Ctx
from cdr.settings import Mode, Settings
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry
from tests.cdr.small_template import published_small_template

ANNA = Actor(id="anna", name="Jordmor Anna Berg", role="midwife", organisation="Solbakken helsestasjon")


@dataclass
class TestClock:
    """Stands still until it is moved."""

    __test__ = False
    now: datetime = field(default=datetime(2026, 3, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Move on (or back) and return the new time."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture(scope="session")
def database_name() -> str:
    """One database for all tests of the process, emptied after each: indexes take longer than documents."""
    return f"t_{uuid.uuid4().hex}"


@pytest.fixture
async def store(anyio_backend: str, mongodb_uri: str, database_name: str) -> AsyncIterator[Store]:
    opened = await Store.open(mongodb_uri, database_name)
    yield opened
    await opened.close()
    async with AsyncMongoClient[dict[str, object]](mongodb_uri) as client:
        database = client[database_name]
        for name in await database.list_collection_names(filter={"name": {"$ne": "meta"}}):
            await database[name].delete_many({})


@pytest.fixture
def ctx(store: Store, clock: TestClock) -> Ctx:
    """A request by a midwife on a development server that knows the small template."""
    settings = Settings(mode=Mode.DEV)
    templates = TemplateRegistry(store, refresh_seconds=3600)
    templates.add(*published_small_template())
    return Ctx(actor=ANNA, store=store, templates=templates, settings=settings, clock=clock)
