"""The electronic health record as a whole (RM, EHR)."""

from __future__ import annotations

from dataclasses import dataclass

from archetypes.rm.common import Locatable, PartySelf, VersionedObject
from archetypes.rm.composition import Composition
from archetypes.rm.data_structures import ItemStructure
from archetypes.rm.data_types import DvDateTime
from archetypes.rm.identifiers import HierObjectId, ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Ehr:
    """A record: who keeps it, and references to all that it holds."""

    system_id: HierObjectId
    ehr_id: HierObjectId
    time_created: DvDateTime
    ehr_access: ObjectRef
    ehr_status: ObjectRef
    contributions: tuple[ObjectRef, ...]
    directory: ObjectRef | None = None
    folders: tuple[ObjectRef, ...] = ()
    compositions: tuple[ObjectRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrStatus(Locatable):
    """Whose record it is, and whether it may be queried and changed."""

    subject: PartySelf
    is_queryable: bool
    is_modifiable: bool
    other_details: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessControlSettings:
    """Base of access settings; the model leaves their form open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrAccess(Locatable):
    """Who may see the record."""

    settings: AccessControlSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedEhrStatus(VersionedObject[EhrStatus]):
    """The status in versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedEhrAccess(VersionedObject[EhrAccess]):
    """The access settings in versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedComposition(VersionedObject[Composition]):
    """A composition in versions."""
