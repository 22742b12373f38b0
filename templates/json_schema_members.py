"""Container attributes as JSON Schema: which member is which node, and how many of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CAttribute,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CString,
)
from archetypes.aom.slots import is_everything
from archetypes.rm.schema import RmAttribute, rm_schema
from templates.json_schema_rm import ARCHETYPE_ID, Schema, instances_of, is_of
from templates.json_schema_values import NOTHING, cardinality_schema, pattern_schema
from templates.tree import identifier

SchemaOf = Callable[[CObject, str], Schema]


def members_schema(attribute: CAttribute, known: RmAttribute, schema_of: SchemaOf) -> Schema:
    """The list; ``schema_of`` makes the schema of one node under the declared type."""
    if attribute.existence is not None and attribute.existence.upper == 0:
        return {"maxItems": 0}
    made = cardinality_schema(attribute.cardinality)
    if attribute.children:
        made["items"] = _member(attribute.children, known, schema_of)
        counts = list(_counts(attribute.children))
        if counts:
            made["allOf"] = counts
    return made


def must_have_members(attribute: CAttribute) -> bool:
    """True if the list may not be absent, because something must be in it."""
    lower = attribute.cardinality.interval.lower if attribute.cardinality else 0
    return bool(lower) or any(child.occurrences.lower for child in attribute.children)


# --- which member is which node -----------------------------------------------------------------------


def _member(children: Sequence[CObject], known: RmAttribute, schema_of: SchemaOf) -> Schema:
    slots = [child for child in children if isinstance(child, ArchetypeSlot)]
    nodes = [child for child in children if not isinstance(child, ArchetypeSlot)]
    if not rm_schema().is_a(known.type_name, "LOCATABLE") or not all(map(identifier, nodes)):
        schemas = [schema_of(child, known.type_name) for child in nodes]
        return {"anyOf": [*schemas, *(slot_schema(slot, known.type_name) for slot in slots)]}
    groups = _by_id(nodes)
    branches: list[Schema] = [
        {"if": _has_id(node_id), "then": _any_of([schema_of(child, known.type_name) for child in group])}
        for node_id, group in groups.items()
    ]
    unknown = {"properties": {"archetype_node_id": {"not": {"enum": list(groups)}}}}
    fillers = [slot_schema(slot, known.type_name) for slot in slots]
    branches.append({"if": unknown, "then": _any_of(fillers) if fillers else NOTHING})
    return {"allOf": branches}


def _by_id(nodes: Iterable[CObject]) -> dict[str, list[CObject]]:
    groups: dict[str, list[CObject]] = {}
    for node in nodes:
        groups.setdefault(identifier(node), []).append(node)
    return groups


def _has_id(node_id: str) -> Schema:
    return {"required": ["archetype_node_id"], "properties": {"archetype_node_id": {"const": node_id}}}


def _any_of(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def slot_schema(slot: ArchetypeSlot, declared: str) -> Schema:
    """An archetype root that the slot takes; what is below it the reference model alone rules."""
    stated = declared not in instances_of(slot.rm_type_name)
    ids = {"allOf": [{"pattern": ARCHETYPE_ID}, _admitted(slot)]}
    kind = is_of(instances_of(slot.rm_type_name), stated=stated)
    return {"allOf": [kind, {"properties": {"archetype_node_id": ids}}]}


def _admitted(slot: ArchetypeSlot) -> Schema:
    """Patterns as the validator reads them: one that is no regular expression names no archetype."""
    excluded = [pattern_schema(p) or NOTHING for p in slot.excludes if not is_everything(p)]
    closed = not slot.includes and any(map(is_everything, slot.excludes))
    rules: list[Schema] = [NOTHING] if closed else []
    if slot.includes:
        rules.append(_any_of([pattern_schema(p) or NOTHING for p in slot.includes]))
    if excluded:
        rules.append({"not": _any_of(excluded)})
    return {"allOf": rules} if rules else {}


# --- how many of each ---------------------------------------------------------------------------------


def _counts(children: Sequence[CObject]) -> Iterable[Schema]:
    nodes = [child for child in children if not isinstance(child, ArchetypeSlot)]
    for node_id, group in _by_id(nodes).items():
        if not node_id:
            continue
        if len(group) == 1:
            yield from _count(_has_id(node_id), group)
        elif (names := _distinct_names(group)) is not None:
            for child, own in zip(group, names, strict=True):
                yield from _count({"allOf": [_has_id(node_id), _has_name(own)]}, [child])
        else:
            yield from _count(_has_id(node_id), group)
    for child in children:
        if isinstance(child, ArchetypeSlot) and child.occurrences.lower:
            ids = {"required": ["archetype_node_id"], "properties": {"archetype_node_id": _admitted(child)}}
            yield {"contains": ids, "minContains": child.occurrences.lower}


def _count(matching: Schema, group: Sequence[CObject]) -> Iterable[Schema]:
    """At least and at most as many as all nodes of the group together."""
    least = sum(child.occurrences.lower or 0 for child in group)
    uppers = [child.occurrences.upper for child in group]
    most = None if None in uppers else sum(upper for upper in uppers if upper is not None)
    if least or most is not None:
        limit = {} if most is None else {"maxContains": most}
        yield {"contains": matching, "minContains": least, **limit}


def _has_name(names: Sequence[str]) -> Schema:
    value = {"required": ["value"], "properties": {"value": {"enum": list(names)}}}
    return {"required": ["name"], "properties": {"name": value}}


def _distinct_names(group: Sequence[CObject]) -> list[tuple[str, ...]] | None:
    """The names of each node, if every one has a closed list of its own; else None."""
    lists = [closed_names(child) for child in group]
    found = [names for names in lists if names]
    together = [name for names in found for name in names]
    return found if len(found) == len(group) and len(set(together)) == len(together) else None


def closed_names(constraint: CObject) -> tuple[str, ...] | None:
    """The texts of a name that is a DV_TEXT with a closed list, or None."""
    attribute = constraint.attribute("name") if isinstance(constraint, CComplexObject) else None
    alternative: Any = attribute.children[0] if attribute and len(attribute.children) == 1 else None
    if not isinstance(alternative, CComplexObject) or alternative.rm_type_name != "DV_TEXT":
        return None
    value = alternative.attribute("value")
    leaf = value.children[0] if value and len(value.children) == 1 else None
    item = leaf.item if isinstance(leaf, CPrimitiveObject) else None
    return item.values if isinstance(item, CString) and item.values and not item.list_open else None
