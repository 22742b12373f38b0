"""How a node of the template is named to a person, and what names it allows."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CString,
)
from templates.operational import fixed_name
from validators.composition.check import Check
from validators.composition.data import Node, text
from validators.composition.place import Place


def identifier(constraint: CObject) -> str:
    """The node id as data write it: an archetype id or an at-code; else the type."""
    if isinstance(constraint, CArchetypeRoot):
        return constraint.archetype_id
    return constraint.node_id or constraint.rm_type_name


def label(constraint: CObject, place: Place, language: str) -> str:
    """The name of a node: the template's fixed name, or the archetype's term for it."""
    name = fixed_name(constraint)
    if name is not None:
        return name
    root = constraint if isinstance(constraint, CArchetypeRoot) else place.root()
    if root is None:
        return ""
    terms = root.terms.get(language) or next(iter(root.terms.values()), {})
    term = terms.get(constraint.node_id)
    return term.text if term is not None else ""


def described(constraint: CObject, place: Place, language: str) -> str:
    """``at0004 'Systolisk'``."""
    name = label(constraint, place, language)
    return f"{identifier(constraint)} '{name}'" if name else identifier(constraint)


def name_constraint(constraint: CObject) -> CAttribute | None:
    """What the template says of the node's name, or None."""
    return constraint.attribute("name") if isinstance(constraint, CComplexObject) else None


def admits_name(constraint: CObject, node: Node, place: Place, check: Check) -> bool:
    """True if the template lets the node have the name that it has."""
    names = name_constraint(constraint)
    if names is None or not names.children:
        return True
    name = node.get("name")
    written = text(node, "name", "value")
    if written is not None and len(names.children) == 1:
        listed = listed_names(names.children[0])  # nearly every name: no trial run needed
        if listed is not None:
            return written in listed
    return any(_fits(alternative, name, place, check) for alternative in names.children)


def listed_names(alternative: CObject) -> tuple[str, ...] | None:
    """The texts of a name that is constrained as texts are: DV_TEXT with a closed list."""
    value = alternative.attribute("value") if isinstance(alternative, CComplexObject) else None
    if value is None or len(value.children) != 1 or alternative.rm_type_name != "DV_TEXT":
        return None
    leaf = value.children[0]
    item = leaf.item if isinstance(leaf, CPrimitiveObject) else None
    return item.values if isinstance(item, CString) and item.values and not item.list_open else None


def _fits(alternative: CObject, name: object, place: Place, check: Check) -> bool:
    trial = check.trial()
    trial.value(alternative, name, Place(place, "name", None, alternative, name))
    if alternative.rm_type_name == "DV_CODED_TEXT" and isinstance(name, dict) and "defining_code" not in name:
        return False
    return trial.report.errors == 0


def allowed_names(constraint: CObject) -> str:
    """The names that a node may have, in one text."""
    return " | ".join(dict.fromkeys(_names(constraint)))


def _names(constraint: CObject) -> Iterator[str]:
    if isinstance(constraint, CPrimitiveObject) and isinstance(constraint.item, CString):
        yield from constraint.item.values or ((constraint.item.pattern,) if constraint.item.pattern else ())
    elif isinstance(constraint, CCodePhrase):
        yield from (f"{constraint.terminology_id}::{code}" for code in constraint.codes)
    elif isinstance(constraint, CComplexObject):
        within = name_constraint(constraint)
        attributes = constraint.attributes if within is None else (within,)
        for attribute in attributes:
            for child in attribute.children:
                yield from _names(child)
