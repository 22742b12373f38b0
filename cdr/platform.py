"""Everything that a server holds open: database, store, template registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cdr.context import Actor, Ctx
from cdr.settings import Settings
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry


@dataclass(frozen=True, slots=True)
class Platform:
    """What requests share."""

    settings: Settings
    store: Store
    templates: TemplateRegistry
    mongodb_uri: str

    def context(self, actor: Actor, *, basis: str = "") -> Ctx:
        """The context of one request."""
        return Ctx(
            actor=actor, store=self.store, templates=self.templates, settings=self.settings, basis=basis
        )


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """Start or find MongoDB, open the store, finish what a crash interrupted; close all at the end.

    Raises DatabaseMissing, DataFolderInUse, StoreUnavailable.
    """
    raise NotImplementedError
    yield
