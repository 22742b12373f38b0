"""Versions, audits and EHRs as MongoDB documents (docs/architecture.md, "Store").

A version document is complete in itself; its keys are short because every document repeats them:

    _id  "<object>::<trunk>"     e   EHR              o   object         n   trunk version
    s    creating system         k   kind             sv  schema version
    tid  template id             th  template hash    p   persistent composition
    ct   contribution            lc  lifecycle        au  audit {s, by, c, d}
    tc   committed               until  superseded (9999-12-31: current)
    t    start_time, else tc     r   archetypes present, also without minor and patch version
    rows  values laid out flat (cdr.stored_rows)        full  their format; 0: the payload decides
    z    zstd of the canonical JSON; absent in a deletion
    ac   access of the template (templates.operational.TemplateAccess); absent where access alone decides
    cd   card that it belongs to        og  organisation that committed it
    im   an imported version: contribution, commit time and audit where it was committed at first
    sg   signature            at  attestations, canonical: the only thing that is ever added to a version
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import zstandard

from cdr.audit import LATER_FIELDS, AuditBatch, AuditEntry, Outcome
from cdr.store.database import FAR, Document
from cdr.store.indexes import SCHEMA_VERSION
from cdr.stored_rows import FORMAT, Row
from cdr.versions import (
    AuditDetails,
    ChangeType,
    Contribution,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    Original,
    StoredVersion,
)
from templates.operational import TemplateAccess

COMPRESSION_LEVEL = 3
_ARCHETYPE_IDS = re.compile(rb'"archetype_node_id":"([^"]*-[^"]*\.v[^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version that waits for its commit; what it holds was validated.

    ``payload`` is canonical JSON with its own uid in it, None for a deletion; ``compressed`` is its zstd
    form; ``rows`` are those of a composition, None where it has none. ``previous_commit`` is the commit
    time of ``preceding``, ``restores`` says that it is a deletion,
    ``card_id`` is the card that ``preceding`` belongs to.
    ``recheck``: codes of it are to be asked about when a terminology server answers again.
    ``committer`` and ``description`` differ from those of the contribution where they are set;
    ``attestations`` lack what only the commit knows (system and time), but for an imported version, which
    has an ``original``, and is ``superseded`` where its successor is imported with it.
    """

    uid: ObjectVersionId
    kind: Kind
    lifecycle: Lifecycle
    change_type: ChangeType
    payload: bytes | None
    compressed: bytes | None
    preceding: ObjectVersionId | None = None
    previous_commit: datetime | None = None
    template_id: str | None = None
    template_hash: str | None = None
    persistent: bool = False
    access: TemplateAccess = TemplateAccess.OPEN
    card_id: str | None = None
    start_time: datetime | None = None
    rows: Sequence[Row] | None = None
    restores: bool = False
    recheck: bool = False
    committer: JsonObject | None = None
    description: str | None = None
    signature: str | None = None
    attestations: tuple[JsonObject, ...] = ()
    original: Original | None = None
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What an update needs to know about the latest version."""

    uid: ObjectVersionId
    kind: Kind
    committed: datetime
    lifecycle: Lifecycle
    template_id: str | None
    persistent: bool
    archetype_id: str
    access: TemplateAccess = TemplateAccess.OPEN
    organisation: str = ""
    card_id: str | None = None

    @property
    def deleted(self) -> bool:
        """True if the latest version deletes the object."""
        return self.lifecycle is Lifecycle.DELETED


def document_id(uid: ObjectVersionId) -> str:
    """The _id of a version's document."""
    return f"{uid.object_id}::{uid.trunk}"


def compress(payload: bytes) -> bytes:
    """The stored form of a payload."""
    return zstandard.compress(payload, COMPRESSION_LEVEL)


def decompress(stored: bytes) -> bytes:
    """The payload of a stored form."""
    return zstandard.decompress(stored)


def archetypes_in(payload: bytes | None) -> list[str]:
    """Archetype ids in a payload, each also cut to shorter versions: ``x.v1.0.2``, ``x.v1.0``, ``x.v1``.

    Ids inside strings could be counted too: the list may be too wide, never too narrow.
    """
    found: dict[str, None] = {}
    for match in _ARCHETYPE_IDS.findall(payload or b""):
        archetype_id = match.decode()
        stem, _, version = archetype_id.rpartition(".v")
        parts = version.split(".")
        for length in range(len(parts), 0, -1):
            found[f"{stem}.v{'.'.join(parts[:length])}"] = None
    return list(found)


def version_document(
    version: NewVersion,
    *,
    ehr_id: str,
    contribution_id: str,
    audit: AuditDetails,
    organisation: str = "",
    card_id: str | None = None,
) -> Document:
    """The document of a version that is committed now."""
    committed = audit.time_committed
    document: Document = {
        "_id": document_id(version.uid),
        "e": ehr_id,
        "o": version.uid.object_id,
        "n": version.uid.trunk,
        "s": version.uid.system_id,
        "k": version.kind.value,
        "sv": SCHEMA_VERSION,
        "ct": contribution_id,
        "au": {"s": audit.system_id, "by": audit.committer, "c": version.change_type.value},
        "lc": version.lifecycle.value,
        "tc": committed,
        # A deletion is never current: ``until: FAR`` alone means latest and not deleted.
        "until": committed if version.compressed is None or version.superseded else FAR,
        "t": version.start_time or committed,
        "r": archetypes_in(version.payload),
    }
    if audit.description is not None:
        document["au"]["d"] = audit.description
    if version.preceding is not None:
        document["ps"] = version.preceding.system_id
    if version.template_id is not None:
        document |= {"tid": version.template_id, "th": version.template_hash, "p": version.persistent}
    document |= _marks(version, organisation, card_id)
    if version.compressed is not None:
        document["z"] = version.compressed
        if version.kind is Kind.COMPOSITION:
            document |= rows_fields(version.rows)
    if version.signature is not None:
        document["sg"] = version.signature
    if version.attestations:
        document["at"] = _attestations(version, audit)
    if version.original is not None:
        document["im"] = _original_document(version.original)
    return document


def _marks(version: NewVersion, organisation: str, card_id: str | None) -> Document:
    """What says who may see a version; folders go with the card by their kind, and belong to none."""
    marks = {"og": organisation}
    if version.kind is Kind.COMPOSITION:
        marks |= {"ac": version.access.value, "cd": card_id if version.access.on_card and card_id else ""}
    return {key: mark for key, mark in marks.items() if mark}


def _access(document: Document) -> TemplateAccess:
    """Folders name what is on the card, so they go with it."""
    is_folder = document["k"] == Kind.FOLDER.value
    return TemplateAccess.CARD if is_folder else TemplateAccess(document.get("ac", ""))


def _original_document(original: Original) -> Document:
    audit = original.audit
    said = {"s": audit.system_id, "by": audit.committer, "c": audit.change_type.value}
    said |= {} if audit.description is None else {"d": audit.description}
    return {"ct": original.contribution_id, "tc": audit.time_committed, "au": said}


def _attestations(version: NewVersion, audit: AuditDetails) -> list[JsonObject]:
    """Those of an imported version are whole already."""
    imported = version.original is not None
    return list(version.attestations) if imported else attested(version.attestations, audit)


def rows_fields(rows: Sequence[Row] | None) -> Document:
    """The rows of a composition in its document; ``full`` is 0 where they decide nothing."""
    return {"full": 0} if rows is None else {"rows": rows, "full": FORMAT}


def attested(attestations: Iterable[JsonObject], audit: AuditDetails) -> list[JsonObject]:
    """Canonical ATTESTATIONs with what the commit adds to them: its system, its time, its committer."""
    added = {"system_id": audit.system_id, "time_committed": audit.to_canonical()["time_committed"]}
    return [{"committer": audit.committer} | attestation | added for attestation in attestations]


def stored_version(document: Document) -> StoredVersion:
    """The version that a document holds."""
    stored = document.get("z")
    return StoredVersion(
        uid=_uid(document),
        ehr_id=document["e"],
        kind=Kind(document["k"]),
        contribution_id=document["ct"],
        audit=_audit(document),
        lifecycle=Lifecycle(document["lc"]),
        payload=None if stored is None else decompress(stored),
        template_id=document.get("tid"),
        preceding_uid=preceding_uid(document),
        signature=document.get("sg"),
        attestations=tuple(document.get("at", ())),
        access=_access(document),
        organisation=document.get("og", ""),
        card_id=document.get("cd"),
        original=_original(document.get("im")),
    )


def committed_version(
    version: NewVersion,
    *,
    ehr_id: str,
    contribution_id: str,
    audit: AuditDetails,
    organisation: str = "",
    card_id: str | None = None,
) -> StoredVersion:
    """The version as it was just committed with this audit, without reading it back."""
    return StoredVersion(
        uid=version.uid,
        ehr_id=ehr_id,
        kind=version.kind,
        contribution_id=contribution_id,
        audit=audit,
        lifecycle=version.lifecycle,
        payload=version.payload,
        template_id=version.template_id,
        preceding_uid=version.preceding,
        signature=version.signature,
        attestations=tuple(_attestations(version, audit)),
        access=version.access,
        organisation=organisation,
        card_id=card_id if version.kind is Kind.COMPOSITION and version.access.on_card else None,
        original=version.original,
    )


def contribution_document(
    uid: str, ehr_id: str, audit: AuditDetails, versions: Iterable[tuple[ObjectVersionId, Kind]]
) -> Document:
    """The document of a contribution that a client composed."""
    document: Document = {
        "_id": uid,
        "e": ehr_id,
        "au": {"s": audit.system_id, "by": audit.committer, "c": audit.change_type.value},
        "tc": audit.time_committed,
        "v": [
            {"o": version.object_id, "s": version.system_id, "n": version.trunk, "k": kind.value}
            for version, kind in versions
        ],
    }
    if audit.description is not None:
        document["au"]["d"] = audit.description
    return document


def stored_contribution(document: Document) -> Contribution:
    """The contribution that a document holds."""
    versions = tuple((_uid(version), Kind(version["k"])) for version in document["v"])
    return Contribution(document["_id"], _audit(document), versions)


@dataclass(frozen=True, slots=True)
class VersionMarks:
    """What decides whether a version may be seen (``cdr.sight.Marks``)."""

    template_id: str | None
    access: TemplateAccess
    organisation: str
    card_id: str | None


def version_marks(document: Document) -> VersionMarks:
    """The marks of the version in a document that was read with MARK_FIELDS at least."""
    return VersionMarks(document.get("tid"), _access(document), document.get("og", ""), document.get("cd"))


MARK_FIELDS = dict.fromkeys(("o", "k", "tid", "ac", "og", "cd"), 1)
HEAD_FIELDS = dict.fromkeys((*MARK_FIELDS, "n", "s", "tc", "lc", "p"), 1) | {"r": {"$slice": 1}}


def head(document: Document) -> Head:
    """The head in a document that was read with HEAD_FIELDS."""
    return Head(
        uid=_uid(document),
        kind=Kind(document["k"]),
        committed=document["tc"],
        lifecycle=Lifecycle(document["lc"]),
        template_id=document.get("tid"),
        persistent=document.get("p", False),
        archetype_id=next(iter(document.get("r", ())), ""),
        access=_access(document),
        organisation=document.get("og", ""),
        card_id=document.get("cd"),
    )


def preceding_uid(document: Document) -> ObjectVersionId | None:
    """The id of the version before the one in the document; None for the first."""
    if "ps" not in document:
        return None
    return ObjectVersionId(document["o"], document["ps"], document["n"] - 1)


def _uid(document: Document) -> ObjectVersionId:
    return ObjectVersionId(document["o"], document["s"], document["n"])


def _audit(document: Document) -> AuditDetails:
    """The audit in the document of a version, or of the original of an imported one."""
    stored = document["au"]
    committer: JsonObject = stored["by"]
    return AuditDetails(stored["s"], committer, document["tc"], ChangeType(stored["c"]), stored.get("d"))


def _original(document: Document | None) -> Original | None:
    return None if document is None else Original(document["ct"], _audit(document))


# --- audit ----------------------------------------------------------------------------------------


def batch_document(batch: AuditBatch) -> Document:
    """The document of a batch of audit entries."""
    return {
        "_id": f"{batch.chain}:{batch.sequence}",
        "c": batch.chain,
        "s": batch.sequence,
        "p": batch.previous,
        "heads": [{"c": chain, "h": digest} for chain, digest in batch.heads.items()],
        "h": batch.digest,
        "at": batch.entries[0].at,
        "entries": [_entry_document(entry) for entry in batch.entries],
    }


def audit_batch(document: Document) -> AuditBatch:
    """The batch that a document holds."""
    return AuditBatch(
        chain=document["c"],
        sequence=document["s"],
        previous=document["p"],
        heads={known["c"]: known["h"] for known in document["heads"]},
        entries=tuple(audit_entry(entry) for entry in document["entries"]),
        digest=document["h"],
    )


def _entry_document(entry: AuditEntry) -> Document:
    document: Document = {
        "at": entry.at,
        "by": entry.actor,
        "role": entry.role,
        "org": entry.organisation,
        "do": entry.action,
        "out": entry.outcome.value,
    }
    optional = {"e": entry.ehr_id, "on": entry.what, "why": entry.why, "more": entry.detail}
    optional |= {name: getattr(entry, name) for name in LATER_FIELDS}
    return document | {key: value for key, value in optional.items() if value}


def audit_entry(document: Document) -> AuditEntry:
    """The entry that a part of a batch document holds."""
    return AuditEntry(
        at=document["at"].astimezone(UTC),
        actor=document["by"],
        role=document["role"],
        organisation=document["org"],
        action=document["do"],
        outcome=Outcome(document["out"]),
        ehr_id=document.get("e"),
        what=document.get("on", ""),
        why=document.get("why", ""),
        detail=document.get("more", ""),
        **{name: document.get(name, "") for name in LATER_FIELDS},
    )
