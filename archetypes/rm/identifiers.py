"""Identifiers of the reference model, and references to objects by identifier (BASE, base types)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectId:
    """An identifier as one text."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uid:
    """A globally unique identifier as one text."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uuid(Uid):
    """A universally unique identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoOid(Uid):
    """An ISO object identifier, such as ``2.16.578``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetId(Uid):
    """A reversed domain name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UidBasedId(ObjectId):
    """An identifier that begins with a UID: ``uid[::extension]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HierObjectId(UidBasedId):
    """The identifier of something that is not versioned, or of all versions together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersionId(UidBasedId):
    """``object::system::version``: one version of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTreeId:
    """The number of a version: ``2``, or ``2.1.3`` on a branch."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeId(ObjectId):
    """The id of an archetype."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateId(ObjectId):
    """The id of a template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminologyId(ObjectId):
    """The name of a terminology, with its version in parentheses if it is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericId(ObjectId):
    """An identifier of any other scheme."""

    scheme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """Names an object of some other system or service."""

    id: ObjectId
    namespace: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRef(ObjectRef):
    """Names a person or an organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatableRef(ObjectRef):
    """Names an object, or a place inside of it."""

    id: UidBasedId
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGroupRef(ObjectRef):
    """Names a group of users."""
