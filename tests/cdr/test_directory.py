"""The directory of an EHR: versions, times, paths, deletion and restoration, races."""

from __future__ import annotations

import asyncio

import pytest

from cdr.context import Ctx
from cdr.directory import create_directory, delete_directory, get_directory, update_directory
from cdr.ehrs import create_ehr, get_ehr, update_ehr_status
from cdr.errors import (
    AlreadyDeleted,
    DirectoryExists,
    EhrNotModifiable,
    InvalidDirectory,
    ObjectDeleted,
    UidMismatch,
    UnknownDirectory,
    UnknownEhr,
    UnknownFolder,
    UnknownVersion,
    VersionConflict,
)
from cdr.folders import sub_folder
from cdr.versions import ChangeType, CommitAudit
from tests.cdr.conftest import TestClock
from tests.cdr.small_template import random_id, status
from tests.cdr.updates import folder

pytestmark = pytest.mark.anyio

RESTORE = CommitAudit(change_type=ChangeType.RESTORATION)


@pytest.fixture
async def ehr_id(ctx: Ctx) -> str:
    return (await create_ehr(ctx)).ehr_id


def name_of(data: dict[str, object] | None) -> object:
    assert data is not None
    return data["name"]["value"]  # type: ignore[index]  # a DV_TEXT


async def test_versions_and_times(ctx: Ctx, ehr_id: str, clock: TestClock) -> None:
    with pytest.raises(UnknownDirectory):
        await get_directory(ctx, ehr_id)
    before = clock.now
    clock.move(hours=1)
    first = await create_directory(ctx, ehr_id, folder("one"))
    clock.move(hours=1)
    second = await update_directory(ctx, ehr_id, folder("two"), preceding_uid=str(first.uid))
    between = clock.move(hours=1)
    third = await delete_directory(ctx, ehr_id, preceding_uid=str(second.uid))
    assert (await get_directory(ctx, ehr_id)).is_deleted
    clock.move(hours=1)
    fourth = await update_directory(ctx, ehr_id, folder("four"), preceding_uid=str(third.uid), audit=RESTORE)
    assert [version.uid.trunk for version in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert name_of((await get_directory(ctx, ehr_id)).data) == "four"
    assert name_of((await get_directory(ctx, ehr_id, version_uid=str(first.uid))).data) == "one"
    assert (await get_directory(ctx, ehr_id, at=second.audit.time_committed)).uid == second.uid
    assert (await get_directory(ctx, ehr_id, at=between)).uid == third.uid
    with pytest.raises(UnknownDirectory):
        await get_directory(ctx, ehr_id, at=before)
    ehr = await get_ehr(ctx, ehr_id)
    assert ehr.to_canonical()["directory"]["id"]["value"] == str(fourth.uid)


async def test_another_directory_after_the_deletion(ctx: Ctx, ehr_id: str) -> None:
    first = await create_directory(ctx, ehr_id, folder("old"))
    with pytest.raises(DirectoryExists):
        await create_directory(ctx, ehr_id, folder("second"))
    deleted = await delete_directory(ctx, ehr_id, preceding_uid=str(first.uid))
    new = await create_directory(ctx, ehr_id, folder("new"))
    assert new.uid.object_id != first.uid.object_id
    assert name_of((await get_directory(ctx, ehr_id)).data) == "new"
    with pytest.raises(VersionConflict) as caught:
        await update_directory(ctx, ehr_id, folder(), preceding_uid=str(deleted.uid), audit=RESTORE)
    assert caught.value.latest == str(new.uid)


async def test_refused_writes(ctx: Ctx, ehr_id: str) -> None:
    with pytest.raises(UnknownEhr):
        await create_directory(ctx, random_id(), folder())
    with pytest.raises(UnknownDirectory):
        await update_directory(ctx, ehr_id, folder(), preceding_uid=f"{random_id()}::a::1")
    with pytest.raises(UnknownEhr):
        await delete_directory(ctx, random_id(), preceding_uid=f"{random_id()}::a::1")
    first = await create_directory(ctx, ehr_id, folder())
    with pytest.raises(UidMismatch):
        other = folder() | {"uid": {"_type": "HIER_OBJECT_ID", "value": random_id()}}
        await update_directory(ctx, ehr_id, other, preceding_uid=str(first.uid))
    deleted = await delete_directory(ctx, ehr_id, preceding_uid=str(first.uid))
    with pytest.raises(AlreadyDeleted):
        await delete_directory(ctx, ehr_id, preceding_uid=str(deleted.uid))
    with pytest.raises(ObjectDeleted):
        await update_directory(ctx, ehr_id, folder(), preceding_uid=str(deleted.uid))
    with pytest.raises(UnknownVersion):
        await get_directory(ctx, ehr_id, version_uid=f"{random_id()}::no.helsekort.cdr::1")
    state = (await get_ehr(ctx, ehr_id)).status.uid
    with pytest.raises(UnknownVersion):
        await get_directory(ctx, ehr_id, version_uid=str(state))
    await update_ehr_status(ctx, ehr_id, status(modifiable=False), preceding_uid=str(state))
    with pytest.raises(EhrNotModifiable):
        await create_directory(ctx, ehr_id, folder())


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"_type": "FOLDER"}, {"/name", "/archetype_node_id"}),
        (folder("a", folder("b"), folder("b")), {"/folders[1]/name/value"}),
        (
            folder("a", folder("b", folder("c"), folder("d"), folder("d"))),
            {"/folders[0]/folders[2]/name/value"},
        ),
        (
            folder() | {"items": [{"_type": "OBJECT_REF"}]},
            {f"/items[0]/{x}" for x in ("id", "namespace", "type")},
        ),
        (folder() | {"content": []}, {"/content"}),
        (folder() | {"_type": "COMPOSITION"}, None),
    ],
)
async def test_invalid_folders(
    ctx: Ctx, ehr_id: str, data: dict[str, object], paths: set[str] | None
) -> None:
    with pytest.raises(InvalidDirectory) as caught:
        await create_directory(ctx, ehr_id, data)
    found = {finding.path for finding in caught.value.findings}
    assert found == paths if paths is not None else found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "root"),
        ("a", "a"),
        ("/a/", "a"),
        ("a/b", "b"),
        ("root", "root"),
        ("root/a/b", "b"),
        ("Svangerskap 2026/Sykehus æøå", "Sykehus æøå"),
    ],
)
def test_paths_of_names(path: str, name: str) -> None:
    tree = folder(
        "root", folder("a", folder("b")), folder("Svangerskap 2026", folder("Sykehus æøå")), folder("c")
    )
    assert name_of(sub_folder(tree, path)) == name


@pytest.mark.parametrize("path", ["b", "a/c", "a/b/c", "A", "root/root", "a//x"])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(UnknownFolder):
        sub_folder(folder("root", folder("a", folder("b")), folder("c")), path)


async def test_of_many_creations_one_wins(ctx: Ctx, ehr_id: str) -> None:
    results = await asyncio.gather(
        *(create_directory(ctx, ehr_id, folder()) for _ in range(16)), return_exceptions=True
    )
    assert sum(isinstance(result, DirectoryExists) for result in results) == 15


async def test_of_many_updates_one_wins(ctx: Ctx, ehr_id: str) -> None:
    first = await create_directory(ctx, ehr_id, folder())
    results = await asyncio.gather(
        *(update_directory(ctx, ehr_id, folder(), preceding_uid=str(first.uid)) for _ in range(16)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, VersionConflict) for result in results) == 15
