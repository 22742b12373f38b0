"""A real MongoDB for the tests: one private mongod a test process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pymongo import MongoClient

from cdr.store.embedded import EmbeddedMongod

# The one setting of the tests themselves, so cdr.settings does not know it.
WITHOUT_MONGO = os.environ.get("HELSEKORT_WITHOUT_MONGO") == "1"  # noqa: TID251

# The gate looks at the same cases each time, so that it tells what a change broke; how long one takes is no
# matter. ``--hypothesis-profile=long`` looks for new cases, and at many more where a test can.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile("gate")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of this process's mongod; its absence fails, unless HELSEKORT_WITHOUT_MONGO=1."""
    if WITHOUT_MONGO:
        pytest.skip("HELSEKORT_WITHOUT_MONGO=1: no database wanted")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    start = EmbeddedMongod.start(tmp_path_factory.mktemp("mongod"))
    mongod = asyncio.run_coroutine_threadsafe(start, loop).result()
    with MongoClient[dict[str, object]](mongod.uri) as client:
        # The clock of many tests stands in the past: what they store would be taken for outdated.
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
    yield mongod.uri
    asyncio.run_coroutine_threadsafe(mongod.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
