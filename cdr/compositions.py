"""Compositions: create, read, update, delete, and their versions (RM ehr; ITS-REST COMPOSITION)."""

from __future__ import annotations

from datetime import datetime

from cdr.context import Ctx
from cdr.versions import NO_AUDIT, CommitAudit, JsonObject, Lifecycle, StoredVersion


async def create_composition(
    ctx: Ctx,
    ehr_id: str,
    composition: JsonObject,
    *,
    lifecycle: Lifecycle = Lifecycle.COMPLETE,
    audit: CommitAudit = NO_AUDIT,
) -> StoredVersion:
    """Validate and store a composition as version 1 of a new object.

    Raises UnknownEhr, EhrNotModifiable, MissingTemplateId, UnknownTemplate, InvalidComposition,
    RefusedIdentifier, UidMismatch, TooLarge.
    """
    raise NotImplementedError


async def get_composition(ctx: Ctx, ehr_id: str, uid: str, *, at: datetime | None = None) -> StoredVersion:
    """A version by its full id, or the latest (or the one at a time) by the object's id.

    The version may be a deletion (``is_deleted``). Raises UnknownEhr, UnknownObject, UnknownVersion,
    MalformedVersionId.
    """
    raise NotImplementedError


async def update_composition(
    ctx: Ctx,
    ehr_id: str,
    object_id: str,
    composition: JsonObject,
    *,
    preceding_uid: str,
    lifecycle: Lifecycle = Lifecycle.COMPLETE,
    audit: CommitAudit = NO_AUDIT,
) -> StoredVersion:
    """Validate and store the next version; ``preceding_uid`` must be the latest.

    Raises what create_composition raises, and UnknownObject, VersionConflict, ObjectDeleted,
    TemplateMismatch, UidMismatch, MalformedVersionId, BranchNotSupported.
    """
    raise NotImplementedError


async def delete_composition(
    ctx: Ctx, ehr_id: str, version_uid: str, *, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """Delete logically: the next version carries no data. Returns that version.

    Raises UnknownEhr, UnknownObject, NotLatest, AlreadyDeleted, EhrNotModifiable, MalformedVersionId.
    """
    raise NotImplementedError


async def get_versioned_composition(ctx: Ctx, ehr_id: str, object_id: str) -> JsonObject:
    """The canonical VERSIONED_COMPOSITION. Raises UnknownEhr, UnknownObject."""
    raise NotImplementedError


async def get_composition_history(ctx: Ctx, ehr_id: str, object_id: str) -> JsonObject:
    """The canonical REVISION_HISTORY. Raises UnknownEhr, UnknownObject."""
    raise NotImplementedError


async def get_composition_version(
    ctx: Ctx,
    ehr_id: str,
    object_id: str,
    *,
    version_uid: str | None = None,
    at: datetime | None = None,
) -> StoredVersion:
    """One version of an object for ``versions.original_version``; the latest without version and time.

    Raises UnknownEhr, UnknownObject, UnknownVersion, MalformedVersionId.
    """
    raise NotImplementedError
