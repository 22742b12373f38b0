"""An EHR as an archive that can be taken to another repository, and what comes from there.

What was committed elsewhere is imported: each version keeps its uid, and is an IMPORTED_VERSION around the
original with its own audit; the import is one contribution here (RM common, change control).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import islice

from cdr.access import Action
from cdr.archive_lines import Archive, ArchivedVersion, MalformedArchive, read_archive, write_archive
from cdr.audit import Outcome
from cdr.consent import Lack, card_closed
from cdr.context import Ctx
from cdr.contributions import contribution_of_one
from cdr.doors import Call, reading, writing
from cdr.ehr_status import status_facts
from cdr.errors import CdrError, UnknownEhr, Unprocessable
from cdr.imported_versions import imported_version
from cdr.store.documents import NewVersion
from cdr.store.waiting import Commit, ContributionFacts
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    Ehr,
    Kind,
    ObjectVersionId,
    is_uuid,
    normal_object_id,
)

AT_ONCE = 20  # lines between two looks at whether they may still be sent


@reading(Action.EXPORT_EHR)
async def export_ehr(call: Call, ehr_id: str) -> AsyncIterator[bytes]:
    """The lines of the archive: every version of everything, whole.

    Raises UnknownEhr, CardClosed; on the way ConsentChanged, if what may be seen is not what it was: the
    archive then lacks its end, and nobody takes it.
    """
    ehr_id = normal_object_id(ehr_id)
    ehr = await call.ctx.store.reads.ehr(ehr_id)
    if ehr is None:
        raise UnknownEhr(ehr_id)
    versions = await call.ctx.store.reads.everything(ehr_id)
    if call.sight.lack is not None and any(version.access.on_card for version in versions):
        raise card_closed(call.sight.lack)
    return _while_unchanged(call, write_archive(ehr, versions, call.ctx.clock()))


async def _while_unchanged(call: Call, lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    while part := await asyncio.to_thread(lambda: list(islice(lines, AT_ONCE))):
        await call.require_same_sight()
        for line in part:
            yield line


@writing(Action.IMPORT_EHR)
async def import_ehr(call: Call, body: bytes) -> Ehr:
    """Store an archive as a new EHR with the id that it had, all or nothing.

    Every version is validated as if it came today. Raises MalformedArchive, ArchiveRefused, EhrExists (also
    for an erased id), SubjectExists, ObjectExists; CardClosed for entries of a card where consent is
    enforced, for no consent is known yet of an EHR that is not there.
    """
    archive = read_archive(body)
    commit = await _commit(call, archive)
    (status, *_) = [v for v in await call.commit(commit) if v.uid == _status_uid(archive)]
    return Ehr(archive.ehr_id, call.ctx.settings.system_id, status.audit.time_committed, status)


class ArchiveRefused(Unprocessable):
    """A version of an archive that may not be stored here; findings have paths ``/lines[n]...``."""

    code = "archive.refused"

    def __init__(self, line: int, error: CdrError) -> None:
        place = f"/lines[{line}]"
        found = [replace(finding, path=place + finding.path) for finding in error.findings]
        super().__init__(f"line {line}: {error}", found)


async def _commit(call: Call, archive: Archive) -> Commit:
    ehr_id = _ehr_id(archive)
    versions = [await _checked(call.ctx, version) for history in archive.objects for version in history]
    if call.ctx.settings.enforces_access and any(version.access.on_card for version in versions):
        raise card_closed(Lack.NO_CONSENT)
    latest = next(history[-1] for history in archive.objects if history[0].kind is Kind.EHR_STATUS)
    assert latest.data is not None  # a status is never deleted: its kind has no such version
    one = contribution_of_one(call, ehr_id, versions[0], NO_AUDIT, creates_ehr=True)
    order = tuple((version.uid, version.kind) for version in versions)
    return replace(
        one,
        versions=tuple(versions),
        status=status_facts(latest.data, latest.uid.object_id),
        facts=ContributionFacts(ChangeType.CREATION, order),
        chosen_ids=tuple(history[0].uid.object_id for history in archive.objects),
        entry=call.entry(Outcome.DONE, ehr_id=ehr_id, what=f"{len(versions)} versions"),
    )


async def _checked(ctx: Ctx, version: ArchivedVersion) -> NewVersion:
    """A version as it is stored. Raises ArchiveRefused."""
    try:
        return await imported_version(ctx, version)
    except CdrError as error:
        raise ArchiveRefused(version.line, error) from error


def _ehr_id(archive: Archive) -> str:
    if not is_uuid(archive.ehr_id):
        raise MalformedArchive(1, f"an EHR id is a UUID, not {archive.ehr_id[:60]!r}")
    return normal_object_id(archive.ehr_id)


def _status_uid(archive: Archive) -> ObjectVersionId:
    return next(history[-1].uid for history in archive.objects if history[0].kind is Kind.EHR_STATUS)
