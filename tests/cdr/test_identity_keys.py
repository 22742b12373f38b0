"""The keys of an issuer: kept, rotated, silent; over real HTTP where they are fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import httpx
import orjson
import pytest
from joserfc.jwk import ECKey, OctKey

from cdr.identity.errors import IssuerSilent, TokenRefused
from cdr.identity.keys import FRESH_SECONDS, PAUSE_SECONDS, STALE_SECONDS, KeyCache, RemoteKeys

pytestmark = pytest.mark.anyio


def key(name: str) -> dict[str, Any]:
    made = ECKey.generate_key("P-256", {"use": "sig"}, private=True)
    return {**made.as_dict(private=False), "kid": name}


@dataclass
class Source:
    """Gives what it holds, or fails."""

    keys: list[dict[str, Any]]
    silent: bool = False
    asked: int = 0

    async def fetch(self) -> dict[str, Any]:
        self.asked += 1
        await anyio.sleep(0)
        if self.silent:
            raise httpx.ConnectError("silent")
        return {"keys": self.keys}


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Kept:
    source: Source
    clock: Seconds = field(default_factory=Seconds)

    def cache(self) -> KeyCache:
        return KeyCache("https://issuer.example", self.source, clock=self.clock)


async def test_keys_are_fetched_once_for_many_requests() -> None:
    kept = Kept(Source([key("a")]))
    cache = kept.cache()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(cache.find, "a")
    assert kept.source.asked == 1


async def test_a_new_key_is_found_when_a_token_names_it() -> None:
    kept = Kept(Source([key("a")]))
    cache = kept.cache()
    await cache.find("a")
    generation = cache.generation
    kept.source.keys = [key("b")]
    kept.clock.now += PAUSE_SECONDS + 1
    assert (await cache.find("b")).kid == "b"
    assert cache.generation == generation + 1
    with pytest.raises(TokenRefused, match="does not have"):
        await cache.find("a")


async def test_tokens_with_invented_keys_do_not_make_the_server_ask_again_and_again() -> None:
    kept = Kept(Source([key("a")]))
    cache = kept.cache()
    for number in range(50):
        with pytest.raises(TokenRefused):
            await cache.find(f"invented-{number}")
    assert kept.source.asked == 1
    assert (await cache.find("a")).kid == "a"


async def test_a_withdrawn_key_ends_within_the_hour() -> None:
    kept = Kept(Source([key("a"), key("b")]))
    cache = kept.cache()
    await cache.find("a")
    kept.source.keys = kept.source.keys[1:]
    assert (await cache.find("a")).kid == "a"
    kept.clock.now += FRESH_SECONDS + 1
    await cache.keep_fresh()
    with pytest.raises(TokenRefused):
        await cache.find("a")


async def test_a_silent_issuer_is_bridged_for_a_day() -> None:
    kept = Kept(Source([key("a")]))
    cache = kept.cache()
    await cache.find("a")
    kept.source.silent = True
    kept.clock.now += FRESH_SECONDS + 1
    assert (await cache.find("a")).kid == "a"
    kept.clock.now += STALE_SECONDS
    with pytest.raises(IssuerSilent):
        await cache.find("a")


async def test_an_issuer_that_never_answered() -> None:
    with pytest.raises(IssuerSilent, match=r"issuer\.example"):
        await Kept(Source([], silent=True)).cache().find("a")


async def test_keys_that_cannot_verify_are_passed_over() -> None:
    secret = OctKey.generate_key(256, {"kid": "secret"}, private=True).as_dict(private=True)
    private = {**ECKey.generate_key("P-256", private=True).as_dict(private=True), "kid": "private"}
    others = [secret, private, {**key("enc"), "use": "enc"}, {"kty": "AKP", "kid": "new"}, key("good")]
    cache = Kept(Source(others)).cache()
    assert (await cache.find("good")).kid == "good"
    for name in ("secret", "private", "enc", "new", None):
        with pytest.raises(TokenRefused):
            await cache.find(name)


@contextmanager
def served(answers: dict[str, Any]) -> Iterator[str]:
    """An HTTP server that gives these JSON answers by path; ``{base}`` is its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = answers.get(self.path)
            body = orjson.dumps(known).replace(b"{base}", base.encode())
            self.send_response(200 if known is not None else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield base
    server.shutdown()
    server.server_close()


PLACE = "/.well-known/openid-configuration"


async def test_keys_are_found_by_discovery() -> None:
    described = {"issuer": "{base}", "jwks_uri": "{base}/keys"}
    with served({PLACE: described, "/keys": {"keys": [key("a")]}}) as base:
        assert (await KeyCache(base, RemoteKeys(base)).find("a")).kid == "a"


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {PLACE: {"issuer": "https://other.example", "jwks_uri": "{base}/keys"}, "/keys": {"keys": []}},
        {PLACE: {"issuer": "{base}"}},
        {PLACE: {"issuer": "{base}", "jwks_uri": "{base}/nothing"}},
        {PLACE: {"issuer": "{base}", "jwks_uri": "{base}/keys"}, "/keys": ["no", "keys"]},
    ],
)
async def test_an_issuer_that_answers_something_else_is_silent(answers: dict[str, Any]) -> None:
    with served(answers) as base, pytest.raises(IssuerSilent):
        await KeyCache(base, RemoteKeys(base)).find("a")
