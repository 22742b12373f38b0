"""Breaks exactly one constraint of a valid composition at a time, and knows the finding that must follow.

The engine walks template and data by itself: it shares no code with the validator, so that a fault of
the one is not a fault of the other. Changes are made in place and taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CObject,
    CPrimitiveObject,
    CString,
)
from archetypes.rm.schema import RmAttribute, rm_schema
from templates.operational import OperationalTemplate
from tests.validators.broken_values import broken_values
from tests.validators.small import ABSENT, at, put

RM = rm_schema()
UNKNOWN_CODE = "at9999"
FORMATS = {
    "DATE": "format.date",
    "TIME": "format.time",
    "DATE_TIME": "format.date_time",
    "DURATION": "format.duration",
}


@dataclass(frozen=True)
class Mutation:
    """Put ``value`` at ``path``; then a finding ``code`` at ``where``, and nothing outside ``parent``."""

    kind: str
    path: str
    value: Any
    code: str
    where: str
    parent: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.path}: {self.code} at {self.where}"


@contextmanager
def applied(mutation: Mutation, composition: Any) -> Iterator[None]:
    """The composition with the mutation; afterwards it is as it was."""
    owner = at(composition, mutation.path.rpartition("/")[0]) if mutation.path.count("/") > 1 else composition
    name = mutation.path.rpartition("/")[2]
    if "[" in name:
        owner, name = owner[name.partition("[")[0]], int(name.partition("[")[2][:-1])
    before = owner.get(name, ABSENT) if isinstance(owner, dict) else owner[name]
    order = list(owner) if isinstance(owner, dict) else []
    put(composition, mutation.path, mutation.value)
    try:
        yield
    finally:
        owner[name] = before
        if before is ABSENT:
            del owner[name]
        elif mutation.value is ABSENT and isinstance(owner, dict):
            held = {key: owner[key] for key in order}
            owner.clear()
            owner.update(held)


def mutations(opt: OperationalTemplate, composition: dict[str, Any]) -> Iterator[Mutation]:
    """Every way that the engine knows to break one constraint that applies to the composition.

    What the template constrains is broken at every node. What the reference model asks of every object is
    broken once in each place, not in every repetition of it.
    """
    details = "/archetype_details/template_id/value"
    yield Mutation("other template", details, "other", "template.mismatch", details, "")
    yield Mutation(
        "other root", "/archetype_node_id", OTHER_ARCHETYPE, "node_id.mismatch", "/archetype_node_id", ""
    )
    yield from _once_a_place(_reference_model(composition, "COMPOSITION", ""))
    yield from _complex(opt.definition, composition, "")


OTHER_ARCHETYPE = "openEHR-EHR-COMPOSITION.unheard_of.v9"


def _once_a_place(mutations: Iterator[Mutation]) -> Iterator[Mutation]:
    seen = set()
    for mutation in mutations:
        place = (mutation.kind, re.sub(r"\[\d+\]", "", mutation.path))
        if place not in seen:
            seen.add(place)
            yield mutation


# --- the reference model ----------------------------------------------------------------------------


def _reference_model(node: dict[str, Any], declared: str, path: str) -> Iterator[Mutation]:
    """Every object: each mandatory attribute, a foreign attribute, and the type of each leaf."""
    rm_type = node.get("_type", declared)
    unknown = f"{path}/not_in_the_model"
    yield Mutation("foreign attribute", unknown, 1, "rm.unknown_attribute", unknown, path)
    for attribute in RM.attributes(rm_type).values():
        here = f"{path}/{attribute.name}"
        if attribute.name not in node:
            continue
        if attribute.mandatory:
            outside = _above(path) if attribute.name in ("archetype_node_id", "name") else path
            yield Mutation("mandatory attribute removed", here, ABSENT, "rm.missing", here, outside)
        yield from _member_of_the_model(node[attribute.name], attribute, here, path)


def _member_of_the_model(value: Any, attribute: RmAttribute, here: str, path: str) -> Iterator[Mutation]:
    if attribute.container:
        yield Mutation("list replaced by a text", here, "x", "rm.not_a_list", here, path)
        for index, member in enumerate(value):
            yield from _reference_model(member, attribute.type_name, f"{here}[{index}]")
    elif not RM.is_primitive(attribute.type_name):
        yield Mutation("object replaced by a text", here, "x", "rm.not_an_object", here, path)
        yield Mutation(
            "unknown class", f"{here}/_type", "DV_NOTHING", "rm.unknown_type", f"{here}/_type", path
        )
        yield from _reference_model(value, attribute.type_name, here)
    else:
        outside = _above(path) if attribute.name == "archetype_node_id" else path
        wrong = "x" if attribute.type_name in ("BOOLEAN", "INTEGER", "REAL") else 3
        yield Mutation("wrong kind of JSON", here, wrong, "rm.wrong_value", here, outside)
        if attribute.type_name in FORMATS:
            yield Mutation("unreadable time", here, "soon", FORMATS[attribute.type_name], here, path)


def _above(path: str) -> str:
    return path.rpartition("/")[0]


# --- complex objects ----------------------------------------------------------------------------------


def _complex(constraint: CObject, node: Any, path: str) -> Iterator[Mutation]:
    if isinstance(constraint, CComplexObject):
        for attribute in constraint.attributes:
            name = attribute.rm_attribute_name
            known = RM.attribute(node.get("_type", constraint.rm_type_name), name)
            if known is None or name == "name" or name not in node:
                continue
            here = f"{path}/{name}"
            if known.container:
                yield from _container(attribute, node[name], here, path)
            else:
                yield from _single(attribute, node, known, here, path)
    else:
        yield from _leaf(constraint, node, path)


def _single(
    attribute: CAttribute, owner: Any, known: RmAttribute, here: str, path: str
) -> Iterator[Mutation]:
    value = owner[known.name]
    if attribute.existence is not None and attribute.existence.lower and not known.mandatory:
        in_element = owner.get("_type") == "ELEMENT" and known.name == "value"
        code, where = ("invariant.element_value", path) if in_element else ("existence.missing", here)
        yield Mutation("required attribute removed", here, ABSENT, code, where, path)
    if not attribute.children:
        return
    if isinstance(value, dict):
        yield from _wrong_type(attribute.children, value, known, here, path)
    chosen, contested = _alternative(attribute.children, value, known)
    if chosen is None:
        return
    if isinstance(value, dict) and chosen.node_id and "archetype_node_id" in value:
        where = f"{here}/archetype_node_id"
        yield Mutation("wrong node id", where, UNKNOWN_CODE, "node_id.mismatch", where, path)
        yield from _wrong_name([chosen], chosen, here)
    if contested:
        yield from _coded_in_all(attribute.children, value, here)
    else:
        yield from _complex(chosen, value, here)


def _coded_in_all(alternatives: Sequence[CObject], value: Any, here: str) -> Iterator[Mutation]:
    """A code that no alternative allows, such as a careflow step of no pathway."""
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        code_lists = [_listed_codes(alternative, name) for alternative in alternatives]
        if isinstance(member, dict) and "defining_code" in member and all(code_lists):
            where = f"{here}/{name}/defining_code/code_string"
            yield Mutation(
                "code outside all alternatives", where, UNKNOWN_CODE, "code.not_in_list", where, here
            )


def _listed_codes(alternative: CObject, name: str) -> tuple[str, ...]:
    attribute = alternative.attribute(name) if isinstance(alternative, CComplexObject) else None
    for coded in attribute.children if attribute else ():
        phrase = coded.attribute("defining_code") if isinstance(coded, CComplexObject) else None
        for leaf in phrase.children if phrase else ():
            if isinstance(leaf, CCodePhrase):
                return leaf.codes
    return ()


def _alternative(children: Sequence[CObject], value: Any, known: RmAttribute) -> tuple[CObject | None, bool]:
    """The alternative that holds the value; contested if another one might hold it too."""
    if not isinstance(value, dict):
        return children[0], len(children) > 1
    rm_type = _full_type(value, known)
    fitting = [child for child in children if RM.is_a(rm_type, child.rm_type_name)]
    exact = [child for child in fitting if child.rm_type_name.partition("<")[0] == rm_type.partition("<")[0]]
    chosen = exact or fitting
    return (chosen[0], len(fitting) > 1) if chosen else (None, True)


def _full_type(value: dict[str, Any], known: RmAttribute) -> str:
    rm_type = str(value.get("_type", known.type_name))
    bound = value.get("lower") or value.get("upper")
    return f"{rm_type}<{bound['_type']}>" if rm_type == "DV_INTERVAL" and bound else rm_type


SUBSTITUTES: tuple[dict[str, Any], ...] = (
    {"_type": "DV_PARSABLE", "value": "x", "formalism": "text/plain"},
    {"_type": "DV_URI", "value": "https://example.org"},
    {"_type": "PARTY_IDENTIFIED", "name": "Noen andre"},
    {"_type": "PARTY_SELF"},
    {"_type": "DV_TEXT", "value": "x"},
    {"_type": "ITEM_LIST", "name": {"_type": "DV_TEXT", "value": "x"}},
    {"_type": "ITEM_TREE", "name": {"_type": "DV_TEXT", "value": "x"}},
)


def _wrong_type(
    children: Sequence[CObject], value: dict[str, Any], known: RmAttribute, here: str, path: str
) -> Iterator[Mutation]:
    """A value that the reference model allows here and no alternative does."""
    for substitute in SUBSTITUTES:
        rm_type = substitute["_type"]
        if RM.is_a(rm_type, known.type_name) and not any(RM.is_a(rm_type, c.rm_type_name) for c in children):
            new = dict(substitute)
            if "archetype_node_id" in value:
                new["archetype_node_id"] = value["archetype_node_id"]
            yield Mutation("type not in the template", here, new, "type.not_allowed", here, path)
            return


# --- containers ---------------------------------------------------------------------------------------


def _container(attribute: CAttribute, members: list[Any], here: str, path: str) -> Iterator[Mutation]:
    if not attribute.children:
        return
    held: dict[int, list[int]] = {}
    for index, member in enumerate(members):
        child = _child_of(attribute.children, member)
        if child is not None:
            held.setdefault(id(child), []).append(index)
            yield from _member(attribute, child, member, f"{here}[{index}]", path)
    for child in attribute.children:
        yield from _numbers(attribute, child, members, held.get(id(child), []), here, path)
    yield from _cardinality(attribute, members, here, path)
    yield from _stranger(attribute, members, here, path)


def _child_of(children: Sequence[CObject], member: dict[str, Any]) -> CObject | None:
    node_id, name = member.get("archetype_node_id"), member.get("name", {}).get("value")
    same = [c for c in children if not isinstance(c, ArchetypeSlot) and _id_of(c) == node_id]
    if len(same) > 1:
        same = [child for child in same if name in _names(child)] or [
            child for child in same if not _names(child)
        ]
    return same[0] if len(same) == 1 else None


def _id_of(constraint: CObject) -> str:
    return constraint.archetype_id if isinstance(constraint, CArchetypeRoot) else constraint.node_id


def _names(constraint: CObject) -> tuple[str, ...]:
    """The names that the template lists for the node; empty if it lists none."""
    attribute = constraint.attribute("name") if isinstance(constraint, CComplexObject) else None
    for text in attribute.children if attribute else ():
        value = text.attribute("value") if isinstance(text, CComplexObject) else None
        for leaf in value.children if value else ():
            if isinstance(leaf, CPrimitiveObject) and isinstance(leaf.item, CString):
                return leaf.item.values
    return ()


def _member(attribute: CAttribute, child: CObject, member: Any, here: str, path: str) -> Iterator[Mutation]:
    if not _id_of(child):
        return
    where = f"{here}/archetype_node_id"
    yield Mutation("wrong node id", where, UNKNOWN_CODE, "node.unexpected", here, path)
    same_id = [sibling for sibling in attribute.children if _id_of(sibling) == _id_of(child)]
    yield from _wrong_name(same_id, child, here)
    if member["_type"] in TYPE_SWAPS and not any(
        RM.is_a(TYPE_SWAPS[member["_type"]], sibling.rm_type_name) for sibling in same_id
    ):
        other = TYPE_SWAPS[member["_type"]]
        yield Mutation("type not in the template", f"{here}/_type", other, "type.not_allowed", here, path)
    yield from _complex(child, member, here)


TYPE_SWAPS = {
    "ELEMENT": "CLUSTER",
    "CLUSTER": "ELEMENT",
    "POINT_EVENT": "INTERVAL_EVENT",
    "OBSERVATION": "EVALUATION",
    "EVALUATION": "ADMIN_ENTRY",
    "ADMIN_ENTRY": "EVALUATION",
    "INSTRUCTION": "ACTION",
    "ACTION": "INSTRUCTION",
    "SECTION": "ADMIN_ENTRY",
}


def _wrong_name(same_id: Sequence[CObject], child: CObject, here: str) -> Iterator[Mutation]:
    if all(_names(sibling) for sibling in same_id) and _names(child):
        where = f"{here}/name/value"
        yield Mutation(
            "wrong fixed name", where, "Et helt annet navn", "name.not_allowed", where, _above(here)
        )


def _numbers(
    attribute: CAttribute, child: CObject, members: list[Any], held: list[int], here: str, path: str
) -> Iterator[Mutation]:
    lower, upper = child.occurrences.lower or 0, child.occurrences.upper
    if held and lower and len(held) == lower:
        rest = [member for index, member in enumerate(members) if index != held[0]]
        yield Mutation("required node removed", here, rest, "occurrences.too_few", here, path)
    if held and upper is not None and upper <= 30:
        surplus = upper + 1 - len(held)
        more = [*members, *(members[held[0]] for _ in range(surplus))]
        where = f"{here}[{len(more) - 1}]"
        yield Mutation("node too many", here, more, "occurrences.too_many", where, path)


def _cardinality(attribute: CAttribute, members: list[Any], here: str, path: str) -> Iterator[Mutation]:
    interval = attribute.cardinality.interval if attribute.cardinality else None
    if interval is None or not members:
        return
    if interval.upper is not None and interval.upper <= 30:
        more = [*members, *(members[-1] for _ in range(interval.upper + 1 - len(members)))]
        yield Mutation("list too long", here, more, "cardinality.too_many", here, path)
    if interval.lower and interval.lower > 1:
        yield Mutation(
            "list too short", here, members[: interval.lower - 1], "cardinality.too_few", here, path
        )


def _stranger(attribute: CAttribute, members: list[Any], here: str, path: str) -> Iterator[Mutation]:
    """A member that the template does not know: a copy of one that it knows under another id."""
    if not members or any(not _id_of(child) for child in attribute.children):
        return
    stranger = {**members[0], "archetype_node_id": UNKNOWN_CODE}
    stranger.pop("archetype_details", None)
    where = f"{here}[{len(members)}]"
    yield Mutation("node outside the template", here, [*members, stranger], "node.unexpected", where, path)
    slots = [child for child in attribute.children if isinstance(child, ArchetypeSlot)]
    archetype_id = f"openEHR-EHR-{members[0]['_type']}.unheard_of.v9"
    if slots and not any(_may_admit(slot, archetype_id) for slot in slots):
        filler = {
            **members[0],
            "archetype_node_id": archetype_id,
            "archetype_details": _details(archetype_id),
        }
        fits = any(RM.is_a(filler["_type"], slot.rm_type_name) for slot in slots)
        code = "slot.not_admitted" if fits else "node.unexpected"
        yield Mutation("archetype outside the slots", here, [*members, filler], code, where, path)


def _may_admit(slot: ArchetypeSlot, archetype_id: str) -> bool:
    return not slot.includes or any(re.fullmatch(pattern, archetype_id) for pattern in slot.includes)


def _details(archetype_id: str) -> dict[str, Any]:
    return {"_type": "ARCHETYPED", "archetype_id": {"value": archetype_id}, "rm_version": "1.1.0"}


# --- data values --------------------------------------------------------------------------------------


def _leaf(constraint: CObject, value: Any, path: str) -> Iterator[Mutation]:
    if isinstance(constraint, CPrimitiveObject):
        for new, code in broken_values(constraint.item, value):
            yield Mutation(f"{type(constraint.item).__name__} broken", path, new, code, path, _above(path))
    elif isinstance(constraint, CDvQuantity):
        yield from _quantity(constraint, value, path)
    elif isinstance(constraint, CDvOrdinal):
        yield from _ordinal(constraint, value, path)
    elif isinstance(constraint, CCodePhrase | CCodeReference):
        yield from _code(constraint, path)


def _quantity(constraint: CDvQuantity, value: dict[str, Any], path: str) -> Iterator[Mutation]:
    items = [item for item in constraint.items if item.units == value["units"]]
    if constraint.items:
        yield Mutation("wrong unit", f"{path}/units", "furlong", "quantity.units", f"{path}/units", path)
    if len(items) != 1:
        return
    here, magnitude = f"{path}/magnitude", items[0].magnitude
    if magnitude is not None and magnitude.lower is not None:
        yield Mutation("magnitude too small", here, magnitude.lower - 1, "quantity.magnitude", here, path)
    if magnitude is not None and magnitude.upper is not None:
        yield Mutation("magnitude too large", here, magnitude.upper + 1, "quantity.magnitude", here, path)
    here, precision = f"{path}/precision", items[0].precision
    if precision is not None and precision.lower != -1 and precision.upper is not None:
        yield Mutation("precision too high", here, precision.upper + 1, "quantity.precision", here, path)


def _ordinal(constraint: CDvOrdinal, value: dict[str, Any], path: str) -> Iterator[Mutation]:
    if not constraint.items:
        return
    largest = max(item.value for item in constraint.items)
    yield Mutation(
        "value outside the list", f"{path}/value", largest + 1, "ordinal.value", f"{path}/value", path
    )
    others = [item for item in constraint.items if item.value != value["value"]]
    here = f"{path}/symbol/defining_code/code_string"
    if others:
        yield Mutation("symbol of another value", here, others[0].code, "ordinal.symbol", here, path)


def _code(constraint: CCodePhrase | CCodeReference, path: str) -> Iterator[Mutation]:
    here = f"{path}/code_string"
    if isinstance(constraint, CCodePhrase) and constraint.codes:
        # openEHR's own groups are a rule of the reference model and speak first.
        yield Mutation("code outside the list", here, UNKNOWN_CODE, "code.not_in_list", here, _above(path))
    if constraint.terminology_id:
        here = f"{path}/terminology_id/value"
        yield Mutation("other terminology", here, "elsewhere", "code.terminology", here, _above(path))
