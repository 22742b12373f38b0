"""A contribution as a client sends it (ITS-REST, NewContribution with UPDATE_VERSIONs), read into types.

Not RM: the server fills in what only it knows, and passes over what a whole ORIGINAL_VERSION says of that.
Coded texts come as DV_CODED_TEXT or as CODE_PHRASE, and a
terminology id as an object or as a bare text. Whatever cannot be read is refused with its place.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from cdr.archive_lines import UNREADABLE, ArchivedVersion, archived_version
from cdr.errors import BadContribution, BranchNotSupported, MalformedVersionId
from cdr.versions import (
    ChangeType,
    CommitAudit,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    coded,
    is_uuid,
    normal_object_id,
)
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model
from validators.composition.report import Report

MAX_VERSIONS = 500
_CONTRIBUTION = frozenset({"_type", "uid", "versions", "audit"})
_AUDIT = frozenset({"_type", "system_id", "time_committed", "change_type", "description", "committer"})
_VERSION = frozenset(
    {"_type", "commit_audit", "lifecycle_state", "preceding_version_uid", "data", "attestations", "signature"}
)
_IMPORTED = frozenset({"_type", "contribution", "commit_audit", "item"})
_SERVERS_OWN = frozenset({"uid", "contribution", "owner_id", "is_merged"})
_ATTESTATION = _AUDIT | {"attested_view", "proof", "items", "reason", "is_pending"}

Code = TypeVar("Code", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVersion:
    """One version of a contribution; ``place`` is its path in the body.

    ``data`` is None for a deletion and for an attestation of a version that is stored already.
    ``imported`` is the version of another system in an IMPORTED_VERSION.
    """

    place: str
    change: ChangeType
    lifecycle: Lifecycle
    preceding: ObjectVersionId | None
    kind: Kind | None
    data: JsonObject | None
    committer: JsonObject | None = None
    description: str | None = None
    signature: str | None = None
    attestations: tuple[JsonObject, ...] = ()
    imported: ArchivedVersion | None = None


@dataclass(frozen=True, slots=True)
class NewContribution:
    """A contribution that was read; ``uid`` is the client's choice."""

    uid: str | None
    audit: CommitAudit
    versions: tuple[UpdateVersion, ...]


def read_contribution(body: JsonObject) -> NewContribution:
    """Read a contribution; its system and its time are those of the commit. Raises BadContribution."""
    _known(body, _CONTRIBUTION, "")
    audit = _object(body, "audit", "")
    _text(audit, "system_id", "/audit")
    versions = body.get("versions")
    if not isinstance(versions, list) or not 0 < len(versions) <= MAX_VERSIONS:
        raise BadContribution("/versions", f"must be a list of 1 to {MAX_VERSIONS} versions")
    return NewContribution(
        _uid(body.get("uid")),
        _audit(audit, "/audit"),
        tuple(_version(version, f"/versions[{index}]") for index, version in enumerate(versions)),
    )


def _uid(value: Any) -> str | None:
    if value is None:
        return None
    text = value.get("value") if isinstance(value, dict) else value
    if not isinstance(text, str) or not is_uuid(text):
        raise BadContribution("/uid", "must be a UUID")
    return normal_object_id(text)


def _version(version: Any, place: str) -> UpdateVersion:
    if not isinstance(version, dict):
        raise BadContribution(place, "must be an object")
    if version.get("_type") == "IMPORTED_VERSION":
        return _imported(version, place)
    if version.get("other_input_version_uids"):
        raise BadContribution(f"{place}/other_input_version_uids", "merged versions are not taken")
    _known(version, _VERSION | _SERVERS_OWN | {"other_input_version_uids"}, place)
    audit = _audit(_object(version, "commit_audit", place), f"{place}/commit_audit")
    change = audit.change_type
    if change is None:
        raise BadContribution(f"{place}/commit_audit/change_type", "is needed")
    data = version.get("data")
    if change is ChangeType.ATTESTATION and data is not None:
        raise BadContribution(f"{place}/data", "an attestation adds no data to the version that it attests")
    if change is ChangeType.DELETED:
        data = None  # what a deletion carries is not stored
    elif change is not ChangeType.ATTESTATION and not isinstance(data, dict):
        raise BadContribution(f"{place}/data", "must be an object")
    return UpdateVersion(
        place=place,
        change=change,
        lifecycle=_lifecycle(version, change, place),
        preceding=_preceding(version, change, place),
        kind=None if data is None else _kind(data, f"{place}/data"),
        data=data,
        committer=audit.committer,
        description=audit.description,
        signature=_text(version, "signature", place),
        attestations=_attestations(version, change, place),
    )


def _imported(version: JsonObject, place: str) -> UpdateVersion:
    """An IMPORTED_VERSION: what is said of the import, around an ORIGINAL_VERSION of another system.

    Compositions only: a status and a directory come with their whole EHR (``cdr.archives``).
    """
    _known(version, _IMPORTED, place)
    audit = _audit(_object(version, "commit_audit", place), f"{place}/commit_audit")
    if audit.change_type not in (None, ChangeType.CREATION):
        raise BadContribution(f"{place}/commit_audit/change_type", "an import has change type 249 (creation)")
    item = _object(version, "item", place)
    where = f"{place}/item"
    if item.get("other_input_version_uids"):
        raise BadContribution(f"{where}/other_input_version_uids", "merged versions are not taken")
    if _kind(_object(item, "data", where), f"{where}/data") is not Kind.COMPOSITION:
        raise BadContribution(f"{where}/data/_type", "only a COMPOSITION is imported by itself")
    _check_rm(_object(item, "commit_audit", where), "AUDIT_DETAILS", f"{where}/commit_audit")
    _text(item, "signature", where)
    for index, attestation in enumerate(item.get("attestations") or ()):
        _check_rm(attestation, "ATTESTATION", f"{where}/attestations[{index}]")
    try:
        original = replace(archived_version(item, Kind.COMPOSITION), is_last=True)
    except UNREADABLE as error:
        raise BadContribution(where, f"not a whole ORIGINAL_VERSION: {error!r}"[:300]) from error
    if original.lifecycle is Lifecycle.DELETED or (original.uid.trunk == 1) != (original.preceding is None):
        raise BadContribution(where, "its uid, lifecycle state and preceding version contradict each other")
    return UpdateVersion(
        place=place,
        change=ChangeType.CREATION,
        lifecycle=original.lifecycle,
        preceding=original.preceding,
        kind=Kind.COMPOSITION,
        data=original.data,
        committer=audit.committer,
        description=audit.description,
        imported=original,
    )


def _lifecycle(version: JsonObject, change: ChangeType, place: str) -> Lifecycle:
    code = _code(version, "lifecycle_state", Lifecycle, place)
    if code is not None:
        return code
    return Lifecycle.DELETED if change is ChangeType.DELETED else Lifecycle.COMPLETE


def _preceding(version: JsonObject, change: ChangeType, place: str) -> ObjectVersionId | None:
    """The version before, which a creation must not have and everything else must."""
    where = f"{place}/preceding_version_uid"
    value = version.get("preceding_version_uid")
    text = value.get("value") if isinstance(value, dict) else value
    if text in (None, ""):
        if change is ChangeType.CREATION:
            return None
        raise BadContribution(where, f"is needed with change type {change} ({change.rubric})")
    if change is ChangeType.CREATION:
        raise BadContribution(where, "a creation has no preceding version")
    if not isinstance(text, str):
        raise BadContribution(where, "must be a version id")
    try:
        return ObjectVersionId.parse_trunk(text)
    except (MalformedVersionId, BranchNotSupported) as error:
        raise BadContribution(where, str(error)) from error


def _kind(data: JsonObject, place: str) -> Kind:
    try:
        return Kind(data.get("_type", ""))
    except ValueError as error:
        known = ", ".join(Kind)
        raise BadContribution(f"{place}/_type", f"must be one of {known}") from error


# --- audits and attestations ----------------------------------------------------------------------


def _audit(audit: JsonObject, place: str, members: frozenset[str] = _AUDIT) -> CommitAudit:
    _known(audit, members, place)
    return CommitAudit(
        change_type=_code(audit, "change_type", ChangeType, place),
        description=_description(audit.get("description"), f"{place}/description"),
        committer=_committer(audit.get("committer"), f"{place}/committer"),
    )


def _attestations(version: JsonObject, change: ChangeType, place: str) -> tuple[JsonObject, ...]:
    given = version.get("attestations")
    if not isinstance(given, list | None):
        raise BadContribution(f"{place}/attestations", "must be a list")
    if change is ChangeType.ATTESTATION and not given:
        raise BadContribution(f"{place}/attestations", "an attestation needs at least one")
    if change is ChangeType.DELETED and given:
        raise BadContribution(f"{place}/attestations", "a deletion has nothing to attest")
    return tuple(_attestation(one, f"{place}/attestations[{i}]") for i, one in enumerate(given or ()))


def _attestation(given: Any, place: str) -> JsonObject:
    """The canonical ATTESTATION but for what the commit knows: its system and its time."""
    if not isinstance(given, dict):
        raise BadContribution(place, "must be an object")
    audit = _audit(given, place, _ATTESTATION)
    if audit.change_type not in (None, ChangeType.ATTESTATION):
        raise BadContribution(f"{place}/change_type", f"must be {ChangeType.ATTESTATION} (attestation)")
    attestation = {
        name: given[name]
        for name in ("attested_view", "proof", "items", "reason", "is_pending")
        if given.get(name) is not None
    }
    attestation |= {
        "_type": "ATTESTATION",
        "change_type": coded(ChangeType.ATTESTATION.rubric, ChangeType.ATTESTATION.value),
    }
    if isinstance(attestation.get("reason"), dict):
        attestation["reason"] = {"_type": "DV_TEXT"} | attestation["reason"]
    if audit.committer is not None:
        attestation["committer"] = audit.committer
    if audit.description is not None:
        attestation["description"] = {"_type": "DV_TEXT", "value": audit.description}
    filled_in = {
        "system_id": "-",
        "time_committed": {"_type": "DV_DATE_TIME", "value": "2000-01-01T00:00:00Z"},
        "committer": {"_type": "PARTY_SELF"},
    }
    _check_rm(filled_in | attestation, "ATTESTATION", place)
    return attestation


def _description(value: Any, place: str) -> str | None:
    text = value.get("value") if isinstance(value, dict) else value
    if not isinstance(text, str | None):
        raise BadContribution(place, "must be a text")
    return text


def _committer(value: Any, place: str) -> JsonObject | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadContribution(place, "must be a PARTY_PROXY")
    committer = {"_type": "PARTY_IDENTIFIED"} | value
    _check_rm(committer, "PARTY_PROXY", place)
    return committer


# --- members --------------------------------------------------------------------------------------


def _check_rm(data: JsonObject, type_name: str, place: str) -> None:
    report = Report()
    check_reference_model(data, type_name, Place(None, ""), report)
    if report.errors:
        fault = report.findings[0]
        reason = " ".join(filter(None, (fault.code, fault.expected, fault.found)))
        raise BadContribution(place + (fault.path if fault.path != "/" else ""), reason)


def _known(value: JsonObject, members: frozenset[str], place: str) -> None:
    unknown = sorted(set(value) - members)
    if unknown:
        raise BadContribution(f"{place}/{unknown[0][:100]}", "is not a member of what is sent here")


def _object(value: JsonObject, name: str, place: str) -> JsonObject:
    member = value.get(name)
    if not isinstance(member, dict):
        raise BadContribution(f"{place}/{name}", "must be an object")
    return member


def _text(value: JsonObject, name: str, place: str) -> str | None:
    member = value.get(name)
    if not isinstance(member, str | None):
        raise BadContribution(f"{place}/{name}", "must be a text")
    return member


def _code(value: JsonObject, name: str, codes: type[Code], place: str) -> Code | None:
    """The openEHR code at a member, None where it is absent."""
    member = value.get(name)
    if member is None:
        return None
    where = f"{place}/{name}"
    phrase = member.get("defining_code", member) if isinstance(member, dict) else member
    code = phrase.get("code_string") if isinstance(phrase, dict) else phrase
    terminology = phrase.get("terminology_id", "openehr") if isinstance(phrase, dict) else "openehr"
    if isinstance(terminology, dict):
        terminology = terminology.get("value")
    try:
        found = codes(str(code))
    except ValueError as error:
        known = ", ".join(f"{one} ({one.name.lower()})" for one in codes)
        raise BadContribution(where, f"must be a code of the terminology openehr: {known}") from error
    if terminology != "openehr":
        raise BadContribution(where, "must be of the terminology openehr")
    return found
