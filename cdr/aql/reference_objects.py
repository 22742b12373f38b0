"""What the reference evaluator sees: every object of an EHR with its place and type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from archetypes.rm.schema import base_name, rm_schema
from cdr.candidates import Record, VersionRecord

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Typed:
    """A value, its place in the EHR, and its class or primitive type."""

    place: Place
    value: Any
    rm_type: str


def objects_of(record: Record) -> Iterator[Typed]:
    """Everything in an EHR, each with its place; superseded versions stand under ``old``."""
    ehr = _ehr(record)
    yield Typed((), ehr, "EHR")
    if "ehr_status" in ehr:
        yield from _everything(Typed(("status",), ehr["ehr_status"], "EHR_STATUS"))
    if record.ehr.get("directory"):
        yield from _everything(Typed(("directory",), record.ehr["directory"], "FOLDER"))
    for number, version in enumerate(record.versions):
        place: Place = ("new" if version.is_latest else "old", number)
        yield Typed(place, _version(version), "ORIGINAL_VERSION")
        if version.composition is not None:
            yield from _everything(Typed((*place, "data", 0), version.composition, "COMPOSITION"))


def in_folder(folder: Typed, objects: Sequence[Typed]) -> Iterator[Typed]:
    """The latest compositions that a folder refers to, with all in them, as if they stood in it."""
    references = [found for found in _everything(folder) if found.rm_type == "FOLDER"]
    ids = {
        item["id"]["value"].partition("::")[0]
        for each in references
        for item in each.value.get("items") or ()
    }
    roots = [
        found.place
        for found in objects
        if found.rm_type == "COMPOSITION"
        and found.place[0] == "new"
        and found.value["uid"]["value"].partition("::")[0] in ids
    ]
    for found in objects:
        if any(found.place[: len(root)] == root for root in roots):
            yield Typed((*folder.place, "item", *found.place), found.value, found.rm_type)


def _everything(typed: Typed) -> Iterator[Typed]:
    yield typed
    for _, member in members_of(typed):
        if isinstance(member.value, dict):
            yield from _everything(member)


def members_of(owner: Typed) -> list[tuple[str, Typed]]:
    if not isinstance(owner.value, dict):
        return []
    found = []
    for name, value in owner.value.items():
        attribute = rm_schema().attribute(owner.rm_type, name)
        declared = "" if attribute is None else base_name(attribute.type_name)
        if owner.rm_type == "EHR" and name == "ehr_status":
            declared = "EHR_STATUS"
        members = value if isinstance(value, list) else [] if value is None else [value]
        for number, member in enumerate(members):
            rm_type = declared
            if isinstance(member, dict):
                rm_type = member.get("_type", declared)
                concrete = rm_type in rm_schema().concrete_subtypes("ANY")
                member = {"_type": rm_type, **member} if concrete else member
            found.append((name, Typed((*owner.place, name, number), member, rm_type)))
    return found


def _ehr(record: Record) -> dict[str, Any]:
    facts = record.ehr
    found = {
        "_type": "EHR",
        "system_id": {"_type": "HIER_OBJECT_ID", "value": facts.get("system_id", "")},
        "ehr_id": {"_type": "HIER_OBJECT_ID", "value": facts["ehr_id"]},
        "time_created": {"_type": "DV_DATE_TIME", "value": facts.get("time_created")},
        "ehr_status": facts.get("ehr_status"),
    }
    if not facts.get("time_created"):
        del found["time_created"]
    return {name: value for name, value in found.items() if value}


def _version(version: VersionRecord) -> dict[str, Any]:
    rubric = {"532": "complete", "553": "incomplete", "523": "deleted"}
    code = {
        "_type": "CODE_PHRASE",
        "terminology_id": {"_type": "TERMINOLOGY_ID", "value": "openehr"},
        "code_string": version.lifecycle,
    }
    found: dict[str, Any] = {
        "_type": "ORIGINAL_VERSION",
        "uid": {"_type": "OBJECT_VERSION_ID", "value": version.uid},
        "contribution": {
            "_type": "OBJECT_REF",
            "id": {"_type": "HIER_OBJECT_ID", "value": version.contribution},
            "namespace": "local",
            "type": "CONTRIBUTION",
        },
        "commit_audit": {"_type": "AUDIT_DETAILS", **version.audit},
        "lifecycle_state": {
            "_type": "DV_CODED_TEXT",
            "value": rubric.get(version.lifecycle, version.lifecycle),
            "defining_code": code,
        },
        "preceding_version_uid": {"_type": "OBJECT_VERSION_ID", "value": version.preceding_uid},
        "data": version.composition,
    }
    if version.time_committed and "time_committed" not in version.audit:
        time = {"_type": "DV_DATE_TIME", "value": version.time_committed}
        found["commit_audit"]["time_committed"] = time
    if not version.preceding_uid:
        del found["preceding_version_uid"]
    return {name: value for name, value in found.items() if value is not None}


def is_below(place: Place, within: Place) -> bool:
    """The EHR stands at the empty place and is reached from there only."""
    if not within:
        return True
    return len(place) > len(within) and place[: len(within)] == within
