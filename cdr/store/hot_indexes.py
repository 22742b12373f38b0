"""Indexes on values of rows, made where queries over many EHRs keep asking for them."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from cdr.candidates import CandidateFilter
from cdr.store.database import FAR, Database, store_errors

_PREFIX = "leaf_"
_ASKED = 3  # so many queries make an index

log = structlog.get_logger(__name__)


class HotIndexes:
    """What is indexed, what was asked for how often, and at most ``most`` indexes."""

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most
        self._asked: Counter[str] = Counter()
        self._ready: set[str] = set()
        self._making: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Learn which indexes there are. Raises StoreUnavailable."""
        with store_errors():
            known = await self._database.versions.index_information()
        self._ready = {name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX)}

    async def stop(self) -> None:
        """Wait for no index: the database goes on making it, or forgets it."""
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    def name_of(self, key: str) -> str | None:
        """The index on a value, None if there is none."""
        return f"{_PREFIX}{key}" if key in self._ready else None

    def ask(self, key: str) -> None:
        """A query over many EHRs would have used an index on this value."""
        self._asked[key] += 1
        room = len(self._ready) + len(self._making) < self._most
        if self._asked[key] >= _ASKED and room and key not in self._ready and key not in self._making:
            self._making[key] = asyncio.create_task(self._make(key))

    def ask_for(self, wanted: CandidateFilter) -> None:
        """Ask for what would help a query over many EHRs."""
        if wanted.ehr_ids is not None:
            return
        for branch in wanted.branches:
            for leaf in branch.leaves:
                self.ask(leaf.key)
        for other in (wanted.order, wanted.tally):
            if other is not None and other.key is not None:
                self.ask(other.key)

    async def make(self, key: str) -> None:
        """Make an index now. Raises StoreUnavailable."""
        with store_errors():
            field = f"rows.v.{key}"
            await self._database.versions.create_index(
                [(field, ASCENDING)],
                name=f"{_PREFIX}{key}",
                partialFilterExpression={"until": FAR, field: {"$exists": True}},
            )
        self._ready.add(key)

    async def _make(self, key: str) -> None:
        try:
            await self.make(key)
        except (PyMongoError, OSError) as error:
            log.warning("an index on rows was not made", key=key, reason=type(error).__name__)
        finally:
            self._making.pop(key, None)
