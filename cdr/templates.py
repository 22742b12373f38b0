"""The published templates, kept ready in memory."""

from __future__ import annotations

import asyncio
import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdr.errors import UnknownTemplate
from cdr.store.mongo import Store
from cdr.store.template_documents import PublishedTemplate
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.web_template import to_web_template

__all__ = ["PublishedTemplate", "TemplateRegistry"]


@dataclass(slots=True)
class _Ready:
    """A compiled template; ``checked`` is when we last knew that it is the newest."""

    published: PublishedTemplate
    compiled: OperationalTemplate
    checked: float
    web_template: dict[str, Any] | None = None


class TemplateRegistry:
    """Compiled templates by id, newest revision; read from the store on first use."""

    def __init__(self, store: Store, *, refresh_seconds: float) -> None:
        self._store = store
        self._refresh_seconds = refresh_seconds
        self._ready: dict[str, _Ready] = {}
        self._ids: frozenset[str] = frozenset()
        self._listed = -math.inf
        self._readings: dict[str, asyncio.Task[_Ready]] = {}

    async def get(self, template_id: str) -> OperationalTemplate:
        """The newest revision of a template. Raises UnknownTemplate."""
        return (await self._newest(template_id)).compiled

    async def all(self) -> Sequence[OperationalTemplate]:
        """The newest revision of every template, by id."""
        if time.monotonic() - self._listed >= self._refresh_seconds:
            self._ids, self._listed = frozenset(await self._store.templates.ids()), time.monotonic()
        return [await self.get(template_id) for template_id in sorted(self._ids | self._ready.keys())]

    async def web_template(self, template_id: str) -> dict[str, Any]:
        """The web template of the newest revision; not to be changed. Raises UnknownTemplate."""
        ready = await self._newest(template_id)
        if ready.web_template is None:
            ready.web_template = to_web_template(ready.compiled)
        return ready.web_template

    def add(self, published: PublishedTemplate, compiled: OperationalTemplate) -> None:
        """Know a revision that was just published."""
        self._ready[published.template_id] = _Ready(published, compiled, time.monotonic())
        # Templates stay: the collector, for which everybody waits, need not look at all their nodes again.
        gc.freeze()

    async def _newest(self, template_id: str) -> _Ready:
        ready = self._ready.get(template_id)
        if ready is not None and await self._is_newest(ready):
            return ready
        # Many may ask at once when a server starts: one of them reads, for what is made of a template later
        # on (its validator above all) is made for each compiled template anew.
        reading = self._readings.get(template_id)
        if reading is None:
            reading = self._readings[template_id] = asyncio.create_task(self._read(template_id))
            reading.add_done_callback(lambda _: self._readings.pop(template_id))
        return await asyncio.shield(reading)

    async def _read(self, template_id: str) -> _Ready:
        published = await self._store.templates.newest(template_id)
        if published is None:
            raise UnknownTemplate(template_id)
        self.add(published, await asyncio.to_thread(read_opt, published.source))
        return self._ready[template_id]

    async def _is_newest(self, ready: _Ready) -> bool:
        """Another process may have published a revision: look now and then."""
        if time.monotonic() - ready.checked < self._refresh_seconds:
            return True
        ready.checked = time.monotonic()
        revision = await self._store.templates.newest_revision(ready.published.template_id)
        return revision == ready.published.revision
