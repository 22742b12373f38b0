"""Two EHRs of one woman become one and two again; ids of other times; nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import AsyncMongoClient

from cdr.compositions import create_composition, get_composition, get_composition_history, update_composition
from cdr.context import Ctx
from cdr.contributions import get_contribution
from cdr.directory import create_directory, get_directory
from cdr.ehrs import (
    create_ehr,
    erase_ehr,
    get_ehr,
    get_ehr_by_subject,
    get_ehr_status,
    get_ehr_status_history,
    update_ehr_status,
)
from cdr.errors import BadRequest, CdrError, EhrExists, SubjectExists, UnknownEhr, UnknownSubject
from cdr.join_errors import (
    EhrJoined,
    JoinedSince,
    JoinWithItself,
    NotJoined,
    RemovalUnderWay,
    SubjectIdInForce,
    UnknownSubjectId,
)
from cdr.joining import get_joins, join_ehrs, split_ehrs
from cdr.queries import run_query
from cdr.store.database import FAR
from cdr.store.joins import stricter
from cdr.subjects import add_subject_id, get_subject_ids, withdraw_subject_id
from cdr.tags import get_ehr_tags, set_tags
from cdr.versions import ChangeType, CommitAudit, JsonObject, Kind
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import note, random_id, status
from tests.cdr.updates import folder

pytestmark = pytest.mark.anyio

D_NUMBER, NATIONAL = "68467038838", "10915596784"  # both synthetic


async def an_ehr(ctx: Ctx, subject: str, *names: str) -> str:
    ehr_id = (await create_ehr(ctx, status=status(subject))).ehr_id
    for name in names:
        await create_composition(ctx, ehr_id, note(name))
    return ehr_id


async def names_in(ctx: Ctx, ehr_id: str) -> list[str]:
    text = "SELECT c/name/value AS name FROM EHR e CONTAINS COMPOSITION c ORDER BY name"
    return [row[0] for row in (await run_query(ctx, text, ehr_id=ehr_id)).rows]


async def everything(ctx: Ctx, uri: str) -> dict[str, list[dict[str, Any]]]:
    """Every document but the audit, and without the counters of the gates."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        database = client[ctx.store._database.versions.database.name]
        names = set(await database.list_collection_names()) - {"audit", "meta"}
        found = {name: await database[name].find().sort("_id", 1).to_list() for name in names}
    for documents in found.values():
        for document in documents:
            document.get("gate", {}).pop("w", None)
            if not document.get("oe", True):
                del document["oe"]
    return {name: documents for name, documents in found.items() if documents}


async def test_everything_of_both_is_found_under_one_id(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1", "a", "b"), await an_ehr(ctx, "n-1", "c")
    stored = await create_composition(ctx, old, note("z"))
    updated = await update_composition(
        ctx, old, stored.uid.object_id, note("d"), preceding_uid=str(stored.uid)
    )
    await set_tags(ctx, old, Kind.COMPOSITION, stored.uid.object_id, [{"key": "flag"}])
    (join,) = await join_ehrs(ctx, new, old, reason="D-number became a national number")
    assert (join.ehr_id, join.into, join.by) == (old, new, "anna")
    assert await join_ehrs(ctx, new, old, reason="asked again") == [join]
    assert await names_in(ctx, new) == ["a", "b", "c", "d"]
    assert (await get_composition(ctx, new, str(updated.uid))).payload == updated.payload
    history = await get_composition_history(ctx, new, stored.uid.object_id)
    assert [item["version_id"]["value"][-1] for item in history["items"]] == ["1", "2"]
    contribution = await get_contribution(ctx, new, updated.contribution_id)
    assert contribution["versions"][0]["id"]["value"] == str(updated.uid)
    assert [tag.key for tag in await get_ehr_tags(ctx, new)] == ["flag"]
    for subject in ("d-1", "n-1"):
        assert (await get_ehr_by_subject(ctx, subject, "demo")).ehr_id == new
    again = await update_composition(
        ctx, new, stored.uid.object_id, note("e"), preceding_uid=str(updated.uid)
    )
    assert again.uid.trunk == 3
    whole = await run_query(ctx, "SELECT e/ehr_id/value FROM EHR e")
    assert whole.rows == [[new]]


async def test_holders_of_the_old_id_are_told_the_new_one(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1", "a"), await an_ehr(ctx, "n-1")
    await join_ehrs(ctx, new, old, reason="one woman")
    for asked in (
        get_ehr(ctx, old),
        get_ehr_status(ctx, old.upper()),
        get_composition(ctx, old, f"{random_id()}::a::1"),
        create_composition(ctx, old, note("late")),
        create_directory(ctx, old, folder()),
        get_ehr_tags(ctx, old),
        erase_ehr(ctx, old),
        create_ehr(ctx, old),
    ):
        with pytest.raises(EhrJoined) as caught:
            await asked
        assert caught.value.into == new
    with pytest.raises(UnknownEhr):
        await get_ehr(ctx, random_id())


async def test_a_split_gives_back_what_was(ctx: Ctx, mongodb_uri: str) -> None:
    old, new = await an_ehr(ctx, "d-1", "a", "b"), await an_ehr(ctx, "n-1", "c")
    await create_directory(ctx, old, folder("old"))
    await create_directory(ctx, new, folder("new"))
    before = await everything(ctx, mongodb_uri)
    await join_ehrs(ctx, new, old, reason="one woman")
    assert (await get_directory(ctx, new)).data["name"]["value"] == "new"  # type: ignore[index]
    assert await split_ehrs(ctx, new, old) == []
    assert await everything(ctx, mongodb_uri) == before
    assert await names_in(ctx, old) == ["a", "b"]
    assert len((await get_ehr_status_history(ctx, old))["items"]) == 1


async def test_a_directory_moves_where_there_is_none(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1"), await an_ehr(ctx, "n-1")
    made = await create_directory(ctx, old, folder("hers"))
    await join_ehrs(ctx, new, old, reason="one woman")
    assert (await get_directory(ctx, new)).uid == made.uid
    assert (await get_ehr(ctx, new)).directory == made.uid


async def test_later_versions_go_back_with_their_object_and_new_objects_stay(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1"), await an_ehr(ctx, "n-1")
    stored = await create_composition(ctx, old, note("first"))
    await join_ehrs(ctx, new, old, reason="one woman")
    await update_composition(ctx, new, stored.uid.object_id, note("second"), preceding_uid=str(stored.uid))
    await create_composition(ctx, new, note("of the time between"))
    await split_ehrs(ctx, new, old)
    assert await names_in(ctx, old) == ["second"]
    assert await names_in(ctx, new) == ["of the time between"]


async def test_joins_are_undone_in_the_reverse_order(ctx: Ctx) -> None:
    first, second, third = [await an_ehr(ctx, f"s-{n}", str(n)) for n in range(3)]
    await join_ehrs(ctx, second, first, reason="one woman")
    await join_ehrs(ctx, third, second, reason="one woman")
    assert await names_in(ctx, third) == ["0", "1", "2"]
    assert {join.ehr_id for join in await get_joins(ctx, third)} == {first, second}
    with pytest.raises(EhrJoined) as caught:
        await get_ehr(ctx, first)
    assert caught.value.into == third
    with pytest.raises(JoinedSince):
        await split_ehrs(ctx, third, first)
    await split_ehrs(ctx, third, second)
    assert await names_in(ctx, second) == ["0", "1"]
    await split_ehrs(ctx, second, first)
    assert [await names_in(ctx, ehr) for ehr in (first, second, third)] == [["0"], ["1"], ["2"]]


@pytest.mark.parametrize("flag", ["is_queryable", "is_modifiable"])
async def test_the_stricter_status_holds(ctx: Ctx, flag: str) -> None:
    closed = (await create_ehr(ctx, status=status("d-1") | {flag: False})).ehr_id
    new = await an_ehr(ctx, "n-1")
    await join_ehrs(ctx, new, closed, reason="one woman")
    found: JsonObject = (await get_ehr_status(ctx, new)).data or {}
    assert found[flag] is False
    assert found["subject"]["external_ref"]["id"]["value"] == "n-1"


def consent(n: int, given: bool, **more: Any) -> dict[str, Any]:
    return {"n": n, "given": given, "until": FAR, "out": False, "bar": None, "job": None} | more


@pytest.mark.parametrize(
    ("ours", "theirs", "given", "bar"),
    [
        (consent(3, True), consent(1, True), True, None),
        (consent(3, True), consent(1, False), False, None),
        (consent(3, False), consent(1, True), False, None),
        (consent(3, True), consent(1, True, bar="deceased"), True, "deceased"),
        (consent(3, True), None, True, None),
        (None, consent(1, True), True, None),
    ],
)
def test_the_stricter_consent_holds(
    ours: dict[str, Any] | None, theirs: dict[str, Any] | None, given: bool, bar: str | None
) -> None:
    taken = stricter({"consent": ours}, {"consent": theirs})["consent"]
    assert (taken["given"], taken["bar"]) == (given, bar)
    if ours and theirs:
        assert taken["n"] == ours["n"] + 1


def test_blocks_relations_and_hidden_cards_of_both_hold() -> None:
    ours = {"rel": ["a"], "blocks": ["x"], "card": {"id": "1"}}
    theirs = {"rel": ["a", "b"], "hidden": ["c"], "card": {"id": "2"}}
    assert stricter(ours, theirs) == {"rel": ["a", "b"], "blocks": ["x"], "hidden": ["c"]}
    assert stricter({}, theirs)["card"] == {"id": "2"}


async def test_nothing_is_joined_while_a_withdrawal_removes(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1", "a"), await an_ehr(ctx, "n-1")
    database = ctx.store._database
    await database.ehrs.update_one({"_id": old}, {"$set": {"consent": consent(2, False, job="j")}})
    with pytest.raises(RemovalUnderWay):
        await join_ehrs(ctx, new, old, reason="one woman")
    assert await names_in(ctx, old) == ["a"]


async def test_what_cannot_be_joined_or_split(ctx: Ctx) -> None:
    ehr_id, other = await an_ehr(ctx, "n-1"), await an_ehr(ctx, "n-2")
    refused: list[tuple[Any, type[CdrError]]] = [
        (join_ehrs(ctx, ehr_id, ehr_id.upper(), reason="x"), JoinWithItself),
        (join_ehrs(ctx, ehr_id, random_id(), reason="x"), UnknownEhr),
        (join_ehrs(ctx, random_id(), ehr_id, reason="x"), UnknownEhr),
        (join_ehrs(ctx, ehr_id, other, reason=" "), BadRequest),
        (split_ehrs(ctx, ehr_id, other), NotJoined),
    ]
    for asked, error in refused:
        with pytest.raises(error):
            await asked


async def test_an_erasure_takes_what_was_joined_and_both_ids_stay_used(ctx: Ctx, mongodb_uri: str) -> None:
    old, new = await an_ehr(ctx, "d-1", "a"), await an_ehr(ctx, "n-1", "b")
    await join_ehrs(ctx, new, old, reason="one woman")
    await erase_ehr(ctx, new)
    assert set(await everything(ctx, mongodb_uri)) <= {"tombstones", "erasures", "templates"}
    for ehr_id in (old, new):
        with pytest.raises(EhrExists):
            await create_ehr(ctx, ehr_id)


async def test_the_log_of_both_is_one(ctx: Ctx) -> None:
    old, new = await an_ehr(ctx, "d-1", "a"), await an_ehr(ctx, "n-1")
    await join_ehrs(ctx, new, old, reason="one woman")
    entries = await ctx.store.audit_entries(new)
    assert {"ehr.create", "composition.create", "ehr.join"} == {entry.action for entry in entries}
    assert {entry.ehr_id for entry in entries} == {old, new}


# --- ids of other times -----------------------------------------------------------------------------


async def test_a_national_number_follows_a_d_number(ctx: Ctx, clock: TestClock) -> None:
    ehr = await create_ehr(ctx, status=status(D_NUMBER))
    changed = clock.move(days=30)
    await update_ehr_status(ctx, ehr.ehr_id, status(NATIONAL), preceding_uid=str(ehr.status.uid))
    for subject in (D_NUMBER, NATIONAL):
        assert (await get_ehr_by_subject(ctx, subject, "demo")).ehr_id == ehr.ehr_id
    present, former = await get_subject_ids(ctx, ehr.ehr_id)
    assert (present.id, present.in_force, present.since, present.until) == (NATIONAL, True, changed, None)
    assert (former.id, former.in_force, former.until) == (D_NUMBER, False, changed)
    with pytest.raises(SubjectExists):
        await create_ehr(ctx, status=status(D_NUMBER))


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [(D_NUMBER, NATIONAL, ChangeType.AMENDMENT), (NATIONAL, "13717404089", None), ("wrong", NATIONAL, None)],
)
async def test_an_id_that_was_wrong_goes(
    ctx: Ctx, before: str, after: str, change: ChangeType | None
) -> None:
    ehr = await create_ehr(ctx, status=status(before))
    await update_ehr_status(
        ctx,
        ehr.ehr_id,
        status(after),
        preceding_uid=str(ehr.status.uid),
        audit=CommitAudit(change_type=change),
    )
    with pytest.raises(UnknownSubject):
        await get_ehr_by_subject(ctx, before, "demo")
    await create_ehr(ctx, status=status(before))


async def test_ids_of_other_times_are_added_and_withdrawn(ctx: Ctx, clock: TestClock) -> None:
    ehr_id, other = await an_ehr(ctx, "now"), await an_ehr(ctx, "others")
    until = clock.now
    known = await add_subject_id(ctx, ehr_id, "demo", "then", until=until)
    assert [(one.id, one.until) for one in known] == [("now", None), ("then", until)]
    assert (await get_ehr_by_subject(ctx, "then", "demo")).ehr_id == ehr_id
    refused: list[tuple[Any, type[CdrError]]] = [
        (add_subject_id(ctx, other, "demo", "then"), SubjectExists),
        (add_subject_id(ctx, ehr_id, "demo", ""), BadRequest),
        (add_subject_id(ctx, ehr_id, "demo", "x", since=until, until=until), BadRequest),
        (add_subject_id(ctx, random_id(), "demo", "x"), UnknownEhr),
        (withdraw_subject_id(ctx, ehr_id, "demo", "now"), SubjectIdInForce),
        (withdraw_subject_id(ctx, other, "demo", "then"), UnknownSubjectId),
    ]
    for asked, error in refused:
        with pytest.raises(error):
            await asked
    await withdraw_subject_id(ctx, ehr_id, "demo", "then")
    with pytest.raises(UnknownSubject):
        await get_ehr_by_subject(ctx, "then", "demo")
