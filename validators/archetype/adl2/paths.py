"""Rules about paths that an ADL 2 archetype mentions outside its definition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archetypes.aom.constraints import CComplexObject, CObject
from archetypes.aom.node_ids import is_redefinition
from archetypes.errors import MalformedPath
from archetypes.findings import Finding
from archetypes.paths import RmPath
from archetypes.rm.schema import rm_schema
from validators.archetype.subject import Subject, finding

_PATH_IN_RULES = re.compile(r"(?<![\w\])])(?:/[a-z_]+(?:\[[^\]\n]*\])?)+")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|--[^\n]*|\{/.*?/\}')


def check_annotation_paths(subject: Subject) -> Iterator[Finding]:
    """VRANP: a path that is annotated is one of the archetype or of the reference model (AOM 2, VRANP)."""
    for language, notes in _documentation(subject.archetype.annotations).items():
        for key in notes if isinstance(notes, Mapping) else ():
            if not is_path(subject, str(key)):
                yield finding("VRANP", f"/annotations/documentation[{language}]", found=str(key))


def check_rule_paths(subject: Subject) -> Iterator[Finding]:
    """VRRLP: a path in a rule is one of the archetype or goes on from one (AOM 2, VRRLP)."""
    text = _STRING.sub("", subject.archetype.invariants)
    for key in dict.fromkeys(_PATH_IN_RULES.findall(text)):
        if not is_path(subject, key):
            yield finding("VRRLP", "/rules", found=key)


def check_visibility_paths(subject: Subject) -> Iterator[Finding]:
    """VRMVP: a path of rm_visibility is one of the archetype or of the reference model (AOM 2, VRMVP)."""
    for key in _visibility(subject):
        if not is_path(subject, key):
            yield finding("VRMVP", f"/rm_overlay/rm_visibility[{key}]", found=key)


def check_aliases(subject: Subject) -> Iterator[Finding]:
    """VRMVAV: an alias is a defined at-code (AOM 2, VRMVAV)."""
    for key, entry in _visibility(subject).items():
        alias = entry.get("alias") if isinstance(entry, Mapping) else None
        code = str(alias).strip("[]").rpartition("::")[2]
        if alias is not None and not (code.startswith("at") and not subject.lacks(code)):
            path = f"/rm_overlay/rm_visibility[{key}]/alias"
            yield finding("VRMVAV", path, expected="term_definitions", found=str(alias))


def is_path(subject: Subject, text: str) -> bool:
    """True for a path of the flat form, or one that goes on from there in the reference model.

    Where there is no flat form (a parent is missing) nothing is known, and the answer is yes.
    """
    if subject.flat is None:
        return True
    try:
        segments = RmPath.parse(text.partition("|")[0]).segments
    except MalformedPath:
        return False
    node: CObject | None = subject.flat.definition
    type_name = subject.flat.definition.rm_type_name
    for segment in segments:
        known = rm_schema().attribute(type_name, segment.attribute)
        child = _child(node, segment.attribute, segment.node_id)
        if child is None and (known is None or segment.node_id is not None):
            return False
        node = child
        type_name = child.rm_type_name if child else known.type_name if known else ""
    return True


def _child(node: CObject | None, name: str, code: str | None) -> CObject | None:
    attribute = node.attribute(name) if isinstance(node, CComplexObject) else None
    children = attribute.children if attribute else ()
    if code is None:
        return children[0] if children else None
    exact = next((child for child in children if child.node_id == code), None)
    return exact or next((child for child in children if is_redefinition(child.node_id, code)), None)


def _documentation(annotations: Mapping[str, Any]) -> Mapping[str, Any]:
    """Annotations by language; ADL 2 has them under ``documentation``."""
    found = annotations.get("documentation", annotations.get("items", {}))
    return found if isinstance(found, Mapping) else {}


def _visibility(subject: Subject) -> Mapping[str, Any]:
    found = subject.archetype.rm_overlay.get("rm_visibility", {})
    return found if isinstance(found, Mapping) else {}
