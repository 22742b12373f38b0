"""EHRs and their status: create, read, update, erase (RM ehr; ITS-REST EHR and EHR_STATUS)."""

from __future__ import annotations

from datetime import datetime

from cdr.context import Ctx
from cdr.versions import NO_AUDIT, CommitAudit, Ehr, JsonObject, StoredVersion


async def create_ehr(
    ctx: Ctx,
    ehr_id: str | None = None,
    *,
    status: JsonObject | None = None,
    audit: CommitAudit = NO_AUDIT,
) -> Ehr:
    """Create an EHR with its first status; without one: modifiable, queryable, subject PARTY_SELF.

    Raises EhrExists, SubjectExists, InvalidEhrStatus, RefusedIdentifier, BadRequest (id is no UUID).
    """
    raise NotImplementedError


async def get_ehr(ctx: Ctx, ehr_id: str) -> Ehr:
    """An EHR. Raises UnknownEhr."""
    raise NotImplementedError


async def get_ehr_by_subject(ctx: Ctx, subject_id: str, namespace: str) -> Ehr:
    """The EHR of a subject. Raises UnknownSubject."""
    raise NotImplementedError


async def get_ehr_status(
    ctx: Ctx, ehr_id: str, *, version_uid: str | None = None, at: datetime | None = None
) -> StoredVersion:
    """The status: latest, of one version, or as it was at a time.

    Raises UnknownEhr, UnknownVersion, MalformedVersionId.
    """
    raise NotImplementedError


async def update_ehr_status(
    ctx: Ctx, ehr_id: str, status: JsonObject, *, preceding_uid: str, audit: CommitAudit = NO_AUDIT
) -> StoredVersion:
    """A new version of the status.

    Raises UnknownEhr, VersionConflict, SubjectExists, InvalidEhrStatus, RefusedIdentifier,
    MalformedVersionId.
    """
    raise NotImplementedError


async def get_versioned_ehr_status(ctx: Ctx, ehr_id: str) -> JsonObject:
    """The canonical VERSIONED_EHR_STATUS. Raises UnknownEhr."""
    raise NotImplementedError


async def get_ehr_status_history(ctx: Ctx, ehr_id: str) -> JsonObject:
    """The canonical REVISION_HISTORY of the status. Raises UnknownEhr."""
    raise NotImplementedError


async def erase_ehr(ctx: Ctx, ehr_id: str) -> None:
    """Erase an EHR physically: every version, its subject, the EHR. The id is never used again.

    Raises UnknownEhr.
    """
    raise NotImplementedError


async def delete_all_ehrs(ctx: Ctx) -> int:
    """Empty a development server of EHRs; templates stay. Returns how many there were.

    Raises NotAllowed outside dev mode.
    """
    raise NotImplementedError
