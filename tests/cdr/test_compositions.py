"""Compositions and their versions, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cdr.compositions import (
    create_composition,
    delete_composition,
    get_composition,
    get_composition_history,
    get_composition_version,
    get_versioned_composition,
    update_composition,
)
from cdr.context import Ctx
from cdr.contributions import get_contribution
from cdr.ehrs import create_ehr, get_ehr_status, update_ehr_status
from cdr.errors import (
    AlreadyDeleted,
    BranchNotSupported,
    CdrError,
    EhrNotModifiable,
    InvalidComposition,
    MalformedVersionId,
    MissingTemplateId,
    NotLatest,
    ObjectDeleted,
    ObjectExists,
    RefusedIdentifier,
    TemplateMismatch,
    TooLarge,
    UidMismatch,
    UnknownContribution,
    UnknownEhr,
    UnknownObject,
    UnknownTemplate,
    UnknownVersion,
    Unprocessable,
    VersionConflict,
)
from cdr.versions import (
    ChangeType,
    CommitAudit,
    JsonObject,
    Lifecycle,
    ObjectVersionId,
    StoredVersion,
    version_object,
)
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import (
    note,
    persistent,
    published_small_template,
    random_id,
    status,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ehr_id(ctx: Ctx) -> str:
    return (await create_ehr(ctx)).ehr_id


async def test_what_was_stored_is_read_back(ctx: Ctx, ehr_id: str) -> None:
    sent = note("Sår hals – 37 °C")
    stored = await create_composition(ctx, ehr_id, sent)
    found = await get_composition(ctx, ehr_id, str(stored.uid))
    assert found == stored == await get_composition(ctx, ehr_id, stored.uid.object_id)
    assert found.data == sent | {"uid": {"_type": "OBJECT_VERSION_ID", "value": str(stored.uid)}}
    assert found.template_id == "note.v0"
    assert found.audit.change_type is ChangeType.CREATION
    assert found.audit.committer == {"_type": "PARTY_IDENTIFIED", "name": "Jordmor Anna Berg"}


async def test_update_delete_and_every_version_stays(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    one = await create_composition(ctx, ehr_id, note("one"))
    clock.move(minutes=1)
    two = await update_composition(ctx, ehr_id, one.uid.object_id, note("two"), preceding_uid=str(one.uid))
    clock.move(minutes=1)
    three = await delete_composition(ctx, ehr_id, str(two.uid))
    object_id = one.uid.object_id
    assert [version.uid.trunk for version in (one, two, three)] == [1, 2, 3]
    assert three.is_deleted
    assert three.lifecycle is Lifecycle.DELETED
    assert await get_composition(ctx, ehr_id, object_id) == three
    for version in (one, two, three):
        assert await get_composition(ctx, ehr_id, str(version.uid)) == version
        assert await get_composition_version(ctx, ehr_id, object_id, version_uid=str(version.uid)) == version
    history = await get_composition_history(ctx, ehr_id, object_id)
    assert [item["version_id"]["value"] for item in history["items"]] == [
        str(version.uid) for version in (one, two, three)
    ]
    versioned = await get_versioned_composition(ctx, ehr_id, object_id)
    assert versioned["owner_id"]["id"]["value"] == ehr_id


async def test_the_record_as_it_was_at_a_time(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    one = await create_composition(ctx, ehr_id, note("one"))
    clock.move(seconds=10)
    two = await update_composition(ctx, ehr_id, one.uid.object_id, note("two"), preceding_uid=str(one.uid))
    clock.move(seconds=10)
    three = await delete_composition(ctx, ehr_id, str(two.uid))
    object_id = one.uid.object_id
    for version, earlier in ((one, None), (two, one), (three, two)):
        at = version.audit.time_committed
        assert await get_composition(ctx, ehr_id, object_id, at=at) == version
        just_before = at.replace(microsecond=0) - (clock.now - clock.move(microseconds=-1000))
        if earlier is None:
            with pytest.raises(UnknownVersion):
                await get_composition(ctx, ehr_id, object_id, at=just_before)
        else:
            assert await get_composition(ctx, ehr_id, object_id, at=just_before) == earlier


async def test_commit_times_rise_even_if_the_clock_goes_back(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    version = await create_composition(ctx, ehr_id, note("1"))
    times = [version.audit.time_committed]
    for minutes in (-5, 0, -5):
        clock.move(minutes=minutes)
        version = await update_composition(
            ctx, ehr_id, version.uid.object_id, note(), preceding_uid=str(version.uid)
        )
        times.append(version.audit.time_committed)
    assert times == sorted(set(times))


async def test_versions_are_ordered_as_numbers(ctx: Ctx, ehr_id: str) -> None:
    version = await create_composition(ctx, ehr_id, note())
    for _ in range(10):
        version = await update_composition(
            ctx, ehr_id, version.uid.object_id, note(), preceding_uid=str(version.uid)
        )
    assert (await get_composition(ctx, ehr_id, version.uid.object_id)).uid.trunk == 11


async def test_of_many_writers_on_one_version_exactly_one_wins(ctx: Ctx, ehr_id: str) -> None:
    first = await create_composition(ctx, ehr_id, note())
    attempts = [
        update_composition(ctx, ehr_id, first.uid.object_id, note(str(number)), preceding_uid=str(first.uid))
        for number in range(20)
    ]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    winners = [answer for answer in answers if isinstance(answer, StoredVersion)]
    assert len(winners) == 1
    refused = [answer for answer in answers if isinstance(answer, VersionConflict)]
    assert {error.latest for error in refused} == {str(winners[0].uid)}
    assert len(refused) == 19
    assert await get_composition(ctx, ehr_id, first.uid.object_id) == winners[0]


async def test_a_writer_and_a_deleter_of_one_version(ctx: Ctx, ehr_id: str) -> None:
    first = await create_composition(ctx, ehr_id, note())
    answers = await asyncio.gather(
        update_composition(ctx, ehr_id, first.uid.object_id, note(), preceding_uid=str(first.uid)),
        delete_composition(ctx, ehr_id, str(first.uid)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, StoredVersion) for answer in answers) == 1
    assert sum(isinstance(answer, VersionConflict | NotLatest) for answer in answers) == 1


async def test_deletion_names_the_latest_version_once(ctx: Ctx, ehr_id: str) -> None:
    one = await create_composition(ctx, ehr_id, note())
    two = await update_composition(ctx, ehr_id, one.uid.object_id, note(), preceding_uid=str(one.uid))
    with pytest.raises(NotLatest) as refused:
        await delete_composition(ctx, ehr_id, str(one.uid))
    assert refused.value.latest == str(two.uid)
    gone = await delete_composition(ctx, ehr_id, str(two.uid))
    for uid in (two.uid, gone.uid):
        with pytest.raises(AlreadyDeleted):
            await delete_composition(ctx, ehr_id, str(uid))
    with pytest.raises(ObjectDeleted):
        await update_composition(ctx, ehr_id, one.uid.object_id, note(), preceding_uid=str(gone.uid))


async def test_a_closed_ehr_takes_a_status_only(ctx: Ctx, ehr_id: str) -> None:
    stored = await create_composition(ctx, ehr_id, note())
    open_status = (await get_ehr_status(ctx, ehr_id)).uid
    closed = await update_ehr_status(ctx, ehr_id, status(modifiable=False), preceding_uid=str(open_status))
    with pytest.raises(EhrNotModifiable):
        await create_composition(ctx, ehr_id, note())
    with pytest.raises(EhrNotModifiable):
        await delete_composition(ctx, ehr_id, str(stored.uid))
    await update_ehr_status(ctx, ehr_id, status(), preceding_uid=str(closed.uid))
    await delete_composition(ctx, ehr_id, str(stored.uid))


async def test_the_error_of_one_commit_is_nobody_elses(ctx: Ctx, ehr_id: str) -> None:
    closed = (await create_ehr(ctx, status=status(modifiable=False))).ehr_id
    targets = [ehr_id, closed, random_id(), ehr_id, closed, ehr_id]
    answers = await asyncio.gather(
        *(create_composition(ctx, target, note()) for target in targets), return_exceptions=True
    )
    kinds = [type(answer) for answer in answers]
    stored, shut, unknown = StoredVersion, EhrNotModifiable, UnknownEhr
    assert kinds == [stored, shut, unknown, stored, shut, stored]


def without_template(composition: JsonObject) -> JsonObject:
    details = {key: value for key, value in composition["archetype_details"].items() if key != "template_id"}
    return composition | {"archetype_details": details}


def without_composer(composition: JsonObject) -> JsonObject:
    return {key: value for key, value in composition.items() if key != "composer"}


def without_context(composition: JsonObject) -> JsonObject:
    return {key: value for key, value in composition.items() if key != "context"}


def with_identifier(composition: JsonObject) -> JsonObject:
    identifier = {"_type": "DV_IDENTIFIER", "id": "13097248022", "type": "fnr"}
    composer = {"_type": "PARTY_IDENTIFIED", "name": "Anna", "identifiers": [identifier]}
    return composition | {"composer": composer}


def with_uid(uid: str) -> Callable[[JsonObject], JsonObject]:
    return lambda composition: composition | {"uid": {"_type": "OBJECT_VERSION_ID", "value": uid}}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (without_template, MissingTemplateId),
        (lambda composition: note(template_id="unpublished.v1"), UnknownTemplate),
        (without_composer, InvalidComposition),
        (without_context, InvalidComposition),
        (lambda composition: composition | {"archetype_details": 7}, MissingTemplateId),
        (with_identifier, RefusedIdentifier),
        (with_uid("8849182c-82ad-4088-a07f-48ead4180515::elsewhere::1"), UidMismatch),
        (with_uid("8849182c-82ad-4088-a07f-48ead4180515::no.helsekort.cdr::2"), UidMismatch),
        (with_uid("x::no.helsekort.cdr::1"), UidMismatch),
        (with_uid("8849182c-82ad-4088-a07f-48ead4180515::y"), MalformedVersionId),
        (lambda composition: note("x" * 9_000_000), TooLarge),
    ],
)
async def test_what_is_refused_is_not_stored(
    ctx: Ctx, ehr_id: str, change: Callable[[JsonObject], JsonObject], error: type[CdrError]
) -> None:
    with pytest.raises(error):
        await create_composition(ctx, ehr_id, change(note()))
    assert await ctx.store._database.versions.count_documents({"k": "COMPOSITION"}) == 0


async def test_a_client_may_choose_the_object_id(ctx: Ctx, ehr_id: str) -> None:
    uid = f"{random_id()}::no.helsekort.cdr::1"
    stored = await create_composition(ctx, ehr_id, with_uid(uid)(note()))
    assert str(stored.uid) == uid
    with pytest.raises(ObjectExists):
        await create_composition(ctx, ehr_id, with_uid(uid)(note()))


async def test_an_update_stays_within_its_object(ctx: Ctx, ehr_id: str) -> None:
    ctx.templates.add(*published_small_template("other.v0"))
    one = await create_composition(ctx, ehr_id, note())
    other = await create_composition(ctx, ehr_id, note())
    object_id, first = one.uid.object_id, str(one.uid)
    refusals: list[tuple[JsonObject, str, type[CdrError]]] = [
        (note(template_id="other.v0"), first, TemplateMismatch),
        (persistent(note()), first, Unprocessable),
        (with_uid(str(other.uid))(note()), first, UidMismatch),
        (note(), str(other.uid), VersionConflict),
        (note(), f"{object_id}::no.helsekort.cdr::2", VersionConflict),
        (note(), f"{object_id}::elsewhere::1", VersionConflict),
        (note(), f"{object_id}::no.helsekort.cdr::1.1.1", BranchNotSupported),
        (note(), object_id, MalformedVersionId),
    ]
    for composition, preceding, error in refusals:
        with pytest.raises(error):
            await update_composition(ctx, ehr_id, object_id, composition, preceding_uid=preceding)
    assert await get_composition(ctx, ehr_id, object_id) == one


async def test_an_object_is_found_in_its_own_ehr_only(ctx: Ctx, ehr_id: str) -> None:
    stored = await create_composition(ctx, ehr_id, note())
    other = (await create_ehr(ctx)).ehr_id
    object_id, uid = stored.uid.object_id, str(stored.uid)
    for wanted in (object_id, uid):
        with pytest.raises(UnknownObject):
            await get_composition(ctx, other, wanted)
        with pytest.raises(UnknownEhr):
            await get_composition(ctx, random_id(), wanted)
    with pytest.raises(UnknownVersion):
        await get_composition(ctx, ehr_id, f"{object_id}::no.helsekort.cdr::7")
    with pytest.raises(UnknownObject):
        await update_composition(ctx, other, object_id, note(), preceding_uid=uid)
    with pytest.raises(UnknownObject):
        await delete_composition(ctx, other, uid)
    status_object = (await get_ehr_status(ctx, ehr_id)).uid.object_id
    with pytest.raises(UnknownObject):
        await get_composition(ctx, ehr_id, status_object)


async def test_an_incomplete_composition_may_lack_what_a_complete_one_needs(ctx: Ctx, ehr_id: str) -> None:
    draft = await create_composition(ctx, ehr_id, without_context(note()), lifecycle=Lifecycle.INCOMPLETE)
    assert draft.lifecycle is Lifecycle.INCOMPLETE
    done = await update_composition(ctx, ehr_id, draft.uid.object_id, note(), preceding_uid=str(draft.uid))
    assert done.lifecycle is Lifecycle.COMPLETE


async def test_the_audit_that_a_client_gives(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    said = CommitAudit(description="Ny måling", committer={"_type": "PARTY_IDENTIFIED", "name": "Kari Lie"})
    stored = await create_composition(ctx, ehr_id, note(), audit=said)
    corrected = await update_composition(
        ctx,
        ehr_id,
        stored.uid.object_id,
        note(),
        preceding_uid=str(stored.uid),
        audit=CommitAudit(change_type=ChangeType.AMENDMENT),
    )
    canonical = version_object(await get_composition(ctx, ehr_id, str(stored.uid)))
    assert canonical["commit_audit"]["description"]["value"] == "Ny måling"
    assert canonical["commit_audit"]["committer"]["name"] == "Kari Lie"
    assert canonical["commit_audit"]["time_committed"]["value"] == "2026-03-01T12:00:00.000Z"
    assert corrected.audit.change_type is ChangeType.AMENDMENT
    assert version_object(corrected)["preceding_version_uid"]["value"] == str(stored.uid)


async def test_each_commit_is_a_contribution(ctx: Ctx, ehr_id: str) -> None:
    stored = await create_composition(ctx, ehr_id, note())
    found = await get_contribution(ctx, ehr_id, stored.contribution_id)
    assert [reference["id"]["value"] for reference in found["versions"]] == [str(stored.uid)]
    with pytest.raises(UnknownContribution):
        await get_contribution(ctx, ehr_id, random_id())
    with pytest.raises(UnknownEhr):
        await get_contribution(ctx, random_id(), stored.contribution_id)


async def test_ids_of_objects_are_read_in_any_case(ctx: Ctx, ehr_id: str) -> None:
    stored = await create_composition(ctx, ehr_id, note())
    upper = ObjectVersionId.parse(str(stored.uid).upper().replace("NO.HELSEKORT.CDR", "no.helsekort.cdr"))
    assert upper == stored.uid
    assert await get_composition(ctx, ehr_id.upper(), stored.uid.object_id.upper()) == stored
