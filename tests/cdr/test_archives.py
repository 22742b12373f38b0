"""An EHR taken to another repository: whole, with its history, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from cdr import archives, compositions, directory, ehrs
from cdr.archive_lines import MalformedArchive
from cdr.archives import ArchiveRefused
from cdr.consent_errors import ConsentChanged
from cdr.context import Actor, ActorKind, Ctx
from cdr.errors import EhrExists, SubjectExists, UnknownEhr
from cdr.settings import Mode, Settings
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry
from cdr.versions import StoredVersion, version_object
from tests.cdr.card_world import a_card, enforcing
from tests.cdr.small_template import note, published_small_template, status
from tests.cdr.updates import folder

pytestmark = pytest.mark.anyio


@pytest.fixture
async def elsewhere(ctx: Ctx, mongodb_uri: str) -> AsyncIterator[Ctx]:
    """Another repository."""
    store = await Store.open(mongodb_uri, "elsewhere")
    await store.delete_all_ehrs()
    templates = TemplateRegistry(store, refresh_seconds=3600)
    templates.add(*published_small_template())
    settings = Settings(mode=Mode.DEV, system_id="no.elsewhere")
    yield replace(ctx, store=store, templates=templates, settings=settings)
    await store.delete_all_ehrs()
    await store.close()


async def a_history(ctx: Ctx) -> str:
    """An EHR with updates, a deletion, a directory and two versions of its status."""
    ehr = await ehrs.create_ehr(ctx, status=status("p-1"))
    first = await compositions.create_composition(ctx, ehr.ehr_id, note("one"))
    await compositions.update_composition(
        ctx, ehr.ehr_id, first.uid.object_id, note("two"), preceding_uid=str(first.uid)
    )
    gone = await compositions.create_composition(ctx, ehr.ehr_id, note("gone"))
    await compositions.delete_composition(ctx, ehr.ehr_id, str(gone.uid))
    await directory.create_directory(ctx, ehr.ehr_id, folder())
    await ehrs.update_ehr_status(ctx, ehr.ehr_id, status("p-1"), preceding_uid=str(ehr.status.uid))
    return ehr.ehr_id


async def archive_of(ctx: Ctx, ehr_id: str) -> bytes:
    return b"".join([line async for line in await archives.export_ehr(ctx, ehr_id)])


async def versions_of(ctx: Ctx, ehr_id: str) -> list[StoredVersion]:
    return list(await ctx.store.reads.everything(ehr_id))


def at_first(version: StoredVersion) -> dict[str, Any]:
    """The ORIGINAL_VERSION, whichever repository it is read from."""
    written = version_object(version)
    return dict(written["item"] if written["_type"] == "IMPORTED_VERSION" else written)


def resealed(archive: bytes, change: Callable[[list[dict[str, Any]]], None]) -> bytes:
    """An archive whose lines were changed by somebody who knows how to seal it again."""
    lines = [orjson.loads(line) for line in archive.splitlines()[:-1]]
    change(lines)
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    seal = {"end": "helsekort.ehr", "versions": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    return body + orjson.dumps(seal) + b"\n"


async def test_every_version_arrives_as_it_was_at_first(ctx: Ctx, elsewhere: Ctx) -> None:
    ehr_id = await a_history(ctx)
    imported = await archives.import_ehr(elsewhere, await archive_of(ctx, ehr_id))
    assert imported.ehr_id == ehr_id
    here, there = await versions_of(ctx, ehr_id), await versions_of(elsewhere, ehr_id)
    assert [at_first(version) for version in there] == [at_first(version) for version in here]
    assert {version_object(version)["_type"] for version in there} == {"IMPORTED_VERSION"}
    assert {version.audit.system_id for version in there} == {"no.elsewhere"}
    assert len({version.contribution_id for version in there}) == 1
    lines = [orjson.loads(line) for line in (await archive_of(elsewhere, ehr_id)).splitlines()[1:-1]]
    by_uid = {line["version"]["item"]["uid"]["value"]: line["version"]["item"] for line in lines}
    assert by_uid == {str(version.uid): at_first(version) for version in here}


async def test_the_imported_ehr_lives_on(ctx: Ctx, elsewhere: Ctx) -> None:
    ehr_id = await a_history(ctx)
    await archives.import_ehr(elsewhere, await archive_of(ctx, ehr_id))
    assert (await ehrs.get_ehr_by_subject(elsewhere, "p-1", "demo")).ehr_id == ehr_id
    latest = [version for version in await versions_of(ctx, ehr_id) if version.uid.trunk == 2]
    kept = next(v for v in latest if v.kind == "COMPOSITION" and not v.is_deleted)
    found = await compositions.get_composition(elsewhere, ehr_id, kept.uid.object_id)
    assert found.data == kept.data
    after = await compositions.update_composition(
        elsewhere, ehr_id, kept.uid.object_id, note("three"), preceding_uid=str(kept.uid)
    )
    assert str(after.uid) == f"{kept.uid.object_id}::no.elsewhere::3"
    with pytest.raises(EhrExists):
        await archives.import_ehr(elsewhere, await archive_of(ctx, ehr_id))


async def test_nothing_is_stored_of_what_is_refused(ctx: Ctx, elsewhere: Ctx) -> None:
    ehr_id = await a_history(ctx)
    archive = await archive_of(ctx, ehr_id)

    def break_it(lines: list[dict[str, Any]]) -> None:
        data = next(line["version"] for line in lines[1:] if line["kind"] == "COMPOSITION")["data"]
        del data["language"]

    with pytest.raises(ArchiveRefused) as refused:
        await archives.import_ehr(elsewhere, resealed(archive, break_it))
    assert refused.value.findings[0].path.startswith("/lines[2]/")
    with pytest.raises(UnknownEhr):
        await ehrs.get_ehr(elsewhere, ehr_id)
    await ehrs.create_ehr(elsewhere, status=status("p-1"))
    with pytest.raises(SubjectExists):
        await archives.import_ehr(elsewhere, archive)


async def test_an_erased_ehr_does_not_come_back(ctx: Ctx) -> None:
    ehr_id = await a_history(ctx)
    archive = await archive_of(ctx, ehr_id)
    await ehrs.erase_ehr(ctx, ehr_id)
    with pytest.raises(EhrExists):
        await archives.import_ehr(ctx, archive)


def _swap(lines: list[dict[str, Any]]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda archive: b"",
    "one line": lambda archive: archive.splitlines(keepends=True)[0],
    "cut at the end": lambda archive: b"".join(archive.splitlines(keepends=True)[:-1]),
    "cut in a line": lambda archive: archive[:-40],
    "a line less": lambda archive: b"".join(
        line for number, line in enumerate(archive.splitlines(keepends=True)) if number != 3
    ),
    "a letter changed": lambda archive: archive.replace(b"one", b"ane"),
    "another thing": lambda archive: resealed(archive, lambda lines: lines[0].update(archive="x")),
    "a later format": lambda archive: resealed(archive, lambda lines: lines[0].update(format=2)),
    "no EHR id": lambda archive: resealed(archive, lambda lines: lines[0].update(ehr_id="x")),
    "a gap in a history": lambda archive: resealed(archive, lambda lines: lines.pop(1)),
    "versions in disorder": lambda archive: resealed(archive, _swap),
    "no version": lambda archive: resealed(archive, lambda lines: lines[1].update(version={})),
    "no kind": lambda archive: resealed(archive, lambda lines: lines[1].update(kind="PARTY")),
    "no status": lambda archive: resealed(
        archive,
        lambda lines: lines.__setitem__(slice(None), [x for x in lines if x.get("kind") != "EHR_STATUS"]),
    ),
    "a list": lambda archive: b"[]\n" * 5,
}


@pytest.mark.parametrize("how", BROKEN)
async def test_what_is_no_whole_archive_is_refused_with_its_line(ctx: Ctx, how: str) -> None:
    ehr_id = await a_history(ctx)
    archive = await archive_of(ctx, ehr_id)
    await ctx.store.delete_all_ehrs()
    with pytest.raises(MalformedArchive, match=r"^line \d+: "):
        await archives.import_ehr(ctx, BROKEN[how](archive))
    assert not await ctx.store.reads.has_ehr(ehr_id)


async def test_an_archive_that_is_under_way_ends_when_she_withdraws(ctx: Ctx) -> None:
    card = await a_card(enforcing(ctx))
    for number in range(60):
        await card.write(f"kontroll {number}")
    operator = card.by(Actor(id="o", name="Odd", kind=ActorKind.OPERATOR, security_level=4), "")
    lines = await archives.export_ehr(operator, card.ehr_id)
    sent = [await anext(lines)]
    await card.withdraw()
    with pytest.raises(ConsentChanged):
        sent += [line async for line in lines]
    assert len(sent) <= archives.AT_ONCE
    with pytest.raises(MalformedArchive):
        await archives.import_ehr(ctx, b"".join(sent))
