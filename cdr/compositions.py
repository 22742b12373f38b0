"""Compositions: create, read, update, delete, and their versions (RM ehr; ITS-REST COMPOSITION)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.contributions import contribution_of_one
from cdr.doors import Call, reading, writing
from cdr.errors import (
    AlreadyDeleted,
    NotLatest,
    UnknownEhr,
    UnknownObject,
    UnknownVersion,
    VersionConflict,
)
from cdr.repeats import Repeatable, commit_once
from cdr.seen_tags import with_tags
from cdr.store.documents import Head, NewVersion
from cdr.store.waiting import Commit
from cdr.submission import (
    check_change,
    check_own_uid,
    check_same_kind,
    deletion,
    first_uid,
    new_version,
    template_of,
)
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    CommitAudit,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    StoredVersion,
    iso,
    normal_object_id,
    revision_history,
    text_at,
    versioned_object,
)

Check = Callable[[NewVersion], Awaitable[None]]  # of a valid version, before it is committed


@writing(Action.CREATE_COMPOSITION)
async def create_composition(
    call: Call,
    ehr_id: str,
    composition: JsonObject,
    *,
    lifecycle: Lifecycle = Lifecycle.COMPLETE,
    audit: CommitAudit = NO_AUDIT,
    repeatable: Repeatable | None = None,
    check: Check | None = None,
) -> StoredVersion:
    """Validate and store a composition as version 1 of a new object; what ``check`` raises stops it.

    Raises UnknownEhr, EhrClosed, EhrNotModifiable, MissingTemplateId, UnknownTemplate,
    InvalidComposition, RefusedIdentifier, UidMismatch, ObjectExists, TooLarge, RepeatMismatch, RepeatErased.
    """
    ehr_id = normal_object_id(ehr_id)

    async def prepare() -> Commit:
        change = check_change(None, audit.change_type or ChangeType.CREATION, lifecycle)
        uid = first_uid(call.ctx, composition)
        version = await new_version(call.ctx, composition, uid, change, lifecycle)
        if check is not None:
            await check(version)
        chosen = () if text_at(composition, "uid", "value") is None else (uid.object_id,)
        return contribution_of_one(call, ehr_id, version, audit, chosen_ids=chosen)

    (stored,) = (await commit_once(call, ehr_id, repeatable, prepare)).versions
    return stored


@reading(Action.READ_COMPOSITION)
async def get_composition(call: Call, ehr_id: str, uid: str, *, at: datetime | None = None) -> StoredVersion:
    """A version by its full id, or the latest (or the one at a time) by the object's id; with its tags.

    The version may be a deletion (``is_deleted``). Raises UnknownEhr, UnknownObject, UnknownVersion,
    MalformedVersionId.
    """
    version_uid = uid if "::" in uid else None
    object_id = ObjectVersionId.parse(uid).object_id if version_uid else normal_object_id(uid)
    version = _version(call, ehr_id, object_id, version_uid=version_uid, at=at)
    return await with_tags(call, normal_object_id(ehr_id), object_id, version)


@writing(Action.UPDATE_COMPOSITION)
async def update_composition(
    call: Call,
    ehr_id: str,
    object_id: str,
    composition: JsonObject,
    *,
    preceding_uid: str,
    lifecycle: Lifecycle = Lifecycle.COMPLETE,
    audit: CommitAudit = NO_AUDIT,
    check: Check | None = None,
) -> StoredVersion:
    """Validate and store the next version; ``preceding_uid`` must be the latest.

    Raises what create_composition raises, and UnknownObject, VersionConflict, ObjectDeleted,
    TemplateMismatch, MalformedVersionId, BranchNotSupported.
    """
    ehr_id, object_id = normal_object_id(ehr_id), normal_object_id(object_id)
    preceding = ObjectVersionId.parse_trunk(preceding_uid)
    check_own_uid(composition, object_id)
    head = await _head(call, ehr_id, object_id)
    if head.uid != preceding:
        raise VersionConflict(str(head.uid))
    change = check_change(head, audit.change_type or ChangeType.MODIFICATION, lifecycle)
    check_same_kind(head, composition, template_of(composition))
    uid = preceding.next(call.ctx.settings.system_id)
    version = await new_version(call.ctx, composition, uid, change, lifecycle, head)
    if check is not None:
        await check(version)
    (stored,) = await call.commit(contribution_of_one(call, ehr_id, version, audit))
    return stored


@writing(Action.DELETE_COMPOSITION)
async def delete_composition(
    call: Call, ehr_id: str, version_uid: str, *, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """Delete logically: the next version carries no data. Returns that version.

    Raises UnknownEhr, UnknownObject, NotLatest, AlreadyDeleted, EhrClosed, EhrNotModifiable,
    MalformedVersionId, BranchNotSupported.
    """
    ehr_id = normal_object_id(ehr_id)
    preceding = ObjectVersionId.parse_trunk(version_uid)
    head = await _head(call, ehr_id, preceding.object_id)
    if head.deleted:
        raise AlreadyDeleted(str(head.uid))
    if head.uid != preceding:
        raise NotLatest(str(head.uid))
    check_change(head, audit.change_type or ChangeType.DELETED, Lifecycle.DELETED)
    try:
        (stored,) = await call.commit(contribution_of_one(call, ehr_id, deletion(call.ctx, head), audit))
    except VersionConflict as error:
        raise NotLatest(error.latest) from error
    return stored


@writing(Action.ERASE_OBJECT)
async def erase_object(call: Call, ehr_id: str, object_id: str, kind: Kind = Kind.COMPOSITION) -> None:
    """Erase a composition or a directory physically: all its versions, its tags, its place in contributions.

    The audit stays, and a keyed hash of the id, which is never used again. Raises UnknownEhr, UnknownObject.
    """
    ehr_id, object_id = normal_object_id(ehr_id), normal_object_id(object_id)
    await _head(call, ehr_id, object_id, kind)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id)])
    if not await call.ctx.store.erase_object(ehr_id, object_id, call.ctx.terms):
        raise UnknownObject(object_id)
    await call.record([call.entry(Outcome.DONE, ehr_id=ehr_id)])


@reading(Action.READ_COMPOSITION)
async def get_versioned_composition(call: Call, ehr_id: str, object_id: str) -> JsonObject:
    """The canonical VERSIONED_COMPOSITION. Raises UnknownEhr, UnknownObject."""
    return versioned_object((await _history(call, ehr_id, object_id))[0])


@reading(Action.READ_COMPOSITION)
async def get_composition_history(call: Call, ehr_id: str, object_id: str) -> JsonObject:
    """The canonical REVISION_HISTORY. Raises UnknownEhr, UnknownObject."""
    return revision_history(await _history(call, ehr_id, object_id))


@reading(Action.READ_COMPOSITION)
async def get_composition_version(
    call: Call,
    ehr_id: str,
    object_id: str,
    *,
    version_uid: str | None = None,
    at: datetime | None = None,
) -> StoredVersion:
    """One version of an object for ``versions.original_version``; the latest without version and time.

    Raises UnknownEhr, UnknownObject, UnknownVersion, MalformedVersionId.
    """
    return await _version(call, ehr_id, object_id, version_uid=version_uid, at=at)


async def _version(
    call: Call, ehr_id: str, object_id: str, *, version_uid: str | None, at: datetime | None
) -> StoredVersion:
    ehr_id, object_id = normal_object_id(ehr_id), normal_object_id(object_id)
    reads = call.ctx.store.reads
    if version_uid is not None:
        uid = ObjectVersionId.parse(version_uid)
        found = None
        if uid.object_id == object_id and uid.branch is None:
            found = await reads.version(ehr_id, uid)
    elif at is not None:
        found = await reads.at(ehr_id, object_id, at)
    else:
        found = await reads.latest(ehr_id, object_id)
    if found is not None and found.kind is Kind.COMPOSITION:
        return await call.show(found)
    await _head(call, ehr_id, object_id)
    raise UnknownVersion(version_uid or (iso(at) if at else object_id))


async def _head(call: Call, ehr_id: str, object_id: str, kind: Kind = Kind.COMPOSITION) -> Head:
    """The latest version of an object. Raises UnknownEhr, UnknownObject."""
    head = await call.ctx.store.reads.head(ehr_id, object_id)
    if head is not None and head.kind is kind:
        call.require_visible(object_id, head)
        return head
    known = await call.ctx.store.reads.has_ehr(ehr_id)
    raise call.absent(UnknownObject(object_id)) if known else UnknownEhr(ehr_id)


async def _history(call: Call, ehr_id: str, object_id: str) -> list[StoredVersion]:
    ehr_id, object_id = normal_object_id(ehr_id), normal_object_id(object_id)
    history = list(await call.ctx.store.reads.history(ehr_id, object_id))
    if not history or history[0].kind is not Kind.COMPOSITION:
        await _head(call, ehr_id, object_id)
        raise UnknownObject(object_id)
    call.require_visible(object_id, history[0])
    return [await call.show(version) for version in history if call.sees_it(object_id, version)]
