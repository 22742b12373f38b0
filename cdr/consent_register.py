"""Consent that lives in the portal's own register: looked up there, and told by it (docs/consent.md).

Look-up: ``POST <base>lookup`` with ``{"nationalId": "..."}``; it answers ``{"given": true, ...}``.
What it says is believed for a while; unreachable, unreadable or stale means no consent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import httpx
import structlog

from archetypes.norwegian_ids import PERSON_NAMESPACES
from cdr.actor import Actor, ActorKind
from cdr.consent import ConsentFacts, LegalBasis
from cdr.consents import hear_register
from cdr.context import Ctx
from cdr.errors import CdrError

REGISTER = Actor(id="consent-register", name="Samtykkeregisteret", kind=ActorKind.SERVER)
REST_AFTER_SILENCE = 5.0  # seconds in which a silent register is not asked again: nobody waits for it twice

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """What the register says now."""

    given: bool
    document: str = ""


class ConsentRegister:
    """The client; ``close`` it at the end."""

    def __init__(self, base_url: str, *, token: str | None = None, timeout: float = 2.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(base_url=base_url, timeout=timeout, headers=headers)
        self._silent_until = 0.0

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def look_up(self, national_id: str) -> RegisterAnswer | None:
        """What the register says of her; None if it does not answer, or not so that one can read it."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            answer = await self._client.post("lookup", json={"nationalId": national_id})
            answer.raise_for_status()
            body = answer.json()
            return RegisterAnswer(_given(body["given"]), str(body.get("document", ""))[:20])
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("consent_register.silent", reason=type(error).__name__)
            self._silent_until = time.monotonic() + REST_AFTER_SILENCE
            return None

    async def refreshed(self, ctx: Ctx, ehr_id: str, facts: ConsentFacts) -> ConsentFacts:
        """Her consent as it is known after asking, if what was known is stale."""
        if facts.bar is not None or (facts.given and ctx.clock() < facts.until):
            return facts
        if ctx.settings.legal_basis is not LegalBasis.CONSENT or facts.removal is not None:
            return facts
        known = await ctx.store.subjects.of_ehr(ehr_id)
        ids = [one for one in known if one.in_force and one.namespace in PERSON_NAMESPACES]
        answer = await self.look_up(ids[0].id) if ids else None
        if answer is None:
            return facts
        told = replace(ctx, actor=REGISTER, basis="register", reason="")
        try:
            return await hear_register(told, ehr_id, given=answer.given, document=answer.document)
        except CdrError:  # somebody else heard it at the same time: what is known then counts
            return await ctx.store.consents.facts(ehr_id) or facts


def _given(value: object) -> bool:
    """Only a plain yes is a yes."""
    if not isinstance(value, bool):
        raise TypeError("given must be true or false")
    return value
