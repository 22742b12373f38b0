"""EHRs and their status, on a real database."""

from __future__ import annotations

import asyncio

import pytest

from cdr.context import Ctx
from cdr.ehrs import (
    create_ehr,
    delete_all_ehrs,
    erase_ehr,
    get_ehr,
    get_ehr_by_subject,
    get_ehr_status,
    get_ehr_status_history,
    get_versioned_ehr_status,
    update_ehr_status,
)
from cdr.errors import (
    BadRequest,
    EhrExists,
    InvalidEhrStatus,
    MalformedVersionId,
    RefusedIdentifier,
    SubjectExists,
    UnknownEhr,
    UnknownSubject,
    UnknownVersion,
    VersionConflict,
)
from cdr.versions import Ehr, StoredVersion, revision_history
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import random_id, status

pytestmark = pytest.mark.anyio


async def test_an_ehr_without_a_status_gets_the_default_one(ctx: Ctx) -> None:
    created = await create_ehr(ctx)
    found = await get_ehr(ctx, created.ehr_id)
    assert found == created
    data = found.status.data
    assert data is not None
    assert data["subject"] == {"_type": "PARTY_SELF"}
    assert (data["is_queryable"], data["is_modifiable"]) == (True, True)
    assert data["uid"]["value"] == str(found.status.uid)
    assert found.to_canonical()["ehr_status"]["id"]["value"] == str(found.status.uid)


async def test_the_client_may_choose_the_id_once(ctx: Ctx) -> None:
    ehr_id = random_id()
    assert (await create_ehr(ctx, ehr_id.upper())).ehr_id == ehr_id
    with pytest.raises(EhrExists):
        await create_ehr(ctx, ehr_id)
    with pytest.raises(BadRequest):
        await create_ehr(ctx, "not-a-uuid")


async def test_one_ehr_for_a_subject(ctx: Ctx) -> None:
    created = await create_ehr(ctx, status=status("p-1"))
    assert await get_ehr_by_subject(ctx, "p-1", "demo") == created
    with pytest.raises(SubjectExists):
        await create_ehr(ctx, status=status("p-1"))
    with pytest.raises(UnknownSubject):
        await get_ehr_by_subject(ctx, "p-1", "elsewhere")
    other = await create_ehr(ctx, status=status("p-2"))
    with pytest.raises(SubjectExists):
        await update_ehr_status(ctx, other.ehr_id, status("p-1"), preceding_uid=str(other.status.uid))


async def test_of_many_who_create_an_ehr_for_one_subject_one_wins(ctx: Ctx) -> None:
    attempts = [create_ehr(ctx, status=status("p-race")) for _ in range(12)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(answer, Ehr) for answer in answers) == 1
    assert sum(isinstance(answer, SubjectExists) for answer in answers) == 11


async def test_a_subject_that_changes_its_id_is_found_by_the_new_one(ctx: Ctx) -> None:
    created = await create_ehr(ctx, status=status("d-number"))
    await update_ehr_status(ctx, created.ehr_id, status("f-number"), preceding_uid=str(created.status.uid))
    assert (await get_ehr_by_subject(ctx, "f-number", "demo")).ehr_id == created.ehr_id
    with pytest.raises(UnknownSubject):
        await get_ehr_by_subject(ctx, "d-number", "demo")
    await create_ehr(ctx, status=status("d-number"))


async def test_status_versions_and_time_travel(ctx: Ctx, clock: TestClock) -> None:
    created = await create_ehr(ctx)
    first, born = created.status, clock.now
    clock.move(hours=1)
    second = await update_ehr_status(
        ctx, created.ehr_id, status(queryable=False), preceding_uid=str(first.uid)
    )
    assert second.uid.trunk == 2
    assert second.preceding_uid == first.uid
    ehr_id = created.ehr_id
    assert await get_ehr_status(ctx, ehr_id) == second
    assert await get_ehr_status(ctx, ehr_id, version_uid=str(first.uid)) == first
    assert await get_ehr_status(ctx, ehr_id, at=born) == first
    assert await get_ehr_status(ctx, ehr_id, at=clock.now) == second
    clock.move(hours=-2)
    with pytest.raises(UnknownVersion):
        await get_ehr_status(ctx, ehr_id, at=clock.now)
    history = await get_ehr_status_history(ctx, ehr_id)
    assert history == revision_history([first, second])
    versioned = await get_versioned_ehr_status(ctx, ehr_id)
    assert versioned["_type"] == "VERSIONED_EHR_STATUS"
    assert versioned["uid"]["value"] == first.uid.object_id


async def test_a_stale_status_update_is_refused(ctx: Ctx) -> None:
    created = await create_ehr(ctx)
    first = str(created.status.uid)
    second = await update_ehr_status(ctx, created.ehr_id, status(), preceding_uid=first)
    with pytest.raises(VersionConflict) as refused:
        await update_ehr_status(ctx, created.ehr_id, status(), preceding_uid=first)
    assert refused.value.latest == str(second.uid)
    with pytest.raises(MalformedVersionId):
        await update_ehr_status(ctx, created.ehr_id, status(), preceding_uid="2")


async def test_of_many_status_updates_on_one_version_one_wins(ctx: Ctx) -> None:
    created = await create_ehr(ctx)
    attempts = [
        update_ehr_status(ctx, created.ehr_id, status(), preceding_uid=str(created.status.uid))
        for _ in range(10)
    ]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(answer, StoredVersion) for answer in answers) == 1
    assert sum(isinstance(answer, VersionConflict) for answer in answers) == 9


async def test_an_invalid_status_is_refused_with_its_place(ctx: Ctx) -> None:
    broken = status("p-9")
    broken["is_queryable"] = "yes"
    del broken["subject"]["external_ref"]["namespace"]
    with pytest.raises(InvalidEhrStatus) as refused:
        await create_ehr(ctx, status=broken)
    places = {finding.path for finding in refused.value.findings}
    assert "/is_queryable" in places
    assert any(place.startswith("/subject/external_ref") for place in places)


async def test_development_takes_no_national_id_of_a_real_person(ctx: Ctx) -> None:
    with pytest.raises(RefusedIdentifier) as refused:
        await create_ehr(ctx, status=status("13097248022"))
    assert [finding.path for finding in refused.value.findings] == ["/subject/external_ref/id/value"]
    assert "13097248022" not in str(refused.value) + str(refused.value.findings)
    await create_ehr(ctx, status=status("10915596784"))


async def test_unknown_ehrs(ctx: Ctx) -> None:
    nobody = random_id()
    with pytest.raises(UnknownEhr):
        await get_ehr(ctx, nobody)
    with pytest.raises(UnknownEhr):
        await get_ehr_status(ctx, nobody)
    with pytest.raises(UnknownEhr):
        await update_ehr_status(ctx, nobody, status(), preceding_uid=f"{nobody}::a::1")
    with pytest.raises(UnknownEhr):
        await erase_ehr(ctx, nobody)


async def test_a_development_server_is_emptied(ctx: Ctx) -> None:
    ehr_id = (await create_ehr(ctx, status=status("p-1"))).ehr_id
    await create_ehr(ctx)
    assert await delete_all_ehrs(ctx) == 2
    with pytest.raises(UnknownEhr):
        await get_ehr(ctx, ehr_id)
    await create_ehr(ctx, ehr_id, status=status("p-1"))
