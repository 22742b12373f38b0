"""Who acts, and with what: the first argument of every use case."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from cdr.actor import Actor, ActorKind
from cdr.consent import ConsentFacts, Lack
from cdr.query_worker import QueryWorker
from cdr.settings import Settings
from cdr.sight import Terms
from cdr.store.commit_modes import CommitSink
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry
from cdr.terminology.service import TerminologyService

__all__ = ["Actor", "ActorKind", "Ctx", "new_uuid", "utc_now"]


def utc_now() -> datetime:
    """The clock of a running server."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """A random id for a new object."""
    return str(uuid.uuid4())


class ConsentSource(Protocol):
    """Where consents live if not here (``cdr.consent_register``)."""

    async def refreshed(self, ctx: Ctx, ehr_id: str, facts: ConsentFacts) -> ConsentFacts:
        """Her consent after asking, if what is known is stale."""
        ...


@dataclass(frozen=True, slots=True)
class Ctx:
    """One request.

    ``basis`` is the access basis (UNNTAK, SAMTYKKE, FORHOYET_SAMTYKKE, AKUTT) and ``reason`` what the actor
    says of an emergency; both go into the audit. ``project`` names the project of an analyst. ``clock``
    returns times with a zone; ``new_id`` makes ids of EHRs, objects and contributions; ``terminology`` knows
    outside codes. ``commits`` takes them in place of the store's own queue. ``query_worker``
    takes long queries.
    """

    actor: Actor
    store: Store
    templates: TemplateRegistry
    settings: Settings
    basis: str = ""
    reason: str = ""
    project: str = ""
    clock: Callable[[], datetime] = utc_now
    new_id: Callable[[], str] = new_uuid
    terminology: TerminologyService | None = None
    consent_source: ConsentSource | None = None
    commits: CommitSink | None = None
    query_worker: QueryWorker | None = None

    def lack_of(self, facts: ConsentFacts) -> Lack | None:
        """Why nothing of a card may be stored or shown now, as far as consent goes."""
        return facts.lack(self.settings.legal_basis, self.clock())

    @property
    def terms(self) -> Terms:
        """What consent and shielding depend on besides who asks."""
        roles = frozenset(filter(None, self.settings.shielded_roles.split(",")))
        return Terms(self.settings.legal_basis, self.clock(), roles)
