"""What an EHR_STATUS says, and whether it may be stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archetypes.findings import Finding, Severity
from archetypes.norwegian_ids import classify
from archetypes.rm.canonical_json import write_canonical
from cdr.context import Ctx
from cdr.errors import InvalidEhrStatus, TooLarge
from cdr.national_id import check_identifiers
from cdr.store.documents import Head, NewVersion, compress
from cdr.store.subject_documents import is_temporary
from cdr.store.waiting import StatusFacts
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle, ObjectVersionId, text_at
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model
from validators.composition.report import Report

_NOT_NEEDED = "invariant.archetype_details_missing"
ARCHETYPE = "openEHR-EHR-EHR_STATUS.generic.v1"


def default_status() -> JsonObject:
    """The status of an EHR that is created without one."""
    return {
        "_type": "EHR_STATUS",
        "archetype_node_id": ARCHETYPE,
        "name": {"_type": "DV_TEXT", "value": "EHR status"},
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": ARCHETYPE},
            "rm_version": "1.1.0",
        },
        "subject": {"_type": "PARTY_SELF"},
        "is_queryable": True,
        "is_modifiable": True,
    }


def status_version(
    ctx: Ctx,
    status: JsonObject,
    uid: ObjectVersionId,
    change: ChangeType = ChangeType.CREATION,
    head: Head | None = None,
) -> tuple[NewVersion, StatusFacts]:
    """The next version of a status, and what it decides about its EHR; ``head`` is the version before.

    Raises InvalidEhrStatus, RefusedIdentifier, TooLarge.
    """
    data = {"_type": "EHR_STATUS"} | status | {"uid": {"_type": "OBJECT_VERSION_ID", "value": str(uid)}}
    check_status(data)
    payload = write_canonical(data)
    if len(payload) > ctx.settings.body_limit:
        raise TooLarge(len(payload), ctx.settings.body_limit)
    check_identifiers(data, payload, dev=ctx.settings.is_dev)
    version = NewVersion(
        uid=uid,
        kind=Kind.EHR_STATUS,
        lifecycle=Lifecycle.COMPLETE,
        change_type=change,
        payload=payload,
        compressed=compress(payload),
        preceding=None if head is None else head.uid,
        previous_commit=None if head is None else head.committed,
    )
    facts = status_facts(data, uid.object_id)
    return version, replace(facts, follows_temporary=_follows_temporary(facts, change))


def check_status(status: JsonObject) -> None:
    """Check against the reference model. Raises InvalidEhrStatus with all findings."""
    report = Report()
    check_reference_model(status, "EHR_STATUS", Place(None, ""), report)
    # Clients send other_details without archetype_details, as the examples of the specification do.
    findings = [finding for finding in report.findings if finding.code != _NOT_NEEDED]
    findings += _subject_findings(status)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidEhrStatus(findings=findings)


def status_facts(status: JsonObject, object_id: str) -> StatusFacts:
    """What a valid status decides about its EHR."""
    return StatusFacts(
        object_id=object_id,
        is_modifiable=status["is_modifiable"],
        is_queryable=status["is_queryable"],
        subject=_subject(status),
    )


def _follows_temporary(facts: StatusFacts, change: ChangeType) -> bool:
    """A national number follows a temporary one; an amendment (250) says that the id before was wrong."""
    subject_id = "" if facts.subject is None else facts.subject[1]
    is_national = classify(subject_id) is not None and not is_temporary(subject_id)
    return is_national and change is ChangeType.MODIFICATION


def _subject(status: JsonObject) -> tuple[str, str] | None:
    namespace = text_at(status, "subject", "external_ref", "namespace")
    subject_id = text_at(status, "subject", "external_ref", "id", "value")
    return (namespace, subject_id) if namespace and subject_id else None


def _subject_findings(status: JsonObject) -> list[Finding]:
    """A reference to the subject must be one that the EHR can be found by."""
    subject = status.get("subject")
    reference = subject.get("external_ref") if isinstance(subject, Mapping) else None
    if reference is None or _subject(status) is not None:
        return []
    return [Finding("ehr_status.subject", "/subject/external_ref", expected="namespace and id/value")]
