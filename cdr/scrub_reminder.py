"""Telling the operator when the time is over in which the traces of erasures were promised to be gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from cdr.context import utc_now
from cdr.errors import StoreUnavailable
from cdr.store.mongo import Store
from cdr.versions import iso

REMIND_SECONDS = 3600.0

log = structlog.get_logger(__name__)


async def overdue_since(store: Store, days: int, now: datetime) -> datetime | None:
    """Since when a scrub is overdue; None if it is not. Raises StoreUnavailable."""
    oldest = await store.erasures.oldest_trace()
    due = None if oldest is None else oldest + timedelta(days=days)
    return due if due is not None and due < now else None


@asynccontextmanager
async def reminding(store: Store, days: int) -> AsyncIterator[None]:
    """Say so in the log every hour, for as long as the server runs."""
    running = asyncio.create_task(_remind(store, days))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _remind(store: Store, days: int) -> None:
    while True:
        with suppress(StoreUnavailable):
            since = await overdue_since(store, days, utc_now())
            if since is not None:
                log.error("scrub.overdue", since=iso(since), promised_days=days, do="helsekort db scrub")
        await asyncio.sleep(REMIND_SECONDS)
