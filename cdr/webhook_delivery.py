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
from cdr.feed import deliver_events
from cdr.outside import OutsideTransport
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
        self._trusted = httpx.create_ssl_context()

    async def run(self) -> None:
        """Look for webhooks and deliver them, until stopped."""
        while not self._stopping.is_set():
            with suppress(StoreUnavailable):
                await self._take_all()
            await self._pause(self._pace.look)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """End after what is under way; what was not told is told by whoever comes next."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _take_all(self) -> None:
        length = timedelta(seconds=self._pace.lease)
        while (webhook := await self._webhooks.lease(self._name, utc_now(), length)) is not None:
            task = asyncio.create_task(self._deliver(webhook))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, webhook: Webhook) -> None:
        """Tell everything, until the webhook is another's, gone or stopped; then the lease runs out."""
        ctx = self._context(webhook.owner)
        outside = OutsideTransport(this_machine_too=ctx.settings.is_dev, verify=self._trusted)
        with suppress(StoreUnavailable):
            try:
                with _reported(webhook):
                    async with httpx.AsyncClient(transport=outside, timeout=self._pace.answer) as http:
                        await self._until_ended(ctx, webhook, http)
            except CursorExpired as error:
                await self._stop(webhook, error.code)
            except NotAllowed as error:
                await self._stop(webhook, error.code)

    async def _until_ended(self, ctx: Ctx, webhook: Webhook, http: httpx.AsyncClient) -> None:
        """After a failure the feed is followed anew, for what was allowed then need not be allowed now."""
        following: Webhook | None = webhook
        while following is not None:
            following = await self._follow(ctx, following, http)

    async def _follow(self, ctx: Ctx, webhook: Webhook, http: httpx.AsyncClient) -> Webhook | None:
        """Tell until the receiver fails; the webhook to go on with, None if it is not ours to tell."""
        batches = await deliver_events(ctx, after=webhook.cursor, wanted=webhook.wanted)
        async with aclosing(batches):
            async for batch in batches:
                for event in batch.events:
                    error, unwanted = await _tell(webhook, event, http)
                    if error is not None:
                        return await self._failed(webhook, error, unwanted=unwanted)
                    webhook = replace(webhook, state=_taken(webhook.state))
                kept = await self._progress(webhook, batch.cursor, webhook.state)
                if kept is None or self._stopping.is_set():
                    return None
                webhook = kept
        return None

    async def _failed(self, webhook: Webhook, error: str, *, unwanted: bool) -> Webhook | None:
        """Note a failure and pause; None if the receiver wants no more, or the webhook is another's."""
        if unwanted:
            await self._stop(webhook, error)
            return None
        failed = _failed(webhook.state, error)
        pause = self._pace.after(failed.failures)
        kept = await self._progress(webhook, webhook.cursor, failed, pause)
        if kept is None or self._stopping.is_set():
            return None
        await self._pause(pause)
        return kept

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
