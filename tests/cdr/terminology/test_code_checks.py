"""Codes accepted while the server was silent are asked about when it is back; nothing is a silent yes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cdr import definitions, ehrs
from cdr.code_checks import list_code_checks, recheck_codes
from cdr.code_list_registry import CodeListRegistry
from cdr.compositions import create_composition, erase_object, update_composition
from cdr.context import Ctx
from cdr.terminology import FhirTerminology
from cdr.validation import judge_composition
from cdr.versions import StoredVersion
from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates
from tests.cdr.terminology.stand_in import SYSTEM, StandIn, running

pytestmark = pytest.mark.anyio


def visit(code: str) -> dict[str, Any]:
    header = Header(
        start_time="2026-06-01T10:00:00+02:00", setting="231", pregnancy_id="S1", contact_type="at0009"
    )
    diagnosis = {"code": code, "system": SYSTEM, "display": "x"}
    return compose(
        library_templates()["helsekort_kontroll.v0"], header, {"HK5.15": diagnosis, "HK13.10": "at0006"}
    )


@dataclass
class Record:
    """A record with policy ``queue`` and the server that it asks."""

    ctx: Ctx
    server: StandIn
    ehr_id: str

    async def store(self, code: str) -> StoredVersion:
        return await create_composition(self.ctx, self.ehr_id, visit(code))


@pytest.fixture
async def record(ctx: Ctx) -> AsyncIterator[Record]:
    await definitions.publish_library(ctx)
    settings = ctx.settings.model_copy(update={"terminology_silence": "queue"})
    with running() as server:
        client = FhirTerminology(server.url, timeout=1)
        lists = CodeListRegistry(ctx.store.code_lists, client, refresh_seconds=3600)
        asking = replace(ctx, terminology=lists, settings=settings)
        yield Record(asking, server, (await ehrs.create_ehr(ctx)).ehr_id)
        await client.close()


async def test_while_the_server_answers_nothing_is_queued(record: Record) -> None:
    await record.store("L")
    assert await list_code_checks(record.ctx) == ()


async def test_away_and_back(record: Record) -> None:
    record.server.mode = "broken"
    right, wrong = await record.store("L"), await record.store("Q")
    waiting = {str(right.uid): None, str(wrong.uid): None}
    assert {c.uid: c.findings for c in await list_code_checks(record.ctx)} == waiting
    still = await recheck_codes(record.ctx)
    assert (still.confirmed, still.waiting, still.wrong) == (0, 2, ())
    record.server.mode = "ok"
    calls: list[tuple[int, int]] = []
    done = await recheck_codes(record.ctx, progress=lambda *call: calls.append(call))
    assert (done.confirmed, done.waiting, calls[-1]) == (1, 0, (2, 2))
    (check,) = await list_code_checks(record.ctx)
    assert check == done.wrong[0] and check.uid == str(wrong.uid)
    assert [(f.code, f.found) for f in check.findings or ()] == [("terminology.unknown_code", "Q")]


async def test_what_is_wrong_stays_until_it_is_put_right(record: Record) -> None:
    record.server.mode = "broken"
    wrong = await record.store("Q")
    record.server.mode = "ok"
    for _ in range(2):
        assert len((await recheck_codes(record.ctx)).wrong) == 1
    object_id = wrong.uid.object_id
    await update_composition(record.ctx, record.ehr_id, object_id, visit("L"), preceding_uid=str(wrong.uid))
    done = await recheck_codes(record.ctx)
    assert (done.gone, done.wrong, await list_code_checks(record.ctx)) == (1, (), ())


async def test_a_server_that_stays_away_is_not_asked_about_everything(record: Record) -> None:
    record.server.mode = "broken"
    for _ in range(8):
        await record.store("L")
    before = len(record.server.asked)
    assert (await recheck_codes(record.ctx)).waiting == 8
    assert len(record.server.asked) - before <= 3 * 2


async def test_erasing_leaves_nothing_in_the_queue(record: Record) -> None:
    record.server.mode = "broken"
    erased = await record.store("Q")
    await record.store("Q")
    await erase_object(record.ctx, record.ehr_id, erased.uid.object_id)
    assert len(await list_code_checks(record.ctx)) == 1
    await ehrs.erase_ehr(record.ctx, record.ehr_id)
    assert await list_code_checks(record.ctx) == ()


async def test_validation_without_storing_queues_nothing_and_says_so(record: Record) -> None:
    record.server.mode = "broken"
    judged = await judge_composition(record.ctx, visit("L"))
    assert ([f.code for f in judged.findings], judged.accepted) == (["terminology.unchecked"], True)
    assert await list_code_checks(record.ctx) == ()


async def test_each_record_that_was_looked_into_is_in_the_audit(record: Record) -> None:
    record.server.mode = "broken"
    stored = await record.store("L")
    await recheck_codes(record.ctx)
    entries = await record.ctx.store.audit_entries(record.ehr_id)
    assert ("codes.recheck", str(stored.uid)) in {(entry.action, entry.what) for entry in entries}
