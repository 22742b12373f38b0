"""Contributions as clients send them (ITS-REST NewContribution)."""

from __future__ import annotations

from typing import Any

from cdr.versions import JsonObject, ObjectVersionId

RUBRICS = {
    "249": "creation",
    "250": "amendment",
    "251": "modification",
    "523": "deleted",
    "532": "complete",
    "553": "incomplete",
    "666": "attestation",
    "800": "inactive",
    "801": "abandoned",
    "816": "restoration",
}


def code(text: str) -> JsonObject:
    """A DV_CODED_TEXT as the 1.1 examples write it: with a bare terminology id."""
    return {
        "_type": "DV_CODED_TEXT",
        "value": RUBRICS.get(text, "?"),
        "defining_code": {"terminology_id": "openehr", "code_string": text},
    }


def update(
    change: str,
    data: JsonObject | None = None,
    *,
    after: ObjectVersionId | str | None = None,
    state: str | None = None,
    **more: Any,
) -> JsonObject:
    """An UPDATE_VERSION; ``after`` is the preceding version, ``more`` further members."""
    version: JsonObject = {"commit_audit": {"change_type": code(change)}, **more}
    version["lifecycle_state"] = code(state or ("523" if change == "523" else "532"))
    if data is not None:
        version["data"] = data
    if after is not None:
        version["preceding_version_uid"] = {"_type": "OBJECT_VERSION_ID", "value": str(after)}
    return version


def contribution(*versions: JsonObject, change: str | None = None, **more: Any) -> JsonObject:
    """A NewContribution; without ``change`` the server finds its change type."""
    audit: JsonObject = {"committer": {"_type": "PARTY_IDENTIFIED", "name": "Kari Lund"}}
    if change is not None:
        audit["change_type"] = code(change)
    return {"audit": audit, "versions": list(versions), **more}


def folder(name: str = "root", *below: JsonObject) -> JsonObject:
    """A valid FOLDER."""
    made: JsonObject = {
        "_type": "FOLDER",
        "name": {"_type": "DV_TEXT", "value": name},
        "archetype_node_id": "openEHR-EHR-FOLDER.generic.v1",
    }
    return made | {"folders": list(below)} if below else made


def attestation(**more: Any) -> JsonObject:
    """An UPDATE_ATTESTATION: signed."""
    return {
        "_type": "UPDATE_ATTESTATION",
        "change_type": code("666"),
        "committer": {"_type": "PARTY_IDENTIFIED", "name": "Lege Olsen"},
        "reason": {"_type": "DV_TEXT", "value": "signed"},
        "is_pending": False,
        **more,
    }
