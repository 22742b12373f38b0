"""The archive of one EHR: lines of JSON that hold all of it, and say themselves whether they are whole. Pure.

The first line is about the EHR, the last has the number of versions and the SHA-256 of all lines before it.
Between them stands one canonical ORIGINAL_VERSION or IMPORTED_VERSION a line, by object and version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson

from archetypes.findings import Finding
from cdr.errors import BadRequest, CdrError
from cdr.versions import (
    AuditDetails,
    ChangeType,
    Ehr,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    Original,
    StoredVersion,
    iso,
    text_at,
    version_object,
)

FORMAT = 1
NAME = "helsekort.ehr"
MOST_VERSIONS = 1000
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, CdrError)  # what a strange version raises


class MalformedArchive(BadRequest):
    """Bytes that are no whole archive of an EHR; the finding has the line."""

    code = "archive.malformed"

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.findings = (Finding(self.code, f"/lines[{line}]", params={"reason": reason}),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedVersion:
    """One version as it was written elsewhere; ``data`` is None for a deletion."""

    line: int
    uid: ObjectVersionId
    kind: Kind
    lifecycle: Lifecycle
    original: Original
    preceding: ObjectVersionId | None
    data: JsonObject | None
    signature: str | None
    attestations: tuple[JsonObject, ...]
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """An EHR that was read: its objects, each with its versions from the first on."""

    ehr_id: str
    objects: Sequence[Sequence[ArchivedVersion]]


def write_archive(ehr: Ehr, versions: Iterable[StoredVersion], exported: datetime) -> Iterator[bytes]:
    """The lines, each with its end."""
    head = {
        "archive": NAME,
        "format": FORMAT,
        "ehr_id": ehr.ehr_id,
        "system_id": ehr.system_id,
        "time_created": iso(ehr.time_created),
        "exported": iso(exported),
    }
    lines = _version_lines(versions)
    digest = hashlib.sha256()
    for line in (head, *lines):
        written = orjson.dumps(line) + b"\n"
        digest.update(written)
        yield written
    yield orjson.dumps({"end": NAME, "versions": len(lines), "sha256": digest.hexdigest()}) + b"\n"


def _version_lines(versions: Iterable[StoredVersion]) -> list[JsonObject]:
    ordered = sorted(versions, key=lambda version: (version.kind, version.uid.object_id, version.uid.trunk))
    return [{"kind": version.kind, "version": version_object(version)} for version in ordered]


def read_archive(body: bytes) -> Archive:
    """Read and check an archive; its versions are not validated. Raises MalformedArchive."""
    lines = body.splitlines(keepends=True)
    _check_whole(lines)
    head = _object(lines[0], 1)
    if head.get("archive") != NAME or head.get("format") != FORMAT or not isinstance(head.get("ehr_id"), str):
        raise MalformedArchive(1, f"not the first line of an archive {NAME} of format {FORMAT}")
    versions = [_version(_object(line, number), number) for number, line in enumerate(lines[1:-1], start=2)]
    grouped = groupby(versions, key=lambda version: version.uid.object_id)
    objects = [_history(list(history)) for _, history in grouped]
    _check_objects(objects, len(lines))
    return Archive(head["ehr_id"], objects)


def _check_whole(lines: Sequence[bytes]) -> None:
    if len(lines) < 3:
        raise MalformedArchive(max(1, len(lines)), "an archive has a first line, versions and a last line")
    if len(lines) > MOST_VERSIONS + 2:
        raise MalformedArchive(len(lines), f"at most {MOST_VERSIONS} versions are taken at once")
    last = _object(lines[-1], len(lines))
    if last.get("end") != NAME or last.get("versions") != len(lines) - 2:
        raise MalformedArchive(len(lines), "the last line does not end this archive: it was cut or changed")
    if last.get("sha256") != hashlib.sha256(b"".join(lines[:-1])).hexdigest():
        raise MalformedArchive(len(lines), "the lines are not those that were written: SHA-256 differs")


def _object(line: bytes, number: int) -> JsonObject:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise MalformedArchive(number, f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedArchive(number, "not an object")
    return value


def _version(line: JsonObject, number: int) -> ArchivedVersion:
    try:
        written = line["version"]
        # What was imported before goes on as what it was at first.
        original = written["item"] if written["_type"] == "IMPORTED_VERSION" else written
        return archived_version(original, Kind(line["kind"]), line=number)
    except UNREADABLE as error:
        raise MalformedArchive(number, f"not a version: {error!r}") from error


def archived_version(original: JsonObject, kind: Kind, *, line: int = 0) -> ArchivedVersion:
    """A canonical ORIGINAL_VERSION that was committed elsewhere. Raises one of UNREADABLE."""
    return ArchivedVersion(
        line=line,
        uid=ObjectVersionId.parse_trunk(original["uid"]["value"]),
        kind=kind,
        lifecycle=Lifecycle(original["lifecycle_state"]["defining_code"]["code_string"]),
        original=Original(original["contribution"]["id"]["value"], _audit(original["commit_audit"])),
        preceding=_preceding(original),
        data=original.get("data"),
        signature=original.get("signature"),
        attestations=tuple(original.get("attestations", ())),
    )


def _audit(audit: JsonObject) -> AuditDetails:
    committed = datetime.fromisoformat(audit["time_committed"]["value"])
    if committed.tzinfo is None:
        raise ValueError("time_committed has no zone")
    return AuditDetails(
        audit["system_id"],
        audit["committer"],
        committed,
        ChangeType(audit["change_type"]["defining_code"]["code_string"]),
        text_at(audit, "description", "value"),
    )


def _preceding(original: JsonObject) -> ObjectVersionId | None:
    uid: Any = text_at(original, "preceding_version_uid", "value")
    return None if uid is None else ObjectVersionId.parse_trunk(uid)


def _history(versions: Sequence[ArchivedVersion]) -> Sequence[ArchivedVersion]:
    """The versions of one object. Raises MalformedArchive unless they follow each other from 1 on."""
    before: ObjectVersionId | None = None
    for number, version in enumerate(versions, start=1):
        if version.uid.trunk != number or version.preceding != before:
            raise MalformedArchive(version.line, f"{version.uid} does not follow {before or 'nothing'}")
        if (version.data is None) != (version.lifecycle is Lifecycle.DELETED):
            raise MalformedArchive(version.line, "a deletion, and nothing else, is without data")
        if version.data is None and version.kind is Kind.EHR_STATUS:
            raise MalformedArchive(version.line, "an EHR_STATUS is not deleted")
        if version.kind is not versions[0].kind:
            raise MalformedArchive(version.line, f"{version.uid} is of another kind than its predecessor")
        before = version.uid
    return [*versions[:-1], replace(versions[-1], is_last=True)]


def _check_objects(objects: Sequence[Sequence[ArchivedVersion]], last: int) -> None:
    """Raises MalformedArchive unless each object stands once, and one of them is the status."""
    ids = [versions[0].uid.object_id for versions in objects]
    if len(set(ids)) != len(ids):
        raise MalformedArchive(last, "the versions of an object do not stand together")
    if [versions[0].kind for versions in objects].count(Kind.EHR_STATUS) != 1:
        raise MalformedArchive(last, "an EHR has one EHR_STATUS")
