"""The commit queue: groups, and several servers on one database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cdr.audit import AuditEntry, Outcome
from cdr.compositions import create_composition, get_composition, update_composition
from cdr.context import Ctx
from cdr.ehrs import create_ehr, update_ehr_status
from cdr.errors import EhrNotModifiable, StoreUnavailable, SubjectExists, VersionConflict
from cdr.store.documents import NewVersion, archetypes_in
from cdr.store.mongo import Store
from cdr.store.waiting import Commit, StatusFacts, split_group
from cdr.versions import ChangeType, Ehr, Kind, Lifecycle, ObjectVersionId, StoredVersion
from tests.cdr.small_template import note, random_id, status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def commit(ehr_id: str, object_id: str, *, facts: StatusFacts | None = None) -> Commit:
    version = NewVersion(
        uid=ObjectVersionId(object_id, "sys", 1),
        kind=Kind.COMPOSITION,
        lifecycle=Lifecycle.COMPLETE,
        change_type=ChangeType.CREATION,
        payload=b"{}",
        compressed=b"",
    )
    entry = AuditEntry(
        at=NOON, actor="a", role="", organisation="", action="x", outcome=Outcome.DONE, ehr_id=ehr_id
    )
    return Commit(
        ehr_id=ehr_id,
        contribution_id=random_id(),
        system_id="sys",
        committer={},
        clock=NOON,
        versions=(version,),
        entry=entry,
        status=facts,
    )


def facts(subject: str | None = None) -> StatusFacts:
    return StatusFacts(
        object_id="s",
        is_modifiable=True,
        is_queryable=True,
        subject=None if subject is None else ("demo", subject),
    )


def test_content_of_one_ehr_shares_a_group() -> None:
    waiting = [commit("e", "o1"), commit("e", "o2"), commit("f", "o3")]
    assert split_group(waiting, 10) == (waiting, [])
    assert split_group(waiting, 2) == (waiting[:2], waiting[2:])


def test_writers_of_one_object_go_one_after_the_other() -> None:
    one, two, three = commit("e", "o"), commit("e", "o"), commit("e", "p")
    assert split_group([one, two, three], 10) == ([one, three], [two])


def test_a_status_shares_no_group_with_anything_of_its_ehr() -> None:
    content, closing, later = commit("e", "o"), commit("e", "s", facts=facts()), commit("e", "p")
    assert split_group([content, closing, later], 10) == ([content], [closing, later])
    assert split_group([closing, content, commit("f", "q")], 10)[0][0] is closing


def test_two_that_claim_one_subject_go_one_after_the_other() -> None:
    one, two = commit("e", "s1", facts=facts("p")), commit("f", "s2", facts=facts("p"))
    assert split_group([one, two], 10) == ([one], [two])


def test_archetypes_are_known_by_shorter_versions_too() -> None:
    payload = b'{"archetype_node_id":"openEHR-EHR-X.a.v1.0.2","b":{"archetype_node_id":"at0001"}}'
    assert archetypes_in(payload) == [
        "openEHR-EHR-X.a.v1.0.2",
        "openEHR-EHR-X.a.v1.0",
        "openEHR-EHR-X.a.v1",
    ]


@pytest.fixture
async def servers(ctx: Ctx, mongodb_uri: str, database_name: str) -> AsyncIterator[list[Ctx]]:
    """Three servers on one database."""
    stores = [await Store.open(mongodb_uri, database_name) for _ in range(2)]
    yield [ctx, *(replace(ctx, store=store) for store in stores)]
    for store in stores:
        await store.close()


@pytest.mark.anyio
async def test_of_writers_on_several_servers_exactly_one_wins(servers: list[Ctx]) -> None:
    ehr_id = (await create_ehr(servers[0])).ehr_id
    version = await create_composition(servers[0], ehr_id, note())
    for _ in range(5):
        attempts = [
            update_composition(server, ehr_id, version.uid.object_id, note(), preceding_uid=str(version.uid))
            for server in servers * 4
        ]
        answers = await asyncio.gather(*attempts, return_exceptions=True)
        (winner,) = [answer for answer in answers if isinstance(answer, StoredVersion)]
        assert sum(isinstance(answer, VersionConflict) for answer in answers) == 11
        assert await get_composition(servers[1], ehr_id, version.uid.object_id) == winner
        version = winner
    assert await servers[0].store.audit_faults() == []


@pytest.mark.anyio
async def test_one_ehr_for_a_subject_on_several_servers(servers: list[Ctx]) -> None:
    attempts = [create_ehr(server, status=status("p-1")) for server in servers * 4]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(answer, Ehr) for answer in answers) == 1
    assert sum(isinstance(answer, SubjectExists) for answer in answers) == 11


@pytest.mark.anyio
async def test_servers_that_write_into_one_ehr_all_succeed(servers: list[Ctx]) -> None:
    ehr_id = (await create_ehr(servers[0])).ehr_id
    writes = [create_composition(server, ehr_id, note()) for server in servers * 20]
    stored = await asyncio.gather(*writes)
    assert len({str(version.uid) for version in stored}) == 60


@pytest.mark.anyio
async def test_after_a_status_closed_the_ehr_nothing_gets_in(servers: list[Ctx]) -> None:
    created = await create_ehr(servers[0])

    async def keep_writing(server: Ctx) -> list[StoredVersion]:
        written = []
        try:
            while True:
                written.append(await create_composition(server, created.ehr_id, note()))
        except EhrNotModifiable:
            return written

    writers = [asyncio.create_task(keep_writing(server)) for server in servers]
    await asyncio.sleep(0.1)
    await update_ehr_status(
        servers[1], created.ehr_id, status(modifiable=False), preceding_uid=str(created.status.uid)
    )
    held = await servers[0].store._database.versions.count_documents({"k": "COMPOSITION"})
    acknowledged = [version for written in await asyncio.gather(*writers) for version in written]
    after = await servers[0].store._database.versions.count_documents({"k": "COMPOSITION"})
    assert held == after == len(acknowledged)


@pytest.mark.anyio
async def test_a_commit_that_fails_in_the_middle_leaves_nothing(ctx: Ctx) -> None:
    ehr_id = (await create_ehr(ctx)).ehr_id
    audited = await ctx.store._database.audit.count_documents({})
    unstorable = commit(ehr_id, "o1")
    broken = replace(unstorable, committer={"name": SimpleNamespace()})
    fine = commit(ehr_id, "o2")
    answers = await asyncio.gather(
        ctx.store.commits.submit(broken), ctx.store.commits.submit(fine), return_exceptions=True
    )
    assert isinstance(answers[0], Exception)
    assert not isinstance(answers[1], Exception)
    found = await ctx.store._database.versions.find({"k": "COMPOSITION"}).to_list()
    assert [document["o"] for document in found] == ["o2"]
    assert await ctx.store._database.audit.count_documents({}) == audited + 1
    assert await ctx.store.audit_faults() == []


@pytest.mark.anyio
async def test_a_store_that_stops_writes_what_waits(mongodb_uri: str, database_name: str, ctx: Ctx) -> None:
    second = await Store.open(mongodb_uri, database_name)
    other = replace(ctx, store=second)
    creating = [asyncio.create_task(create_ehr(other)) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await second.close()
    created = await asyncio.gather(*creating)
    for ehr in created:
        assert await ctx.store.reads.has_ehr(ehr.ehr_id)
    with pytest.raises(StoreUnavailable):
        await second.commits.submit(commit("e", "o"))


def test_a_database_that_is_not_there() -> None:
    # In a process of its own: pymongo leaves a socket open when it is closed while it connects.
    program = """
import asyncio
from cdr.errors import StoreUnavailable
from cdr.store.mongo import Store

async def main():
    try:
        await Store.open("mongodb://127.0.0.1:1/?replicaSet=none", "x", patience=0.3)
    except StoreUnavailable as error:
        print(error.code)

asyncio.run(main())
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "store.unavailable\n"
