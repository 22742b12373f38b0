"""The headers ``openehr-version`` and ``openehr-audit-details`` (ITS-REST 1.1, overview).

Both hold attributes by path: ``change_type.code_string="251", description.value="Rettet"``. ITS-REST 1.0.3
wrote one header per attribute with the attribute in the header's name
(``openEHR-AUDIT_DETAILS.change_type: code_string="251"``); every spelling is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers

from api.http_errors import MalformedRequest
from cdr.versions import NO_AUDIT, ChangeType, CommitAudit, JsonObject, Lifecycle

_ATTRIBUTE = re.compile(r'\s*([A-Za-z_][\w.]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]+))\s*(?:[,;]|$)')

AUDIT_ATTRIBUTES = (
    "change_type.code_string",
    "description.value",
    "committer.name",
    "committer.external_ref.id",
    "committer.external_ref.namespace",
    "committer.external_ref.type",
)
VERSION_ATTRIBUTES = ("lifecycle_state.code_string",)


def commit_audit(headers: Headers) -> CommitAudit:
    """What the client says about its commit. Raises MalformedRequest."""
    given = _attributes(headers, "openehr-audit-details", AUDIT_ATTRIBUTES)
    if not given:
        return NO_AUDIT
    code = given.get("change_type.code_string")
    return CommitAudit(
        change_type=None if code is None else _change_type(code),
        description=given.get("description.value"),
        committer=_committer(given),
    )


def lifecycle(headers: Headers) -> Lifecycle:
    """The lifecycle state that the client asks for, any but deleted. Raises MalformedRequest."""
    given = _attributes(headers, "openehr-version", VERSION_ATTRIBUTES)
    code = given.get("lifecycle_state.code_string", Lifecycle.COMPLETE.value)
    known = [state for state in Lifecycle if state is not Lifecycle.DELETED]
    if code not in known:
        names = ", ".join(f"{state.value} ({state.rubric})" for state in known)
        raise MalformedRequest(
            "header.malformed", f"openehr-version: no lifecycle_state {code}; known: {names}"
        )
    return Lifecycle(code)


def _change_type(code: str) -> ChangeType:
    try:
        return ChangeType(code)
    except ValueError as error:
        known = ", ".join(f"{known.value} ({known.rubric})" for known in ChangeType)
        message = f"openehr-audit-details: no change_type {code}; known: {known}"
        raise MalformedRequest("header.malformed", message) from error


def _committer(given: Mapping[str, str]) -> JsonObject | None:
    """The canonical PARTY_IDENTIFIED that the attributes describe; None when there are none."""
    reference = {
        name: given[f"committer.external_ref.{name}"]
        for name in ("id", "namespace", "type")
        if f"committer.external_ref.{name}" in given
    }
    if reference and len(reference) < 3:
        message = "openehr-audit-details: committer.external_ref needs id, namespace and type"
        raise MalformedRequest("header.malformed", message)
    committer: JsonObject = {"_type": "PARTY_IDENTIFIED"}
    if "committer.name" in given:
        committer["name"] = given["committer.name"]
    if reference:
        committer["external_ref"] = {
            "_type": "PARTY_REF",
            "id": {"_type": "GENERIC_ID", "value": reference["id"], "scheme": reference["namespace"]},
            "namespace": reference["namespace"],
            "type": reference["type"],
        }
    return committer if len(committer) > 1 else None


def _attributes(headers: Headers, header_name: str, known: tuple[str, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, raw in headers.items():
        value = header_text(raw)
        spelling = name.replace("_", "-")
        if spelling == header_name:
            found.update(_parse(name, value))
        elif spelling.startswith(header_name + "."):
            prefix = name[len(header_name) + 1 :]
            found.update((f"{prefix}.{key}", text) for key, text in _parse(name, value))
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise MalformedRequest(
            "header.malformed", f"{header_name}: no attribute {unknown[0]}; known: {', '.join(known)}"
        )
    return found


def header_text(value: str) -> str:
    """HTTP libraries hand headers over as Latin-1; names are nearly always sent as UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _parse(header_name: str, text: str) -> Iterable[tuple[str, str]]:
    """Each ``path="value"`` of the text; raises MalformedRequest at the first part that is not one."""
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            reason = (
                f'{header_name}: cannot read {text[position:]!r} at {position + 1}; write path="value", ...'
            )
            raise MalformedRequest("header.malformed", reason)
        quoted, bare = match.group(2), match.group(3)
        yield match.group(1).lower(), bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = match.end()
