"""AS OF over the store: what the record held then, without what was erased since."""

from __future__ import annotations

from typing import Any

import pytest

from cdr.compositions import create_composition, delete_composition, update_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr, erase_ehr, update_ehr_status
from cdr.queries import run_query
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import note, status

pytestmark = pytest.mark.anyio


def names(at: str, versions: str = "") -> str:
    return f"SELECT c/name/value FROM EHR e CONTAINS VERSION v{versions} CONTAINS COMPOSITION c AS OF {at}"


async def values(ctx: Ctx, text: str, **options: Any) -> list[Any]:
    return sorted(row[0] for row in (await run_query(ctx, text, **options)).rows)


async def test_the_latest_versions_of_then(ctx: Ctx, clock: TestClock) -> None:
    ehr_id = (await create_ehr(ctx)).ehr_id
    clock.move(days=1)  # 2 March
    first = await create_composition(ctx, ehr_id, note("first"))
    clock.move(days=1)  # 3 March
    second = await update_composition(
        ctx, ehr_id, first.uid.object_id, note("second"), preceding_uid=str(first.uid)
    )
    clock.move(days=1)  # 4 March
    await delete_composition(ctx, ehr_id, str(second.uid))
    clock.move(days=1)
    at = {"01": [], "02": [], "03": ["first"], "04": ["second"], "05": [], "31": []}
    for day, expected in at.items():
        assert await values(ctx, names(f"'2026-03-{day}'")) == expected, day
        assert await values(ctx, names("$at"), parameters={"at": f"2026-03-{day}T00:00:00Z"}) == expected
    assert await values(ctx, names("'2026-03-02T12:00:00Z'")) == ["first"]
    assert await values(ctx, names("'2026-03-02T11:59:59.999Z'")) == []
    assert await values(ctx, names("'9999-12-31T23:59:59Z'")) == []
    assert await values(ctx, names("'2026-03-04'", "[ALL_VERSIONS]")) == ["first", "second"]
    assert await values(ctx, names("'2026-03-03'", "[ALL_VERSIONS]")) == ["first"]


async def test_an_ehr_of_later_does_not_exist(ctx: Ctx, clock: TestClock) -> None:
    early = (await create_ehr(ctx)).ehr_id
    clock.move(days=2)
    await create_ehr(ctx)
    text = "SELECT e/ehr_id/value FROM EHR e AS OF '2026-03-02'"
    assert await values(ctx, text) == [early]


async def test_who_withdrew_since_is_not_found_in_the_past(ctx: Ctx, clock: TestClock) -> None:
    ehr = await create_ehr(ctx)
    await create_composition(ctx, ehr.ehr_id, note("a"))
    clock.move(days=1)
    await update_ehr_status(ctx, ehr.ehr_id, status(queryable=False), preceding_uid=str(ehr.status.uid))
    text = names("'2026-03-01T13:00:00Z'")
    assert await values(ctx, text) == []
    assert await values(ctx, text, ehr_id=ehr.ehr_id) == ["a"]
    then = "SELECT e/ehr_status/is_queryable FROM EHR e AS OF '2026-03-01T13:00:00Z'"
    assert await values(ctx, then, ehr_id=ehr.ehr_id) == [True]


async def test_r12_what_was_erased_is_gone(ctx: Ctx, clock: TestClock) -> None:
    ehr_id = (await create_ehr(ctx)).ehr_id
    await create_composition(ctx, ehr_id, note("a"))
    clock.move(days=1)
    assert await values(ctx, names("'2026-03-01T13:00:00Z'")) == ["a"]
    await erase_ehr(ctx, ehr_id)
    assert await values(ctx, names("'2026-03-01T13:00:00Z'")) == []
