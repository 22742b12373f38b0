"""What a FOLDER says, and whether it may be stored (RM ehr, directory)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archetypes.findings import Finding, Severity
from archetypes.rm.canonical_json import write_canonical
from cdr.context import Ctx
from cdr.errors import InvalidDirectory, TooLarge, UnknownFolder
from cdr.national_id import check_identifiers
from cdr.store.documents import Head, NewVersion, compress
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle, ObjectVersionId, text_at
from templates.operational import TemplateAccess
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model
from validators.composition.report import Report


def folder_version(
    ctx: Ctx,
    folder: JsonObject,
    uid: ObjectVersionId,
    change_type: ChangeType,
    lifecycle: Lifecycle,
    head: Head | None = None,
) -> NewVersion:
    """Check a directory and encode it; ``head`` is the version before.

    Raises InvalidDirectory, RefusedIdentifier, TooLarge.
    """
    data = {"_type": "FOLDER"} | folder | {"uid": {"_type": "OBJECT_VERSION_ID", "value": str(uid)}}
    check_folder(data)
    payload = write_canonical(data)
    if len(payload) > ctx.settings.body_limit:
        raise TooLarge(len(payload), ctx.settings.body_limit)
    check_identifiers(data, payload, dev=ctx.settings.is_dev)
    return NewVersion(
        uid=uid,
        kind=Kind.FOLDER,
        access=TemplateAccess.CARD,
        lifecycle=lifecycle,
        change_type=change_type,
        payload=payload,
        compressed=compress(payload),
        preceding=None if head is None else head.uid,
        previous_commit=None if head is None else head.committed,
        restores=head is not None and head.deleted,
    )


async def after_earlier(ctx: Ctx, ehr_id: str, version: NewVersion) -> NewVersion:
    """A new directory, committed later than the end of one that the EHR had before."""
    earlier = await ctx.store.reads.directory(ehr_id)
    return version if earlier is None else replace(version, previous_commit=earlier.audit.time_committed)


def check_folder(folder: JsonObject) -> None:
    """Check against the reference model, and that names lead to one folder. Raises InvalidDirectory."""
    report = Report()
    check_reference_model(folder, "FOLDER", Place(None, ""), report)
    findings = list(report.findings)
    if not any(finding.severity is Severity.ERROR for finding in findings):
        findings += _names_used_twice(folder, "")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidDirectory(findings=findings)


def sub_folder(folder: JsonObject, path: str) -> JsonObject:
    """The folder at a path of names such as ``episodes/2026``, below ``folder``. Raises UnknownFolder.

    The path may begin with the name of ``folder`` itself, where no sub-folder of that name is in the way.
    """
    names = [name for name in path.split("/") if name]
    found = _descend(folder, names)
    if found is None and names and names[0] == _name(folder):
        found = _descend(folder, names[1:])
    if found is None:
        raise UnknownFolder(path)
    return found


def _descend(folder: JsonObject, names: list[str]) -> JsonObject | None:
    for name in names:
        below = next((member for member in folder.get("folders") or () if _name(member) == name), None)
        if below is None:
            return None
        folder = below
    return folder


def _names_used_twice(folder: JsonObject, path: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, member in enumerate(folder.get("folders") or ()):
        place = f"{path}/folders[{index}]"
        name = _name(member)
        if name in seen:
            yield Finding("directory.name_used_twice", f"{place}/name/value", found=name)
        seen.add(name)
        yield from _names_used_twice(member, place)


def _name(folder: JsonObject) -> str:
    return text_at(folder, "name", "value") or ""
