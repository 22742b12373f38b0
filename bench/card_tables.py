"""Do the card's tables equal what an oracle works out, and how fast are they made?

    python -m bench.card_tables --women 10000

Generated women are stored through the use cases of the server, by several processes on one database as by
several servers; then each table is read and compared, cell by cell, with ``bench.table_oracle``. Seconds are
those of the clock and of the processors. Exit status 1 if a cell differs.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from api.demo.story import Woman
from bench.table_oracle import Row, expected
from bench.women import women
from cdr.analysis.definitions import table_definitions
from cdr.card_tables import card_table
from cdr.compositions import create_composition
from cdr.context import Actor, Ctx
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from templates.repository import library_templates

AT_ONCE = 64  # women whom a process stores at the same time: their commits share transactions
IDS = ("ehr_id", "contact_id", "document_id")
ACTOR = Actor(id="bench", name="Bench")


@dataclass(frozen=True, slots=True)
class Everybody:
    """The women of a seed, and the database that they are stored in."""

    uri: str
    count: int
    seed: str

    def women(self, share: int = 0, shares: int = 1) -> Iterator[Woman]:
        """All of them, or every so manieth."""
        return islice(women(self.count, self.seed), share, None, shares)

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Ctx]:
        """A server's view of the database."""
        uri = SecretStr(self.uri)
        settings = Settings(mode=Mode.DEV, mongodb_uri=uri, query_seconds=300, query_worker_mib=0)
        async with open_platform(settings) as platform:
            yield platform.context(ACTOR)


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one table."""

    name: str
    rows: int
    cells: int
    seconds: float
    cpu: float
    differing: int

    def __str__(self) -> str:
        numbers = f"{self.rows:,} | {self.cells:,} | {self.seconds:.1f} | {self.cpu:.1f}"
        return f"| {self.name} | {numbers} | {self.differing} |"


# --- in a process of its own --------------------------------------------------------------------------


def store_share(everybody: Everybody, share: int, shares: int) -> tuple[dict[str, str], float]:
    """Store some of the women; the oracle's ids of women and contacts by those of the server, CPU seconds."""
    started = time.process_time()
    ids = asyncio.run(_store_share(everybody, share, shares))
    return ids, time.process_time() - started


async def _store_share(everybody: Everybody, share: int, shares: int) -> dict[str, str]:
    ids: dict[str, str] = {}
    remaining = everybody.women(share, shares)
    async with everybody.context() as ctx:
        while some := list(islice(remaining, AT_ONCE)):
            for found in await asyncio.gather(*(_store(ctx, woman) for woman in some)):
                ids |= found
            print(f"  process {share + 1}: {len(ids):,} ids", file=sys.stderr)
    return ids


async def _store(ctx: Ctx, woman: Woman) -> dict[str, str]:
    ehr_id = (await create_ehr(ctx)).ehr_id
    ids = {ehr_id: woman.id}
    for contact in woman.contacts:
        version = await create_composition(ctx, ehr_id, contact.composition(library_templates()))
        ids[version.uid.object_id] = contact.id
    return ids


def compare_table(everybody: Everybody, name: str, ids: Mapping[str, str]) -> Compared:
    """Read a table, and compare it with what the oracle says."""
    started, cpu = time.perf_counter(), time.process_time()
    found, cells = asyncio.run(_read(everybody, name, ids))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    should = _right(name, everybody.women())
    differing = (found - should).total() + (should - found).total()
    return Compared(name, found.total(), cells, seconds, cpu, differing)


async def _read(everybody: Everybody, name: str, ids: Mapping[str, str]) -> tuple[Counter[bytes], int]:
    """The marks of all rows with the oracle's ids, and how many cells they have."""
    marks: Counter[bytes] = Counter()
    cells = 0
    async with everybody.context() as ctx:
        stream = await card_table(ctx, name)
        names = [column.name for column in stream.columns]
        async for batch in stream.batches:
            for found in batch:
                row = dict(zip(names, found, strict=True))
                marks[_mark(row | {key: ids[row[key]] for key in IDS if key in row})] += 1
                cells += len(row)
    return marks, cells


def _right(name: str, everybody: Iterable[Woman]) -> Counter[bytes]:
    """The marks of what the oracle says."""
    rows: Iterable[Row] = (row for woman in everybody for row in expected(name, woman.id, woman.contacts))
    return Counter(map(_mark, rows))


def _mark(row: Mapping[str, Any]) -> bytes:
    """A row in sixteen bytes: what is missing does not count, numbers count to nine digits."""
    rounded = {key: round(cell, 9) if isinstance(cell, float) else cell for key, cell in row.items()}
    shown = str(sorted((key, cell) for key, cell in rounded.items() if cell is not None))
    return hashlib.blake2b(shown.encode(), digest_size=16).digest()


# --- all of it ----------------------------------------------------------------------------------------


async def compare(count: int, seed: str, processes: int, data: Path) -> bool:
    """Store, read, compare, and print a table; True if nothing differs."""
    async with open_platform(Settings(mode=Mode.DEV, data=data, query_worker_mib=0)) as platform:
        await publish_library(platform.context(ACTOR))
        everybody = Everybody(platform.mongodb_uri, count, seed)
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            started = time.perf_counter()
            ids, cpu = await _stored(pool, everybody, processes)
            seconds = time.perf_counter() - started
            print(f"{count:,} women, {len(ids) - count:,} documents; seed {seed!r}; {processes} processes.")
            print(f"Stored in {seconds:.0f} s, {cpu:.0f} of CPU without the database's.\n", flush=True)
            compared = await _compared(pool, everybody, ids)
    print("| table | rows | cells | seconds | CPU seconds | rows that differ |\n|---|---|---|---|---|---|")
    print(*compared, sep="\n")
    return all(each.differing == 0 and each.rows > 0 for each in compared)


async def _stored(
    pool: ProcessPoolExecutor, everybody: Everybody, processes: int
) -> tuple[dict[str, str], float]:
    shares = min(everybody.count, processes)
    parts = await asyncio.gather(
        *(_in(pool, store_share, everybody, share, shares) for share in range(shares))
    )
    return {uid: own for ids, _ in parts for uid, own in ids.items()}, sum(cpu for _, cpu in parts)


async def _compared(
    pool: ProcessPoolExecutor, everybody: Everybody, ids: Mapping[str, str]
) -> Sequence[Compared]:
    tables = [_in(pool, compare_table, everybody, name, ids) for name in table_definitions()]
    return await asyncio.gather(*tables)


def _in(pool: ProcessPoolExecutor, work: Any, *arguments: Any) -> asyncio.Future[Any]:
    return asyncio.get_running_loop().run_in_executor(pool, work, *arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--women", type=int, default=100, help="how many women (100)")
    parser.add_argument("--seed", default="women", help="another seed makes other women")
    cores = os.cpu_count() or 1
    parser.add_argument("--processes", type=int, default=cores, help=f"how many at a time ({cores})")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        return 0 if asyncio.run(compare(given.women, given.seed, given.processes, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
