"""Complex objects: their attributes, existence, alternatives, types and node ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archetypes.aom.constraints import CAttribute, CComplexObject, CObject
from archetypes.rm.schema import RmAttribute, rm_schema
from validators.composition.check import Check
from validators.composition.containers import check_container
from validators.composition.data import Node, code_of, part, text, type_of
from validators.composition.invariants import is_integral
from validators.composition.matching import check_best, check_name, fits_known_type, fits_node_id, fits_type
from validators.composition.naming import described
from validators.composition.place import Place
from validators.composition.report import shown

# Older tools write the American spelling into templates; the reference model has one spelling.
SPELLINGS = {"null_flavor": "null_flavour"}


def check_object(constraint: CComplexObject, value: Any, place: Place, check: Check) -> None:
    """Each constrained attribute of an object whose type and node id are already known to fit."""
    if not isinstance(value, dict) or check.report.is_full:
        return
    rm_type = type_of(value, constraint.rm_type_name)
    if rm_type is None or not rm_schema().is_a(rm_type, constraint.rm_type_name):
        return
    attributes = rm_schema().attributes(rm_type)
    for attribute in constraint.attributes:
        name = SPELLINGS.get(attribute.rm_attribute_name, attribute.rm_attribute_name)
        known = attributes.get(name)
        if name == "name" and "archetype_node_id" in attributes:
            check_name((constraint,), value, place, check)
        elif known is not None and known.container:
            check_container(attribute, value.get(name), known, place, check)
        elif known is not None:
            _check_single(attribute, value, known, place, check)
    if "defining_code" in value:
        _check_rubric(value, place, check)


# --- single attributes ----------------------------------------------------------------------------


def _check_single(attribute: CAttribute, owner: Node, known: RmAttribute, place: Place, check: Check) -> None:
    value = _computed(owner, known.name) if known.computed else owner.get(known.name)
    if value is None:
        _check_absence(attribute, owner, known, place, check)
    elif attribute.existence is not None and attribute.existence.upper == 0:
        check.report.add(
            "existence.prohibited", Place(place, known.name, None, None, value), "", shown(value)
        )
    elif attribute.children:
        _check_alternatives(attribute.children, value, known, place, check)


def _computed(owner: Node, name: str) -> Any:
    stated = owner.get(name)
    return is_integral(owner) if stated is None and name == "is_integral" else stated


def _check_absence(
    attribute: CAttribute, owner: Node, known: RmAttribute, place: Place, check: Check
) -> None:
    required = attribute.existence is not None and bool(attribute.existence.lower)
    # What the reference model requires it has missed already; a null flavour says why a value is not there.
    is_null = known.name == "value" and owner.get("null_flavour") is not None
    if not required or not check.complete or known.mandatory or known.computed or is_null:
        return
    here = Place(place, known.name)
    expected = " | ".join(described(child, place, check.language) for child in attribute.children)
    if known.name == "value" and "null_flavour" in rm_schema().attributes(str(owner.get("_type"))):
        return  # neither value nor null flavour: invariant.element_value says so
    check.report.add("existence.missing", here, expected or known.type_name)


def _check_alternatives(
    children: Sequence[CObject], value: Any, known: RmAttribute, place: Place, check: Check
) -> None:
    here = Place(place, known.name, None, None, value)
    if not fits_known_type(value, known):
        return  # the reference model's finding
    allowed = [child for child in children if child.occurrences.upper != 0]
    fitting = [child for child in allowed if fits_type(child, value, known.type_name)]
    if not fitting:
        expected = " | ".join(dict.fromkeys(child.rm_type_name for child in allowed))
        prohibited = not allowed
        code = "occurrences.prohibited" if prohibited else "type.not_allowed"
        check.report.add(code, here, expected, _type_text(value, known.type_name))
        return
    by_node_id = [child for child in fitting if fits_node_id(child, value)]
    if not by_node_id:
        expected = " | ".join(described(child, place, check.language) for child in fitting)
        found = str(value.get("archetype_node_id"))
        check.report.add("node_id.mismatch", here, expected, found, below="/archetype_node_id")
    check_best(by_node_id or fitting, value, place, known.name, None, check)


def _type_text(value: Any, declared: str) -> str:
    return (type_of(value, declared) or shown(value)) if isinstance(value, dict) else shown(value)


# --- rubrics --------------------------------------------------------------------------------------


def _check_rubric(node: Mapping[str, Any], place: Place, check: Check) -> None:
    """The text of a local code should be the archetype's, in one of its languages; the code decides."""
    terminology_id, code = code_of(part(node, "defining_code"))
    root = place.root()
    if terminology_id != "local" or code is None or root is None:
        return
    rubrics = {terms[code].text for terms in root.terms.values() if code in terms}
    found = text(node, "value")
    if rubrics and found is not None and found not in rubrics:
        check.report.add("code.rubric", place, " | ".join(sorted(rubrics)), found, below="/value")
