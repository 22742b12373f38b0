"""A server without HTTP, run by test_embedded: writes notes, or says what it finds in a data folder.

python writing_server.py FOLDER          write until SIGTERM; print each acknowledged version id
python writing_server.py FOLDER check    print a JSON object of what is stored
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cdr.compositions import create_composition, update_composition
from cdr.context import Actor, Ctx
from cdr.ehrs import create_ehr
from cdr.errors import StoreUnavailable
from cdr.platform import open_platform
from cdr.settings import Mode, Settings
from tests.cdr.small_template import note, published_small_template

WRITERS = 8


async def main(folder: str, *arguments: str) -> None:
    settings = Settings(mode=Mode.DEV, data=Path(folder), template_refresh_seconds=3600)
    async with open_platform(settings) as platform:
        ctx = platform.context(Actor(id="test", name="Test"))
        ctx.templates.add(*published_small_template())
        await (check(ctx) if arguments == ("check",) else write(ctx))


async def write(ctx: Ctx) -> None:
    ehr_id = (await create_ehr(ctx)).ehr_id
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await asyncio.gather(*(write_objects(ctx, ehr_id, stopped) for _ in range(WRITERS)))


async def write_objects(ctx: Ctx, ehr_id: str, stopped: asyncio.Event) -> None:
    """One object after the other, of two versions each; as a client would, go on after a 503."""
    while not stopped.is_set():
        try:
            first = await create_composition(ctx, ehr_id, note("x" * 2000))
            show(str(first.uid))
            second = await update_composition(
                ctx, ehr_id, first.uid.object_id, note(), preceding_uid=str(first.uid)
            )
            show(str(second.uid))
        except StoreUnavailable:
            await asyncio.sleep(0.1)


async def check(ctx: Ctx) -> None:
    documents = await ctx.store._database.versions.find({"k": "COMPOSITION"}).to_list()
    uids = {f"{document['o']}::{document['s']}::{document['n']}" for document in documents}
    recorded = {entry.what for entry in [e async for b in ctx.store.audit_batches() for e in b.entries]}
    current = [document["o"] for document in documents if document["until"].year == 9999]
    half = [uid for uid in uids if uid not in recorded]
    half += [uid for uid in uids if uid.endswith("::2") and f"{uid[:-1]}1" not in uids]
    half += [object_id for object_id in current if current.count(object_id) > 1]
    show(json.dumps({"versions": sorted(uids), "half": half, "faults": await ctx.store.audit_faults()}))


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
