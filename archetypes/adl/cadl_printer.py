"""Constraint trees as cADL text, the inverse of :mod:`archetypes.adl.cadl`."""

from __future__ import annotations

import re

from archetypes.adl.intervals import print_interval
from archetypes.adl.odin import quote
from archetypes.adl.odin_printer import INDENT
from archetypes.aom.constraints import (
    ONCE,
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
    QuantityItem,
)


def print_definition(root: CComplexObject, depth: int) -> list[str]:
    """The lines of a definition. Raises TypeError for nodes that ADL 1.4 archetypes cannot hold."""
    return _object(root, depth)


def _object(node: CObject, depth: int) -> list[str]:
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
        case ArchetypeInternalRef():
            occurrences = (
                "" if node.inherits_occurrences else f" occurrences matches {_braced(node.occurrences)}"
            )
            return [f"{pad}use_node {_typed(node)}{occurrences} {node.target_path}"]
        case CCodePhrase():
            return [pad + _code_phrase(node)]
        case ConstraintRef():
            return [f"{pad}[{node.reference}]"]
        case CPrimitiveObject(item=item) if item is not None:
            text = _primitive(item)
            if text.partition(";")[0]:
                return [pad + text]
    raise TypeError(f"{type(node).__name__} has no place inside an archetype")


def _typed(node: CObject) -> str:
    return f"{node.rm_type_name}[{node.node_id}]" if node.node_id else node.rm_type_name


def _head(node: CObject) -> str:
    occurrences = "" if node.occurrences == ONCE else f" occurrences matches {_braced(node.occurrences)}"
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
        head += f" existence matches {_braced(attribute.existence)}"
    if attribute.cardinality is not None:
        head += f" cardinality matches {_cardinality(attribute.cardinality)}"
    if not attribute.children:
        return [f"{head} matches {{*}}"]
    lines = [f"{head} matches {{"]
    for child in attribute.children:
        lines.extend(_object(child, depth + 1))
    return [*lines, f"{pad}}}"]


def _braced(interval: Interval[int]) -> str:
    if interval.lower == interval.upper and interval.upper is not None:
        return f"{{{interval.lower}}}"
    return f"{{{interval.lower or 0}..{'*' if interval.upper is None else interval.upper}}}"


def _cardinality(cardinality: Cardinality) -> str:
    order = "ordered" if cardinality.is_ordered else "unordered"
    unique = "; unique" if cardinality.is_unique else ""
    return f"{_braced(cardinality.interval)[:-1]}; {order}{unique}}}"


def _slot(slot: ArchetypeSlot, depth: int) -> list[str]:
    pad, inner, innermost = (INDENT * step for step in (depth, depth + 1, depth + 2))
    if not slot.includes and not slot.excludes:
        return [f"{pad}allow_archetype {_head(slot)} {{*}}"]
    lines = [f"{pad}allow_archetype {_head(slot)} {{"]
    for word, patterns in (("include", slot.includes), ("exclude", slot.excludes)):
        if patterns:
            lines.append(inner + word)
        lines.extend(f"{innermost}archetype_id/value matches {{{_regex(pattern)}}}" for pattern in patterns)
    return [*lines, f"{pad}}}"]


def _regex(pattern: str) -> str:
    escaped = re.sub(r"\\.|/", lambda found: r"\/" if found[0] == "/" else found[0], pattern)
    return f"/{escaped}/"


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


# --- primitives ---------------------------------------------------------------------------------


def _primitive(item: Primitive) -> str:
    match item:
        case CBoolean():
            words = [
                str(value) for value in (True, False) if (item.true_valid if value else item.false_valid)
            ]
            return ", ".join(words) + _assumed(item.assumed_value)
        case CString():
            return _string(item)
        case CInteger() | CReal():
            return _number(item)
        case CTemporal():
            if item.timezone_validity is not None:
                raise TypeError("ADL 1.4 cannot say whether a time has a zone")
            text = item.pattern if item.range is None else print_interval(item.range)
            return f"{text or ''}{_assumed(item.assumed_value)}"
        case CDuration():
            parts = [item.pattern, None if item.range is None else print_interval(item.range)]
            return "/".join(part for part in parts if part is not None) + _assumed(item.assumed_value)


def _assumed(value: str | float | None) -> str:
    return "" if value is None else f"; {value}"


def _string(item: CString) -> str:
    assumed = None if item.assumed_value is None else quote(item.assumed_value)
    if item.pattern is not None:
        return _regex(item.pattern) + _assumed(assumed)
    values = [quote(value) for value in item.values] + (["..."] if item.list_open else [])
    return ", ".join(values) + _assumed(assumed)


def _number(item: CInteger | CReal) -> str:
    if item.range is None:
        text = ", ".join(str(value) for value in item.values)
    else:
        text = print_interval(item.range)
    return text + _assumed(item.assumed_value)
