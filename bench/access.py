"""``python -m bench.access``: what the access decision and the durable audit cost, as ratios of one run.

The decision is timed alone, for each kind of caller. The audit is timed by the same reads of the same
server, in this process, with and without it, in turns. Beside rates, which a busy machine blurs, stand the
CPU that a read costs server and database together, and how often the journal was flushed for it, as the
database counts. Tokens and proofs are left out: they are checked apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from api.app import create_app
from api.log import configure_logging
from bench.consent_race import GP
from bench.visits import visits
from cdr import cards, compositions, consents, ehrs
from cdr.access import Asked, decide
from cdr.access_rules import RULES, Action
from cdr.actor import Actor, ActorKind
from cdr.audit import AuditEntry, Outcome
from cdr.consent_texts import text_version
from cdr.context import Ctx
from cdr.ehr_status import default_status
from cdr.facts import Facts
from cdr.grants import read_grants
from cdr.identity.mapping import claim_mapping
from cdr.settings import BUILTIN, Mode, Settings

PID = "14839850078"  # synthetic
TARGET_MICROSECONDS = 100.0
AT_EIGHT = 0.15
COLUMNS = ("clients", "reads/s", "ratio", "in flushes", "CPU ms", "ratio", "flushes")
BASIS = {"nhn-access-basis": "UNNTAK"}
NATIONAL_ID = {
    "_type": "PARTY_REF",
    "namespace": "2.16.578.1.12.4.1.4.1",
    "type": "PERSON",
    "id": {"_type": "GENERIC_ID", "value": PID, "scheme": "fnr"},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn (default 4)")
    parser.add_argument("--turns", type=int, default=3, help="with and without the audit (default 3)")
    asked = parser.parse_args()
    configure_logging(as_json=False, level="warning")
    console = Console()
    console.print(_decision_table())
    with tempfile.TemporaryDirectory(prefix="helsekort-access-") as folder:
        console.print(asyncio.run(_audit_table(Path(folder), asked.seconds, asked.turns)))


def _decision_table() -> Table:
    table = Table("caller", "decision, microseconds", f"of {TARGET_MICROSECONDS:.0f}", title="The decision")
    for kind in (ActorKind.CITIZEN, ActorKind.PROFESSIONAL, ActorKind.SYSTEM, ActorKind.ANALYST):
        spent = _decision(kind)
        table.add_row(kind.value, f"{spent:.1f}", f"{spent / TARGET_MICROSECONDS:.1%}")
    return table


def _decision(kind: ActorKind) -> float:
    """The median time of a decision, microseconds, over all actions of a caller with a full token."""
    scopes = next(name for name, row in claim_mapping().scopes.items() if row.kind is kind)
    actor = replace(GP, kind=kind, person_id=PID, grants=read_grants(claim_mapping().grants_of([scopes])))
    facts = Facts(exists=True, subjects=frozenset({PID}), related=True)
    questions = [
        Asked(actor, action, facts, "UNNTAK", ehr_id="x") for action in RULES if kind in RULES[action]
    ]
    rounds = []
    for _ in range(200):
        begun = time.process_time_ns()
        for question in questions:
            decide(question)
        rounds.append((time.process_time_ns() - begun) / len(questions) / 1000)
    return statistics.median(rounds)


async def _audit_table(folder: Path, seconds: float, turns: int) -> Table:
    settings = Settings(mode=Mode.DEV, issuer=BUILTIN, data=folder)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        platform = app.state.platform
        platform.recognition.verifier.identify = _the_gp  # tokens and proofs are checked apart
        gp = platform.context(GP, basis="UNNTAK")
        paths = await _record(gp)
        flush = await _flush(gp)
        table = Table(*COLUMNS, title="The audit: with and without")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.address, headers=BASIS) as client:
            for clients in (1, 8):
                with_, without = await _in_turns(gp, client, paths, clients, seconds, turns)
                table.add_row(str(clients), *_row(with_, without, clients, flush))
        promised = f"at 8 clients at most {AT_EIGHT:.0%} may be lost"
        durable = f"one durable write (a flush of the journal): {flush * 1000:.2f} ms"
        table.caption = f"{durable}; {promised}; CPU of server and database, flushes: for each read"
        return table


async def _the_gp(_: object) -> Actor:
    return GP


def _row(with_: Sequence[Spent], without: Sequence[Spent], clients: int, flush: float) -> Iterable[str]:
    audited, bare = max(each.rate for each in with_), max(each.rate for each in without)
    cpu, bare_cpu = [statistics.median(each.cpu for each in turns) for turns in (with_, without)]
    flushes, bare_flushes = [statistics.median(each.flushes for each in turns) for turns in (with_, without)]
    return (
        f"{audited:.0f} / {bare:.0f}",
        f"{audited / bare:.2f}",
        f"{(clients / audited - clients / bare) / flush:.2f}",
        f"{cpu * 1000:.2f} / {bare_cpu * 1000:.2f}",
        f"{bare_cpu / cpu:.2f}",
        f"{flushes:.2f} / {bare_flushes:.2f}",
    )


async def _record(gp: Ctx) -> list[str]:
    """The addresses of twenty visits on the card of a woman with consent."""
    status = default_status() | {"subject": {"_type": "PARTY_SELF", "external_ref": NATIONAL_ID}}
    ehr_id = (await ehrs.create_ehr(gp, status=status)).ehr_id
    herself = Actor(id="her", name="", kind=ActorKind.CITIZEN, person_id=PID, security_level=4)
    await consents.give_consent(replace(gp, actor=herself, basis=""), ehr_id, document=text_version())
    await cards.create_card(gp, ehr_id)
    made = [
        await compositions.create_composition(gp, ehr_id, json.loads(visit.body)) for visit in visits(1, 20)
    ]
    return [f"/openehr/v1/ehr/{ehr_id}/composition/{version.uid}" for version in made]


async def _flush(gp: Ctx) -> float:
    """The median time of one durable write of one entry, seconds."""
    spent = []
    entry = AuditEntry(
        at=gp.clock(),
        actor="bench",
        role="",
        organisation="",
        action=Action.READ_EHR.value,
        outcome=Outcome.DONE,
    )
    for _ in range(200):
        begun = time.perf_counter()
        await gp.store.audit.record([entry])
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the reads of one turn cost: their rate, and for each CPU seconds and flushes of the journal."""

    rate: float
    cpu: float
    flushes: float


async def _in_turns(
    gp: Ctx, client: httpx.AsyncClient, paths: list[str], clients: int, seconds: float, turns: int
) -> tuple[list[Spent], list[Spent]]:
    """The turns with and without the audit."""
    record = gp.store.audit.record
    found: dict[bool, list[Spent]] = {True: [], False: []}
    for _ in range(turns):
        for audited in (True, False):
            setattr(gp.store.audit, "record", record if audited else _nowhere)  # noqa: B010 - only here
            before = await _used(gp)
            count, taken = await _reads(client, paths, clients, seconds)
            cpu, flushes = [after - then for after, then in zip(await _used(gp), before, strict=True)]
            found[audited].append(Spent(count / taken, cpu / count, flushes / count))
    setattr(gp.store.audit, "record", record)  # noqa: B010
    return found[True], found[False]


async def _used(gp: Ctx) -> tuple[float, float]:
    """CPU seconds of this process and the database, and flushes of the journal, so far."""
    status = await gp.store._database.client.admin.command("serverStatus")
    words = Path(f"/proc/{status['pid']}/stat").read_text().rpartition(")")[2].split()
    database = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + database, status["wiredTiger"]["log"]["log sync operations"]


async def _reads(
    client: httpx.AsyncClient, paths: list[str], clients: int, seconds: float
) -> tuple[int, float]:
    """How many reads, in how many seconds."""
    count, end = 0, time.perf_counter() + seconds
    begun = time.perf_counter()

    async def read() -> None:
        nonlocal count
        while time.perf_counter() < end:
            count += 1
            answer = await client.get(paths[count % len(paths)])
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(read() for _ in range(clients)))
    return count, time.perf_counter() - begun


async def _nowhere(_: object) -> None:
    """What the audit costs is what this does not."""


if __name__ == "__main__":
    main()
