"""The dry run of a changed template finds what was planted, and only that, and writes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archetypes.aom.constraints import CAttribute
from archetypes.intervals import Interval
from bench.impact import fill, stricter_template
from bench.visits import TEMPLATE
from cdr.audit import Outcome
from cdr.compositions import create_composition, delete_composition, update_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr
from cdr.errors import NotAllowed
from cdr.impact import composition_impact
from cdr.settings import Mode, Settings
from cdr.versions import Lifecycle
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.cdr.small_template import note, small_template

pytestmark = pytest.mark.anyio


def needing_feeder_audit(template_id: str | None = None) -> OperationalTemplate:
    """The small template with one more mandatory attribute."""
    opt = small_template()
    more = CAttribute(rm_attribute_name="feeder_audit", existence=Interval(1, 1))
    definition = replace(opt.definition, attributes=(*opt.definition.attributes, more))
    return replace(opt, definition=definition, template_id=template_id or opt.template_id)


@pytest.mark.slow
async def test_exactly_the_planted_compositions_are_found(ctx: Ctx) -> None:
    planted = await fill(ctx, 3000, 11)
    calls: list[tuple[int, int]] = []
    found = await composition_impact(
        ctx,
        library_templates()[TEMPLATE],
        stricter_template(),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert (found.checked, found.broken, found.broken_before) == (3000, 11, 0)
    assert {broken.uid for broken in found.listed} == planted
    assert found.by_code == {"quantity.magnitude": 11}
    assert calls[-1] == (3000, 3000)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})


async def test_the_unchanged_template_breaks_nothing(ctx: Ctx) -> None:
    await fill(ctx, 30, 3)
    opt = library_templates()[TEMPLATE]
    found = await composition_impact(ctx, opt, opt)
    assert (found.checked, found.broken, found.by_code, found.listed) == (30, 0, {}, ())


async def test_replaced_versions_count_on_request_and_deleted_ones_never(ctx: Ctx) -> None:
    ehr = (await create_ehr(ctx)).ehr_id
    kept = await create_composition(ctx, ehr, note())
    await update_composition(ctx, ehr, kept.uid.object_id, note("Again"), preceding_uid=str(kept.uid))
    gone = await create_composition(ctx, ehr, note())
    await delete_composition(ctx, ehr, str(gone.uid))
    old, new = small_template(), needing_feeder_audit()
    latest = await composition_impact(ctx, old, new)
    every = await composition_impact(ctx, old, new, all_versions=True)
    assert (latest.checked, latest.broken) == (1, 1)
    assert (every.checked, every.broken) == (3, 3)
    assert latest.listed[0].uid.endswith("::2")
    assert latest.listed[0].codes == ("existence.missing",)
    assert latest.listed[0].path == "/feeder_audit"


async def test_what_was_wrong_before_is_not_the_change(ctx: Ctx) -> None:
    await create_composition(ctx, (await create_ehr(ctx)).ehr_id, note())
    found = await composition_impact(ctx, needing_feeder_audit(), needing_feeder_audit())
    assert (found.broken, found.broken_before, found.listed) == (0, 1, ())


async def test_drafts_are_judged_as_drafts(ctx: Ctx) -> None:
    ehr = (await create_ehr(ctx)).ehr_id
    await create_composition(ctx, ehr, note(), lifecycle=Lifecycle.INCOMPLETE)
    found = await composition_impact(ctx, small_template(), needing_feeder_audit())
    assert (found.checked, found.broken) == (1, 0)


async def test_a_new_template_id_alone_breaks_nothing(ctx: Ctx) -> None:
    await create_composition(ctx, (await create_ehr(ctx)).ehr_id, note())
    renamed = replace(small_template(), template_id="note.v1")
    assert (await composition_impact(ctx, small_template(), renamed)).broken == 0
    assert (await composition_impact(ctx, small_template(), needing_feeder_audit("note.v1"))).broken == 1


async def test_the_audit_names_the_run_and_whose_records_were_listed(ctx: Ctx) -> None:
    ehr = (await create_ehr(ctx)).ehr_id
    await create_composition(ctx, ehr, note())
    await composition_impact(ctx, small_template(), needing_feeder_audit())
    entries = [entry async for batch in ctx.store.audit_batches() for entry in batch.entries]
    mine = [entry for entry in entries if entry.action == "template.impact"]
    assert [(entry.ehr_id, entry.outcome) for entry in mine] == [
        (None, Outcome.GRANTED),
        (ehr, Outcome.GRANTED),
    ]
    assert mine[0].detail == "1 compositions checked, 1 broken"


async def test_production_lets_nobody_in_without_an_identity(ctx: Ctx) -> None:
    settings = Settings(
        mode=Mode.PRODUCTION, issuer="https://issuer.example", public_url="https://cdr.example.no"
    )
    with pytest.raises(NotAllowed):
        await composition_impact(replace(ctx, settings=settings), small_template(), small_template())
