"""Is the data an instance of the reference model at all? (RM 1.1.0, canonical JSON)

Types, attributes, mandatory attributes, containers, primitive values and then the invariants of each
class; nothing here knows of templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any

from archetypes.rm.iso8601 import is_date, is_date_time, is_duration, is_time
from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from validators.composition.data import known_class
from validators.composition.invariants import INVARIANTS, Invariant
from validators.composition.place import Place
from validators.composition.report import Report, shortened, shown

MAX_DEPTH = 100  # objects within objects; real compositions stay below 30


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What the walk asks of a class, made once."""

    attributes: Mapping[str, RmAttribute]
    mandatory: tuple[RmAttribute, ...]
    invariants: tuple[Invariant, ...]


def check_reference_model(node: Any, declared: str, place: Place, report: Report) -> None:
    """Findings of ``node`` and of all below it; ``declared`` is the type that its attribute has."""
    if place.depth > MAX_DEPTH:
        report.add("rm.too_deep", place, f"at most {MAX_DEPTH} levels")
        return
    if not isinstance(node, dict):
        report.add("rm.not_an_object", place, declared, shown(node))
        return
    rm_type = checked_type(node, declared, place, report)
    if rm_type is None or report.is_full:
        return
    facts = facts_of(rm_type)
    for attribute in facts.mandatory:
        if node.get(attribute.name) is None:
            report.add("rm.missing", Place(place, attribute.name), attribute.type_name)
    for name, value in node.items():
        if report.is_full:
            return
        found = facts.attributes.get(name)
        if found is not None:
            if value is not None:
                _check_attribute(value, found, place, report)
        elif name != "_type":
            report.add(
                "rm.unknown_attribute",
                Place(place, shortened(shown(name))),
                f"an attribute of {rm_type}",
                shown(name),
            )
    for invariant in facts.invariants:
        invariant(node, place, report)


@cache
def facts_of(rm_type: str) -> ClassFacts:
    schema = rm_schema()
    attributes = schema.attributes(rm_type)
    return ClassFacts(
        attributes=attributes,
        mandatory=tuple(attribute for attribute in attributes.values() if attribute.mandatory),
        invariants=tuple(
            invariant
            for class_name, invariants in INVARIANTS.items()
            for invariant in invariants
            if schema.is_a(rm_type, class_name)
        ),
    )


def checked_type(node: Mapping[str, Any], declared: str, place: Place, report: Report) -> str | None:
    """The type to go on with, or None after a finding about it."""
    schema = rm_schema()
    stated = node.get("_type")
    if stated is None:
        rm_class = schema.get(declared)
        if rm_class is None or rm_class.abstract:
            report.add("rm.type_missing", Place(place, "_type"), _concrete(declared))
            return None
        return declared
    rm_class = known_class(stated)
    if rm_class is None:
        report.add("rm.unknown_type", Place(place, "_type"), _concrete(declared), shown(stated))
    elif rm_class.abstract:
        report.add("rm.abstract_type", Place(place, "_type"), _concrete(declared), stated)
    elif not schema.is_a(stated, declared):
        report.add("rm.wrong_type", Place(place, "_type"), _concrete(declared), stated)
    else:
        return declared if rm_class.name == base_name(declared) else rm_class.name
    return None


@cache
def _concrete(declared: str) -> str:
    names = sorted(rm_schema().concrete_subtypes(declared))
    return declared if len(names) > 8 else " | ".join(names) or declared


def _check_attribute(value: Any, attribute: RmAttribute, place: Place, report: Report) -> None:
    primitive = PRIMITIVES.get(attribute.type_name)
    if attribute.container:
        _check_members(value, attribute, place, report)
    elif primitive is None:
        here = Place(place, attribute.name, None, None, value)
        check_reference_model(value, attribute.type_name, here, report)
    elif not isinstance(value, primitive.python_types) or (value is True or value is False) != (
        attribute.type_name == "BOOLEAN"
    ):
        report.add("rm.wrong_value", Place(place, attribute.name), attribute.type_name, shown(value))
    elif primitive.test is not None and not primitive.test(value):
        report.add(primitive.code, Place(place, attribute.name), attribute.type_name, shown(value))


def _check_members(value: Any, attribute: RmAttribute, place: Place, report: Report) -> None:
    if not isinstance(value, list):
        report.add(
            "rm.not_a_list", Place(place, attribute.name), f"list of {attribute.type_name}", shown(value)
        )
        return
    if not value and attribute.cardinality.lower:
        report.add("rm.empty_list", Place(place, attribute.name), "at least 1", "0")
    for index, member in enumerate(value):
        if report.is_full:
            return
        check_reference_model(
            member, attribute.type_name, Place(place, attribute.name, index, None, member), report
        )


@dataclass(frozen=True, slots=True)
class Primitive:
    python_types: tuple[type, ...]
    test: Callable[[Any], bool] | None = None
    code: str = "rm.wrong_value"


def _is_whole(value: float) -> bool:
    return value == int(value) if abs(value) < 2**63 else False


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or isfinite(value)


PRIMITIVES: Mapping[str, Primitive] = {
    "STRING": Primitive((str,)),
    "BOOLEAN": Primitive((bool,)),
    "INTEGER": Primitive((int, float), _is_whole),
    "REAL": Primitive((int, float), _is_finite),
    "DATE": Primitive((str,), is_date, "format.date"),
    "TIME": Primitive((str,), is_time, "format.time"),
    "DATE_TIME": Primitive((str,), is_date_time, "format.date_time"),
    "DURATION": Primitive((str,), is_duration, "format.duration"),
}
