"""A request that is sent again gets its first answer, and nothing is stored twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cdr.compositions import create_composition, get_composition, update_composition
from cdr.context import Actor, Ctx
from cdr.contributions import create_contribution
from cdr.ehrs import create_ehr, erase_ehr
from cdr.errors import InvalidComposition, RepeatErased, RepeatMismatch, UnknownEhr
from cdr.repeats import Repeatable
from cdr.store.indexes import REPEAT_SECONDS
from tests.cdr.small_template import note, status
from tests.cdr.test_erasure import collections_with
from tests.cdr.updates import attestation, contribution, update

pytestmark = pytest.mark.anyio

KEY = Repeatable("key-1", b"body")


@pytest.fixture
async def ehr_id(ctx: Ctx) -> str:
    return (await create_ehr(ctx)).ehr_id


async def versions_in(ctx: Ctx) -> int:
    return int(await ctx.store._database.versions.count_documents({}))


async def test_a_composition_once(ctx: Ctx, ehr_id: str) -> None:
    first = await create_composition(ctx, ehr_id, note(), repeatable=KEY)
    await update_composition(ctx, ehr_id, first.uid.object_id, note("2"), preceding_uid=str(first.uid))
    again = await create_composition(ctx, ehr_id, note("not looked at"), repeatable=KEY)
    assert (again.uid, again.data) == (first.uid, first.data)
    other = await create_composition(ctx, ehr_id, note(), repeatable=Repeatable("key-2", b"body"))
    assert other.uid != first.uid
    assert await versions_in(ctx) == 4


async def test_many_at_once_are_one(ctx: Ctx, ehr_id: str) -> None:
    made = await asyncio.gather(*(create_composition(ctx, ehr_id, note(), repeatable=KEY) for _ in range(20)))
    assert len({version.uid for version in made}) == 1
    assert await versions_in(ctx) == 2


async def test_another_body_or_another_kind_of_request_is_refused(ctx: Ctx, ehr_id: str) -> None:
    await create_composition(ctx, ehr_id, note(), repeatable=KEY)
    with pytest.raises(RepeatMismatch):
        await create_composition(ctx, ehr_id, note(), repeatable=Repeatable("key-1", b"other"))
    with pytest.raises(RepeatMismatch):
        await create_contribution(ctx, ehr_id, contribution(update("249", note())), repeatable=KEY)
    assert await versions_in(ctx) == 2


async def test_keys_are_told_apart_by_ehr_and_by_actor(ctx: Ctx, ehr_id: str) -> None:
    second = (await create_ehr(ctx)).ehr_id
    one = await create_composition(ctx, ehr_id, note(), repeatable=KEY)
    two = await create_composition(ctx, second, note(), repeatable=KEY)
    assert one.uid != two.uid
    mine = await create_ehr(ctx, status=status("p-1"), repeatable=KEY)
    assert (await create_ehr(ctx, status=status("p-1"), repeatable=KEY)).ehr_id == mine.ehr_id
    someone = replace(ctx, actor=Actor(id="berit", name="Berit"))
    assert (await create_ehr(someone, repeatable=KEY)).ehr_id != mine.ehr_id


async def test_a_failed_request_leaves_no_key(ctx: Ctx, ehr_id: str) -> None:
    with pytest.raises(InvalidComposition):
        await create_composition(ctx, ehr_id, note() | {"category": None}, repeatable=KEY)
    assert await create_composition(ctx, ehr_id, note(), repeatable=KEY)


async def test_a_contribution_once_also_one_of_attestations_alone(ctx: Ctx, ehr_id: str) -> None:
    first = await create_contribution(
        ctx, ehr_id, contribution(update("249", note()), update("249", note())), repeatable=KEY
    )
    again = await create_contribution(ctx, ehr_id, {"not": "looked at"}, repeatable=KEY)
    assert again == first
    uid = first.versions[0][0]
    sign = contribution(update("666", after=uid, attestations=[attestation()]))
    key = Repeatable("key-3", b"sign")
    signed = [await create_contribution(ctx, ehr_id, sign, repeatable=key) for _ in range(2)]
    assert signed[0] == signed[1]
    assert len((await get_composition(ctx, ehr_id, str(uid))).attestations) == 1


async def test_what_was_erased_is_not_made_again(ctx: Ctx) -> None:
    ehr = await create_ehr(ctx, repeatable=KEY)
    await create_composition(ctx, ehr.ehr_id, note(), repeatable=KEY)
    await erase_ehr(ctx, ehr.ehr_id)
    with pytest.raises(RepeatErased):
        await create_ehr(ctx, repeatable=KEY)
    assert await collections_with(ctx.store, ehr.ehr_id) == {"audit"}
    assert await collections_with(ctx.store, KEY.key) == set()


async def test_a_key_does_not_open_another_ehr(ctx: Ctx, ehr_id: str) -> None:
    await create_composition(ctx, ehr_id, note(), repeatable=KEY)
    with pytest.raises(UnknownEhr):
        await create_composition(
            ctx, ehr_id[:-1] + ("0" if ehr_id[-1] != "0" else "1"), note(), repeatable=KEY
        )


async def test_keys_are_kept_for_a_week(ctx: Ctx) -> None:
    indexes = await ctx.store._database.repeats.index_information()
    assert indexes["week"]["expireAfterSeconds"] == REPEAT_SECONDS == timedelta(days=7).total_seconds()
