"""DPoP proofs (RFC 9449): the caller shows, for this very request, that it holds the token's key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError

from cdr.identity.errors import INVALID_PROOF, TokenRefused
from cdr.identity.keys import PublicKey, public_key
from cdr.identity.tokens import check_signature, digest, unverified

WINDOW_SECONDS = 60  # a proof is taken for so long after it was made
LONGEST_JTI = 256
_DEFAULT_PORT = {"http": 80, "https": 443}
_UNRESERVED = re.compile(r"%([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Request:
    """What a proof is made for; ``url`` as the caller knows it, with scheme and host."""

    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A good proof: its unique id, the thumbprint of its key, when it ends (seconds since 1970)."""

    jti: str
    thumbprint: str
    ends: float


def check_proof(proof: str, request: Request, *, now: float, leeway: float, token: str | None) -> Proof:
    """Signature, method, address, time and, with a token, that it was made for that. Raises TokenRefused.

    Whether the proof was seen before is for the caller to ask (``cdr.store.proofs``).
    """
    header, claims = unverified(proof, INVALID_PROOF)
    if header.get("typ") != "dpop+jwt":
        raise _refused("proof.type", "the header DPoP holds no dpop+jwt")
    key = _own_key(header.get("jwk"))
    check_signature(proof, key, INVALID_PROOF)
    if claims.get("htm") != request.method:
        raise _refused("proof.method", "the proof was made for another method (htm)")
    if not _same_address(claims.get("htu"), request.url):
        raise _refused("proof.address", "the proof was made for another address (htu)")
    made = claims.get("iat")
    if not isinstance(made, int | float) or not -WINDOW_SECONDS - leeway <= made - now <= leeway:
        raise _refused("proof.time", f"the proof was not made within the last {WINDOW_SECONDS} s (iat)")
    if token is not None and claims.get("ath") != digest(token):
        raise _refused("proof.other_token", "the proof was made for another token (ath)")
    return Proof(_jti(claims), key.thumbprint(), made + WINDOW_SECONDS + 2 * leeway)


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise _refused("proof.jti", f"the proof needs a jti of at most {LONGEST_JTI} characters")
    return jti


def _own_key(described: object) -> PublicKey:
    """The public key that a proof carries."""
    if not isinstance(described, dict):
        raise _refused("proof.key", "the proof carries no key (jwk)")
    try:
        return public_key(described)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise _refused("proof.key", "the proof must carry a public key (jwk)") from fault


def _same_address(stated: object, url: str) -> bool:
    """Equal but for query, fragment, case of scheme and host, default port and spelling of %-codes."""
    if not isinstance(stated, str):
        return False
    try:
        return _normal(stated) == _normal(url)
    except ValueError:
        return False


def _normal(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or _DEFAULT_PORT.get(scheme)
    return scheme, (parts.hostname or "").lower(), port, _UNRESERVED.sub(_spelled, parts.path or "/")


def _spelled(code: re.Match[str]) -> str:
    character = chr(int(code[1], 16))
    plain = character.isascii() and (character.isalnum() or character in "-._~:@!$&'()*+,;=")
    return character if plain else code[0].upper()


def _refused(code: str, reason: str) -> TokenRefused:
    return TokenRefused(code, reason, INVALID_PROOF)
