"""What one group transaction writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from cdr.audit import AuditBatch
from cdr.store.database import FAR, Collection, Database, Document
from cdr.store.documents import batch_document, committed_version, document_id, version_document
from cdr.store.tombstones import Tombstones
from cdr.store.waiting import Commit, StatusFacts
from cdr.versions import AuditDetails, ChangeType, StoredVersion, next_commit_time


class GroupRefused(Exception):
    """A gate or a predecessor of the group is not as it must be; find_losers tells whose."""


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """The documents and updates of a group, with commit times given."""

    content_ehrs: list[str]
    status_updates: list[UpdateOne]
    status_ehrs: list[str]
    superseded: list[UpdateOne]
    ehrs: list[Document]
    subjects: list[Document]
    documents: list[Document]
    batch: AuditBatch
    versions: dict[Commit, tuple[StoredVersion, ...]]

    @classmethod
    def of(cls, group: Sequence[Commit], batch: AuditBatch) -> GroupWrite:
        """What the commits of ``group`` write together."""
        content = {commit.ehr_id for commit in group if commit.status is None}
        updating = [commit for commit in group if commit.status is not None and not commit.creates_ehr]
        write = cls(
            content_ehrs=sorted(content),
            status_updates=[_status_update(commit) for commit in updating],
            status_ehrs=[commit.ehr_id for commit in updating],
            superseded=[],
            ehrs=[],
            subjects=[],
            documents=[],
            batch=batch,
            versions={},
        )
        for commit in group:
            write._add(commit)
        return write

    def _add(self, commit: Commit) -> None:
        audit = _audit(commit)
        where: dict[str, Any] = {"ehr_id": commit.ehr_id, "contribution_id": commit.contribution_id}
        stored = []
        for version in commit.versions:
            of_version = replace(audit, change_type=version.change_type)
            self.documents.append(version_document(version, audit=of_version, **where))
            stored.append(committed_version(version, audit=of_version, **where))
            if version.preceding is not None:
                current = {"_id": document_id(version.preceding), "e": commit.ehr_id, "until": FAR}
                self.superseded.append(UpdateOne(current, {"$set": {"until": audit.time_committed}}))
        self.versions[commit] = tuple(stored)
        if commit.creates_ehr and commit.status is not None:
            self.ehrs.append(_ehr_document(commit, commit.status, audit))
        if commit.status is not None and commit.status.subject is not None:
            namespace, subject_id = commit.status.subject
            self.subjects.append({"_id": {"ns": namespace, "id": subject_id}, "e": commit.ehr_id})


async def write_group(
    database: Database, tombstones: Tombstones, session: AsyncClientSession, write: GroupWrite
) -> None:
    """Write everything inside the session's transaction. Raises GroupRefused and the driver's errors."""
    await _pass_gates(database, session, write)
    if write.status_ehrs:
        await database.subjects.delete_many({"e": {"$in": write.status_ehrs}}, session=session)
    await _update_all(database.versions, write.superseded, session)
    if write.ehrs and await tombstones.any_of([ehr["_id"] for ehr in write.ehrs], session):
        raise GroupRefused
    for collection, documents in (
        (database.ehrs, write.ehrs),
        (database.subjects, write.subjects),
        (database.versions, write.documents),
    ):
        if documents:
            await collection.insert_many(documents, session=session)
    await database.audit.insert_one(batch_document(write.batch), session=session)


async def _pass_gates(database: Database, session: AsyncClientSession, write: GroupWrite) -> None:
    if write.content_ehrs:
        open_gates = {"_id": {"$in": write.content_ehrs}, "gate.open": True, "gate.mod": True}
        passed = await database.ehrs.update_many(open_gates, {"$inc": {"gate.w": 1}}, session=session)
        if passed.matched_count != len(write.content_ehrs):
            raise GroupRefused
    await _update_all(database.ehrs, write.status_updates, session)


async def _update_all(collection: Collection, updates: list[UpdateOne], session: AsyncClientSession) -> None:
    """Run updates each of which must find its document."""
    if not updates:
        return
    result = await collection.bulk_write(updates, ordered=True, session=session)
    if result.matched_count != len(updates):
        raise GroupRefused


def _audit(commit: Commit) -> AuditDetails:
    """The audit of the contribution: one commit time for all of its versions."""
    moments = [next_commit_time(commit.clock, version.previous_commit) for version in commit.versions]
    return AuditDetails(
        commit.system_id, commit.committer, max(moments), ChangeType.CREATION, commit.description
    )


def _ehr_document(commit: Commit, status: StatusFacts, audit: AuditDetails) -> Document:
    return {
        "_id": commit.ehr_id,
        "gate": {"open": True, "mod": status.is_modifiable, "w": 0},
        "system": commit.system_id,
        "created": audit.time_committed,
        "status": status.object_id,
        "queryable": status.is_queryable,
    }


def _status_update(commit: Commit) -> UpdateOne:
    status = commit.status
    assert status is not None  # asked for status updates only
    change = {
        "$set": {"gate.mod": status.is_modifiable, "queryable": status.is_queryable},
        "$inc": {"gate.w": 1},
    }
    return UpdateOne({"_id": commit.ehr_id, "gate.open": True}, change)
