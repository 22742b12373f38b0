"""Constraint trees as cADL 2 text, the inverse of :mod:`archetypes.adl.cadl2`."""

from __future__ import annotations

from archetypes.adl.cadl_parts_printer import (
    beside,
    print_assertions,
    print_bounds,
    print_cardinality,
    print_primitive,
)
from archetypes.adl.odin_printer import INDENT, print_odin_member
from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CAttributeTuple,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CTerminologyCode,
)


def print_definition2(root: CComplexObject, depth: int) -> list[str]:
    """The lines of a definition. Raises TypeError for nodes that ADL 2 does not know."""
    return _object(root, depth)


def _object(node: CObject, depth: int) -> list[str]:
    pad = INDENT * depth
    lines = beside(_lines(node, depth), node.comment, pad)
    if node.sibling_order is None:
        return lines
    word = "before" if node.sibling_order.is_before else "after"
    return [f"{pad}{word} [{node.sibling_order.node_id}]", *lines]


def _lines(node: CObject, depth: int) -> list[str]:
    pad = INDENT * depth
    match node:
        case CArchetypeRoot():
            head = f"use_archetype {node.rm_type_name}[{node.node_id}, {node.archetype_id}]"
            return _complex(head, node, depth)
        case CComplexObject():
            return _complex(_typed(node), node, depth)
        case ArchetypeSlot():
            return _slot(node, depth)
        case ArchetypeInternalRef():
            return [f"{pad}use_node {_typed(node)}{_occurrences(node)} {node.target_path}"]
        case CTerminologyCode() | CPrimitiveObject():
            return [pad + _leaf(node)]
    raise TypeError(f"{type(node).__name__} has no form in ADL 2")


def _typed(node: CObject) -> str:
    return f"{node.rm_type_name}[{node.node_id}]"


def _occurrences(node: CObject) -> str:
    return f" occurrences matches {print_bounds(node.occurrences)}" if node.occurrences_stated else ""


def _complex(head: str, node: CComplexObject, depth: int) -> list[str]:
    pad = INDENT * depth
    first = f"{pad}{head}{_occurrences(node)}"
    if not (node.attributes or node.tuples or node.default_value is not None):
        return [first]
    lines = [f"{first} matches {{"]
    for attribute in node.attributes:
        lines.extend(_attribute(attribute, depth + 1))
    for each in node.tuples:
        lines.extend(_tuple(each, depth + 1))
    if node.default_value is not None:
        lines.extend(print_odin_member("_default", node.default_value, depth + 1))
    return [*lines, f"{pad}}}"]


def _attribute(attribute: CAttribute, depth: int) -> list[str]:
    pad = INDENT * depth
    name = attribute.rm_attribute_name
    head = pad + (f"{attribute.differential_path}/{name}" if attribute.differential_path else name)
    if attribute.existence is not None:
        head += f" existence matches {print_bounds(attribute.existence)}"
    if attribute.cardinality is not None:
        head += f" cardinality matches {print_cardinality(attribute.cardinality)}"
    if not attribute.children:
        # A name alone on its line could be the heading of a section.
        bare = attribute.existence is None and attribute.cardinality is None
        return beside([f"{head} matches {{*}}" if bare else head], attribute.comment, pad)
    lines = beside([f"{head} matches {{"], attribute.comment, pad)
    for child in attribute.children:
        lines.extend(_object(child, depth + 1))
    return [*lines, f"{pad}}}"]


def _tuple(each: CAttributeTuple, depth: int) -> list[str]:
    pad, inner = INDENT * depth, INDENT * (depth + 1)
    rows = [", ".join(f"{{{_leaf(cell)}}}" for cell in row) for row in each.rows]
    lines = [f"{inner}[{row}]" for row in rows]
    return [
        f"{pad}[{', '.join(each.members)}] matches {{",
        *(f"{line}," for line in lines[:-1]),
        *lines[-1:],
        f"{pad}}}",
    ]


def _leaf(node: CObject) -> str:
    match node:
        case CTerminologyCode():
            status = f"{node.status} " if node.status else ""
            assumed = "" if node.assumed_value is None else f"; {node.assumed_value}"
            return f"{status}[{node.code}{assumed}]"
        case CPrimitiveObject(item=item) if item is not None:
            return ", ".join(print_primitive(each) for each in (item, *node.others))
    raise TypeError(f"{type(node).__name__} has no place in a row of ADL 2")


def _slot(slot: ArchetypeSlot, depth: int) -> list[str]:
    pad = INDENT * depth
    closed = " closed" if slot.is_closed else ""
    head = f"{pad}allow_archetype {_typed(slot)}{_occurrences(slot)}{closed}"
    if not slot.states_anything:
        return [head]
    return [f"{head} matches {{", *print_assertions(slot, depth + 1), f"{pad}}}"]
