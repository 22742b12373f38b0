"""The audit chains: what they reveal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cdr.audit import AuditBatch, AuditEntry, Outcome, chain_faults
from cdr.context import Ctx
from cdr.ehrs import create_ehr, get_ehr
from cdr.errors import StoreUnavailable
from cdr.store.mongo import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(ehr_id: str) -> AuditEntry:
    return AuditEntry(
        at=NOON,
        actor="anna",
        role="midwife",
        organisation="Solbakken",
        action="ehr.read",
        outcome=Outcome.GRANTED,
        ehr_id=ehr_id,
    )


def chain(name: str, length: int, heads: dict[str, str] | None = None) -> list[AuditBatch]:
    batches: list[AuditBatch] = []
    for number in range(length):
        previous = batches[-1].digest if batches else ""
        own_heads = (heads or {}) if number == 0 else {}
        batches.append(AuditBatch.sealed(name, number, previous, own_heads, [entry(str(number))]))
    return batches


def two_chains() -> list[AuditBatch]:
    first = chain("a", 3)
    return first + chain("b", 3, {"a": first[-1].digest})


def change_an_entry(batches: list[AuditBatch]) -> list[AuditBatch]:
    changed = replace(batches[1], entries=(replace(batches[1].entries[0], actor="eve"),))
    return [batches[0], changed, *batches[2:]]


def change_and_hash_again(batches: list[AuditBatch]) -> list[AuditBatch]:
    forged = AuditBatch.sealed("a", 1, batches[0].digest, {}, [entry("other")])
    return [batches[0], forged, *batches[2:]]


@pytest.mark.parametrize(
    "tamper",
    [
        change_an_entry,
        change_and_hash_again,
        lambda batches: [batches[0], *batches[2:]],  # from the middle
        lambda batches: batches[1:],  # the first
        lambda batches: [*batches[:2], *batches[3:]],  # the end of an older chain
        lambda batches: batches[3:],  # a whole chain
        lambda batches: [batches[0], batches[2], batches[1], *batches[3:]],
    ],
)
def test_tampering_shows(tamper: Callable[[list[AuditBatch]], list[AuditBatch]]) -> None:
    assert chain_faults(two_chains()) == []
    assert chain_faults(tamper(two_chains())) != []


@pytest.mark.anyio
async def test_the_stored_audit_reads_back_sound(ctx: Ctx) -> None:
    created = await asyncio.gather(*(create_ehr(ctx) for _ in range(20)))
    await asyncio.gather(*(get_ehr(ctx, ehr.ehr_id) for ehr in created))
    assert await ctx.store.audit_faults() == []
    found = await ctx.store.audit_entries(created[7].ehr_id)
    assert {(each.action, each.outcome) for each in found} == {
        ("ehr.create", Outcome.DONE),
        ("ehr.read", Outcome.GRANTED),
    }


@pytest.mark.anyio
async def test_a_changed_document_shows(ctx: Ctx) -> None:
    created = await create_ehr(ctx)
    await get_ehr(ctx, created.ehr_id)
    audit = ctx.store._database.audit
    await audit.update_one({"entries.do": "ehr.read"}, {"$set": {"entries.0.by": "eve"}})
    assert [fault for fault in await ctx.store.audit_faults() if "was changed" in fault]


@pytest.mark.anyio
async def test_a_new_server_starts_from_the_ends_of_the_old_chains(
    ctx: Ctx, mongodb_uri: str, database_name: str
) -> None:
    created = await create_ehr(ctx)
    await get_ehr(ctx, created.ehr_id)
    second = await Store.open(mongodb_uri, database_name)
    try:
        await create_ehr(replace(ctx, store=second))
        assert await second.audit_faults() == []
        await second._database.audit.delete_many({"entries.do": "ehr.read"})
        assert [fault for fault in await second.audit_faults() if "is missing" in fault]
    finally:
        await second.close()


@pytest.mark.anyio
@pytest.mark.parametrize("moment", [0.0, 0.001, 0.004])
async def test_whoever_waits_when_the_server_stops_is_answered(
    mongodb_uri: str, database_name: str, store: Store, moment: float
) -> None:
    """Nobody waits for ever, and what was said to be written is."""
    stopping = await Store.open(mongodb_uri, database_name)
    await stopping.audit.record([entry("x"), entry("y")])

    async def record(number: int) -> str | None:
        try:
            await stopping.audit.record([entry(f"{moment} {number}")])
        except StoreUnavailable:
            return None
        return f"{moment} {number}"

    async def come() -> list[str | None]:
        first = await asyncio.gather(*(record(number) for number in range(5)))
        return first + await asyncio.gather(*(record(number) for number in range(5, 40)))

    coming = asyncio.create_task(come())
    await asyncio.sleep(moment)
    await stopping.audit.stop()
    written = [each async for batch in store.audit_batches() for each in [e.ehr_id for e in batch.entries]]
    stopping.audit.start()
    answers = await asyncio.wait_for(coming, 10)
    assert {each for each in answers[:5] if each} <= set(written)
    await stopping.close()
    assert await store.audit_faults() == []
