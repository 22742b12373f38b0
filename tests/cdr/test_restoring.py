"""A backup that is older than erasures and withdrawals: restored for real, it shows nothing of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdr import cards, compositions, consents, ehrs
from cdr.actor import Actor, ActorKind
from cdr.consent import Decision
from cdr.consent_errors import ConsentMissing
from cdr.context import Ctx
from cdr.definitions import publish_library
from cdr.erasure_ledger import Done, Erased, ErasureLedger, LedgerUnreadable
from cdr.errors import CdrError, EhrExists, UnknownEhr, UnknownObject
from cdr.joining import join_ehrs
from cdr.platform import SERVER_ACTOR, Platform, open_platform
from cdr.restoring import Reapplied, reapply_erasures
from cdr.settings import BUILTIN, Mode, Settings
from cdr.store.embedded import EmbeddedMongod
from cdr.store.mongo import Store
from tests.cdr.card_world import CARD, KARI, MARK, MIDWIFE, OFFICER, World, a_card, enforcing
from tests.cdr.small_template import note, published_small_template
from tests.cdr.test_access import person
from tests.cdr.test_consents import LINE, a_card_of, a_world_of, everything_of_a_card, removed
from tests.cdr.test_erasure import collections_with

pytestmark = pytest.mark.anyio

MONA = "12918510026"
OPERATOR = Actor(id="op", name="Odd", kind=ActorKind.OPERATOR, security_level=4)


@dataclass
class Folder:
    """The data folder of a server whose database is backed up and restored; the ledger lies beside it."""

    data: Path
    backup: Path

    def back_up(self) -> None:
        """Copy the files of the database; no server runs."""
        shutil.copytree(self.data / "mongo", self.backup)

    def restore(self) -> None:
        """Put the copy in the place of the database."""
        shutil.rmtree(self.data / "mongo")
        shutil.copytree(self.backup, self.data / "mongo")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Platform]:
        """The platform as a server opens it."""
        settings = Settings(mode=Mode.DEV, issuer=BUILTIN, data=self.data, query_worker_mib=0)
        async with open_platform(settings) as platform:
            yield platform

    async def marked(self) -> set[str]:
        """Collections that hold the marker, looked at without the program's care."""
        mongod = await EmbeddedMongod.start(self.data)
        store = await Store.open(mongod.uri)
        try:
            await store.removals.stop()
            return await collections_with(store, MARK)
        finally:
            await store.close()
            await mongod.stop()

    def command(self) -> subprocess.CompletedProcess[str]:
        """``helsekort db reapply``."""
        command = [str(Path(sys.executable).parent / "helsekort"), "db", "reapply", "--mode", "dev"]
        environment = dict(os.environ) | {"HELSEKORT_ISSUER": "builtin"}  # noqa: TID251 - a child's, not ours
        return subprocess.run(
            [*command, "--data", str(self.data)], capture_output=True, text=True, env=environment, check=False
        )


def midwife(platform: Platform) -> Ctx:
    platform.templates.add(*published_small_template())
    return enforcing(platform.context(MIDWIFE, basis="UNNTAK"))


def ledger_text(folder: Folder) -> str:
    return "".join(file.read_text() for file in (folder.data / "erasures").iterdir())


async def test_a_restored_backup_forgets_again_what_was_erased_and_withdrawn(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data", tmp_path / "backup")
    async with folder.open() as platform:
        await publish_library(platform.context(SERVER_ACTOR))
        withdrawing = await a_card(midwife(platform))
        await everything_of_a_card(withdrawing)
        asking = await a_card_of(withdrawing, LINE)
        entry = (await asking.write(MARK)).uid.object_id
        kept = await asking.write("står igjen")
        leaving = await ehrs.create_ehr(withdrawing.ctx, status=person(MONA))
        await compositions.create_composition(withdrawing.ctx, leaving.ehr_id, note(MARK))
    folder.back_up()

    async with folder.open() as platform:
        assert platform.reapplied == Reapplied()
        worlds = [replace(world, ctx=midwife(platform)) for world in (withdrawing, asking)]
        job = await worlds[0].withdraw()
        await cards.erase_entry(
            worlds[1].by(OFFICER), asking.ehr_id, entry, decision="2026/7", decided_by="Pia"
        )
        await ehrs.erase_ehr(worlds[0].by(OPERATOR), leaving.ehr_id)
        await removed(worlds[0], job)
        assert await collections_with(platform.store, MARK) == set()
    written = ledger_text(folder)
    for known in (withdrawing.ehr_id, asking.ehr_id, leaving.ehr_id, entry, KARI, MARK):
        assert known not in written, "the ledger can be read without the key of the database"

    folder.restore()
    assert await folder.marked() >= {"versions", "tags", "contributions"}, "the restore brought nothing back"
    said = folder.command()
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert "3 erasures were not known to this database; erased again: 1 records, 1 entries" in said.stdout
    assert "1 cards" in said.stdout
    assert await folder.marked() == set()

    async with folder.open() as platform:
        assert platform.reapplied == Reapplied()
        await _check(midwife(platform), withdrawing, asking, entry, kept.uid.object_id, leaving.ehr_id)

    folder.restore()  # and nobody thinks of the command: the server does it before it lets anybody in
    async with folder.open() as platform:
        assert platform.reapplied == Reapplied(3, 1, 1, 1)
        ctx = midwife(platform)
        with pytest.raises(ConsentMissing):
            await replace(withdrawing, ctx=ctx).write("etter")
        await removed(replace(withdrawing, ctx=ctx), job)
        assert await collections_with(platform.store, MARK) == set()
    assert "0 erasures were not known" in folder.command().stdout


async def _check(ctx: Ctx, withdrawing: World, asking: World, entry: str, kept: str, left: str) -> None:
    withdrawing, asking = replace(withdrawing, ctx=ctx), replace(asking, ctx=ctx)
    view = await consents.get_consent(withdrawing.her, withdrawing.ehr_id)
    assert [event.decision for event in view.history] == [Decision.GIVEN, Decision.WITHDRAWN]
    with pytest.raises(UnknownObject):
        await compositions.get_composition(asking.ctx, asking.ehr_id, entry)
    assert (await compositions.get_composition(asking.ctx, asking.ehr_id, kept)).data
    with pytest.raises(UnknownEhr):
        await ehrs.get_ehr(asking.by(MIDWIFE, "SAMTYKKE"), left)
    with pytest.raises(EhrExists):
        await ehrs.create_ehr(asking.ctx, left)
    again = note(template_id=CARD) | {"uid": {"_type": "HIER_OBJECT_ID", "value": entry}}
    with pytest.raises(CdrError, match="in use"):
        await compositions.create_composition(asking.ctx, asking.ehr_id, again)
    actions = [entry.action for entry in await ctx.store.audit_entries(withdrawing.ehr_id)]
    assert "erasures.reapply" in actions and "consent.remove" in actions
    assert await ctx.store.audit_faults() == []
    await withdrawing.consent()  # and a new consent starts an empty card
    assert await cards.get_cards(ctx, withdrawing.ehr_id) == []


async def test_of_joined_records_both_cards_are_withdrawn_again(
    ctx: Ctx, mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    """She withdrew from the joined record; the backup is from before the join."""
    one = await a_card(enforcing(ctx))
    other = await a_card_of(one, LINE)
    await other.write(MARK)
    second = await Store.open(mongodb_uri, database_name, ledger=tmp_path)
    try:
        assert second.erasures.ledger is not None
        marks = second._tombstones.marks([one.ehr_id, other.ehr_id])
        line = Erased("5f0c8a52-6e0f-4f8e-9a26-9a3c1f1b6f10", Done.WITHDRAWAL, ctx.clock(), marks)
        second.erasures.ledger.write([line])
        (missing,) = await second.erasures.missing()
        operator = replace(one.ctx, actor=OPERATOR, store=second)
        assert await reapply_erasures(operator, [missing]) == Reapplied(1, cards=2)
        assert await second.erasures.missing() == []
        for world in (one, other):
            with pytest.raises(ConsentMissing):
                await world.write("etter")
        async with asyncio.timeout(20):
            while (await second.removals.waiting())[0]:
                await asyncio.sleep(0.02)
        assert await collections_with(second, MARK) == set()
        assert await reapply_erasures(operator, [missing]) == Reapplied(1)
    finally:
        await second.close()


async def test_a_withdrawal_that_the_backup_knows_does_not_end_the_consent_after_it(
    ctx: Ctx, mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    second = await Store.open(mongodb_uri, database_name, ledger=tmp_path)
    try:
        world = await a_card(enforcing(replace(ctx, store=second)))
        await removed(world, await world.withdraw())
        await world.consent()
        assert second.erasures.ledger is not None
        assert [line.done for line in second.erasures.ledger.read()] == [Done.WITHDRAWAL]
        assert await second.erasures.missing() == []
    finally:
        await second.close()


async def test_the_withdrawal_of_a_joined_record_names_both(
    ctx: Ctx, mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    second = await Store.open(mongodb_uri, database_name, ledger=tmp_path)
    try:
        one = await a_card(enforcing(replace(ctx, store=second)))
        other = await a_world_of(one, LINE)
        await join_ehrs(one.by(OPERATOR), one.ehr_id, other.ehr_id, reason="one woman")
        await removed(one, await one.withdraw())
        assert second.erasures.ledger is not None
        (line,) = second.erasures.ledger.read()
        assert set(line.marks) == set(second._tombstones.marks([one.ehr_id, other.ehr_id]))
    finally:
        await second.close()


async def test_a_ledger_that_cannot_be_written_stops_no_withdrawal(
    ctx: Ctx, mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "erasures"
    folder.write_text("a file in the place of the folder")
    second = await Store.open(mongodb_uri, database_name, ledger=folder)
    try:
        world = await a_card(enforcing(replace(ctx, store=second)))
        await removed(world, await world.withdraw())
        folder.unlink()
        await second.erasures.keep_up()
        assert second.erasures.ledger is not None
        assert [line.done for line in second.erasures.ledger.read()] == [Done.WITHDRAWAL]
    finally:
        await second.close()


# --- the file ---------------------------------------------------------------------------------------


def lines(*ids: str) -> list[Erased]:
    return [
        Erased(one, Done.OBJECT, datetime(2026, 11, day + 1, tzinfo=UTC), ("m",))
        for day, one in enumerate(ids)
    ]


def test_every_machine_writes_a_file_and_each_line_counts_once(tmp_path: Path) -> None:
    ledger, other = ErasureLedger(tmp_path, "db1"), ErasureLedger(tmp_path, "db2")
    assert ledger.read() == [] and not ledger.files()
    ledger.write(lines("a", "b"))
    ledger.write(lines("a", "b", "c"))
    (tmp_path / "db1-other-machine.jsonl").write_bytes(ledger.files()[0].read_bytes())
    assert ErasureLedger(tmp_path, "db1").read() == lines("a", "b", "c")
    assert other.read() == []


def test_what_a_kill_cut_off_is_written_anew(tmp_path: Path) -> None:
    ledger = ErasureLedger(tmp_path, "db1")
    ledger.write(lines("a", "b"))
    (file,) = ledger.files()
    file.write_bytes(file.read_bytes()[:-20])
    again = ErasureLedger(tmp_path, "db1")
    assert again.read() == lines("a")
    again.write(lines("a", "b"))
    assert ErasureLedger(tmp_path, "db1").read() == lines("a", "b")


def test_a_line_that_is_none_is_not_passed_over(tmp_path: Path) -> None:
    ledger = ErasureLedger(tmp_path, "db1")
    ledger.write(lines("a", "b"))
    (file,) = ledger.files()
    file.write_bytes(file.read_bytes().replace(b'"done"', b'"gone"', 1))
    with pytest.raises(LedgerUnreadable, match="line 1"):
        ErasureLedger(tmp_path, "db1").read()
