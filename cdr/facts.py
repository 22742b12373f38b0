"""What the store knows that an access decision needs: fetched by the door, judged by ``cdr.access``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdr.consent import NO_CONSENT, ConsentFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One EHR as an access to it sees it; the default is an EHR that does not exist.

    ``subjects`` are the national ids of its subject, fetched only when a citizen asks. ``related``: a
    treatment relation of one of the actor's organisations is on record.
    """

    exists: bool = False
    subjects: frozenset[str] = frozenset()
    related: bool = False
    consent: ConsentFacts = NO_CONSENT


@dataclass(frozen=True, slots=True)
class Relation:
    """An organisation, or a unit of one, has the woman in treatment; ``until`` is None as long as it does."""

    organisation: str
    since: datetime
    until: datetime | None = None


UNKNOWN = Facts()
