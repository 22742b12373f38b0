"""What all parts of the record have in common: nodes, parties, audits, versions, folders (RM, common)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from archetypes.rm.data_types import (
    DvCodedText,
    DvDateTime,
    DvEhrUri,
    DvEncapsulated,
    DvIdentifier,
    DvInterval,
    DvMultimedia,
    DvText,
)
from archetypes.rm.identifiers import (
    ArchetypeId,
    HierObjectId,
    ObjectRef,
    ObjectVersionId,
    PartyRef,
    TemplateId,
    UidBasedId,
)

if TYPE_CHECKING:
    from archetypes.rm.data_structures import ItemStructure

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathable:
    """Base of what a path can name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetyped:
    """Which archetype and template made a root node."""

    archetype_id: ArchetypeId
    rm_version: str
    template_id: TemplateId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to another part of some record."""

    meaning: DvText
    type: DvText
    target: DvEhrUri


@dataclass(frozen=True, slots=True, kw_only=True)
class Locatable(Pathable):
    """Base of all nodes that archetypes name."""

    archetype_node_id: str
    name: DvText
    uid: UidBasedId | None = None
    archetype_details: Archetyped | None = None
    feeder_audit: FeederAudit | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederAuditDetails:
    """What one system on the way of imported data recorded."""

    system_id: str
    location: PartyIdentified | None = None
    provider: PartyIdentified | None = None
    subject: PartyProxy | None = None
    time: DvDateTime | None = None
    version_id: str | None = None
    other_details: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederAudit:
    """Where imported data came from."""

    originating_system_audit: FeederAuditDetails
    originating_system_item_ids: tuple[DvIdentifier, ...] = ()
    feeder_system_item_ids: tuple[DvIdentifier, ...] = ()
    original_content: DvEncapsulated | None = None
    feeder_system_audit: FeederAuditDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyProxy:
    """Base of those whom the record mentions."""

    external_ref: PartyRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySelf(PartyProxy):
    """The subject of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyIdentified(PartyProxy):
    """Somebody else, by name, identifiers or reference."""

    name: str | None = None
    identifiers: tuple[DvIdentifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRelated(PartyIdentified):
    """Somebody with a known relationship to the subject."""

    relationship: DvCodedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Who took part in what role."""

    function: DvText
    performer: PartyProxy
    time: DvInterval[DvDateTime] | None = None
    mode: DvCodedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDetails:
    """Who committed what kind of change, when and where."""

    system_id: str
    time_committed: DvDateTime
    change_type: DvCodedText
    committer: PartyProxy
    description: DvText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation(AuditDetails):
    """A signature on a version or a part of it."""

    reason: DvText
    is_pending: bool
    attested_view: DvMultimedia | None = None
    proof: str | None = None
    items: tuple[DvEhrUri, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionHistoryItem:
    """One version with all its audits."""

    version_id: ObjectVersionId
    audits: tuple[AuditDetails, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionHistory:
    """All versions of an object with their audits."""

    items: tuple[RevisionHistoryItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedObject(Generic[T]):
    """Something that is kept in versions."""

    uid: HierObjectId
    owner_id: ObjectRef
    time_created: DvDateTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Generic[T]):
    """One version of something."""

    contribution: ObjectRef
    commit_audit: AuditDetails
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalVersion(Version[T]):
    """A version that was made in this system."""

    uid: ObjectVersionId
    lifecycle_state: DvCodedText
    preceding_version_uid: ObjectVersionId | None = None
    other_input_version_uids: tuple[ObjectVersionId, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    data: T | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVersion(Version[T]):
    """A version that was made elsewhere."""

    item: OriginalVersion[T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Versions that were committed together."""

    uid: HierObjectId
    audit: AuditDetails
    versions: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(Locatable):
    """A folder of references."""

    folders: tuple[Folder, ...] = ()
    items: tuple[ObjectRef, ...] = ()
    details: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedFolder(VersionedObject[Folder]):
    """A directory in versions."""
