"""Contributions that a client composes: all or nothing, every kind, every change, errors in their place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cdr.compositions import create_composition, get_composition, get_composition_history
from cdr.context import Ctx
from cdr.contributions import create_contribution, get_contribution
from cdr.ehrs import create_ehr, get_ehr, get_ehr_by_subject, get_ehr_status
from cdr.errors import (
    AlreadyDeleted,
    BadContribution,
    BadRequest,
    CdrError,
    ContributionExists,
    DirectoryExists,
    EhrNotModifiable,
    InvalidComposition,
    InvalidDirectory,
    LifecycleConflict,
    NotLatest,
    ObjectDeleted,
    ObjectExists,
    SubjectExists,
    UnknownEhr,
    UnknownObject,
    UnknownTemplate,
    UnknownVersion,
)
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle, ObjectVersionId, version_object
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import note, random_id, status
from tests.cdr.updates import attestation, code, contribution, folder, update

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ehr_id(ctx: Ctx) -> str:
    return (await create_ehr(ctx)).ehr_id


async def uids(ctx: Ctx, ehr_id: str, *versions: JsonObject, **more: Any) -> list[ObjectVersionId]:
    """Commit versions together; their ids."""
    committed = await create_contribution(ctx, ehr_id, contribution(*versions, **more))
    return [uid for uid, _ in committed.versions]


async def versions_in(ctx: Ctx, ehr_id: str) -> int:
    return int(await ctx.store._database.versions.count_documents({"e": ehr_id}))


async def test_three_kinds_together(ctx: Ctx, ehr_id: str) -> None:
    state = (await get_ehr_status(ctx, ehr_id)).uid
    body = contribution(
        update("249", note("A")),
        update("249", folder()),
        update("251", status("p-7"), after=state),
    )
    committed = await create_contribution(ctx, ehr_id, body)
    assert [kind for _, kind in committed.versions] == [Kind.COMPOSITION, Kind.FOLDER, Kind.EHR_STATUS]
    assert committed.audit.change_type is ChangeType.MODIFICATION
    canonical = await get_contribution(ctx, ehr_id, committed.uid)
    assert canonical["audit"]["committer"]["name"] == "Kari Lund"
    assert [ref["type"] for ref in canonical["versions"]] == ["COMPOSITION", "FOLDER", "EHR_STATUS"]
    assert [ref["id"]["value"] for ref in canonical["versions"]] == [
        str(uid) for uid, _ in committed.versions
    ]
    ehr = await get_ehr(ctx, ehr_id)
    assert ehr.directory == committed.versions[1][0]
    assert (await get_ehr_by_subject(ctx, "p-7", "demo")).ehr_id == ehr_id
    stored = await get_composition(ctx, ehr_id, committed.versions[0][0].object_id)
    assert stored.contribution_id == committed.uid
    assert stored.audit.time_committed == committed.audit.time_committed
    assert stored.audit.change_type is ChangeType.CREATION


async def test_one_invalid_version_rejects_all(ctx: Ctx, ehr_id: str) -> None:
    broken = note() | {"category": None}
    before = await versions_in(ctx, ehr_id)
    with pytest.raises(InvalidComposition) as caught:
        await uids(ctx, ehr_id, update("249", note()), update("249", broken), update("249", folder()))
    assert {finding.path.split("]")[0] for finding in caught.value.findings} == {"/versions[1"}
    assert "/versions[1]/data/category" in {finding.path for finding in caught.value.findings}
    assert str(caught.value).startswith("/versions[1]: ")
    assert await versions_in(ctx, ehr_id) == before


async def test_what_is_said_of_one_version_is_kept_with_it(ctx: Ctx, ehr_id: str) -> None:
    own = update("249", note("B"), signature="-----BEGIN PGP-----")
    own["commit_audit"] |= {"description": "med tillegg", "committer": {"name": "Per Vik"}}
    body = contribution(update("249", note("A")), own)
    body["audit"]["description"] = {"_type": "DV_TEXT", "value": "to notater"}
    committed = await create_contribution(ctx, ehr_id, body)
    first, second = [await get_composition(ctx, ehr_id, str(uid)) for uid, _ in committed.versions]
    assert (first.audit.description, second.audit.description) == ("to notater", "med tillegg")
    assert first.audit.committer["name"] == "Kari Lund"
    assert second.audit.committer == {"_type": "PARTY_IDENTIFIED", "name": "Per Vik"}
    assert version_object(second)["signature"] == "-----BEGIN PGP-----"
    assert "signature" not in version_object(first)


async def test_from_creation_to_restoration(ctx: Ctx, ehr_id: str) -> None:
    (uid,) = await uids(ctx, ehr_id, update("249", note("1"), state="553"))
    for change, data, state in (
        ("251", note("2"), "532"),
        ("250", note("3"), "532"),
        ("251", note("4"), "800"),
        ("251", note("5"), "532"),
        ("523", None, None),
        ("816", note("7"), "532"),
    ):
        (uid,) = await uids(ctx, ehr_id, update(change, data, after=uid, state=state))
    assert uid.trunk == 7
    latest = await get_composition(ctx, ehr_id, uid.object_id)
    assert latest.data is not None and latest.data["name"]["value"] == "7"
    history = await get_composition_history(ctx, ehr_id, uid.object_id)
    changes = [item["audits"][0]["change_type"]["defining_code"]["code_string"] for item in history["items"]]
    assert changes == ["249", "251", "250", "251", "251", "523", "816"]


async def test_an_incomplete_version_may_lack_what_is_mandatory(ctx: Ctx, ehr_id: str) -> None:
    half = {key: value for key, value in note().items() if key != "context"}
    (uid,) = await uids(ctx, ehr_id, update("249", half, state="553"))
    with pytest.raises(InvalidComposition):
        await uids(ctx, ehr_id, update("251", half, after=uid, state="532"))
    (abandoned,) = await uids(ctx, ehr_id, update("251", half, after=uid, state="801"))
    with pytest.raises(LifecycleConflict):
        await uids(ctx, ehr_id, update("251", note(), after=abandoned, state="532"))
    (again,) = await uids(ctx, ehr_id, update("251", half, after=abandoned, state="553"))
    (whole,) = await uids(ctx, ehr_id, update("251", note(), after=again, state="532"))
    assert (await get_composition(ctx, ehr_id, str(whole))).lifecycle is Lifecycle.COMPLETE


@pytest.mark.parametrize(
    ("versions", "error"),
    [
        ([update("250", note(), after="{a}::no.helsekort.cdr::1", state="801")], LifecycleConflict),
        ([update("249", note(), state="800")], LifecycleConflict),
        ([update("249", note(), state="523")], BadRequest),
        ([update("523", after="{a}::no.helsekort.cdr::1", state="532")], BadRequest),
        ([update("816", note(), after="{a}::no.helsekort.cdr::1")], BadRequest),
        ([update("251", note(), after="{d}::no.helsekort.cdr::2")], ObjectDeleted),
        ([update("523", after="{d}::no.helsekort.cdr::2")], AlreadyDeleted),
        ([update("251", note(), after="{d}::no.helsekort.cdr::1")], NotLatest),
        ([update("251", note(), after="{r}::no.helsekort.cdr::1")], UnknownObject),
        ([update("251", folder(), after="{a}::no.helsekort.cdr::1")], BadContribution),
        ([update("251", note(template_id="x"), after="{a}::no.helsekort.cdr::1")], BadRequest),
        ([update("249", note(template_id="x"))], UnknownTemplate),
        ([update("249", status())], BadContribution),
        ([update("251", status(), after="{s}::no.helsekort.cdr::1", state="553")], BadContribution),
        ([update("523", after="{s}::no.helsekort.cdr::1")], BadContribution),
        ([update("251", status("taken"), after="{s}::no.helsekort.cdr::1")], SubjectExists),
        ([update("249", folder("a", folder("b"), folder("b")))], InvalidDirectory),
        ([update("666", after="{a}::no.helsekort.cdr::3", attestations=[attestation()])], UnknownVersion),
        ([update("666", after="{d}::no.helsekort.cdr::2", attestations=[attestation()])], BadRequest),
        (
            [
                update("251", note(), after="{a}::no.helsekort.cdr::1"),
                update("523", after="{a}::no.helsekort.cdr::1"),
            ],
            BadContribution,
        ),
    ],
)
async def test_refused_versions(
    ctx: Ctx, ehr_id: str, versions: list[JsonObject], error: type[CdrError]
) -> None:
    await create_ehr(ctx, status=status("taken"))
    (alive,) = await uids(ctx, ehr_id, update("249", note()))
    (dead,) = await uids(ctx, ehr_id, update("249", note()))
    await uids(ctx, ehr_id, update("523", after=dead))
    state = (await get_ehr_status(ctx, ehr_id)).uid
    names = {"{a}": alive.object_id, "{d}": dead.object_id, "{s}": state.object_id, "{r}": random_id()}
    versions = [update("249", note("sound")), *versions]
    for version in versions:
        for name, object_id in names.items():
            preceding = version.get("preceding_version_uid")
            if preceding:
                version["preceding_version_uid"] = {"value": preceding["value"].replace(name, object_id)}
    before = await versions_in(ctx, ehr_id)
    with pytest.raises(error) as caught:
        await uids(ctx, ehr_id, *versions)
    place = f"/versions[{len(versions) - 1}]"
    assert str(caught.value).startswith(place)
    assert all(finding.path.startswith(place) for finding in caught.value.findings)
    assert caught.value.findings
    assert await versions_in(ctx, ehr_id) == before


def changed(path: str, value: Any) -> JsonObject:
    """A sound contribution with another value (or none: ...) at a path of keys."""
    body = contribution(update("249", note()), change="249")
    target: Any = body
    *parents, last = path.split("/")
    for key in parents:
        target = target[int(key)] if key.isdigit() else target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return body


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (changed("versions", []), "/versions"),
        (changed("versions", ...), "/versions"),
        (changed("versions", [[]]), "/versions[0]"),
        (changed("audit", ...), "/audit"),
        (changed("audit/system_id", 7), "/audit/system_id"),
        (changed("audit/change_type", code("252")), "/audit/change_type"),
        (changed("audit/committer", {"_type": "PARTY"}), "/audit/committer/_type"),
        (changed("audit/committer", "Kari"), "/audit/committer"),
        (changed("uid", "not-a-uuid"), "/uid"),
        (changed("nonsense", 1), "/nonsense"),
        (changed("versions/0/commit_audit", ...), "/versions[0]/commit_audit"),
        (changed("versions/0/commit_audit/change_type", ...), "/versions[0]/commit_audit/change_type"),
        (changed("versions/0/commit_audit/description", 7), "/versions[0]/commit_audit/description"),
        (changed("versions/0/lifecycle_state", code("999")), "/versions[0]/lifecycle_state"),
        (
            changed("versions/0/lifecycle_state", {"terminology_id": "snomed", "code_string": "532"}),
            "/versions[0]/lifecycle_state",
        ),
        (changed("versions/0/data", ...), "/versions[0]/data"),
        (changed("versions/0/data/_type", "PARTY"), "/versions[0]/data/_type"),
        (changed("versions/0/_type", "IMPORTED_VERSION"), "/versions[0]"),
        (changed("versions/0/preceding_version_uid", "a::b::1"), "/versions[0]/preceding_version_uid"),
        (changed("versions/0/attestations", [{}]), "/versions[0]/attestations[0]/reason"),
        (changed("versions/0/signature", 1), "/versions[0]/signature"),
    ],
)
async def test_malformed_contributions(ctx: Ctx, ehr_id: str, body: JsonObject, path: str) -> None:
    with pytest.raises(BadContribution) as caught:
        await create_contribution(ctx, ehr_id, body)
    (finding,) = caught.value.findings
    assert finding.path == path or finding.path.startswith(path)


@pytest.mark.parametrize("branch", ["{}::no.helsekort.cdr::1.1.1", "{}::no.helsekort.cdr::01", "{}"])
async def test_branches_and_other_texts_are_no_predecessor(ctx: Ctx, ehr_id: str, branch: str) -> None:
    (uid,) = await uids(ctx, ehr_id, update("249", note()))
    with pytest.raises(BadContribution):
        await uids(ctx, ehr_id, update("251", note(), after=branch.format(uid.object_id)))


async def test_spellings_of_codes(ctx: Ctx, ehr_id: str) -> None:
    version = update("249", note())
    version["lifecycle_state"] = {"terminology_id": {"value": "openehr"}, "code_string": "553"}
    version["commit_audit"]["change_type"] = {"terminology_id": "openehr", "code_string": "249"}
    (uid,) = await uids(ctx, ehr_id, version)
    assert (await get_composition(ctx, ehr_id, str(uid))).lifecycle is Lifecycle.INCOMPLETE


async def test_the_client_may_choose_ids(ctx: Ctx, ehr_id: str) -> None:
    mine, object_id = random_id(), random_id()
    data = note() | {"uid": {"_type": "HIER_OBJECT_ID", "value": object_id}}
    committed = await create_contribution(
        ctx, ehr_id, contribution(update("249", data), uid={"value": mine.upper()})
    )
    assert committed.uid == mine
    assert committed.versions[0][0].object_id == object_id
    with pytest.raises(ContributionExists):
        await create_contribution(ctx, ehr_id, contribution(update("249", note()), uid=mine))
    with pytest.raises(ObjectExists) as caught:
        await uids(ctx, ehr_id, update("249", note()), update("249", data))
    assert str(caught.value).startswith("/versions[1]")
    single = await create_composition(ctx, ehr_id, note())
    with pytest.raises(ContributionExists):
        await create_contribution(
            ctx, ehr_id, contribution(update("249", note()), uid=single.contribution_id)
        )


async def test_two_with_one_chosen_uid_at_once(ctx: Ctx, ehr_id: str) -> None:
    body = contribution(update("249", note()), uid=random_id())
    results = await asyncio.gather(
        *(create_contribution(ctx, ehr_id, body) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(result, ContributionExists) for result in results) == 5
    assert await versions_in(ctx, ehr_id) == 2


async def test_attestations_with_and_after_the_commit(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    (uid,) = await uids(
        ctx, ehr_id, update("249", note(), attestations=[attestation(is_pending=True, proof="x")])
    )
    clock.move(hours=1)
    committed = await create_contribution(
        ctx, ehr_id, contribution(update("666", after=uid, attestations=[attestation()]))
    )
    assert committed.audit.change_type is ChangeType.ATTESTATION
    assert committed.versions == ((uid, Kind.COMPOSITION),)
    stored = await get_composition(ctx, ehr_id, uid.object_id)
    assert stored.uid == uid, "an attestation makes no version"
    pending, signed = version_object(stored)["attestations"]
    assert (pending["is_pending"], signed["is_pending"]) == (True, False)
    assert pending["proof"] == "x"
    assert signed["_type"] == "ATTESTATION"
    assert signed["system_id"] == ctx.settings.system_id
    assert signed["time_committed"]["value"] == "2026-03-01T13:00:00.000Z"
    history = await get_composition_history(ctx, ehr_id, uid.object_id)
    assert [audit["_type"] for audit in history["items"][0]["audits"]] == [
        "AUDIT_DETAILS",
        "ATTESTATION",
        "ATTESTATION",
    ]
    (second,) = await uids(ctx, ehr_id, update("251", note(), after=uid))
    assert "attestations" not in version_object(await get_composition(ctx, ehr_id, str(second)))


async def test_one_directory_an_ehr(ctx: Ctx, ehr_id: str) -> None:
    with pytest.raises(BadContribution, match=r"/versions\[1\]: an EHR has one directory"):
        await uids(ctx, ehr_id, update("249", folder()), update("249", folder()))
    (uid,) = await uids(ctx, ehr_id, update("249", folder()))
    with pytest.raises(DirectoryExists, match=r"/versions\[1\]"):
        await uids(ctx, ehr_id, update("249", note()), update("249", folder()))
    (deleted,) = await uids(ctx, ehr_id, update("523", after=uid))
    assert (await get_ehr(ctx, ehr_id)).directory is None
    await uids(ctx, ehr_id, update("249", folder("new")))
    with pytest.raises(DirectoryExists):
        await uids(ctx, ehr_id, update("816", folder(), after=deleted))


@pytest.mark.parametrize(
    ("modifiable_before", "modifiable_after", "status_first", "taken"),
    [
        (True, True, True, True),
        (True, True, False, True),
        (True, False, True, False),
        (True, False, False, False),
        (False, True, True, True),
        (False, True, False, False),
        (False, False, True, False),
    ],
)
async def test_content_beside_a_status(
    ctx: Ctx, modifiable_before: bool, modifiable_after: bool, status_first: bool, taken: bool
) -> None:
    ehr = await create_ehr(ctx, status=status(modifiable=modifiable_before))
    state = update("251", status(modifiable=modifiable_after), after=ehr.status.uid)
    content = update("249", note())
    versions = [state, content] if status_first else [content, state]
    if taken:
        assert len(await uids(ctx, ehr.ehr_id, *versions)) == 2
        return
    with pytest.raises(EhrNotModifiable):
        await uids(ctx, ehr.ehr_id, *versions)
    assert await versions_in(ctx, ehr.ehr_id) == 1


async def test_unknown_ehr(ctx: Ctx) -> None:
    with pytest.raises(UnknownEhr):
        await uids(ctx, random_id(), update("249", note()))


async def test_of_many_contributions_on_one_version_one_wins(ctx: Ctx, ehr_id: str) -> None:
    (uid,) = await uids(ctx, ehr_id, update("249", note()))
    results = await asyncio.gather(
        *(uids(ctx, ehr_id, update("249", note()), update("251", note(), after=uid)) for _ in range(12)),
        return_exceptions=True,
    )
    lost = [result for result in results if isinstance(result, NotLatest)]
    assert len(lost) == 11
    assert all(str(error).startswith("/versions[1]") for error in lost)
    assert await versions_in(ctx, ehr_id) == 4
