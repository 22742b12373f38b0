"""Do the card's tables equal what an oracle works out, and how fast are they made?

    python -m bench.card_tables --women 10000

Generated women are stored through the use cases of the server on a database of their own; then each table is
read and compared, cell by cell, with ``bench.table_oracle``. Exit status 1 if a cell differs.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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

AT_ONCE = 16  # women who are stored at the same time
IDS = ("ehr_id", "contact_id", "document_id")


async def store(ctx: Ctx, woman: Woman) -> dict[str, str]:
    """Store the contacts of a woman; the ids of her and of the contacts, by those of the server."""
    ehr_id = (await create_ehr(ctx)).ehr_id
    ids = {ehr_id: woman.id}
    for contact in woman.contacts:
        version = await create_composition(ctx, ehr_id, contact.composition(library_templates()))
        ids[version.uid.object_id] = contact.id
    return ids


def mark(row: Mapping[str, Any]) -> bytes:
    """A row in sixteen bytes: what is missing does not count, numbers count to nine digits."""
    rounded = {key: round(cell, 9) if isinstance(cell, float) else cell for key, cell in row.items()}
    shown = str(sorted((key, cell) for key, cell in rounded.items() if cell is not None))
    return hashlib.blake2b(shown.encode(), digest_size=16).digest()


async def store_all(ctx: Ctx, everybody: Iterable[Woman]) -> dict[str, str]:
    """Store women, some at a time."""
    await publish_library(ctx)
    ids: dict[str, str] = {}
    remaining = iter(everybody)
    while some := list(islice(remaining, AT_ONCE)):
        for found in await asyncio.gather(*(store(ctx, woman) for woman in some)):
            ids |= found
        if len(ids) % 5000 < 200:
            print(f"  {len(ids):,} ids", file=sys.stderr)
    return ids


async def read(ctx: Ctx, name: str, ids: Mapping[str, str]) -> tuple[Counter[bytes], int]:
    """The marks of all rows with the oracle's ids, and how many cells they have."""
    stream = await card_table(ctx, name)
    names = [column.name for column in stream.columns]
    marks: Counter[bytes] = Counter()
    cells = 0
    async for batch in stream.batches:
        for found in batch:
            row = dict(zip(names, found, strict=True))
            marks[mark(row | {key: ids[row[key]] for key in IDS if key in row})] += 1
            cells += len(row)
    return marks, cells


def right(name: str, everybody: Iterable[Woman]) -> Counter[bytes]:
    """The marks of what the oracle says."""
    rows: Iterable[Row] = (row for woman in everybody for row in expected(name, woman.id, woman.contacts))
    return Counter(map(mark, rows))


async def compare(count: int, seed: str, data: Path) -> bool:
    """Store, read, compare, and print a table; True if nothing differs."""
    settings = Settings(mode=Mode.DEV, data=data, query_seconds=300)
    async with open_platform(settings) as platform:
        ctx = platform.context(Actor(id="bench", name="Bench"))
        started = time.perf_counter()
        ids = await store_all(ctx, women(count, seed))
        elapsed = time.perf_counter() - started
        print(f"{count:,} women, {len(ids) - count:,} documents, stored in {elapsed:.0f} s; seed {seed!r}\n")
        print("| table | rows | cells | seconds | rows/s | rows that differ |\n|---|---|---|---|---|---|")
        return all([await compare_table(ctx, name, ids, count, seed) for name in table_definitions()])


async def compare_table(ctx: Ctx, name: str, ids: Mapping[str, str], count: int, seed: str) -> bool:
    """Print one line; True if nothing differs."""
    started = time.perf_counter()
    found, cells = await read(ctx, name, ids)
    elapsed = time.perf_counter() - started
    should = right(name, women(count, seed))
    differing = (found - should).total() + (should - found).total()
    rows = found.total()
    print(
        f"| {name} | {rows:,} | {cells:,} | {elapsed:.1f} | {rows / elapsed:,.0f} | {differing} |", flush=True
    )
    return differing == 0 and rows > 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--women", type=int, default=100, help="how many women (100)")
    parser.add_argument("--seed", default="women", help="another seed makes other women")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        return 0 if asyncio.run(compare(given.women, given.seed, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
