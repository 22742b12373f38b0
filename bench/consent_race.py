"""``python -m bench.consent_race``: requests in great number while women give and withdraw their consent.

A GP reads, queries and writes; each woman says yes and no again and again. Afterwards a checker goes over
the audit chains and over what was answered: no answer may have been asked for after a withdrawal was
acknowledged and sent before the next consent was begun, and each answer must have its entry.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from api.log import configure_logging
from archetypes.norwegian_ids import NationalId, classify
from bench.visits import visits
from cdr import cards, compositions, consents, ehrs, queries
from cdr.actor import Actor, ActorKind
from cdr.audit import Outcome
from cdr.consent_errors import ConsentGiven, ConsentMissing
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.definitions import publish_library
from cdr.ehr_status import default_status
from cdr.errors import CdrError
from cdr.identity.registry import builtin_registry
from cdr.platform import Platform, open_platform
from cdr.settings import BUILTIN, Mode, Settings
from cdr.versions import JsonObject

SEED = "helsekort-consent"
GP = Actor(
    id="gp", name="Finn Fiktiv", kind=ActorKind.PROFESSIONAL, role="LE", organisation="999000010",
    hpr="999000001", security_level=4,
)  # fmt: skip
SERVER = Actor(id="server", name="bench", kind=ActorKind.SERVER)
QUERY = "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a woman decided: when she asked and when it was acknowledged (monotonic seconds)."""

    given: bool
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that held something of a card."""

    event: str
    ehr_id: str
    begun: float
    ended: float


@dataclass(slots=True)
class Woman:
    """A woman with her record, and what she decided so far."""

    national_id: str
    ehr_id: str = ""
    last_object: str = ""
    moments: list[Moment] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """She herself."""
        return Actor(
            id=f"her-{self.ehr_id}", name="", kind=ActorKind.CITIZEN, person_id=self.national_id,
            security_level=4,
        )  # fmt: skip


@dataclass(slots=True)
class Race:
    """Everything that happened."""

    women: list[Woman]
    answers: list[Answer] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def faults_of(race: Race, granted: frozenset[str]) -> list[str]:
    """What should not have been answered; ``granted`` are the event ids that the audit says were let in."""
    moments = {woman.ehr_id: woman.moments for woman in race.women}
    faults = [
        f"{answer.event}: no entry in the audit" for answer in race.answers if answer.event not in granted
    ]
    for answer in race.answers:
        for no, yes in _closed(moments[answer.ehr_id]):
            if no <= answer.begun and answer.ended <= yes:
                faults.append(f"{answer.event}: answered while she had withdrawn")
    return faults


def _closed(moments: Sequence[Moment]) -> Iterator[tuple[float, float]]:
    """From each acknowledged withdrawal to the beginning of the next consent, if there is one."""
    for before, after in pairwise([*moments, Moment(True, float("inf"), float("inf"))]):
        if not before.given:
            yield before.ended, after.begun


async def run(requests: int, women: int, at_once: int, folder: Path, seed: int = 1) -> tuple[Race, list[str]]:
    """Play the race on a server of its own in this process; what happened, and what is wrong with it."""
    chance = random.Random(f"{SEED}/{seed}")
    async with _platform(folder) as platform:
        race = Race([Woman(national_id) for national_id in _national_ids(women)])
        bodies = [json.loads(visit.body) for visit in visits(1, 20)]
        for woman in race.women:
            ehr = await ehrs.create_ehr(_by(platform, GP, "made"), status=_status(woman.national_id))
            woman.ehr_id = ehr.ehr_id
        over = asyncio.Event()
        deciding = [
            asyncio.create_task(_decide(platform, woman, bodies, over, random.Random(chance.random())))
            for woman in race.women
        ]
        await _ask(platform, race, bodies, requests, at_once, chance)
        over.set()
        await asyncio.gather(*deciding)
        return race, faults_of(race, await _granted(platform)) + await platform.store.audit_faults()


@asynccontextmanager
async def _platform(folder: Path) -> AsyncIterator[Platform]:
    settings = Settings(mode=Mode.DEV, issuer=BUILTIN, data=folder)
    async with open_platform(settings) as platform:
        await publish_library(platform.context(SERVER))
        yield platform


async def _decide(
    platform: Platform, woman: Woman, bodies: Sequence[JsonObject], over: asyncio.Event, chance: random.Random
) -> None:
    """Say yes, have a card begun and written on, say no, and so on until it is over."""
    her = _by(platform, woman.actor, "her decision")
    while not over.is_set():
        begun = time.monotonic()
        await _until(ConsentGiven, lambda: consents.give_consent(her, woman.ehr_id, document=text_version()))
        woman.moments.append(Moment(True, begun, time.monotonic()))
        with suppress(CdrError):  # busy: then she has a consent and no card this time
            await _begin_card(_by(platform, GP, "card"), woman, dict(chance.choice(bodies)))
        await asyncio.sleep(chance.uniform(0, 0.3))
        begun = time.monotonic()
        await _until(
            ConsentMissing, lambda: consents.withdraw_consent(her, woman.ehr_id, document=text_version())
        )
        woman.moments.append(Moment(False, begun, time.monotonic()))
        await asyncio.sleep(chance.uniform(0, 0.1))


async def _until(done: type[CdrError], decide: Callable[[], Awaitable[object]]) -> None:
    """Decide, again and again while the server is busy; ``done`` says that an earlier attempt was stored."""
    while True:
        try:
            await decide()
        except done:
            return
        except CdrError:  # busy, or what she withdrew is still being removed
            await asyncio.sleep(0.02)
        else:
            return


async def _begin_card(gp: Ctx, woman: Woman, body: JsonObject) -> None:
    await cards.create_card(gp, woman.ehr_id)
    stored = await compositions.create_composition(gp, woman.ehr_id, body)
    woman.last_object = stored.uid.object_id


async def _ask(
    platform: Platform,
    race: Race,
    bodies: Sequence[JsonObject],
    requests: int,
    at_once: int,
    chance: random.Random,
) -> None:
    numbers = iter(range(requests))
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Asking", total=requests)

        async def one_after_the_other() -> None:
            for number in numbers:
                await _one(platform, race, chance.choice(race.women), chance.choice(bodies), f"r{number}")
                progress.advance(task)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


async def _one(platform: Platform, race: Race, woman: Woman, body: JsonObject, event: str) -> None:
    """One request of the GP; its kind by the last digit of its number."""
    gp, begun = _by(platform, GP, event), time.monotonic()
    try:
        if event[-1] in "012":
            answered = bool((await queries.run_query(gp, QUERY, ehr_id=woman.ehr_id)).rows)
        elif event[-1] in "34":
            await compositions.create_composition(gp, woman.ehr_id, dict(body))
            answered = True
        else:
            found = await compositions.get_composition(gp, woman.ehr_id, woman.last_object or woman.ehr_id)
            answered = found.payload is not None
    except CdrError as error:
        race.refused[error.code] = race.refused.get(error.code, 0) + 1
        return
    if answered:
        race.answers.append(Answer(event, woman.ehr_id, begun, time.monotonic()))


async def _granted(platform: Platform) -> frozenset[str]:
    """The event ids that the chains say were let in and not refused."""
    refused: set[str] = set()
    granted: set[str] = set()
    async for batch in platform.store.audit_batches():
        for entry in batch.entries:
            told = refused if entry.outcome in (Outcome.DENIED, Outcome.REFUSED) else granted
            told.add(entry.event)
    return frozenset(granted - refused)


def _by(platform: Platform, actor: Actor, event: str) -> Ctx:
    basis = "UNNTAK" if actor is GP else ""
    return platform.context(replace(actor, event_id=event), basis=basis)


def _status(national_id: str) -> JsonObject:
    reference = {
        "_type": "PARTY_REF",
        "namespace": "2.16.578.1.12.4.1.4.1",
        "type": "PERSON",
        "id": {"_type": "GENERIC_ID", "value": national_id, "scheme": "fnr"},
    }
    return default_status() | {"subject": {"_type": "PARTY_SELF", "external_ref": reference}}


def _national_ids(count: int) -> list[str]:
    """Synthetic ones (month + 80) that pass their checks."""
    known = [person.person_id for person in builtin_registry().people.values()]
    numbers = (f"{day:02d}8190{rest:05d}" for day in range(1, 29) for rest in range(0, 100_000, 7))
    good = (number for number in numbers if classify(number) is NationalId.SYNTHETIC and number not in known)
    return [next(good) for _ in range(count)]


def main() -> None:
    """Read the arguments, run, print what happened; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--women", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    configure_logging(as_json=False, level="warning")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="helsekort-consent-") as folder:
        race, faults = asyncio.run(run(asked.requests, asked.women, asked.at_once, Path(folder), asked.seed))
    decisions = sum(len(woman.moments) for woman in race.women)
    print(f"{asked.requests} requests, {asked.at_once} at once, {time.monotonic() - started:.0f} s")
    print(f"{decisions} consents and withdrawals of {len(race.women)} women")
    print(f"{len(race.answers)} answers with content; refused: {dict(sorted(race.refused.items()))}")
    print(f"{len(faults)} faults")
    for fault in faults[:20]:
        print(fault)
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
