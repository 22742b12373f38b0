"""Getting and using access tokens as an EHR system does: private_key_jwt, PAR, PKCE and DPoP over httpx.

>>> tokens = TokenClient(issuer, client_id, client_key, httpx.Client())            # doctest: +SKIP
>>> held = tokens.log_in("jordmor", scope="nhn:maternity-record/api")             # doctest: +SKIP
>>> httpx.Client(auth=DPoPAuth(held)).get(address)                                # doctest: +SKIP
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from archetypes.errors import HelsekortError
from cdr.identity.tokens import digest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 50
REDIRECT_URI = "http://127.0.0.1/done"  # nobody listens there: the code is read from the redirection


class TokenRequestFailed(HelsekortError):
    """The issuer gave no token; the text is what it said."""

    code = "token.not_given"


def new_key() -> ECKey:
    """A key to bind tokens to."""
    return ECKey.generate_key("P-256", private=True)


def proof(key: ECKey, method: str, url: str, token: str | None = None, **claims: Any) -> str:
    """A DPoP proof for one request (RFC 9449, section 4.2); ``claims`` replace those that it has."""
    made: dict[str, Any] = {
        "jti": uuid.uuid4().hex,
        "htm": method,
        "htu": url.partition("?")[0].partition("#")[0],
        "iat": int(time.time()),
    }
    if token is not None:
        made["ath"] = digest(token)
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, made | claims, key, algorithms=["ES256"])


@dataclass(frozen=True, slots=True)
class HeldToken:
    """An access token with the key that it is bound to."""

    access_token: str
    key: ECKey
    refresh_token: str | None = None
    expires_in: int = 0


class DPoPAuth(httpx.Auth):
    """Signs each request of an httpx client."""

    def __init__(self, held: HeldToken) -> None:
        self._held = held

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        token = self._held.access_token
        request.headers["Authorization"] = f"DPoP {token}"
        request.headers["DPoP"] = proof(self._held.key, request.method, str(request.url), token)
        yield request


@dataclass(slots=True)
class TokenClient:
    """One client of an issuer; ``http`` is the caller's, who closes it."""

    issuer: str
    client_id: str
    client_key: ECKey
    http: httpx.Client
    _places: dict[str, Any] = field(init=False, default_factory=dict)

    def for_system(self, scope: str, *, key: ECKey | None = None) -> HeldToken:
        """A token without a person (client credentials). Raises TokenRequestFailed."""
        return self._token({"grant_type": "client_credentials", "scope": scope}, key or new_key())

    def log_in(self, person: str, scope: str, *, key: ECKey | None = None, details: Any = None) -> HeldToken:
        """A token for a person of the built-in issuer, whose log-in is a choice.

        Raises TokenRequestFailed.
        """
        bound, verifier = key or new_key(), secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "code_challenge": digest(verifier),
            "code_challenge_method": "S256",
            "state": secrets.token_urlsafe(16),
            **({} if details is None else {"authorization_details": orjson.dumps(details).decode()}),
        }
        pushed = self._post("pushed_authorization_request_endpoint", asked, bound)
        code = self._code(pushed["request_uri"], person, asked["state"])
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        }
        return self._token(grant, bound)

    def refreshed(self, held: HeldToken) -> HeldToken:
        """A new token for the same person. Raises TokenRequestFailed."""
        grant = {"grant_type": "refresh_token", "refresh_token": held.refresh_token or ""}
        return self._token(grant, held.key)

    def _code(self, request_uri: str, person: str, state: str) -> str:
        chosen = {"request_uri": request_uri, "person": person}
        answer = self.http.post(self._place("authorization_endpoint"), data=chosen, follow_redirects=False)
        if answer.status_code != 303:
            raise _failed(answer)
        told = parse_qs(urlsplit(answer.headers["Location"]).query)
        if told.get("state") != [state] or told.get("iss") != [self.issuer]:
            raise TokenRequestFailed("the answer is not to our request (state, iss)")
        return told["code"][0]

    def _token(self, grant: dict[str, str], key: ECKey) -> HeldToken:
        body = self._post("token_endpoint", grant, key)
        return HeldToken(body["access_token"], key, body.get("refresh_token"), body["expires_in"])

    def _post(self, endpoint: str, form: dict[str, str], key: ECKey) -> dict[str, Any]:
        url = self._place(endpoint)
        signed = form | {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        answer = self.http.post(url, data=signed, headers={"DPoP": proof(key, "POST", url)})
        if answer.status_code not in (200, 201):
            raise _failed(answer)
        body: dict[str, Any] = answer.json()
        return body

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        header = {"alg": "ES256", "kid": self.client_key.kid, "typ": "client-authentication+jwt"}
        return jwt.encode(header, claims, self.client_key, algorithms=["ES256"])

    def _place(self, endpoint: str) -> str:
        if not self._places:
            answer = self.http.get(f"{self.issuer}/.well-known/openid-configuration")
            if answer.status_code != 200:
                raise _failed(answer)
            self._places = answer.json()
        return str(self._places[endpoint])


def _failed(answer: httpx.Response) -> TokenRequestFailed:
    try:
        body = answer.json()
        said = body.get("error_description") or body.get("message") or body.get("error")
    except (ValueError, AttributeError):
        said = answer.text[:200]
    return TokenRequestFailed(f"{answer.request.url.path} answered {answer.status_code}: {said}")
