"""From the headers of a request to the actor behind it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from cdr.actor import Actor
from cdr.identity.claims import Holder, Stated, holder_of
from cdr.identity.errors import INVALID_PROOF, TokenRefused
from cdr.identity.keys import KeyCache
from cdr.identity.mapping import ClaimMapping, Profile
from cdr.identity.proofs import Request, check_proof
from cdr.identity.tokens import (
    Claims,
    Expected,
    check_access_token,
    check_signature,
    digest,
    unverified,
)

LEEWAY_SECONDS = 10.0
REMEMBERED = 10_000  # tokens whose signature need not be checked again

Remember = Callable[[str, float], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose tokens are taken."""

    name: str
    profile: Profile
    keys: KeyCache


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of its caller; ``proofs`` are the values of its header DPoP."""

    authorization: str
    proofs: tuple[str, ...]
    request: Request
    stated: Stated = field(default_factory=Stated)


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was found good, and for which generation of the issuer's keys."""

    claims: Claims
    holder: Holder
    issuer: TrustedIssuer
    generation: int


class Verifier:
    """Checks tokens and proofs.

    ``remember`` keeps the mark of a proof until it ends, and answers False if the mark was there before.
    """

    def __init__(
        self,
        issuers: Mapping[str, TrustedIssuer],
        mapping: ClaimMapping,
        remember: Remember,
        *,
        audience: str,
        bearer_allowed: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = issuers
        self._mapping = mapping
        self._remember = remember
        self._audience = audience
        self._bearer_allowed = bearer_allowed
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def identify(self, presented: Presented) -> Actor:
        """Who is calling. Raises TokenRefused, IssuerSilent, StoreUnavailable."""
        scheme, _, token = presented.authorization.partition(" ")
        token = token.strip()
        if not token or scheme.lower() not in ("dpop", "bearer"):
            raise TokenRefused("token.missing", "this server takes no request without an access token")
        known = await self._good(token)
        if scheme.lower() == "dpop":
            await self._check_proof(presented, token, known.claims)
        else:
            self._check_bearer(known.claims)
        return known.holder.acting(presented.stated)

    async def _good(self, token: str) -> _Known:
        mark = digest(token)
        known = self._known.get(mark)
        if known is not None and known.generation == known.issuer.keys.generation:
            await known.issuer.keys.keep_fresh()
            check_times_again(known.claims, self._clock())
            return known
        known = await self._checked(token)
        self._known[mark] = known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known

    async def _checked(self, token: str) -> _Known:
        header, claims = unverified(token)
        issuer = self._issuers.get(str(claims.get("iss")))
        if issuer is None:
            raise TokenRefused("token.issuer", "issued by somebody whom this server does not trust")
        key = await issuer.keys.find(header.get("kid"))
        check_signature(token, key)
        expected = Expected(issuer.name, self._audience, self._clock(), LEEWAY_SECONDS)
        check_access_token(header, claims, expected)
        holder = holder_of(claims, issuer.profile, self._mapping)
        return _Known(claims, holder, issuer, issuer.keys.generation)

    async def _check_proof(self, presented: Presented, token: str, claims: Claims) -> None:
        if len(presented.proofs) != 1:
            raise TokenRefused("proof.missing", "the request needs one header DPoP", INVALID_PROOF)
        bound = claims.get("cnf")
        thumbprint = bound.get("jkt") if isinstance(bound, dict) else None
        if not isinstance(thumbprint, str):
            raise TokenRefused("token.not_bound", "the token is bound to no key (cnf.jkt)")
        now = self._clock()
        (text,) = presented.proofs
        proof = check_proof(text, presented.request, now=now, leeway=LEEWAY_SECONDS, token=token)
        if proof.thumbprint != thumbprint:
            raise TokenRefused("proof.other_key", "the token is bound to another key", INVALID_PROOF)
        if not await self._remember(digest(f"{proof.thumbprint} {proof.jti}"), proof.ends):
            raise TokenRefused("proof.replayed", "the proof was used before", INVALID_PROOF)

    def _check_bearer(self, claims: Claims) -> None:
        if not self._bearer_allowed:
            raise TokenRefused("token.bearer", "bearer tokens are not taken here; use DPoP")
        if "cnf" in claims:
            raise TokenRefused("token.bearer", "the token is bound to a key; use DPoP")


def check_times_again(claims: Claims, now: float) -> None:
    """A token that was good has not expired since. Raises TokenRefused."""
    if claims["exp"] <= now - LEEWAY_SECONDS:
        raise TokenRefused("token.expired", "the token has expired")
