"""Who acts, and with what: the first argument of every use case."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cdr.settings import Settings
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry
from cdr.terminology.service import TerminologyService


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or system behind a request, as its token says; ``id`` is stable, ``name`` is for people."""

    id: str
    name: str
    role: str = ""
    organisation: str = ""


def utc_now() -> datetime:
    """The clock of a running server."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """A random id for a new object."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Ctx:
    """One request.

    ``basis`` says why (access basis or purpose) and goes into the audit; ``clock`` returns times with a
    zone; ``new_id`` makes ids of EHRs, objects and contributions; ``terminology`` knows outside codes.
    """

    actor: Actor
    store: Store
    templates: TemplateRegistry
    settings: Settings
    basis: str = ""
    clock: Callable[[], datetime] = utc_now
    new_id: Callable[[], str] = new_uuid
    terminology: TerminologyService | None = None
