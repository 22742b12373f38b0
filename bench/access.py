"""``python -m bench.access``: what the access decision and the durable audit cost, as ratios of one run.

The decision is timed alone, for each kind of caller. The audit is timed by the same reads of the same
server, in this process, with and without it, in turns; beside it stands what one flush of the database's
journal takes. Tokens and proofs are left out: they are checked apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
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
        table = Table(
            "clients", "reads/s with", "without", "ratio", "ms with", "without", "costs", title="The audit"
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.address, headers=BASIS) as client:
            for clients in (1, 8):
                rates = await _rates(gp, client, paths, clients, seconds, turns)
                table.add_row(str(clients), *_row(rates, clients, flush))
        promised = f"at 8 clients at most {AT_EIGHT:.0%} may be lost"
        table.caption = f"one durable write (a flush of the journal): {flush * 1000:.2f} ms; {promised}"
        return table


async def _the_gp(_: object) -> Actor:
    return GP


def _row(rates: tuple[float, float], clients: int, flush: float) -> Iterable[str]:
    with_, without = rates
    each, bare = clients / with_, clients / without
    shown = (
        f"{with_:.0f}",
        f"{without:.0f}",
        f"{with_ / without:.2f}",
        f"{each * 1000:.2f}",
        f"{bare * 1000:.2f}",
    )
    return (*shown, f"{(each - bare) / flush:.2f} flushes")


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


async def _rates(
    gp: Ctx, client: httpx.AsyncClient, paths: list[str], clients: int, seconds: float, turns: int
) -> tuple[float, float]:
    """The best rates with and without the audit, taken in turns."""
    record = gp.store.audit.record
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(turns):
        for audited in (True, False):
            setattr(gp.store.audit, "record", record if audited else _nowhere)  # noqa: B010 - only here
            found[audited].append(await _rate(client, paths, clients, seconds))
    setattr(gp.store.audit, "record", record)  # noqa: B010
    return max(found[True]), max(found[False])


async def _rate(client: httpx.AsyncClient, paths: list[str], clients: int, seconds: float) -> float:
    count, end = 0, time.perf_counter() + seconds
    begun = time.perf_counter()

    async def read() -> None:
        nonlocal count
        while time.perf_counter() < end:
            count += 1
            answer = await client.get(paths[count % len(paths)])
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(read() for _ in range(clients)))
    return count / (time.perf_counter() - begun)


async def _nowhere(_: object) -> None:
    """What the audit costs is what this does not."""


if __name__ == "__main__":
    main()
