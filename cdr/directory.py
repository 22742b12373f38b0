"""The directory of an EHR: one versioned FOLDER tree (RM ehr; ITS-REST DIRECTORY)."""

from __future__ import annotations

from datetime import datetime

from cdr.access import Action
from cdr.contributions import contribution_of_one
from cdr.doors import Call, reading, writing
from cdr.errors import (
    UnknownDirectory,
    UnknownEhr,
    UnknownVersion,
    VersionConflict,
)
from cdr.folders import after_earlier, folder_version
from cdr.repeats import Repeatable, commit_once
from cdr.store.documents import Head
from cdr.store.waiting import Commit
from cdr.submission import check_change, check_own_uid, deletion, first_uid
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    CommitAudit,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    StoredVersion,
    normal_object_id,
    text_at,
)


@writing(Action.CREATE_DIRECTORY)
async def create_directory(
    call: Call,
    ehr_id: str,
    folder: JsonObject,
    *,
    audit: CommitAudit = NO_AUDIT,
    repeatable: Repeatable | None = None,
) -> StoredVersion:
    """Store the first version of the directory.

    Raises UnknownEhr, EhrClosed, EhrNotModifiable, DirectoryExists, InvalidDirectory, RefusedIdentifier,
    UidMismatch, ObjectExists, TooLarge, RepeatMismatch, RepeatErased.
    """
    ehr_id = normal_object_id(ehr_id)

    async def prepare() -> Commit:
        change = check_change(None, audit.change_type or ChangeType.CREATION, Lifecycle.COMPLETE)
        uid = first_uid(call.ctx, folder)
        version = folder_version(call.ctx, folder, uid, change, Lifecycle.COMPLETE)
        version = await after_earlier(call.ctx, ehr_id, version)
        chosen = () if text_at(folder, "uid", "value") is None else (uid.object_id,)
        return contribution_of_one(call, ehr_id, version, audit, chosen_ids=chosen)

    (stored,) = (await commit_once(call, ehr_id, repeatable, prepare)).versions
    return stored


@reading(Action.READ_DIRECTORY)
async def get_directory(
    call: Call, ehr_id: str, *, version_uid: str | None = None, at: datetime | None = None
) -> StoredVersion:
    """The directory: latest, of one version, or as it was at a time; it may be a deletion.

    What is hidden from the caller is in none of its folders.

    Raises UnknownEhr, UnknownDirectory, UnknownVersion, MalformedVersionId.
    """
    ehr_id = normal_object_id(ehr_id)
    reads = call.ctx.store.reads
    if version_uid is None:
        found = await reads.directory(ehr_id, at)
    else:
        found = await reads.version(ehr_id, ObjectVersionId.parse(version_uid))
    if found is not None and found.kind is Kind.FOLDER:
        return await call.show(found)
    if not await reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    raise UnknownDirectory(ehr_id) if version_uid is None else UnknownVersion(version_uid)


@writing(Action.UPDATE_DIRECTORY)
async def update_directory(
    call: Call, ehr_id: str, folder: JsonObject, *, preceding_uid: str, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """Store the next version of the directory; ``preceding_uid`` must be the latest.

    Raises UnknownEhr, UnknownDirectory, VersionConflict, ObjectDeleted, LifecycleConflict, EhrClosed,
    EhrNotModifiable, InvalidDirectory, RefusedIdentifier, UidMismatch, TooLarge, MalformedVersionId,
    BranchNotSupported.
    """
    ehr_id = normal_object_id(ehr_id)
    head = await _head(call, ehr_id, preceding_uid)
    check_own_uid(folder, head.uid.object_id)
    change = check_change(head, audit.change_type or ChangeType.MODIFICATION, Lifecycle.COMPLETE)
    uid = head.uid.next(call.ctx.settings.system_id)
    version = folder_version(call.ctx, folder, uid, change, Lifecycle.COMPLETE, head)
    (stored,) = await call.commit(contribution_of_one(call, ehr_id, version, audit))
    return stored


@writing(Action.DELETE_DIRECTORY)
async def delete_directory(
    call: Call, ehr_id: str, *, preceding_uid: str, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """Delete the directory logically; what its folders refer to stays. Returns the deletion.

    Raises UnknownEhr, UnknownDirectory, VersionConflict, AlreadyDeleted, EhrClosed, EhrNotModifiable,
    MalformedVersionId, BranchNotSupported.
    """
    ehr_id = normal_object_id(ehr_id)
    head = await _head(call, ehr_id, preceding_uid)
    check_change(head, audit.change_type or ChangeType.DELETED, Lifecycle.DELETED)
    (stored,) = await call.commit(contribution_of_one(call, ehr_id, deletion(call.ctx, head), audit))
    return stored


async def _head(call: Call, ehr_id: str, preceding_uid: str) -> Head:
    """The latest version of the directory, which ``preceding_uid`` must name."""
    preceding = ObjectVersionId.parse_trunk(preceding_uid)
    reads = call.ctx.store.reads
    latest = await reads.directory(ehr_id)
    if latest is None:
        raise UnknownDirectory(ehr_id) if await reads.has_ehr(ehr_id) else UnknownEhr(ehr_id)
    if latest.uid.object_id != preceding.object_id:
        raise VersionConflict(str(latest.uid))
    head = await reads.head(ehr_id, preceding.object_id)
    if head is None:  # erased between the two reads
        raise UnknownDirectory(ehr_id)
    if head.uid != preceding:
        raise VersionConflict(str(head.uid))
    return head
