"""A new release of a code list over stored compositions: does the report say exactly what was planted?

    .venv/bin/python -m bench.code_release --compositions 50000

Fills a database of its own with visits that carry ICD-10 codes, a known number of them codes that the next
release retires; asks for the impact, imports the release, and tries old and new data against it. Exit status
1 if anything differs from what was planted.
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
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from archetypes.rm.canonical_json import write_canonical
from bench.impact import EACH, STAFF, commit_of
from bench.visits import SEED
from cdr.code_list_impact import CodeListImpact, code_list_impact
from cdr.code_lists import import_code_list
from cdr.compositions import create_composition, get_composition
from cdr.context import Ctx
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr
from cdr.errors import InvalidComposition
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from cdr.store.documents import NewVersion, compress
from cdr.terminology import CodeSystemRelease, Concept
from cdr.validation import judge_composition
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle, ObjectVersionId
from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates

TEMPLATE = "helsekort_kontroll.v0"
ICD_10 = "urn:oid:2.16.578.1.12.4.1.1.7110"
KEPT = ("O10", "O13", "O14", "O24")
PLANTED = {"O15": 23, "O16": 11, "O23": 3}  # retired by the next release; how many of 50,000 hold them
SUCCESSORS = {"O15": "O15.9", "O16": "O13", "O23": ""}
OLD_DAY, NEW_DAY = "2025-06-02", "2026-06-02"


def old_release() -> CodeSystemRelease:
    """What is valid in 2025."""
    codes = (*KEPT, *PLANTED)
    concepts = {code: Concept(code, f"Diagnose {code}") for code in codes}
    return CodeSystemRelease(ICD_10, "2025", date(2025, 1, 1), concepts)


def new_release() -> CodeSystemRelease:
    """What is valid from 2026: planted codes are marked as retired, and one is left out."""
    concepts = {code: Concept(code, f"Diagnose {code}") for code in (*KEPT, "O15.9")}
    concepts |= {
        code: Concept(code, f"Diagnose {code}", retired=True, successor=successor)
        for code, successor in SUCCESSORS.items()
        if successor
    }
    return CodeSystemRelease(ICD_10, "2026", date(2026, 1, 1), concepts)


def visit(code: str, day: str) -> JsonObject:
    """A visit with one diagnosis."""
    header = Header(
        start_time=f"{day}T10:00:00+02:00", setting="231", pregnancy_id="S1", contact_type="at0009"
    )
    values = {"HK5.15": {"code": code, "system": "icd-10", "display": code}, "HK13.10": "at0006"}
    return compose(library_templates()[TEMPLATE], header, values)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the report said, and what became of an old document and of new ones."""

    found: CodeListImpact
    expected: Counter[str]
    old_reads: bool
    old_validates: bool
    refused: dict[str, str]

    @property
    def is_exact(self) -> bool:
        """True if everything is as it was planted."""
        said = Counter({use.code.coding.code: use.values for use in self.found.retired})
        successors = {use.code.coding.code: use.code.successor for use in self.found.retired}
        named = {code: SUCCESSORS[code] for code in self.expected}
        return said == self.expected and successors == named == self.refused and self.old_is_good

    @property
    def old_is_good(self) -> bool:
        """True if old data are read and validate."""
        return self.old_reads and self.old_validates


async def run(ctx: Ctx, count: int, planted: dict[str, int], progress: Progress | None = None) -> Outcome:
    """Fill, ask, import, and try."""
    await publish_library(ctx)
    await import_code_list(ctx, old_release())
    ehr_id, uid, payload = await fill(ctx, count, planted)
    task = None if progress is None else progress.add_task("")

    def show(done: int, total: int) -> None:
        if progress is not None and task is not None:
            progress.update(task, completed=done, total=total)

    found = await code_list_impact(ctx, new_release(), progress=show)
    await import_code_list(ctx, new_release())
    read = await get_composition(ctx, ehr_id, uid)
    old = [await judge_composition(ctx, visit(code, OLD_DAY)) for code in planted]
    refused = {code: await _successor(ctx, code) for code in planted}
    return Outcome(
        found,
        Counter(planted),
        read.payload == payload,
        all(judged.accepted and not judged.findings for judged in old),
        refused,
    )


async def fill(ctx: Ctx, count: int, planted: dict[str, int]) -> tuple[str, str, bytes]:
    """Store ``count`` visits of 2025, planted codes at places drawn by a fixed seed.

    Returns EHR, uid and bytes of one that holds a planted code.
    """
    places = random.Random(SEED).sample(range(count), sum(planted.values()))
    codes = dict(zip(places, Counter(planted).elements(), strict=True))
    stored = {code: write_canonical(visit(code, OLD_DAY)) for code in (*KEPT, *planted)}
    packed = {code: compress(payload) for code, payload in stored.items()}
    chosen = ("", "", b"")
    for start in range(0, count, EACH):
        numbers = range(start, min(count, start + EACH))
        of_each = [codes.get(number, KEPT[number % len(KEPT)]) for number in numbers]
        versions = list(_versions(stored, packed, numbers, of_each))
        ehr_id = (await create_ehr(ctx)).ehr_id
        await ctx.store.commits.submit(commit_of(ctx, ehr_id, versions))
        for version, code in zip(versions, of_each, strict=True):
            if code in planted:
                chosen = (ehr_id, str(version.uid), stored[code])
    return chosen


def _versions(
    stored: dict[str, bytes], packed: dict[str, bytes], numbers: Sequence[int], codes: Sequence[str]
) -> Iterator[NewVersion]:
    for number, code in zip(numbers, codes, strict=True):
        yield NewVersion(
            uid=ObjectVersionId(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SEED}/release/{number}")), "bench", 1),
            kind=Kind.COMPOSITION,
            lifecycle=Lifecycle.COMPLETE,
            change_type=ChangeType.CREATION,
            payload=stored[code],
            compressed=packed[code],
            template_id=TEMPLATE,
            template_hash="",
        )


async def _successor(ctx: Ctx, code: str) -> str:
    """The successor that the refusal of a new document names; "not refused" if there is none."""
    try:
        await create_composition(ctx, (await create_ehr(ctx)).ehr_id, visit(code, NEW_DAY))
    except InvalidComposition as error:
        (finding,) = (f for f in error.findings if f.code == "terminology.retired")
        return finding.expected
    return "not refused"


async def _run(count: int, folder: Path, console: Console) -> bool:
    async with open_platform(Settings(mode=Mode.DEV, data=folder)) as platform:
        columns = (TextColumn("Counting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            started = time.perf_counter()
            outcome = await run(platform.context(STAFF), count, PLANTED, progress)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for use in outcome.found.retired:
        coding = use.code.coding
        console.print(f"{coding.code}: {use.values} values, successor {use.code.successor or 'none'}")
    console.print(
        f"{outcome.found.checked} compositions read; with filling {seconds:.0f} s, peak {peak} MiB. Retired "
        f"codes and counts {'exactly as planted' if outcome.is_exact else 'NOT as planted'}; old data "
        f"{'read and validate' if outcome.old_is_good else 'do NOT read or validate'}; "
        f"new data refused with successors {outcome.refused}."
    )
    return outcome.is_exact


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--compositions", type=int, default=50_000)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="helsekort-release-") as folder:
        exact = asyncio.run(_run(arguments.compositions, Path(folder), console))
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
