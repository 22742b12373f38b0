"""What an EHR_STATUS says, and whether it may be stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from archetypes.findings import Finding, Severity
from cdr.errors import InvalidEhrStatus
from cdr.store.waiting import StatusFacts
from cdr.versions import JsonObject, text_at
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model
from validators.composition.report import Report

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


def check_status(status: JsonObject) -> None:
    """Check against the reference model. Raises InvalidEhrStatus with all findings."""
    report = Report()
    check_reference_model(status, "EHR_STATUS", Place(None, ""), report)
    findings = [*report.findings, *_subject_findings(status)]
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidEhrStatus(findings)


def status_facts(status: JsonObject, object_id: str) -> StatusFacts:
    """What a valid status decides about its EHR."""
    return StatusFacts(
        object_id=object_id,
        is_modifiable=status["is_modifiable"],
        is_queryable=status["is_queryable"],
        subject=_subject(status),
    )


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
