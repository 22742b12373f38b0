"""Being somebody in tests: real tokens of the built-in issuer, and a real proof for each request."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson
from starlette.testclient import TestClient

from api.tokens import HeldToken, TokenClient, new_key, proof
from cdr.identity.builtin import BuiltinIssuer, Grant
from cdr.identity.mapping import Profile
from cdr.identity.registry import Person

ADDRESS = "http://127.0.0.1:8080"
REST = f"{ADDRESS}/openehr/v1"


class People:
    """Everybody whom the built-in issuer of a server knows."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.issuers: Mapping[Profile, BuiltinIssuer] = client.app.state.platform.recognition.issuers
        self._held: dict[str, HeldToken] = {}

    def held(self, who: str, through: str | None = None) -> HeldToken:
        """A token for a person, or for a client without one; asked for once."""
        name = f"{who} {through}"
        if name not in self._held:
            self._held[name] = self._asked(who, through)
        return self._held[name]

    def _asked(self, who: str, through: str | None) -> HeldToken:
        registry = self.issuers[Profile.PROFESSIONAL].registry
        person: Person | None = registry.people.get(who)
        client = next(
            one
            for one in registry.clients.values()
            if (person.may_use(one) if person else one.id == who) and through in (None, one.id)
        )
        issuer = self.issuers[client.profile]
        tokens = TokenClient(issuer.address, client.id, issuer.client_keys[client.id], self.client)
        if person is None:
            return tokens.for_system(" ".join(client.scopes))
        return tokens.log_in(who, " ".join(client.scopes))

    def headers(
        self,
        who: str,
        method: str,
        url: str,
        *,
        through: str | None = None,
        basis: str = "",
        reason: str = "",
        role: str = "",
    ) -> dict[str, str]:
        """The headers of one request by somebody."""
        held = self.held(who, through)
        return proven(held, method, url) | stated(basis=basis, reason=reason, role=role)

    def send(self, who: str, method: str, path: str, **options: Any) -> Any:
        """Send a request as somebody; options of ``headers``, the rest goes to the client."""
        said = {name: options.pop(name, "") for name in ("basis", "reason", "role")}
        url = path if path.startswith("http") else f"{REST}{path}"
        headers = self.headers(who, method, url, through=options.pop("through", None), **said)
        return self.client.request(method, url, headers=headers | options.pop("headers", {}), **options)

    def forged(
        self, who: str, *, header: Mapping[str, Any] | None = None, lacking: str = "", **claims: Any
    ) -> HeldToken:
        """A token that the real key signed, saying what a test wants of a person at work."""
        issuer = self.issuers[Profile.PROFESSIONAL]
        person = issuer.registry.people[who]
        client = next(one for one in issuer.registry.clients.values() if person.may_use(one))
        key = new_key()
        grant = Grant(client=client, scopes=client.scopes, ends=0, person=person, thumbprint=key.thumbprint())
        said = issuer.claims(grant, client.scopes) | claims
        said.pop(lacking, None)
        return HeldToken(issuer.sign(said, **(header or {})), key)


def proven(held: HeldToken, method: str, url: str, **claims: Any) -> dict[str, str]:
    """Authorization and DPoP."""
    made = proof(held.key, method, url, held.access_token, **claims)
    return {"Authorization": f"DPoP {held.access_token}", "DPoP": made}


def stated(*, basis: str = "", reason: str = "", role: str = "") -> dict[str, str]:
    """What a request says of why and in which role."""
    code = quote(orjson.dumps({"system": "urn:oid:2.16.578.1.12.4.1.1.9060", "code": role}).decode())
    said = {
        "nhn-access-basis": basis,
        "helsekort-access-reason": quote(reason),
        "nhn-user-role": code if role else "",
        "nhn-source-system": "Test-EPJ 1.0",
        "nhn-event-id": str(uuid.uuid4()),
    }
    return {name: value for name, value in said.items() if value}


def with_key(held: HeldToken) -> HeldToken:
    """The same token in the hands of somebody who has another key."""
    return replace(held, key=new_key())


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())
