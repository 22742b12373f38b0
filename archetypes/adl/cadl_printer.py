"""Constraint trees as cADL text, the inverse of :mod:`archetypes.adl.cadl`."""

from __future__ import annotations

from typing import Any

from archetypes.adl.cadl_parts_printer import (
    beside,
    print_assertions,
    print_bounds,
    print_cardinality,
    print_primitive,
)
from archetypes.adl.intervals import print_interval
from archetypes.adl.odin import Keyed, Typed, quote
from archetypes.adl.odin_printer import INDENT, print_odin_object
from archetypes.aom.constraints import (
    ONCE,
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CDvState,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    QuantityItem,
    State,
    StateTransition,
)


def print_definition(root: CComplexObject, depth: int) -> list[str]:
    """The lines of a definition. Raises TypeError for nodes that ADL 1.4 archetypes cannot hold."""
    return _object(root, depth)


def _object(node: CObject, depth: int) -> list[str]:
    return beside(_lines(node, depth), node.comment, INDENT * depth)


def _lines(node: CObject, depth: int) -> list[str]:
    pad = INDENT * depth
    match node:
        case CArchetypeRoot():
            raise TypeError(f"the archetype root {node.archetype_id} has no place inside an archetype")
        case CComplexObject():
            return _complex(node, depth)
        case ArchetypeSlot():
            return _slot(node, depth)
        case CDvQuantity():
            return _quantity(node, depth)
        case CDvOrdinal():
            return _ordinal(node, depth)
        case CDvState():
            return _state_machine(node, depth)
        case ArchetypeInternalRef():
            occurrences = (
                "" if node.inherits_occurrences else f" occurrences matches {print_bounds(node.occurrences)}"
            )
            return [f"{pad}use_node {_typed(node)}{occurrences} {node.target_path}"]
        case CCodePhrase():
            return [pad + _code_phrase(node)]
        case ConstraintRef():
            return [f"{pad}[{node.reference}]"]
        case CPrimitiveObject(item=item, others=()) if item is not None:
            text = print_primitive(item)
            if text.partition(";")[0]:
                return [pad + text]
    raise TypeError(f"{type(node).__name__} has no place inside an archetype")


def _typed(node: CObject) -> str:
    return f"{node.rm_type_name}[{node.node_id}]" if node.node_id else node.rm_type_name


def _head(node: CObject) -> str:
    occurrences = "" if node.occurrences == ONCE else f" occurrences matches {print_bounds(node.occurrences)}"
    return f"{_typed(node)}{occurrences} matches"


def _complex(node: CComplexObject, depth: int) -> list[str]:
    pad = INDENT * depth
    if not node.attributes:
        return [f"{pad}{_head(node)} {{*}}"]
    lines = [f"{pad}{_head(node)} {{"]
    for attribute in node.attributes:
        lines.extend(_attribute(attribute, depth + 1))
    return [*lines, f"{pad}}}"]


def _attribute(attribute: CAttribute, depth: int) -> list[str]:
    pad = INDENT * depth
    head = pad + attribute.rm_attribute_name
    if attribute.existence is not None:
        head += f" existence matches {print_bounds(attribute.existence)}"
    if attribute.cardinality is not None:
        head += f" cardinality matches {print_cardinality(attribute.cardinality)}"
    if not attribute.children:
        return beside([f"{head} matches {{*}}"], attribute.comment, pad)
    lines = beside([f"{head} matches {{"], attribute.comment, pad)
    for child in attribute.children:
        lines.extend(_object(child, depth + 1))
    return [*lines, f"{pad}}}"]


def _slot(slot: ArchetypeSlot, depth: int) -> list[str]:
    pad = INDENT * depth
    if not slot.states_anything:
        return [f"{pad}allow_archetype {_head(slot)} {{*}}"]
    lines = [f"{pad}allow_archetype {_head(slot)} {{", *print_assertions(slot, depth + 1)]
    return [*lines, f"{pad}}}"]


# --- domain types -------------------------------------------------------------------------------


def _quantity(node: CDvQuantity, depth: int) -> list[str]:
    pad, inner = INDENT * depth, INDENT * (depth + 1)
    lines = [f"{pad}C_DV_QUANTITY <"]
    if node.property is not None:
        lines.append(f"{inner}property = <[{node.property}]>")
    if node.items:
        lines.append(f"{inner}list = <")
        for number, item in enumerate(node.items, 1):
            lines.extend(_quantity_item(number, item, depth + 2))
        lines.append(f"{inner}>")
    if node.assumed_value is not None:
        magnitude, units = node.assumed_value
        lines.append(f"{inner}assumed_value = <")
        lines.append(f"{inner}{INDENT}magnitude = <{magnitude}>")
        lines.append(f"{inner}{INDENT}units = <{quote(units)}>")
        lines.append(f"{inner}>")
    return [*lines, f"{pad}>"]


def _quantity_item(number: int, item: QuantityItem, depth: int) -> list[str]:
    pad, inner = INDENT * depth, INDENT * (depth + 1)
    lines = [f'{pad}["{number}"] = <', f"{inner}units = <{quote(item.units)}>"]
    if item.magnitude is not None:
        lines.append(f"{inner}magnitude = <{print_interval(item.magnitude)}>")
    if item.precision is not None:
        lines.append(f"{inner}precision = <{print_interval(item.precision)}>")
    return [*lines, f"{pad}>"]


def _ordinal(node: CDvOrdinal, depth: int) -> list[str]:
    pad = INDENT * depth
    if not node.items:
        return [f"{pad}C_DV_ORDINAL <>"]
    number = float if node.rm_type_name == "DV_SCALE" else int
    lines = [f"{pad}{number(i.value)}|[{i.terminology_id}::{i.code}]" for i in node.items]
    assumed = "" if node.assumed_value is None else f"; {number(node.assumed_value)}"
    return [*(f"{line}," for line in lines[:-1]), lines[-1] + assumed]


def _code_phrase(node: CCodePhrase) -> str:
    if node.terminology_id is None:
        raise TypeError("codes without terminology have no place inside an archetype")
    assumed = "" if node.assumed_value is None else f"; {node.assumed_value}"
    return f"[{node.terminology_id}::{', '.join(node.codes)}{assumed}]"


def _state_machine(node: CDvState, depth: int) -> list[str]:
    tree: dict[str, Any] = {}
    if node.states:
        states = Keyed({str(number): _state(state) for number, state in enumerate(node.states, 1)})
        tree["value"] = {"states": states}
    if node.assumed_value is not None:
        tree["assumed_value"] = node.assumed_value
    return print_odin_object("C_DV_STATE", tree, depth)


def _state(state: State) -> Typed:
    if not state.transitions:
        return Typed("TERMINAL_STATE", {"name": state.name})
    transitions = Keyed({str(n): _transition(each) for n, each in enumerate(state.transitions, 1)})
    return Typed("NON_TERMINAL_STATE", {"name": state.name, "transitions": transitions})


def _transition(transition: StateTransition) -> dict[str, str]:
    members = {
        "event": transition.event,
        "guard": transition.guard,
        "action": transition.action,
        "next_state": transition.next_state or None,
    }
    return {name: value for name, value in members.items() if value is not None}
