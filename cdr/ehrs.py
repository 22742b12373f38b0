"""EHRs and their status: create, read, update, erase (RM ehr; ITS-REST EHR and EHR_STATUS)."""

from __future__ import annotations

from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.contributions import contribution_of_one
from cdr.doors import Call, asking, reading, writing
from cdr.ehr_status import default_status, status_version
from cdr.errors import BadRequest, UnknownEhr, UnknownSubject, UnknownVersion, VersionConflict
from cdr.repeats import Repeatable, commit_once
from cdr.seen_tags import with_tags
from cdr.store.waiting import Commit
from cdr.submission import check_change
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    CommitAudit,
    Ehr,
    JsonObject,
    Lifecycle,
    ObjectVersionId,
    StoredVersion,
    is_uuid,
    iso,
    normal_object_id,
    revision_history,
    versioned_object,
)


@writing(Action.CREATE_EHR)
async def create_ehr(
    call: Call,
    ehr_id: str | None = None,
    *,
    status: JsonObject | None = None,
    audit: CommitAudit = NO_AUDIT,
    repeatable: Repeatable | None = None,
) -> Ehr:
    """Create an EHR with its first status; without one: modifiable, queryable, subject PARTY_SELF.

    Raises EhrExists (also for the id of an erased EHR), SubjectExists, InvalidEhrStatus,
    RefusedIdentifier, BadRequest (the id is no UUID), RepeatMismatch, RepeatErased.
    """
    chosen = None if ehr_id is None else _checked_id(ehr_id)

    async def prepare() -> Commit:
        check_change(None, audit.change_type or ChangeType.CREATION, Lifecycle.COMPLETE)
        uid = ObjectVersionId(call.ctx.new_id(), call.ctx.settings.system_id, 1)
        version, facts = status_version(call.ctx, default_status() if status is None else status, uid)
        new_id = chosen or call.ctx.new_id()
        return contribution_of_one(call, new_id, version, audit, status=facts, creates_ehr=True)

    committed = await commit_once(call, f"actor {call.ctx.actor.id}", repeatable, prepare)
    (stored,) = committed.versions
    return Ehr(committed.ehr_id, call.ctx.settings.system_id, stored.audit.time_committed, stored)


@reading(Action.READ_EHR)
async def get_ehr(call: Call, ehr_id: str) -> Ehr:
    """An EHR. Raises UnknownEhr."""
    ehr = await call.ctx.store.reads.ehr(normal_object_id(ehr_id))
    if ehr is None:
        raise UnknownEhr(ehr_id)
    return ehr


@asking(Action.FIND_EHR)
async def get_ehr_by_subject(call: Call, subject_id: str, namespace: str) -> Ehr:
    """The EHR of a subject. Raises UnknownSubject."""
    ehr_id = await call.ctx.store.reads.ehr_of_subject(namespace, subject_id)
    await call.admit(ehr_id)
    ehr = None if ehr_id is None else await call.ctx.store.reads.ehr(ehr_id)
    if ehr is None:
        raise UnknownSubject(namespace)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr.ehr_id)])
    return ehr


@reading(Action.READ_STATUS)
async def get_ehr_status(
    call: Call, ehr_id: str, *, version_uid: str | None = None, at: datetime | None = None
) -> StoredVersion:
    """The status: latest, of one version, or as it was at a time; with its tags.

    Raises UnknownEhr, UnknownVersion, MalformedVersionId.
    """
    ehr_id = normal_object_id(ehr_id)
    object_id = await _status_object(call, ehr_id)
    return await with_tags(call, ehr_id, object_id, _status(call, ehr_id, object_id, version_uid, at))


async def _status(
    call: Call, ehr_id: str, object_id: str, version_uid: str | None, at: datetime | None
) -> StoredVersion:
    reads = call.ctx.store.reads
    if version_uid is not None:
        uid = ObjectVersionId.parse(version_uid)
        found = await reads.version(ehr_id, uid) if uid.object_id == object_id else None
    elif at is not None:
        found = await reads.at(ehr_id, object_id, at)
    else:
        found = await reads.latest(ehr_id, object_id)
    if found is None:
        raise UnknownVersion(version_uid or (iso(at) if at else object_id))
    return await call.show(found)


@writing(Action.UPDATE_STATUS)
async def update_ehr_status(
    call: Call, ehr_id: str, status: JsonObject, *, preceding_uid: str, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """A new version of the status.

    Raises UnknownEhr, EhrClosed, VersionConflict, SubjectExists, InvalidEhrStatus, RefusedIdentifier,
    MalformedVersionId, BranchNotSupported.
    """
    ehr_id = normal_object_id(ehr_id)
    preceding = ObjectVersionId.parse_trunk(preceding_uid)
    object_id = await _status_object(call, ehr_id)
    head = await call.ctx.store.reads.head(ehr_id, object_id)
    if head is None:
        raise UnknownEhr(ehr_id)
    if head.uid != preceding:
        raise VersionConflict(str(head.uid))
    uid = preceding.next(call.ctx.settings.system_id)
    change = check_change(head, audit.change_type or ChangeType.MODIFICATION, Lifecycle.COMPLETE)
    version, facts = status_version(call.ctx, status, uid, change, head)
    (stored,) = await call.commit(contribution_of_one(call, ehr_id, version, audit, status=facts))
    return stored


@reading(Action.READ_STATUS)
async def get_versioned_ehr_status(call: Call, ehr_id: str) -> JsonObject:
    """The canonical VERSIONED_EHR_STATUS. Raises UnknownEhr."""
    return versioned_object((await _status_history(call, ehr_id))[0])


@reading(Action.READ_STATUS)
async def get_ehr_status_history(call: Call, ehr_id: str) -> JsonObject:
    """The canonical REVISION_HISTORY of the status. Raises UnknownEhr."""
    return revision_history(await _status_history(call, ehr_id))


@writing(Action.ERASE_EHR)
async def erase_ehr(call: Call, ehr_id: str) -> None:
    """Erase an EHR physically: every version, its subject, the EHR. The id is never used again.

    What the audit says of it stays. Raises UnknownEhr.
    """
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id)])
    if not await call.ctx.store.erase(ehr_id):
        raise UnknownEhr(ehr_id)
    await call.record([call.entry(Outcome.DONE, ehr_id=ehr_id)])


@writing(Action.ERASE_ALL)
async def delete_all_ehrs(call: Call) -> int:
    """Empty a development server of EHRs; templates stay. Returns how many there were.

    Raises NotAllowed outside dev mode.
    """
    await call.record([call.entry(Outcome.GRANTED)])
    count = await call.ctx.store.delete_all_ehrs()
    await call.record([call.entry(Outcome.DONE, what=f"{count} EHRs")])
    return count


def _checked_id(ehr_id: str) -> str:
    if not is_uuid(ehr_id):
        raise BadRequest(f"an EHR id is a UUID, not {ehr_id!r}")
    return normal_object_id(ehr_id)


async def _status_object(call: Call, ehr_id: str) -> str:
    object_id = await call.ctx.store.reads.status_object(ehr_id)
    if object_id is None:
        raise UnknownEhr(ehr_id)
    return object_id


async def _status_history(call: Call, ehr_id: str) -> list[StoredVersion]:
    ehr_id = normal_object_id(ehr_id)
    history = await call.ctx.store.reads.history(ehr_id, await _status_object(call, ehr_id))
    if not history:  # erased between the two reads
        raise UnknownEhr(ehr_id)
    return [await call.show(version) for version in history]
