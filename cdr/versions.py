"""Change control as values: version ids, audits, stored versions and their canonical forms.

RM common, change_control package.

Pure: no input or output, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import orjson

from cdr.errors import BranchNotSupported, MalformedVersionId
from templates.operational import TemplateAccess

JsonObject = dict[str, Any]  # a canonical object, as its JSON reads

_OBJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]*")
_TREE_ID = re.compile(r"([1-9]\d{0,8})(?:\.([1-9]\d{0,8})\.([1-9]\d{0,8}))?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Kind(StrEnum):
    """What a versioned object holds; the values are RM class names."""

    COMPOSITION = "COMPOSITION"
    EHR_STATUS = "EHR_STATUS"
    FOLDER = "FOLDER"


class ChangeType(StrEnum):
    """Codes of the openEHR group audit_change_type that we write."""

    CREATION = "249"
    AMENDMENT = "250"
    MODIFICATION = "251"
    DELETED = "523"
    ATTESTATION = "666"
    RESTORATION = "816"

    @property
    def rubric(self) -> str:
        """The English rubric of the code."""
        return self.name.lower()


class Lifecycle(StrEnum):
    """Codes of the openEHR group version_lifecycle_state that we write."""

    COMPLETE = "532"
    INCOMPLETE = "553"
    DELETED = "523"
    INACTIVE = "800"
    ABANDONED = "801"

    @property
    def rubric(self) -> str:
        """The English rubric of the code."""
        return self.name.lower()

    @property
    def needs_all(self) -> bool:
        """False if mandatory content may still be missing."""
        return self not in (Lifecycle.INCOMPLETE, Lifecycle.ABANDONED)


_WRITTEN = frozenset({Lifecycle.COMPLETE, Lifecycle.INCOMPLETE})
# From the state of the latest version to those of the next one (RM 1.2, change control); None: a new object.
TRANSITIONS: Mapping[Lifecycle | None, frozenset[Lifecycle]] = {
    None: _WRITTEN,
    Lifecycle.INCOMPLETE: _WRITTEN | {Lifecycle.DELETED, Lifecycle.ABANDONED},
    Lifecycle.COMPLETE: _WRITTEN | {Lifecycle.DELETED, Lifecycle.INACTIVE},
    Lifecycle.INACTIVE: _WRITTEN | {Lifecycle.DELETED},
    Lifecycle.ABANDONED: frozenset({Lifecycle.INCOMPLETE, Lifecycle.DELETED}),
    Lifecycle.DELETED: _WRITTEN,  # by a restoration only
}


@dataclass(frozen=True, slots=True)
class ObjectVersionId:
    """``object_id::system_id::version``; ``branch`` is (branch, branch version) or None for the trunk."""

    object_id: str
    system_id: str
    trunk: int
    branch: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str) -> ObjectVersionId:
        """Read a version id; UUIDs are brought to lower case. Raises MalformedVersionId."""
        parts = text.split("::")
        tree = _TREE_ID.fullmatch(parts[2]) if len(parts) == 3 else None
        if tree is None or not _OBJECT_ID.fullmatch(parts[0]) or not _OBJECT_ID.fullmatch(parts[1]):
            raise MalformedVersionId(text)
        branch = (int(tree[2]), int(tree[3])) if tree[2] else None
        return cls(normal_object_id(parts[0]), parts[1], int(tree[1]), branch)

    @classmethod
    def parse_trunk(cls, text: str) -> ObjectVersionId:
        """Read the id of a trunk version. Raises MalformedVersionId, BranchNotSupported."""
        uid = cls.parse(text)
        if uid.branch is not None:
            raise BranchNotSupported(text)
        return uid

    def __str__(self) -> str:
        branch = "" if self.branch is None else f".{self.branch[0]}.{self.branch[1]}"
        return f"{self.object_id}::{self.system_id}::{self.trunk}{branch}"

    def next(self, system_id: str) -> ObjectVersionId:
        """The trunk version after this one, created by ``system_id``."""
        return ObjectVersionId(self.object_id, system_id, self.trunk + 1)

    @property
    def preceding(self) -> ObjectVersionId | None:
        """The trunk version before this one, None for the first."""
        if self.trunk == 1:
            return None
        return ObjectVersionId(self.object_id, self.system_id, self.trunk - 1)


def normal_object_id(text: str) -> str:
    """UUIDs compare without regard to case: in lower case; anything else as written."""
    return text.lower() if _UUID.fullmatch(text) else text


def is_uuid(text: str) -> bool:
    """True for a UUID in its 36-character form."""
    return _UUID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class CommitAudit:
    """What a client may say about its commit (header openehr-audit-details); the server fills the rest.

    ``committer`` is a canonical PARTY_PROXY; None takes the authenticated actor.
    """

    change_type: ChangeType | None = None
    description: str | None = None
    committer: JsonObject | None = None


NO_AUDIT = CommitAudit()


@dataclass(frozen=True, slots=True)
class AuditDetails:
    """AUDIT_DETAILS of a commit; ``time_committed`` in UTC."""

    system_id: str
    committer: JsonObject
    time_committed: datetime
    change_type: ChangeType
    description: str | None = None

    def to_canonical(self) -> JsonObject:
        """The canonical AUDIT_DETAILS object."""
        audit: JsonObject = {
            "_type": "AUDIT_DETAILS",
            "system_id": self.system_id,
            "time_committed": {"_type": "DV_DATE_TIME", "value": iso(self.time_committed)},
            "change_type": coded(self.change_type.rubric, self.change_type.value),
            "committer": self.committer,
        }
        if self.description is not None:
            audit["description"] = {"_type": "DV_TEXT", "value": self.description}
        return audit


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; ``target`` is the id of an object or of a version, ``path`` a place in it."""

    target: str
    kind: Kind
    key: str
    value: str | None = None
    path: str | None = None

    def to_canonical(self, ehr_id: str) -> JsonObject:
        """ITEM_TAG as ITS-REST shows it."""
        shown: JsonObject = {"key": self.key}
        if self.value is not None:
            shown["value"] = self.value
        if self.path is not None:
            shown["target_path"] = self.path
        versioned = "" if "::" in self.target else "VERSIONED_"
        target = object_ref(self.target, f"{versioned}{self.kind}")
        return shown | {"target": target, "owner_id": object_ref(ehr_id, "EHR")}


@dataclass(frozen=True, slots=True)
class Original:
    """Where an imported version was committed at first: its contribution there, and its audit."""

    contribution_id: str
    audit: AuditDetails


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One committed version; ``original`` says that it was committed elsewhere and imported here.

    ``payload`` is the canonical JSON of the data as stored, None for a deletion; ``data`` decodes it
    anew at each call. ``access`` is that of its template, ``organisation`` the number of the one that
    committed it, ``card_id`` the card that it belongs to. ``tags`` are those of the object and
    of the version, where they were read with it.
    """

    uid: ObjectVersionId
    ehr_id: str
    kind: Kind
    contribution_id: str
    audit: AuditDetails
    lifecycle: Lifecycle
    payload: bytes | None = field(repr=False)
    template_id: str | None = None
    preceding_uid: ObjectVersionId | None = None
    signature: str | None = None
    attestations: tuple[JsonObject, ...] = ()
    access: TemplateAccess = TemplateAccess.OPEN
    organisation: str = ""
    card_id: str | None = None
    original: Original | None = None
    tags: tuple[Tag, ...] = ()

    @property
    def is_deleted(self) -> bool:
        """True if this version deletes the object."""
        return self.payload is None

    @property
    def data(self) -> JsonObject | None:
        """The canonical data, a fresh copy; None for a deletion."""
        return None if self.payload is None else cast(JsonObject, orjson.loads(self.payload))


@dataclass(frozen=True, slots=True)
class Ehr:
    """An EHR with the latest version of its status."""

    ehr_id: str
    system_id: str
    time_created: datetime
    status: StoredVersion
    directory: ObjectVersionId | None = None

    def to_canonical(self) -> JsonObject:
        """The canonical EHR object; what it holds are references, not the objects (ITS-REST)."""
        canonical = {
            "_type": "EHR",
            "system_id": {"_type": "HIER_OBJECT_ID", "value": self.system_id},
            "ehr_id": {"_type": "HIER_OBJECT_ID", "value": self.ehr_id},
            "time_created": {"_type": "DV_DATE_TIME", "value": iso(self.time_created)},
            "ehr_status": object_ref(str(self.status.uid), "EHR_STATUS"),
        }
        if self.directory is not None:
            canonical["directory"] = object_ref(str(self.directory), "FOLDER")
        return canonical


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``, as every time that we write."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def next_commit_time(clock: datetime, previous: datetime | None) -> datetime:
    """The commit time of a version: never at or before its predecessor's, whatever the clock says."""
    now = clock.replace(microsecond=clock.microsecond // 1000 * 1000)
    return now if previous is None else max(now, previous + timedelta(milliseconds=1))


def coded(rubric: str, code: str) -> JsonObject:
    """A DV_CODED_TEXT of the openEHR terminology."""
    return {
        "_type": "DV_CODED_TEXT",
        "value": rubric,
        "defining_code": {
            "_type": "CODE_PHRASE",
            "terminology_id": {"_type": "TERMINOLOGY_ID", "value": "openehr"},
            "code_string": code,
        },
    }


def object_ref(uid: str, type_name: str) -> JsonObject:
    """An OBJECT_REF to something of this system; ``uid`` decides the class of its id."""
    id_type = "OBJECT_VERSION_ID" if uid.count("::") == 2 else "HIER_OBJECT_ID"
    return {
        "_type": "OBJECT_REF",
        "namespace": "local",
        "type": type_name,
        "id": {"_type": id_type, "value": uid},
    }


def version_object(version: StoredVersion) -> JsonObject:
    """The canonical ORIGINAL_VERSION, or the IMPORTED_VERSION around it; without data for a deletion."""
    if version.original is None:
        return _original_version(version, version.contribution_id, version.audit)
    return {
        "_type": "IMPORTED_VERSION",
        "contribution": object_ref(version.contribution_id, "CONTRIBUTION"),
        "commit_audit": version.audit.to_canonical(),
        "item": _original_version(version, version.original.contribution_id, version.original.audit),
    }


def _original_version(version: StoredVersion, contribution_id: str, audit: AuditDetails) -> JsonObject:
    canonical: JsonObject = {
        "_type": "ORIGINAL_VERSION",
        "uid": {"_type": "OBJECT_VERSION_ID", "value": str(version.uid)},
        "contribution": object_ref(contribution_id, "CONTRIBUTION"),
        "commit_audit": audit.to_canonical(),
        "lifecycle_state": coded(version.lifecycle.rubric, version.lifecycle.value),
    }
    optional = {
        "preceding_version_uid": version.preceding_uid
        and {"_type": "OBJECT_VERSION_ID", "value": str(version.preceding_uid)},
        "data": version.data,
        "attestations": list(version.attestations) or None,
        "signature": version.signature,
    }
    return canonical | {name: value for name, value in optional.items() if value is not None}


def versioned_object(first: StoredVersion) -> JsonObject:
    """The canonical VERSIONED_COMPOSITION, _EHR_STATUS or _FOLDER, from the first version."""
    return {
        "_type": f"VERSIONED_{first.kind}",
        "uid": {"_type": "HIER_OBJECT_ID", "value": first.uid.object_id},
        "owner_id": object_ref(first.ehr_id, "EHR"),
        "time_created": {"_type": "DV_DATE_TIME", "value": iso(first.audit.time_committed)},
    }


def revision_history(versions: Sequence[StoredVersion]) -> JsonObject:
    """The canonical REVISION_HISTORY: one item per version, oldest first."""
    return {
        "_type": "REVISION_HISTORY",
        "items": [
            {
                "_type": "REVISION_HISTORY_ITEM",
                "version_id": {"_type": "OBJECT_VERSION_ID", "value": str(version.uid)},
                "audits": [version.audit.to_canonical(), *version.attestations],
            }
            for version in sorted(versions, key=lambda version: version.uid.trunk)
        ],
    }


@dataclass(frozen=True, slots=True)
class Contribution:
    """What was committed together; ``versions`` are (version id, kind) in the order of the commit."""

    uid: str
    audit: AuditDetails
    versions: tuple[tuple[ObjectVersionId, Kind], ...]

    @classmethod
    def of(cls, uid: str, versions: Sequence[StoredVersion]) -> Contribution:
        """The contribution of versions that carry one audit; there is at least one."""
        return cls(uid, versions[0].audit, tuple((version.uid, version.kind) for version in versions))

    def to_canonical(self) -> JsonObject:
        """The canonical CONTRIBUTION; its versions are references."""
        return {
            "_type": "CONTRIBUTION",
            "uid": {"_type": "HIER_OBJECT_ID", "value": self.uid},
            "versions": [object_ref(str(uid), kind.value) for uid, kind in self.versions],
            "audit": self.audit.to_canonical(),
        }


def text_at(tree: Any, *keys: str) -> str | None:
    """The text at nested keys of canonical data; None where anything on the way is absent or no text."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, str) else None
