"""The registry: what many ask for at once is read once."""

from __future__ import annotations

import asyncio

import pytest

from cdr.context import Ctx
from cdr.definitions import publish_library
from cdr.errors import UnknownTemplate
from cdr.templates import TemplateRegistry

pytestmark = pytest.mark.anyio
VISIT = "helsekort_kontroll.v0"


async def test_a_template_that_many_ask_for_at_once_is_compiled_once(ctx: Ctx) -> None:
    await publish_library(ctx)
    started = TemplateRegistry(ctx.store, refresh_seconds=3600)
    found = await asyncio.gather(*(started.get(VISIT) for _ in range(20)))
    assert len({id(each) for each in found}) == 1
    assert await started.get(VISIT) is found[0]


async def test_who_waits_for_a_template_hears_that_there_is_none_and_may_ask_again(ctx: Ctx) -> None:
    registry = TemplateRegistry(ctx.store, refresh_seconds=3600)
    answers = await asyncio.gather(*(registry.get(VISIT) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(answer, UnknownTemplate) for answer in answers)
    await publish_library(ctx)
    assert (await registry.get(VISIT)).template_id == VISIT


async def test_the_rest_still_gets_a_template_when_the_first_who_asked_goes_away(ctx: Ctx) -> None:
    await publish_library(ctx)
    registry = TemplateRegistry(ctx.store, refresh_seconds=3600)
    first = asyncio.create_task(registry.get(VISIT))
    second = asyncio.create_task(registry.get(VISIT))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).template_id == VISIT
