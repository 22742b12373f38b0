"""How long the dry run of a changed template takes, and that it finds what was planted.

    .venv/bin/python -m bench.impact --compositions 50000 --planted 37

Fills a database of its own with antenatal visits, some of them with a systolic pressure that a stricter
template refuses, and asks which would break. Exit status 1 if the answer is not exactly what was planted.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.visits import SEED, TEMPLATE, visits
from cdr.audit import AuditEntry, Outcome
from cdr.context import Actor, Ctx
from cdr.ehrs import create_ehr
from cdr.impact import CompositionImpact, composition_impact
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from cdr.store.documents import NewVersion, compress
from cdr.store.waiting import Commit
from cdr.versions import ChangeType, Kind, Lifecycle, ObjectVersionId
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.repository import library_templates

STAFF = Actor(id="bench", name="Standards staff", role="operator")
EACH = 100  # versions in one contribution
DIFFERENT = 200  # visits that are composed; the rest repeats them
HIGHEST_NOW, HIGHEST_NEW = b"<upper>260</upper>", b"<upper>240</upper>"
SYSTOLIC_HIGH = 250


def stricter_template() -> OperationalTemplate:
    """The visit with systolic pressures up to 240 instead of 260 mm[Hg]."""
    source = write_opt(library_templates()[TEMPLATE])
    assert source.count(HIGHEST_NOW) == 1
    return read_opt(source.replace(HIGHEST_NOW, HIGHEST_NEW))


@dataclass(frozen=True, slots=True)
class _Payloads:
    """Compressed visits that both templates take, and visits that only the old one takes."""

    good: list[tuple[bytes, bytes]]
    bad: list[tuple[bytes, bytes]]


def _payloads() -> _Payloads:
    bodies = [visit.body for visit in visits(DIFFERENT, 1)]
    high = [_with_high_pressure(body) for body in bodies[:10]]
    return _Payloads([(b, compress(b)) for b in bodies], [(b, compress(b)) for b in high])


def _with_high_pressure(body: bytes) -> bytes:
    """The visit with the systolic pressure of a hypertensive crisis."""
    composition = orjson.loads(body)
    systolic = _systolic(composition)
    systolic["magnitude"] = SYSTOLIC_HIGH
    return orjson.dumps(composition)


def _systolic(node: object) -> dict[str, object]:
    """The quantity of the first at0004 in mm[Hg]."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            value = each.get("value")
            if (
                isinstance(value, dict)
                and value.get("units") == "mm[Hg]"
                and each["archetype_node_id"] == "at0004"
            ):
                return value
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    raise LookupError("no systolic pressure")


async def fill(ctx: Ctx, count: int, planted: int) -> set[str]:
    """Store ``count`` visits, ``planted`` of them bad, at places drawn by a fixed seed; the uids of those."""
    payloads = _payloads()
    bad = set(random.Random(SEED).sample(range(count), planted))
    uids: set[str] = set()
    for start in range(0, count, EACH):
        versions = list(_versions(payloads, range(start, min(count, start + EACH)), bad, uids))
        ehr = await create_ehr(ctx)
        await ctx.store.commits.submit(commit_of(ctx, ehr.ehr_id, versions))
    return uids


def _versions(payloads: _Payloads, numbers: range, bad: set[int], uids: set[str]) -> Iterator[NewVersion]:
    for number in numbers:
        chosen = payloads.bad if number in bad else payloads.good
        payload, compressed = chosen[number % len(chosen)]
        uid = ObjectVersionId(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SEED}/impact/{number}")), "bench", 1)
        if number in bad:
            uids.add(str(uid))
        yield NewVersion(
            uid=uid,
            kind=Kind.COMPOSITION,
            lifecycle=Lifecycle.COMPLETE,
            change_type=ChangeType.CREATION,
            payload=payload,
            compressed=compressed,
            template_id=TEMPLATE,
            template_hash="",
        )


def commit_of(ctx: Ctx, ehr_id: str, versions: list[NewVersion]) -> Commit:
    """A contribution of these versions."""
    entry = AuditEntry(
        at=ctx.clock(),
        actor=ctx.actor.id,
        role=ctx.actor.role,
        organisation="",
        action="bench.fill",
        outcome=Outcome.DONE,
        ehr_id=ehr_id,
    )
    return Commit(
        ehr_id=ehr_id,
        contribution_id=ctx.new_id(),
        system_id="bench",
        committer={"_type": "PARTY_IDENTIFIED", "name": ctx.actor.name},
        clock=ctx.clock(),
        versions=tuple(versions),
        entry=entry,
    )


async def _run(arguments: argparse.Namespace, folder: Path, console: Console) -> bool:
    settings = Settings(mode=Mode.DEV, data=folder)
    async with open_platform(settings) as platform:
        ctx = platform.context(STAFF)
        started = time.perf_counter()
        expected = await fill(ctx, arguments.compositions, arguments.planted)
        console.print(f"Stored {arguments.compositions} in {time.perf_counter() - started:.1f} s")
        started = time.perf_counter()
        found = await _impact(ctx, console)
        seconds = time.perf_counter() - started
    exact = {broken.uid for broken in found.listed} == expected and found.broken == len(expected)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    console.print(
        f"Checked {found.checked} in {seconds:.1f} s ({found.checked / seconds:.0f}/s), peak {peak} MiB; "
        f"{found.broken} broken of {len(expected)} planted, {'exactly those' if exact else 'NOT those'}: "
        f"{dict(found.by_code)}"
    )
    return exact


async def _impact(ctx: Ctx, console: Console) -> CompositionImpact:
    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("")
        return await composition_impact(
            ctx,
            library_templates()[TEMPLATE],
            stricter_template(),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def main() -> None:
    """Read the arguments, fill, ask, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--compositions", type=int, default=50_000)
    parser.add_argument("--planted", type=int, default=37)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="helsekort-impact-") as folder:
        exact = asyncio.run(_run(arguments, Path(folder), console))
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
