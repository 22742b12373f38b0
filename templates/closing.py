"""The last step of compiling: nothing is left unsaid.

Nodes with occurrences 0..0 leave the tree; an attribute that loses its last object is prohibited itself,
because an attribute without objects would mean "anything". Existence and cardinality are stated
everywhere, as narrow as archetype and reference model together make them.
"""

from __future__ import annotations

from dataclasses import replace

from archetypes.aom.constraints import CArchetypeRoot, Cardinality, CAttribute, CComplexObject, CObject
from archetypes.intervals import PROHIBITED, Interval
from archetypes.rm.schema import RmAttribute, rm_schema
from templates.faults import Faults


def close(root: CArchetypeRoot, faults: Faults) -> CArchetypeRoot:
    """The tree without what is prohibited, with everything stated."""
    closed = _complex_object(root, faults)
    assert isinstance(closed, CArchetypeRoot)
    return closed


def _object(node: CObject, faults: Faults) -> CObject:
    return _complex_object(node, faults) if isinstance(node, CComplexObject) else node


def _complex_object(node: CComplexObject, faults: Faults) -> CComplexObject:
    if rm_schema().get(node.rm_type_name) is None:
        faults.error("template.unknown_rm_type", found=node.rm_type_name)
        return node
    if not node.attributes:
        return node
    return replace(node, attributes=tuple(_attribute(node, each, faults) for each in node.attributes))


def _attribute(owner: CComplexObject, attribute: CAttribute, faults: Faults) -> CAttribute:
    known = rm_schema().attribute(owner.rm_type_name, attribute.rm_attribute_name)
    if known is None:
        faults.error(
            "template.unknown_rm_attribute", found=f"{owner.rm_type_name}.{attribute.rm_attribute_name}"
        )
        return attribute
    kept = tuple(_object(child, faults) for child in attribute.children if child.occurrences.upper != 0)
    emptied = bool(attribute.children) and not kept
    existence = PROHIBITED if emptied else _narrower(attribute.existence, known.existence)
    if emptied and known.mandatory:
        faults.error(
            "template.mandatory_removed",
            found=f"{owner.rm_type_name}[{owner.node_id}].{attribute.rm_attribute_name}",
        )
    return replace(
        attribute,
        existence=existence,
        cardinality=_cardinality(attribute, known, existence),
        children=kept,
    )


def _cardinality(attribute: CAttribute, known: RmAttribute, existence: Interval[int]) -> Cardinality | None:
    if not known.container:
        return None
    stated = attribute.cardinality or Cardinality(interval=known.cardinality)
    if existence == PROHIBITED:
        return replace(stated, interval=PROHIBITED)
    return replace(stated, interval=_narrower(stated.interval, known.cardinality))


def _narrower(stated: Interval[int] | None, known: Interval[int]) -> Interval[int]:
    """Both at once."""
    if stated is None:
        return known
    lower = max(stated.lower or 0, known.lower or 0)
    uppers = [upper for upper in (stated.upper, known.upper) if upper is not None]
    return Interval(lower, min(uppers) if uppers else None)
