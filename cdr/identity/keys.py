"""The keys of an issuer: fetched when they are needed, kept, and fetched anew when it rotates them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import httpx
import structlog
from joserfc.errors import JoseError, KeyParameterError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from cdr.identity.errors import IssuerSilent, TokenRefused

PublicKey = RSAKey | ECKey | OKPKey
FRESH_SECONDS = 3600.0  # then the keys are fetched again, so that a withdrawn key ends
STALE_SECONDS = 86_400.0  # so long the last ones are used if the issuer does not answer
PAUSE_SECONDS = 10.0  # between two fetches, whatever tokens come
TIMEOUT_SECONDS = 5.0

log = structlog.get_logger("helsekort.identity")


class KeySource(Protocol):
    """Gives the present keys of an issuer."""

    async def fetch(self) -> dict[str, Any]:
        """A JWK set (RFC 7517). Raises httpx.HTTPError, ValueError, KeyError."""
        ...


class RemoteKeys:
    """The keys that an issuer publishes, found by OpenID Connect discovery."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    async def fetch(self) -> dict[str, Any]:
        """See KeySource."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            found = await client.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            described = found.raise_for_status().json()
            if described["issuer"] != self._issuer:
                raise ValueError("the issuer calls itself something else")
            answer = await client.get(described["jwks_uri"])
            keys: dict[str, Any] = answer.raise_for_status().json()
            return keys


class KeyCache:
    """Keys by their id; many requests wait for one fetch."""

    def __init__(
        self, issuer: str, source: KeySource, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._source = source
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = asyncio.Lock()
        self.generation = 0  # of the keys: a token that was found good is good for one generation only

    async def find(self, key_id: str | None) -> PublicKey:
        """The key of this id. Raises TokenRefused if the issuer has none, IssuerSilent."""
        if not isinstance(key_id, str | None):
            raise TokenRefused("token.malformed", "the key id of the token is no text")
        if key_id not in self._keys or self._age() > FRESH_SECONDS:
            await self._refresh(key_id)
        if not self._keys or self._age() > STALE_SECONDS:
            raise IssuerSilent(self._issuer)
        if key_id is None or key_id not in self._keys:
            raise TokenRefused(
                "token.unknown_key", "the token is signed with a key that the issuer does not have"
            )
        return self._keys[key_id]

    async def keep_fresh(self) -> None:
        """Fetch the keys if they are old; for tokens that are recognised without asking for a key."""
        if self._age() > FRESH_SECONDS:
            await self._refresh(None)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    async def _refresh(self, wanted: str | None) -> None:
        async with self._lock:
            known = wanted is None or wanted in self._keys
            if known and self._age() <= FRESH_SECONDS:  # another request fetched them meanwhile
                return
            if self._tried is not None and self._clock() - self._tried < PAUSE_SECONDS:
                return
            self._tried = self._clock()
            try:
                keys = _usable(await self._source.fetch())
            except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
                log.warning("issuer.silent", issuer=self._issuer, error=type(error).__name__)
                return
            if keys.keys() != self._keys.keys():
                self.generation += 1
                log.info("issuer.keys", issuer=self._issuer, keys=len(keys))
            self._keys, self._fetched = keys, self._clock()


def _usable(described: dict[str, Any]) -> dict[str, PublicKey]:
    """The public signing keys of a JWK set; a symmetric key has no place in one."""
    keys: dict[str, PublicKey] = {}
    for one in described["keys"]:
        if one.get("use", "sig") != "sig" or "kid" not in one:
            continue
        # A key of a kind that we do not know, or no key at all, must not end the others.
        with suppress(JoseError, KeyError, TypeError, ValueError):
            keys[str(one["kid"])] = public_key(one)
    return keys


def public_key(described: dict[str, Any]) -> PublicKey:
    """The key of a JWK, which must be public. Raises JoseError."""
    key = import_key(described)
    if isinstance(key, OctKey) or key.is_private:
        raise KeyParameterError("a public key is asked for")
    return key
