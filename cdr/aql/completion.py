"""What may stand next in a path, from the templates that are stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from archetypes.aom.constraints import CArchetypeRoot
from archetypes.rm.schema import rm_schema
from cdr.aql.rm_types import EHR_ATTRIBUTES, class_types
from cdr.candidates import archetype_matches
from templates.operational import OperationalTemplate

_TYPED = re.compile(r"(?<![\w/\]])([A-Za-z]\w*)((?:/[\w.\-]*(?:\[[^\]]*\])?)+)$")
_CLASS = re.compile(r"\b([A-Za-z_]+)(?=\s+([A-Za-z]\w*)\s*(?:\[\s*([\w.\-]+\.v\d[\w.\-]*))?)")
_NAME = re.compile(r"\[([^\],]*),[^\]]*\]")


def complete(text: str, position: int, templates: Iterable[OperationalTemplate]) -> list[str]:
    """The segments that can go on the path that ends at ``position`` (an offset), without duplicates.

    A variable of an archetype gets the nodes that any template has there, then the attributes of the class
    that stands at the place; a variable of a class alone gets the attributes of the class. Empty where no
    path ends, or its variable is unknown.
    """
    typed = _TYPED.search(text[:position])
    if typed is None:
        return []
    declared = {
        name.lower(): (rm_type.upper(), id_)
        for rm_type, name, id_ in _CLASS.findall(text)
        if rm_type.upper() == "VERSION" or class_types(rm_type.upper())
    }
    found = declared.get(typed[1].lower())
    if found is None:
        return []
    above, _, begun = _NAME.sub(r"[\1]", typed[2]).rpartition("/")
    rm_type, archetype_id = found
    places = set(_places(rm_type, archetype_id, templates))
    options = {
        _NAME.sub(r"[\1]", path)[len(above) + 1 :] for path, _ in places if path.startswith(above + "/")
    }
    steps = {option.partition("/")[0] for option in options}
    for path, constrained in places:
        if path == above:
            steps |= _attributes(constrained) - {step.partition("[")[0] for step in steps}
    return sorted(step for step in steps if step.startswith(begun))


def _places(
    rm_type: str, archetype_id: str, templates: Iterable[OperationalTemplate]
) -> Iterator[tuple[str, str]]:
    """Paths below the object of a variable, without names, each with the class that stands there."""
    yield "", rm_type
    if not archetype_id:
        return
    for template in templates:
        roots = []
        for node in template.nodes():
            root = node.constraint
            if isinstance(root, CArchetypeRoot) and archetype_matches(archetype_id, str(root.archetype_id)):
                roots.append(node.path)
            for start in roots:
                if node.path.startswith(start + "/"):
                    yield _NAME.sub(r"[\1]", node.path[len(start) :]), node.constraint.rm_type_name


def _attributes(rm_type: str) -> set[str]:
    if rm_type == "EHR":
        return set(EHR_ATTRIBUTES)
    names = {"ORIGINAL_VERSION"} if rm_type == "VERSION" else class_types(rm_type)
    attributes = (attribute for name in names for attribute in rm_schema().attributes(name).values())
    return {attribute.name for attribute in attributes if not attribute.computed}
