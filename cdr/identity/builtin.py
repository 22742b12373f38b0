"""The built-in issuer: for development, demo and tests it says who somebody is, as HelseID would.

It speaks the protocol that the real ones speak: discovery, pushed authorization requests (RFC 9126),
authorization code with PKCE, client credentials, clients that sign (private_key_jwt), tokens bound to a
key (DPoP). Only the log-in is not real: one chooses whom to be. Its keys lie in the data folder. It is one
issuer for people at work and another one for citizens; what they share is here.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from archetypes.errors import HelsekortError
from cdr.identity.errors import INVALID_PROOF, TokenRefused
from cdr.identity.key_files import signing_key
from cdr.identity.mapping import Profile
from cdr.identity.proofs import Proof, Request, check_proof
from cdr.identity.registry import Client, Person, Registry
from cdr.identity.tokens import check_signature, check_times, digest, unverified

TOKEN_SECONDS = 600
REQUEST_SECONDS = 60  # a pushed request, a code
SESSION_SECONDS = 8 * 3600
ASSERTION_SECONDS = 60
LEEWAY_SECONDS = 10.0
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Form = Mapping[str, str]


class OAuthError(HelsekortError):
    """An error answer of RFC 6749, section 5.2; ``code`` is its ``error``."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.code = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What was asked for and, once somebody logged in, by whom; kept under a URI, code or refresh token."""

    client: Client
    scopes: tuple[str, ...]
    ends: float
    person: Person | None = None
    redirect_uri: str = ""
    challenge: str = ""
    state: str = ""
    nonce: str = ""
    thumbprint: str = ""
    details: Any = None


@dataclass(slots=True)
class BuiltinIssuer:
    """One of the two issuers at ``address`` (its name, and where it is reached)."""

    address: str
    profile: Profile
    audience: str
    registry: Registry
    folder: Path
    clock: Callable[[], float] = time.time
    key: ECKey = field(init=False)
    client_keys: dict[str, ECKey] = field(init=False)
    _kept: dict[str, Grant] = field(init=False, default_factory=dict)
    _used: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.key = signing_key(self.folder / f"{self.profile.value}.jwk")
        self.client_keys = {
            client.id: signing_key(client_key_file(self.folder, client.id))
            for client in self.registry.clients.values()
            if client.profile is self.profile
        }

    async def fetch(self) -> dict[str, Any]:
        """The public keys, as ``cdr.identity.keys.KeySource`` asks for them."""
        return self.keys()

    def keys(self) -> dict[str, Any]:
        """The JWK set."""
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": "ES256"}]}

    def description(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery, RFC 8414)."""
        return {
            "issuer": self.address,
            "jwks_uri": f"{self.address}/jwks",
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "pushed_authorization_request_endpoint": f"{self.address}/par",
            "require_pushed_authorization_requests": True,
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "PS256", "RS256"],
            "dpop_signing_alg_values_supported": ["ES256", "PS256", "RS256"],
            "authorization_response_iss_parameter_supported": True,
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "offline_access", *self._scopes()],
        }

    def push(self, form: Form, proof: str | None) -> dict[str, Any]:
        """Keep an authorization request; its ``request_uri``. Raises OAuthError."""
        client = self._client(form)
        redirect_uri = form.get("redirect_uri", "")
        if urlsplit(redirect_uri).hostname not in _LOOPBACK:
            raise OAuthError("invalid_request", "redirect_uri must be on this machine")
        if form.get("response_type") != "code" or form.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "needs response_type=code and code_challenge_method=S256")
        bound = self._proof(proof, "par").thumbprint if proof else form.get("dpop_jkt", "")
        grant = Grant(
            client=client,
            scopes=tuple(form.get("scope", "").split()),
            ends=self.clock() + REQUEST_SECONDS,
            redirect_uri=redirect_uri,
            challenge=form.get("code_challenge", ""),
            state=form.get("state", ""),
            nonce=form.get("nonce", ""),
            thumbprint=bound,
            details=_details(form),
        )
        return {"request_uri": self._keep(REQUEST_URI, grant), "expires_in": REQUEST_SECONDS}

    def choices(self, request_uri: str) -> tuple[Grant, list[Person]]:
        """The request, and the people who can log in to it. Raises OAuthError."""
        grant = self._kept.get(request_uri)
        if grant is None or grant.ends < self.clock():
            raise OAuthError("invalid_request_uri", "no such request, or it has ended")
        people = self.registry.people.values()
        return grant, [person for person in people if person.may_use(grant.client)]

    def log_in(self, request_uri: str, person_id: str) -> str:
        """Where to send the browser with the code. Raises OAuthError."""
        grant, people = self.choices(request_uri)
        person = next((one for one in people if one.id == person_id), None)
        if person is None:
            raise OAuthError("access_denied", "nobody of this name can use this client")
        del self._kept[request_uri]
        code = self._keep("", replace(grant, person=person, ends=self.clock() + REQUEST_SECONDS))
        answer = {"code": code, "iss": self.address, **({"state": grant.state} if grant.state else {})}
        return f"{grant.redirect_uri}{'&' if '?' in grant.redirect_uri else '?'}{urlencode(answer)}"

    def token(self, form: Form, proof: str | None) -> dict[str, Any]:
        """The answer of the token endpoint. Raises OAuthError."""
        client = self._client(form)
        if proof is None:
            raise OAuthError("invalid_dpop_proof", "the request needs one header DPoP")
        thumbprint = self._proof(proof, "token").thumbprint
        kind = form.get("grant_type")
        if kind == "client_credentials":
            asked = tuple(form.get("scope", "").split())
            grant = Grant(client=client, scopes=asked, ends=0, details=_details(form))
        elif kind == "authorization_code":
            grant = self._taken(client, form.get("code", ""), thumbprint)
            self._check_code(grant, form)
        elif kind == "refresh_token":
            grant = self._taken(client, form.get("refresh_token", ""), thumbprint)
        else:
            raise OAuthError("unsupported_grant_type", "code, refresh token or client credentials")
        return self._answer(replace(grant, thumbprint=thumbprint))

    def sign(self, claims: Mapping[str, Any], *, type_: str = "at+jwt") -> str:
        """A token with these claims, whatever they are."""
        header = {"alg": "ES256", "kid": self.key.kid, "typ": type_}
        return jwt.encode(header, dict(claims), self.key, algorithms=["ES256"])

    def claims(self, grant: Grant, scopes: tuple[str, ...]) -> dict[str, Any]:
        """What an access token says."""
        now = int(self.clock())
        claims: dict[str, Any] = {
            "iss": self.address,
            "aud": self.audience,
            "client_id": grant.client.id,
            "scope": list(scopes),
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "jti": uuid.uuid4().hex,
            "cnf": {"jkt": grant.thumbprint},
        }
        if grant.details is not None:
            claims["authorization_details"] = grant.details
        if self.profile is Profile.CITIZEN:
            return claims | _citizen_claims(grant)
        return claims | _work_claims(grant)

    def _answer(self, grant: Grant) -> dict[str, Any]:
        scopes = self._granted(grant)
        answer = {
            "access_token": self.sign(self.claims(grant, scopes)),
            "token_type": "DPoP",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scopes),
        }
        if grant.person is not None:
            session = replace(grant, ends=self.clock() + SESSION_SECONDS)
            answer |= {"refresh_token": self._keep("", session)}
            if "openid" in grant.scopes:
                answer |= {"id_token": self.sign(self._id_claims(grant), type_="JWT")}
        return answer

    def _id_claims(self, grant: Grant) -> dict[str, Any]:
        assert grant.person is not None  # asked for people only
        times = {name: value for name, value in self.claims(grant, ()).items() if name in ("iat", "exp")}
        who = {"sub": _pairwise(grant), "name": grant.person.name, "aud": grant.client.id}
        return {"iss": self.address, **times, **who, **({"nonce": grant.nonce} if grant.nonce else {})}

    def _granted(self, grant: Grant) -> tuple[str, ...]:
        """Those of the asked scopes that client and person may have. Raises OAuthError if it is none."""
        allowed = set(grant.client.scopes)
        if grant.person is not None:
            allowed &= set(grant.person.scopes)
        scopes = tuple(scope for scope in grant.scopes if scope in allowed)
        if not scopes:
            raise OAuthError("invalid_scope", f"this client can ask for: {' '.join(sorted(allowed))}")
        return scopes

    def _client(self, form: Form) -> Client:
        """The client that signed the assertion. Raises OAuthError."""
        assertion = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError("invalid_client", "clients authenticate with private_key_jwt")
        try:
            _, claims = unverified(assertion)
            client = self.registry.clients.get(str(claims.get("sub")))
            if client is None or client.id not in self.client_keys or claims.get("iss") != client.id:
                raise OAuthError("invalid_client", "no such client of this issuer")
            check_signature(assertion, self.client_keys[client.id])
            check_times(claims, self.clock(), LEEWAY_SECONDS)
        except TokenRefused as fault:
            raise OAuthError("invalid_client", str(fault)) from fault
        self._check_assertion(claims)
        return client

    def _check_assertion(self, claims: Mapping[str, Any]) -> None:
        audience = claims.get("aud")
        ours = (self.address, f"{self.address}/token")
        if audience not in ours and audience not in [[one] for one in ours]:
            raise OAuthError("invalid_client", "the assertion is for somebody else (aud)")
        if claims["exp"] > self.clock() + ASSERTION_SECONDS + LEEWAY_SECONDS:
            raise OAuthError("invalid_client", f"the assertion lives longer than {ASSERTION_SECONDS} s")
        self._once(f"assertion {claims.get('sub')} {claims.get('jti')}", claims["exp"] + LEEWAY_SECONDS)

    def _proof(self, text: str, endpoint: str) -> Proof:
        request = Request("POST", f"{self.address}/{endpoint}")
        try:
            proof = check_proof(text, request, now=self.clock(), leeway=LEEWAY_SECONDS, token=None)
        except TokenRefused as fault:
            raise OAuthError(INVALID_PROOF, str(fault)) from fault
        self._once(f"proof {proof.thumbprint} {proof.jti}", proof.ends)
        return proof

    def _once(self, mark: str, ends: float) -> None:
        now = self.clock()
        self._used = {one: end for one, end in self._used.items() if end > now}
        if mark in self._used:
            raise OAuthError("invalid_request", "the assertion or proof was used before")
        self._used[mark] = ends

    def _keep(self, prefix: str, grant: Grant) -> str:
        now = self.clock()
        self._kept = {one: kept for one, kept in self._kept.items() if kept.ends > now}
        name = prefix + secrets.token_urlsafe(32)
        self._kept[name] = grant
        return name

    def _taken(self, client: Client, name: str, thumbprint: str) -> Grant:
        """What is kept under a code or refresh token, which is used up by that. Raises OAuthError."""
        grant = self._kept.pop(name, None)
        if grant is None or grant.person is None or grant.client != client or grant.ends < self.clock():
            raise OAuthError("invalid_grant", "no such code or refresh token, or it has ended")
        if grant.thumbprint and grant.thumbprint != thumbprint:
            raise OAuthError("invalid_dpop_proof", "the request was bound to another key")
        return grant

    def _check_code(self, grant: Grant, form: Form) -> None:
        if form.get("redirect_uri") != grant.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not that of the request")
        if not grant.challenge or digest(form.get("code_verifier", "")) != grant.challenge:
            raise OAuthError("invalid_grant", "code_verifier does not fit the challenge")

    def _scopes(self) -> list[str]:
        clients = [client for client in self.registry.clients.values() if client.profile is self.profile]
        return sorted({scope for client in clients for scope in client.scopes})


def client_key_file(folder: Path, client_id: str) -> Path:
    """Where the private key of a client lies."""
    return folder / "clients" / f"{client_id}.jwk"


def _details(form: Form) -> Any:
    """``authorization_details`` as JSON. Raises OAuthError."""
    text = form.get("authorization_details")
    try:
        return None if text is None else orjson.loads(text)
    except ValueError as fault:
        raise OAuthError("invalid_authorization_details", "authorization_details is no JSON") from fault


def _pairwise(grant: Grant) -> str:
    assert grant.person is not None  # asked for people only
    return hashlib.sha256(f"{grant.client.id} {grant.person.id}".encode()).hexdigest()


def _citizen_claims(grant: Grant) -> dict[str, Any]:
    if grant.person is None:
        return {}
    who = {"sub": _pairwise(grant), "pid": grant.person.person_id}
    return who | {"security_level": str(grant.person.security_level)}


def _work_claims(grant: Grant) -> dict[str, Any]:
    client, person = grant.client, grant.person
    claims: dict[str, Any] = {
        "helseid://claims/client/client_name": client.name,
        "helseid://claims/client/claims/orgnr_parent": client.organisation,
    }
    if client.unit:
        claims["helseid://claims/client/claims/orgnr_child"] = client.unit
    if person is None:
        return claims
    claims |= {
        "sub": _pairwise(grant),
        "name": person.name,
        "helseid://claims/identity/pid": person.person_id,
        "helseid://claims/identity/security_level": str(person.security_level),
    }
    if person.hpr:
        approvals = [{"profession": role} for role in person.roles]
        claims["helseid://claims/hpr/hpr_number"] = person.hpr
        claims["helseid://claims/hpr/hpr_details"] = {"hpr_number": person.hpr, "approvals": approvals}
    return claims
