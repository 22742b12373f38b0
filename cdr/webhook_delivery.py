"""Delivery of events to webhooks: in order, at least once, over restarts of either side.

One server process at a time holds the lease of a webhook. The cursor moves only after the receiver took an
event, so one that is taken and not yet noted is told again, with the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import structlog
from standardwebhooks import Webhook as Signer

from cdr.actor import Actor
from cdr.context import Ctx, new_uuid, utc_now
from cdr.errors import NotAllowed, StoreUnavailable
from cdr.events import CursorExpired, Event
from cdr.feed import follow_events
from cdr.store.webhook_documents import DeliveryState, Webhook, WebhookDocuments

GONE = 410

log = structlog.get_logger("helsekort.webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: between looks for work, of a lease, of the first and the longest pause after a failure."""

    look: float = 2.0
    lease: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 300.0
    answer: float = 15.0

    def after(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        return min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 20))


class Deliveries:
    """Delivers the webhooks that no other server process delivers, for as long as it runs."""

    def __init__(
        self, webhooks: WebhookDocuments, context: Callable[[Actor], Ctx], pace: Pace | None = None
    ) -> None:
        self._webhooks = webhooks
        self._context = context
        self._pace = pace or Pace()
        self._name = new_uuid()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look for webhooks and deliver them, until stopped."""
        async with httpx.AsyncClient(timeout=self._pace.answer, follow_redirects=False) as http:
            while not self._stopping.is_set():
                with suppress(StoreUnavailable):
                    await self._take_all(http)
                await self._pause(self._pace.look)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """End after what is under way; what was not told is told by whoever comes next."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _take_all(self, http: httpx.AsyncClient) -> None:
        length = timedelta(seconds=self._pace.lease)
        while (webhook := await self._webhooks.lease(self._name, utc_now(), length)) is not None:
            task = asyncio.create_task(self._deliver(webhook, http))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, webhook: Webhook, http: httpx.AsyncClient) -> None:
        """Tell everything, until the webhook is another's, gone or stopped; then the lease runs out."""
        with suppress(StoreUnavailable):
            try:
                with _reported(webhook):
                    await self._follow(webhook, http)
            except CursorExpired as error:
                await self._stop(webhook, error.code)
            except NotAllowed as error:
                await self._stop(webhook, error.code)

    async def _follow(self, webhook: Webhook, http: httpx.AsyncClient) -> None:
        ctx = self._context(webhook.owner)
        batches = await follow_events(ctx, after=webhook.cursor, wanted=webhook.wanted)
        async with aclosing(batches):
            async for batch in batches:
                for event in batch.events:
                    told = await self._until_taken(webhook, event, http)
                    if told is None:
                        return
                    webhook = told
                kept = await self._progress(webhook, batch.cursor, webhook.state)
                if kept is None or self._stopping.is_set():
                    return
                webhook = kept

    async def _until_taken(self, webhook: Webhook, event: Event, http: httpx.AsyncClient) -> Webhook | None:
        """The webhook after the receiver took the event; None if it is not ours to tell any more."""
        while True:
            error, stopped = await _tell(webhook, event, http)
            if error is None:
                return await self._progress(webhook, event.cursor, _taken(webhook.state))
            failed = _failed(webhook.state, error)
            if stopped:
                await self._stop(webhook, error)
                return None
            pause = self._pace.after(failed.failures)
            kept = await self._progress(webhook, webhook.cursor, failed, pause)
            if kept is None or self._stopping.is_set():
                return None
            webhook = kept
            await self._pause(pause)

    async def _progress(
        self, webhook: Webhook, cursor: str, state: DeliveryState, pause: float = 0.0
    ) -> Webhook | None:
        until = utc_now() + timedelta(seconds=self._pace.lease + pause)
        return await self._webhooks.progress(webhook, self._name, until, cursor, state)

    async def _stop(self, webhook: Webhook, why: str) -> None:
        log.warning("webhook.stopped", webhook=webhook.id, why=why)
        await self._progress(webhook, webhook.cursor, replace(webhook.state, stopped=why))


async def _tell(webhook: Webhook, event: Event, http: httpx.AsyncClient) -> tuple[str | None, bool]:
    """What went wrong, None if the receiver took it; and whether it wants no more."""
    body = orjson.dumps(event.to_json())
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(webhook.secret).sign(event.id, now, body.decode()),
    }
    try:
        response = await http.post(webhook.url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return type(error).__name__, False
    if response.is_success:
        return None, False
    return f"status {response.status_code}", response.status_code == GONE


def _taken(state: DeliveryState) -> DeliveryState:
    return replace(state, delivered=state.delivered + 1, failures=0, error=None, last_delivered=utc_now())


def _failed(state: DeliveryState, error: str) -> DeliveryState:
    return replace(state, failures=state.failures + 1, error=error, last_failure=utc_now())


@contextmanager
def _reported(webhook: Webhook) -> Iterator[None]:
    """A bug ends the delivery of one webhook until its lease is over, and is in the log."""
    try:
        yield
    except (StoreUnavailable, CursorExpired, NotAllowed):
        raise
    except Exception as error:  # noqa: BLE001 - nobody waits for this task
        log.error("webhook.broke", webhook=webhook.id, error=type(error).__name__)
