"""A version that was committed elsewhere, as it is stored here (RM common, IMPORTED_VERSION)."""

from __future__ import annotations

from dataclasses import replace

from cdr.archive_lines import ArchivedVersion
from cdr.context import Ctx
from cdr.ehr_status import status_version
from cdr.folders import folder_version
from cdr.store.documents import NewVersion
from cdr.submission import new_version
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle


async def imported_version(ctx: Ctx, version: ArchivedVersion) -> NewVersion:
    """The version, validated as if it came today; it keeps its uid and its audit of then.

    Raises what ``submission.new_version``, ``folder_version`` or ``status_version`` raise.
    """
    new = _deletion(version) if version.data is None else await _content(ctx, version, version.data)
    return replace(
        new,
        change_type=ChangeType.CREATION,  # of the import; that of then is in the original
        preceding=version.preceding,
        original=version.original,
        superseded=not version.is_last,
        signature=version.signature,
        attestations=version.attestations,
    )


async def _content(ctx: Ctx, version: ArchivedVersion, data: JsonObject) -> NewVersion:
    change = version.original.audit.change_type
    if version.kind is Kind.COMPOSITION:
        return await new_version(ctx, data, version.uid, change, version.lifecycle)
    if version.kind is Kind.FOLDER:
        return folder_version(ctx, data, version.uid, change, version.lifecycle)
    return status_version(ctx, data, version.uid, change)[0]


def _deletion(version: ArchivedVersion) -> NewVersion:
    return NewVersion(
        uid=version.uid,
        kind=version.kind,
        lifecycle=Lifecycle.DELETED,
        change_type=ChangeType.DELETED,
        payload=None,
        compressed=None,
    )
