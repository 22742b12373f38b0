"""Signed tokens: read with an allow-list of algorithms, and checked for issuer, audience and time."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import Header

from cdr.identity.errors import INVALID_TOKEN, TokenRefused
from cdr.identity.keys import PublicKey

Claims = Mapping[str, Any]
# Asymmetric only: never "none", never HMAC, so that no public key can be taken for a shared secret.
ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
ACCESS_TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
LONGEST = 16_384  # characters of a token or proof


class _Registry(JWSRegistry):
    """Headers of proofs hold whole RSA keys."""

    max_header_length = 4096
    max_payload_length = LONGEST


REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an access token must say. ``leeway`` in seconds, for clocks that differ."""

    issuer: str
    audience: str
    now: float
    leeway: float


def unverified(token: str, error: str = INVALID_TOKEN) -> tuple[Header, dict[str, Any]]:
    """Header and claims of a token that nobody has checked yet, to find the key with. Raises TokenRefused."""
    if len(token) > LONGEST:
        raise TokenRefused("token.malformed", f"more than {LONGEST} characters", error)
    try:
        read = jws.extract_compact(token.encode("ascii"), registry=REGISTRY)
        claims = orjson.loads(read.payload)
    except (JoseError, ValueError) as fault:
        raise TokenRefused("token.malformed", "not a signed token (JWS compact)", error) from fault
    if not isinstance(claims, dict):
        raise TokenRefused("token.malformed", "the token holds no claims", error)
    if read.protected.keys() & {"crit", "b64"}:
        raise TokenRefused("token.malformed", "the token uses an extension (crit, b64)", error)
    if read.protected.get("alg") not in ALGORITHMS:
        raise TokenRefused("token.algorithm", f"signed by none of {', '.join(ALGORITHMS)}", error)
    return read.protected, claims


def check_signature(token: str, key: PublicKey, error: str = INVALID_TOKEN) -> None:
    """Raises TokenRefused."""
    try:
        jws.deserialize_compact(token, key, algorithms=list(ALGORITHMS), registry=REGISTRY)
    except (JoseError, ValueError) as fault:
        raise TokenRefused("token.signature", "the signature does not fit the key", error) from fault


def check_access_token(header: Header, claims: Claims, expected: Expected) -> None:
    """Type, issuer, audience, times and scope of an access token (RFC 9068). Raises TokenRefused."""
    if str(header.get("typ", "")).lower() not in ACCESS_TOKEN_TYPES:
        raise TokenRefused("token.type", "this is no access token")
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("token.issuer", "issued by somebody whom this server does not trust")
    if claims.get("aud") not in (expected.audience, [expected.audience]):
        raise TokenRefused("token.audience", f"the token is not for {expected.audience} alone")
    check_times(claims, expected.now, expected.leeway)
    if not scopes_of(claims):
        raise TokenRefused("token.scope", "the token has no scope")


def check_times(claims: Claims, now: float, leeway: float, error: str = INVALID_TOKEN) -> None:
    """``exp`` is there and to come; ``nbf`` and ``iat`` are past. Raises TokenRefused."""
    registry = JWTClaimsRegistry(now=int(now), leeway=int(leeway), exp={"essential": True})
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    try:
        registry.validate(times)
    except ExpiredTokenError as fault:
        raise TokenRefused("token.expired", "the token has expired", error) from fault
    except JoseError as fault:
        raise TokenRefused("token.time", "the token is not valid at this time", error) from fault


def scopes_of(claims: Claims) -> tuple[str, ...]:
    """The scopes, given as one text (RFC 9068) or as a list (HelseID)."""
    scope = claims.get("scope", "")
    if isinstance(scope, str):
        return tuple(scope.split())
    return tuple(one for one in scope if isinstance(one, str)) if isinstance(scope, list) else ()


def digest(text: str) -> str:
    """Base64url of SHA-256, as ``ath`` has it."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
