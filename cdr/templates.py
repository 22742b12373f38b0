"""The published templates, kept ready in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdr.settings import Settings
from cdr.store.mongo import Store
from templates.operational import OperationalTemplate


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """One revision of a template as it was published; ``content_hash`` is the SHA-256 of ``source``."""

    template_id: str
    revision: int
    concept: str
    archetype_id: str
    created: datetime
    content_hash: str
    source: bytes  # OPT 1.4 XML as it was sent


class TemplateRegistry:
    """Compiled templates by id, newest revision; read from the store on first use."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def get(self, template_id: str) -> OperationalTemplate:
        """The newest revision of a template. Raises UnknownTemplate."""
        raise NotImplementedError
