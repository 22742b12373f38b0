"""Publishing the heads of the audit now and then, for as long as a server runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from cdr.audit import Head
from cdr.audit_heads import publish_heads, read_folder
from cdr.context import utc_now
from cdr.errors import StoreUnavailable
from cdr.identity.key_files import seal_key
from cdr.settings import Settings
from cdr.store.mongo import Store

log = structlog.get_logger("helsekort.audit")


async def publish_now(store: Store, settings: Settings) -> Path:
    """Sign and write the heads of this moment. Raises StoreUnavailable, OSError, ValueError."""
    heads = await store.audit_ends()
    key = await asyncio.to_thread(seal_key, settings.audit_key_file)
    folder = settings.audit_heads_folder
    return await asyncio.to_thread(publish_heads, heads, key, folder, system=settings.system_id, at=utc_now())


async def published_heads(settings: Settings) -> tuple[list[Head], int, list[str]]:
    """The heads in the server's folder, from how many files, and what is wrong with these."""
    if not settings.audit_key_file.exists():  # nothing was ever published from here
        return [], 0, []
    key = await asyncio.to_thread(seal_key, settings.audit_key_file)
    found, faults = await asyncio.to_thread(read_folder, settings.audit_heads_folder, [key])
    return [head for file in found for head in file.heads], len(found), faults


@asynccontextmanager
async def publishing(store: Store, settings: Settings) -> AsyncIterator[None]:
    """Publish at the start, every hour (``audit_heads_seconds``), and at the end.

    A folder that cannot be written is told in the log, and does not stop the server.
    """
    running = asyncio.create_task(_run(store, settings))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await _publish(store, settings)


async def _run(store: Store, settings: Settings) -> None:
    while True:
        await _publish(store, settings)
        await asyncio.sleep(settings.audit_heads_seconds)


async def _publish(store: Store, settings: Settings) -> None:
    try:
        file = await publish_now(store, settings)
    except (StoreUnavailable, OSError, ValueError) as fault:
        log.error("audit.heads_not_published", error=type(fault).__name__)
    else:
        log.debug("audit.heads_published", file=file.name)
