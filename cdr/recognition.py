"""Recognising who calls, and keeping a record of those who were not recognised."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cdr.actor import Actor
from cdr.audit import AuditEntry, Outcome
from cdr.context import utc_now
from cdr.identity.builtin import BuiltinIssuer
from cdr.identity.errors import TokenRefused
from cdr.identity.keys import KeyCache, RemoteKeys
from cdr.identity.mapping import Profile, claim_mapping
from cdr.identity.registry import builtin_registry
from cdr.identity.verifier import Presented, TrustedIssuer, Verifier
from cdr.settings import BUILTIN, Settings
from cdr.store.mongo import Store

ACTION = "token.check"  # in the audit
ENTRIES_A_SECOND = 20  # of refused tokens: whoever has none must not be able to fill the audit


@dataclass(slots=True)
class Recognition:
    """Who calls; ``issuers`` are the built-in ones, where they run."""

    verifier: Verifier
    store: Store
    issuers: Mapping[Profile, BuiltinIssuer]
    clock: Callable[[], float] = time.monotonic
    _second: int = field(init=False, default=0)
    _written: int = field(init=False, default=0)
    _left_out: int = field(init=False, default=0)

    async def identify(self, presented: Presented) -> Actor:
        """Who is calling; a refusal is in the audit before it rises.

        Raises TokenRefused, IssuerSilent, StoreUnavailable.
        """
        try:
            return await self.verifier.identify(presented)
        except TokenRefused as refusal:
            await self._record(refusal, presented)
            raise

    async def _record(self, refusal: TokenRefused, presented: Presented) -> None:
        second = int(self.clock())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= ENTRIES_A_SECOND:
            self._left_out += 1
            return
        self._written += 1
        more = f" (and {self._left_out} more before it)" if self._left_out else ""
        self._left_out = 0
        entry = AuditEntry(
            at=utc_now(),
            actor="unknown",
            role="",
            organisation="",
            action=ACTION,
            outcome=Outcome.DENIED,
            detail=f"{refusal.code}{more}",
            source=presented.stated.source_system,
            event=presented.stated.event_id,
        )
        await self.store.audit.record([entry])


def open_recognition(settings: Settings, store: Store) -> Recognition:
    """The trusted issuers of the settings. Raises OSError if the built-in one cannot keep its keys."""
    builtin = _builtin(settings) if settings.issuer == BUILTIN else {}
    trusted = [
        TrustedIssuer(issuer.address, issuer.profile, KeyCache(issuer.address, issuer))
        for issuer in builtin.values()
    ]
    named = {Profile.PROFESSIONAL: settings.issuer, Profile.CITIZEN: settings.citizen_issuer}
    for profile, name in named.items():
        if name is not None and name != BUILTIN:
            trusted.append(TrustedIssuer(name, profile, KeyCache(name, RemoteKeys(name))))
    verifier = Verifier(
        {issuer.name: issuer for issuer in trusted},
        claim_mapping(),
        store.proofs.remember,
        audience=settings.audience,
        bearer_allowed=settings.bearer_tokens,
    )
    return Recognition(verifier, store, builtin)


def _builtin(settings: Settings) -> dict[Profile, BuiltinIssuer]:
    registry = builtin_registry()
    return {
        profile: BuiltinIssuer(
            address=f"{settings.address}/issuer/{profile.value}",
            profile=profile,
            audience=settings.audience,
            registry=registry,
            folder=settings.data / "issuer",
        )
        for profile in Profile
    }
