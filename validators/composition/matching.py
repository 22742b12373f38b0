"""Does a value belong to a node of the template: its type, its node id, its name, or the best fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archetypes.aom.constraints import ArchetypeSlot, CObject, CPrimitiveObject
from archetypes.rm.schema import RmAttribute, rm_schema
from validators.composition.check import Check
from validators.composition.data import Node, text, type_of
from validators.composition.naming import admits_name, allowed_names, identifier
from validators.composition.place import Place
from validators.composition.report import shown


def fits_known_type(value: Any, known: RmAttribute) -> bool:
    """True if the reference model lets the value stand in the attribute; else it has a finding already."""
    if rm_schema().is_primitive(known.type_name):
        return not isinstance(value, dict | list)
    rm_type = type_of(value, known.type_name) if isinstance(value, dict) else None
    return rm_type is not None and rm_schema().is_a(rm_type, known.type_name)


def fits_type(constraint: CObject, value: Any, declared: str) -> bool:
    """True if the value is of the constraint's type or of a subtype."""
    if isinstance(constraint, CPrimitiveObject):
        return not isinstance(value, dict | list)
    rm_type = type_of(value, declared) if isinstance(value, dict) else None
    return rm_type is not None and rm_schema().is_a(rm_type, constraint.rm_type_name)


def fits_node_id(constraint: CObject, value: Any) -> bool:
    """True if the value has the node id that the template wants, or needs none."""
    if not isinstance(value, dict) or "archetype_node_id" not in value:
        return True
    if isinstance(constraint, ArchetypeSlot) or not constraint.node_id:
        return True
    return bool(value["archetype_node_id"] == identifier(constraint))


def check_name(constraints: Sequence[CObject], node: Node, place: Place, check: Check) -> None:
    """The name must be one that the node, or one of several nodes of the same id, may have."""
    if isinstance(node.get("name"), dict) and not any(
        admits_name(constraint, node, place, check) for constraint in constraints
    ):
        expected = " | ".join(filter(None, (allowed_names(constraint) for constraint in constraints)))
        found = text(node, "name", "value") or shown(node.get("name"))
        check.report.add("name.not_allowed", Place(place, "name"), expected, found, below="/value")


def check_best(
    candidates: Sequence[CObject], value: Any, place: Place, attribute: str, index: int | None, check: Check
) -> CObject:
    """Check against the candidate that fits best, and say which that was."""
    if len(candidates) == 1:
        check.value(candidates[0], value, Place(place, attribute, index, candidates[0], value))
        return candidates[0]
    best, best_trial = candidates[0], None
    for candidate in candidates:
        trial = check.trial()
        trial.value(candidate, value, Place(place, attribute, index, candidate, value))
        if best_trial is None or trial.report.errors < best_trial.report.errors:
            best, best_trial = candidate, trial
        if trial.report.errors == 0:
            break
    if best_trial is not None:
        check.report.take(best_trial.report)
    return best
