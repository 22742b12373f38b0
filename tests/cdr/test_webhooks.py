"""Webhooks: signed, in order, at least once, whatever the receiver does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook as Verifier

from cdr import compositions, ehrs, webhooks
from cdr.context import Actor, ActorKind, Ctx
from cdr.events import BadWebhook, EventFilter, EventType, UnknownWebhook
from cdr.store.webhook_documents import Webhook
from cdr.webhook_delivery import Deliveries, Pace
from tests.cdr.card_world import CARD, MIDWIFE, a_card, enforcing
from tests.cdr.small_template import note

pytestmark = pytest.mark.anyio

FAST = Pace(look=0.02, lease=1.0, first_pause=0.02, longest_pause=0.1)
EVERYTHING = EventFilter()
OF_CARDS = EventFilter(templates=frozenset({CARD}))
HOSTILE = [
    "http://example.org/hook",
    "ftp://127.0.0.1/",
    "https://",
    "not an address",
    "https://10.0.0.1/hook",
    "https://[fd00::1]/hook",
    "https://169.254.169.254/latest",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://10.1/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::1]/",
    "https://224.0.0.1/",
    "https://localhost./",
    "https://cdr.localhost/",
    "https://anna:secret@example.org/",
    "https://example.org:99999/",
    "https://example.org/" + "a" * 3000,
]


SYSTEM = Actor(id="epj", name="EPJ", kind=ActorKind.SYSTEM, organisation=MIDWIFE.unit)


class Receiver:
    """A real HTTP server that answers with the statuses it was given, then with 204."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.asked = 0
        self.held: asyncio.Event | None = None  # until then no answer is given

    def recover(self) -> None:
        """Take everything from now on."""
        self._statuses.clear()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        server.close()
        await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            body = await reader.readexactly(int(headers["content-length"]))
            self.asked += 1
            if self.held is not None:
                await self.held.wait()
            status = self._statuses.pop(0) if self._statuses else 204
            if status == 204:
                self.taken.append((headers, body))
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    async def until(self, count: int) -> None:
        """Wait for so many events; one that is told again counts once."""
        async with asyncio.timeout(20):
            while len({headers["webhook-id"] for headers, _ in self.taken}) < count:
                await asyncio.sleep(0.01)

    def types(self) -> list[str]:
        """What was told, in its order."""
        return [orjson.loads(body)["type"] for _, body in self.taken]


@asynccontextmanager
async def delivering(ctx: Ctx) -> AsyncIterator[None]:
    """A server process that delivers."""

    def context(actor: Actor) -> Ctx:
        return replace(ctx, actor=actor)

    deliveries = Deliveries(ctx.store.webhooks, context, FAST)
    running = asyncio.create_task(deliveries.run())
    yield
    deliveries.stop()
    await running


async def the_only(ctx: Ctx) -> Webhook:
    (webhook,) = await webhooks.list_webhooks(ctx)
    return webhook


async def test_events_arrive_signed_and_in_order(ctx: Ctx) -> None:
    receiver = Receiver()
    async with receiver.listening() as url, delivering(ctx):
        webhook = await webhooks.add_webhook(ctx, url, EVERYTHING)
        ehr = await ehrs.create_ehr(ctx)
        uids = [str((await compositions.create_composition(ctx, ehr.ehr_id, note())).uid) for _ in range(3)]
        await receiver.until(4)
    verifier = Verifier(webhook.secret)
    events: list[dict[str, Any]] = [verifier.verify(body, headers) for headers, body in receiver.taken]
    assert [event["uid"] for event in events] == [str(ehr.status.uid), *uids]
    assert [headers["webhook-id"] for headers, _ in receiver.taken] == [event["id"] for event in events]
    members = {name for event in events for name in event}
    assert members == {"id", "type", "time", "ehr_id", "uid", "template_id", "contribution"}


async def test_a_receiver_that_fails_is_asked_again_and_misses_nothing(ctx: Ctx) -> None:
    receiver = Receiver(500, 503, 302)
    async with receiver.listening() as url, delivering(ctx):
        await webhooks.add_webhook(ctx, url, EVERYTHING)
        await ehrs.create_ehr(ctx)
        await ehrs.create_ehr(ctx)
        await receiver.until(2)
        async with asyncio.timeout(20):
            while (state := (await the_only(ctx)).state).delivered < 2 or state.failures:
                await asyncio.sleep(0.02)
    assert receiver.asked - len(receiver.taken) == 3
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 2
    assert (state.failures, state.error, state.stopped) == (0, None, None)


async def test_what_happens_while_nobody_delivers_is_told_afterwards(ctx: Ctx) -> None:
    receiver = Receiver()
    async with receiver.listening() as url:
        await webhooks.add_webhook(ctx, url, EVERYTHING)
        for already in (1, 3):
            async with delivering(ctx):
                await ehrs.create_ehr(ctx)
                await receiver.until(already)
            await ehrs.create_ehr(ctx)
        async with delivering(ctx):
            await receiver.until(4)
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 4


async def test_two_servers_do_not_tell_twice(ctx: Ctx) -> None:
    receiver = Receiver()
    async with receiver.listening() as url, delivering(ctx), delivering(ctx):
        await webhooks.add_webhook(ctx, url, EVERYTHING)
        for _ in range(10):
            await ehrs.create_ehr(ctx)
        await receiver.until(10)
        await asyncio.sleep(0.2)
    assert len(receiver.taken) == 10


async def test_a_receiver_that_is_gone_is_left_alone(ctx: Ctx) -> None:
    receiver = Receiver(410)
    async with receiver.listening() as url, delivering(ctx):
        await webhooks.add_webhook(ctx, url, EVERYTHING)
        await ehrs.create_ehr(ctx)
        async with asyncio.timeout(10):
            while (await the_only(ctx)).state.stopped is None:
                await asyncio.sleep(0.02)
        await ehrs.create_ehr(ctx)
        await asyncio.sleep(1.2)  # longer than a lease
    assert receiver.asked == 1
    assert (await the_only(ctx)).state.stopped == "status 410"


async def test_only_wanted_events_are_told_and_none_after_removal(ctx: Ctx) -> None:
    receiver = Receiver()
    wanted = EventFilter(types=frozenset({EventType.COMPOSITION_CREATED}))
    async with receiver.listening() as url, delivering(ctx):
        webhook = await webhooks.add_webhook(ctx, url, wanted)
        ehr = await ehrs.create_ehr(ctx)
        await compositions.create_composition(ctx, ehr.ehr_id, note())
        await receiver.until(1)
        await webhooks.remove_webhook(ctx, webhook.id)
        await asyncio.sleep(1.3)  # until whoever delivers renews its lease
        await compositions.create_composition(ctx, ehr.ehr_id, note())
        await asyncio.sleep(0.3)
    assert len(receiver.taken) == 1
    assert not await webhooks.list_webhooks(ctx)


async def test_a_system_sees_its_own_webhooks_only(ctx: Ctx) -> None:
    mine = replace(ctx, actor=Actor(id="epj-1", name="EPJ", kind=ActorKind.SYSTEM, organisation="1"))
    yours = replace(ctx, actor=Actor(id="epj-2", name="EPJ", kind=ActorKind.SYSTEM, organisation="2"))
    webhook = await webhooks.add_webhook(mine, "https://example.org/hook", EVERYTHING)
    assert [each.id for each in await webhooks.list_webhooks(mine)] == [webhook.id]
    assert not await webhooks.list_webhooks(yours)
    with pytest.raises(UnknownWebhook):
        await webhooks.remove_webhook(yours, webhook.id)


@pytest.mark.parametrize("url", HOSTILE, ids=lambda url: url[:30])
async def test_addresses_that_are_not_called(ctx: Ctx, url: str) -> None:
    with pytest.raises(BadWebhook):
        await webhooks.add_webhook(ctx, url, EVERYTHING)


async def test_a_name_that_stands_for_a_machine_inside_is_not_called(ctx: Ctx) -> None:
    """A name server may answer tomorrow what it does not today: the call itself must be stopped."""
    receiver = Receiver()
    production = enforcing(ctx)
    async with receiver.listening() as url:
        inside = url.replace("http://127.0.0.1", "https://2130706433")
        webhook = await webhooks.add_webhook(ctx, "https://example.org/hook", EVERYTHING)
        await ctx.store.webhooks.remove(webhook.id)
        await ctx.store.webhooks.add(replace(webhook, url=inside, owner=SYSTEM))
        world = await a_card(production)
        await world.write("kontroll")
        async with delivering(production), asyncio.timeout(10):
            while (state := (await the_only(ctx)).state).failures == 0:
                await asyncio.sleep(0.02)
    assert (receiver.asked, state.error) == (0, "AddressInside")


async def test_what_may_be_told_is_decided_when_it_is_told(ctx: Ctx) -> None:
    """She withdraws while the receiver is out of order: nothing of what happened before is told then."""
    receiver = Receiver(*[503] * 1000)
    world = await a_card(enforcing(ctx))
    async with receiver.listening() as url, delivering(world.ctx):
        await webhooks.add_webhook(world.by(SYSTEM, ""), url, OF_CARDS)
        await world.write("kontroll")
        await asked(receiver, 1)
        await world.withdraw()
        receiver.recover()
        await receiver.until(1)
        await asyncio.sleep(0.2)
    assert receiver.types() == ["consent.withdrawn"]


async def test_a_slow_receiver_is_told_the_next_by_what_is_allowed_then(ctx: Ctx) -> None:
    world = await a_card(enforcing(ctx))
    receiver = Receiver()
    receiver.held = asyncio.Event()
    await webhooks.add_webhook(world.by(SYSTEM, ""), "https://example.org/hook", OF_CARDS)
    (webhook,) = await ctx.store.webhooks.all()
    for number in range(3):
        await world.write(f"kontroll {number}")
    await ctx.store.webhooks.remove(webhook.id)
    async with receiver.listening() as url, delivering(world.ctx):
        await ctx.store.webhooks.add(replace(webhook, url=url))  # from where it began: three events wait
        await asked(receiver, 1)
        await world.withdraw()
        receiver.held.set()
        await receiver.until(2)
        await asyncio.sleep(0.2)
    assert receiver.types() == ["composition.created", "consent.withdrawn"]


async def asked(receiver: Receiver, count: int) -> None:
    """Wait until the receiver was called so often."""
    async with asyncio.timeout(10):
        while receiver.asked < count:
            await asyncio.sleep(0.01)
