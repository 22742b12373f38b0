"""What a contribution changes: its versions checked one by one, each error with the place of its version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from archetypes.findings import Finding
from cdr.archive_lines import ArchivedVersion
from cdr.context import Ctx
from cdr.contribution_request import UpdateVersion
from cdr.ehr_status import status_version
from cdr.errors import (
    BadContribution,
    BadRequest,
    CdrError,
    DirectoryExists,
    EhrNotModifiable,
    NotLatest,
    ObjectExists,
    SubjectExists,
    UnknownObject,
    UnknownVersion,
    VersionConflict,
)
from cdr.folders import after_earlier, folder_version
from cdr.imported_versions import imported_version
from cdr.sight import EVERYTHING, Sight
from cdr.store.documents import Head, NewVersion
from cdr.store.waiting import Attested, StatusFacts
from cdr.submission import (
    check_change,
    check_own_uid,
    check_same_kind,
    deletion,
    first_uid,
    new_version,
    template_of,
)
from cdr.versions import ChangeType, Kind, Lifecycle, ObjectVersionId, text_at

_NEW_DIRECTORY = "new directory"  # beside object ids in ``_places``


@dataclass(slots=True)
class Changes:
    """Gathered version by version; ``order`` is that of the body.

    ``needs_modifiable``: content stands before the status, so the EHR must be modifiable as it is now.
    What ``sight`` hides is not there.
    """

    versions: list[NewVersion] = field(default_factory=list)
    attested: list[Attested] = field(default_factory=list)
    order: list[tuple[ObjectVersionId, Kind]] = field(default_factory=list)
    chosen_ids: list[str] = field(default_factory=list)
    status: StatusFacts | None = None
    needs_modifiable: bool = False
    sight: Sight = EVERYTHING
    _places: dict[str, str] = field(default_factory=dict)  # object id -> place of its version
    _change_types: set[ChangeType] = field(default_factory=set)

    @property
    def change_type(self) -> ChangeType:
        """That of all versions, or modification where they differ."""
        return next(iter(self._change_types)) if len(self._change_types) == 1 else ChangeType.MODIFICATION

    async def gather(self, ctx: Ctx, ehr_id: str, asked: Sequence[UpdateVersion]) -> None:
        """Check and encode every version. Raises CdrErrors with the place of the version."""
        for update in asked:
            with _at(update.place):
                await self._add(ctx, ehr_id, update)
        if self.status is not None and not self.status.is_modifiable and len(self.order) > 1:
            raise EhrNotModifiable(ehr_id)

    def located(self, error: CdrError) -> CdrError:
        """An error of the commit, with the place of the version that it is about."""
        if isinstance(error, VersionConflict):
            error = NotLatest(error.latest)
        place = next((self._places[name] for name in _objects_of(error) if name in self._places), None)
        return error if place is None else _in_place(error, place)

    async def _add(self, ctx: Ctx, ehr_id: str, update: UpdateVersion) -> None:
        self._change_types.add(update.change)
        if update.change is ChangeType.ATTESTATION:
            await self._attest(ctx, ehr_id, update)
            return
        head = None if update.preceding is None else await self._latest(ctx, ehr_id, update.preceding)
        if update.imported is not None:
            await self._import(ctx, update, update.imported, head)
            return
        check_change(head, update.change, update.lifecycle)
        version = await self._version(ctx, update, head)
        version = replace(
            version,
            committer=update.committer,
            description=update.description,
            signature=update.signature,
            attestations=update.attestations,
        )
        if version.kind is Kind.FOLDER and (head is None or head.deleted):
            self._claim(_NEW_DIRECTORY, update.place)
            version = version if head else await after_earlier(ctx, ehr_id, version)
        self._claim(version.uid.object_id, update.place)
        if version.kind is not Kind.COMPOSITION:
            self._places.setdefault(version.kind.value, update.place)
        self.versions.append(version)
        self.order.append((version.uid, version.kind))
        self.needs_modifiable |= self.status is None

    async def _import(
        self, ctx: Ctx, update: UpdateVersion, imported: ArchivedVersion, head: Head | None
    ) -> None:
        """The first version of an object of another system, or the one after the latest that is here."""
        if imported.uid.system_id == ctx.settings.system_id:
            raise BadContribution(f"{update.place}/item/uid", "is a version of this system itself")
        version = await imported_version(ctx, imported)
        if head is None:
            self.chosen_ids.append(version.uid.object_id)
        else:
            assert imported.data is not None  # reading the request saw to it
            check_same_kind(head, imported.data, template_of(imported.data))
        self._claim(version.uid.object_id, update.place)
        self.versions.append(
            replace(
                version,
                committer=update.committer,
                description=update.description,
                previous_commit=None if head is None else head.committed,
                restores=head is not None and head.deleted,
                card_id=None if head is None else head.card_id,
            )
        )
        self.order.append((version.uid, version.kind))
        self.needs_modifiable |= self.status is None

    async def _attest(self, ctx: Ctx, ehr_id: str, update: UpdateVersion) -> None:
        assert update.preceding is not None  # reading the request saw to it
        found = await ctx.store.reads.version(ehr_id, update.preceding)
        if found is None or not self.sight.sees(found.uid.object_id, found):
            raise UnknownVersion(str(update.preceding))
        if found.is_deleted:
            raise BadRequest(f"{found.uid} is a deletion: there is nothing to attest")
        self._places.setdefault(str(found.uid), update.place)
        self.attested.append(
            Attested(
                uid=found.uid,
                kind=found.kind,
                committed=found.audit.time_committed,
                attestations=update.attestations,
                access=found.access,
                template_id=found.template_id,
            )
        )
        self.order.append((found.uid, found.kind))
        self.needs_modifiable |= self.status is None

    async def _version(self, ctx: Ctx, update: UpdateVersion, head: Head | None) -> NewVersion:
        if head is not None and update.kind not in (None, head.kind):
            raise BadContribution(f"{update.place}/data/_type", f"{head.uid} is a {head.kind}")
        kind = head.kind if head is not None else update.kind
        if kind is Kind.EHR_STATUS:
            return self._status_version(ctx, update, head)
        if update.data is None:
            assert head is not None  # only a deletion has no data, and it has a predecessor
            return deletion(ctx, head)
        uid = self._uid(ctx, update, head)
        if kind is Kind.FOLDER:
            return folder_version(ctx, update.data, uid, update.change, update.lifecycle, head)
        if head is not None:
            check_same_kind(head, update.data, template_of(update.data))
        return await new_version(ctx, update.data, uid, update.change, update.lifecycle, head)

    async def _latest(self, ctx: Ctx, ehr_id: str, preceding: ObjectVersionId) -> Head:
        head = await ctx.store.reads.head(ehr_id, preceding.object_id)
        if head is None or not self.sight.sees(preceding.object_id, head):
            raise UnknownObject(preceding.object_id)
        if head.uid != preceding:
            raise NotLatest(str(head.uid))
        return head

    def _status_version(self, ctx: Ctx, update: UpdateVersion, head: Head | None) -> NewVersion:
        """A status comes and goes with its EHR, and is always complete."""
        if head is None or update.data is None or update.lifecycle is not Lifecycle.COMPLETE:
            raise BadContribution(update.place, "an EHR_STATUS is only amended or modified, as complete")
        uid = self._uid(ctx, update, head)
        version, status = status_version(ctx, update.data, uid, update.change, head)
        self.needs_modifiable = bool(self.order)
        self.status = status
        return version

    def _uid(self, ctx: Ctx, update: UpdateVersion, head: Head | None) -> ObjectVersionId:
        assert update.data is not None
        if head is not None:
            check_own_uid(update.data, head.uid.object_id)
            return head.uid.next(ctx.settings.system_id)
        uid = first_uid(ctx, update.data)
        if text_at(update.data, "uid", "value") is not None:
            self.chosen_ids.append(uid.object_id)
        return uid

    def _claim(self, object_id: str, place: str) -> None:
        if object_id in self._places:
            if object_id == _NEW_DIRECTORY:
                raise BadContribution(place, "an EHR has one directory")
            reason = f"{self._places[object_id]} writes the same object; a contribution writes each once"
            raise BadContribution(place, reason)
        self._places[object_id] = place


def _objects_of(error: CdrError) -> Iterator[str]:
    """Ids (or kinds) by which the version that an error is about may be known."""
    if isinstance(error, NotLatest):
        yield error.latest.split("::", maxsplit=1)[0]
    if isinstance(error, ObjectExists | UnknownObject):
        yield error.object_id
    if isinstance(error, UnknownVersion):
        yield error.version
    if isinstance(error, DirectoryExists):
        yield Kind.FOLDER.value
    if isinstance(error, SubjectExists):
        yield Kind.EHR_STATUS.value


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except BadContribution:
        raise
    except CdrError as error:
        raise _in_place(error, place) from error


def _in_place(error: CdrError, place: str) -> CdrError:
    """The error, saying in its message and its findings which version it is about."""
    if error.findings:
        error.findings = tuple(
            replace(finding, path=f"{place}/data{'' if finding.path == '/' else finding.path}")
            for finding in error.findings
        )
    else:
        error.findings = (Finding("contribution.version", place, params={"reason": str(error)}),)
    error.args = (f"{place}: {error}",)
    return error
