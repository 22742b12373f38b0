"""Consent that lives elsewhere: a stand-in for the portal's register, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cdr import cards, compositions, consent_register, consents
from cdr.actor import Actor, ActorKind
from cdr.consent import Decision, LegalBasis
from cdr.consent_errors import ConsentKeptElsewhere, ConsentMissing
from cdr.consent_register import ConsentRegister
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.errors import NotAllowed
from tests.cdr.card_world import KARI, World, a_world, enforcing
from tests.cdr.conftest import TestClock

pytestmark = pytest.mark.anyio


@dataclass
class Portal:
    """The register: what it answers, and what it was asked."""

    answer: Any = field(default_factory=lambda: {"given": True, "document": "2026-11"})
    asked: list[Any] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def portal() -> Iterator[Portal]:
    known = Portal()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known.asked.append(
                (
                    self.path,
                    self.headers["Authorization"],
                    json.loads(self.rfile.read(int(self.headers["Content-Length"]))),
                )
            )
            body = known.answer if isinstance(known.answer, bytes) else json.dumps(known.answer).encode()
            self.send_response(200 if body != b"500" else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known.address = f"http://127.0.0.1:{server.server_port}/"
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
async def world(ctx: Ctx, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(consent_register, "REST_AFTER_SILENCE", 0.0)
    register = ConsentRegister(portal.address, token="hemmelig", timeout=2)
    asking = replace(enforcing(ctx, consent_register=portal.address), consent_source=register)
    yield await a_world(asking)
    await register.close()


async def test_the_register_is_asked_once_in_a_while(world: World, portal: Portal, clock: TestClock) -> None:
    card_id = await world.card()
    stored = await world.write("kontroll")
    assert portal.asked == [("/lookup", "Bearer hemmelig", {"nationalId": KARI})]
    clock.move(seconds=301)
    assert (await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))).card_id == card_id
    assert len(portal.asked) == 2
    history = (await consents.get_consent(world.her, world.ehr_id)).history
    assert [(event.decision, event.by) for event in history] == [(Decision.GIVEN, "register")]


@pytest.mark.parametrize("answer", [b"500", b"rubbish", {"given": "yes"}, {}, []])
async def test_silent_unreadable_or_stale_means_none(
    world: World, portal: Portal, clock: TestClock, answer: Any
) -> None:
    await world.card()
    stored = await world.write("kontroll")
    portal.answer = answer
    clock.move(seconds=301)
    with pytest.raises(ConsentMissing):
        await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))
    with pytest.raises(ConsentMissing):
        await world.write("nytt")
    portal.answer = {"given": True}
    assert (await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))).uid == stored.uid


async def test_an_unreachable_register_means_none_and_is_not_waited_for_twice(
    world: World, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_register, "REST_AFTER_SILENCE", 60.0)
    nobody = ConsentRegister("http://127.0.0.1:1/", timeout=2)
    unheard = World(replace(world.ctx, consent_source=nobody), world.ehr_id)
    for _ in range(3):
        with pytest.raises(NotAllowed) as refused:
            await unheard.card()
        assert refused.value.code == "consent.missing"
    await nobody.close()


async def test_a_no_closes_and_removes(world: World, portal: Portal) -> None:
    await world.card()
    stored = await world.write("kontroll")
    system = world.by(Actor(id="portal", name="Portalen", kind=ActorKind.REGISTER))
    facts = await consents.hear_register(system, world.ehr_id, given=False)
    assert facts.removal is not None
    portal.answer = {"given": False}
    with pytest.raises(ConsentMissing):
        await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))


async def test_she_decides_in_the_portal(world: World) -> None:
    with pytest.raises(ConsentKeptElsewhere):
        await consents.give_consent(world.her, world.ehr_id, document=text_version())
    with pytest.raises(NotAllowed):
        await consents.hear_register(world.ctx, world.ehr_id, given=True)
    assert (await cards.get_card_state(world.ctx, world.ehr_id)).consent


async def test_whoever_is_refused_does_not_make_it_ask(world: World, portal: Portal) -> None:
    elsewhere = world.by(replace(world.ctx.actor, organisation="983974872", unit=""))
    with pytest.raises(NotAllowed):
        await cards.get_card_state(elsewhere, world.ehr_id)
    assert portal.asked == []
    await cards.get_card_state(world.ctx, world.ehr_id)
    assert len(portal.asked) == 1


async def test_a_no_from_the_register_counts_also_where_nobody_was_asked(ctx: Ctx, portal: Portal) -> None:
    """Under a regulation silence means yes: there is nothing to be withdrawn, and a no all the same."""
    asked = {"consent_register": portal.address, "legal_basis": LegalBasis.REGULATION}
    world = await a_world(enforcing(ctx, **asked))
    await world.card()
    stored = await world.write("kontroll")
    register = world.by(Actor(id="portal", name="Portalen", kind=ActorKind.REGISTER), "")
    await consents.hear_register(register, world.ehr_id, given=False)
    with pytest.raises(ConsentMissing):
        await compositions.get_composition(world.ctx, world.ehr_id, str(stored.uid))
    with pytest.raises(ConsentMissing):
        await world.write("etter")
    await consents.hear_register(register, world.ehr_id, given=False)  # told again, it is heard again
    history = (await consents.get_consent(world.her, world.ehr_id)).history
    assert [(event.decision, event.by) for event in history] == [(Decision.WITHDRAWN, "register")]
