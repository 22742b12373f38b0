"""The reference model as one table: openEHR RM 1.1.0 with the BASE 1.2.0 classes that data hold.

The table lies in ``rm_schema.json``; it is the only source of "is X a Y", of attribute types and of
multiplicities. Primitive types carry the names that archetypes use (``STRING``, ``DATE_TIME``, ...).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from archetypes.intervals import ONCE, OPTIONAL, Interval

ANY = "ANY"


@dataclass(frozen=True, slots=True)
class RmAttribute:
    """One attribute of a class.

    ``type_name`` is the type of the value, or of each member where ``container``; it may be generic
    (``DV_INTERVAL<DV_QUANTITY>``). ``computed`` attributes are functions of the model that archetypes
    may constrain and data need not hold.
    """

    name: str
    type_name: str
    mandatory: bool
    container: bool = False
    cardinality: Interval[int] = OPTIONAL
    computed: bool = False

    @property
    def existence(self) -> Interval[int]:
        """May the attribute be absent?"""
        return ONCE if self.mandatory else OPTIONAL


@dataclass(frozen=True, slots=True)
class RmClass:
    """One class; ``parameters`` names its generic parameters with their bounds."""

    name: str
    parents: tuple[str, ...]
    abstract: bool
    own_attributes: Mapping[str, RmAttribute]
    parameters: Mapping[str, str]


def base_name(type_name: str) -> str:
    """The class of a type: ``DV_INTERVAL`` of ``DV_INTERVAL<DV_QUANTITY>``."""
    return type_name.partition("<")[0]


def type_arguments(type_name: str) -> tuple[str, ...]:
    """The outermost arguments of a generic type, empty if it has none."""
    inner = type_name.partition("<")[2].rstrip()
    if not inner.endswith(">"):
        return ()
    parts, depth, start = [], 0, 0
    inner = inner[:-1]
    for position, char in enumerate(inner):
        depth += (char == "<") - (char == ">")
        if char == "," and depth == 0:
            parts.append(inner[start:position].strip())
            start = position + 1
    parts.append(inner[start:].strip())
    return tuple(parts)


class RmSchema:
    """Lookups over the table; every answer is made once and kept."""

    def __init__(self, classes: Mapping[str, RmClass], primitives: frozenset[str]) -> None:
        self.classes = classes
        self.primitives = primitives
        self._supertypes = {name: self._all_supertypes(name) for name in classes}
        self._subtypes = self._concrete_subtypes()
        self._attributes: dict[str, Mapping[str, RmAttribute]] = {}
        self._related: dict[tuple[str, str], bool] = {}

    def get(self, name: str) -> RmClass | None:
        """The class, or None; of a generic type the class without its arguments."""
        return self.classes.get(name) or self.classes.get(base_name(name))

    def is_primitive(self, name: str) -> bool:
        """True for ``STRING``, ``INTEGER``, ``DATE_TIME``, ..."""
        return name in self.primitives

    def is_a(self, sub: str, super_: str) -> bool:
        """True if ``sub`` is ``super_`` or inherits from it; arguments count where both state them."""
        known = self._related.get((sub, super_))
        if known is None:
            known = self._is_a(sub, super_)
            if len(self._related) < 10_000:
                self._related[sub, super_] = known
        return known

    def _is_a(self, sub: str, super_: str) -> bool:
        if sub == super_ or super_ == ANY:
            return True
        sub_base, super_base = base_name(sub), base_name(super_)
        if sub_base != super_base and super_base not in self._supertypes.get(sub_base, ()):
            return False
        pairs = zip(type_arguments(sub), type_arguments(super_), strict=False)
        return all(self.is_a(mine, theirs) for mine, theirs in pairs)

    def attributes(self, class_name: str) -> Mapping[str, RmAttribute]:
        """All attributes by name, inherited ones too; empty for an unknown or primitive type."""
        known = self._attributes.get(class_name)
        if known is None:
            known = MappingProxyType(self._collect(class_name))
            if self.get(class_name) is not None and len(self._attributes) < 1000:
                self._attributes[class_name] = known
        return known

    def attribute(self, class_name: str, attribute: str) -> RmAttribute | None:
        """One attribute, own or inherited; arguments of ``class_name`` are filled in."""
        return self.attributes(class_name).get(attribute)

    def concrete_subtypes(self, name: str) -> frozenset[str]:
        """The classes without ``abstract`` that are ``name`` or inherit from it."""
        if name == ANY:
            return frozenset(n for n, c in self.classes.items() if not c.abstract)
        return self._subtypes.get(base_name(name), frozenset())

    def _all_supertypes(self, name: str) -> frozenset[str]:
        parents = [base_name(parent) for parent in self.classes[name].parents]
        return frozenset(parents).union(*(self._all_supertypes(parent) for parent in parents))

    def _concrete_subtypes(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {name: set() for name in self.classes}
        for name, rm_class in self.classes.items():
            if not rm_class.abstract:
                for super_ in (name, *self._supertypes[name]):
                    found[super_].add(name)
        return {name: frozenset(subtypes) for name, subtypes in found.items()}

    def _collect(self, type_name: str) -> dict[str, RmAttribute]:
        rm_class = self.get(type_name)
        if rm_class is None:
            return {}
        arguments = dict(rm_class.parameters)
        arguments.update(zip(rm_class.parameters, type_arguments(type_name), strict=False))
        collected: dict[str, RmAttribute] = {}
        for parent in rm_class.parents:
            collected.update(self._collect(_filled(parent, arguments)))
        for name, attribute in rm_class.own_attributes.items():
            collected[name] = _with_type(attribute, _filled(attribute.type_name, arguments))
        return collected


@cache
def rm_schema() -> RmSchema:
    """The table of RM 1.1.0, read once."""
    raw = json.loads((files("archetypes.rm") / "rm_schema.json").read_text(encoding="utf-8"))
    classes = {name: _rm_class(name, entry) for name, entry in raw["classes"].items()}
    return RmSchema(MappingProxyType(classes), frozenset(raw["primitives"]))


def _rm_class(name: str, entry: Mapping[str, Any]) -> RmClass:
    attributes = {key: _rm_attribute(key, facts) for key, facts in entry.get("attributes", {}).items()}
    return RmClass(
        name=name,
        parents=tuple(entry.get("parents", ())),
        abstract=entry.get("abstract", False),
        own_attributes=MappingProxyType(attributes),
        parameters=MappingProxyType(entry.get("parameters", {})),
    )


def _rm_attribute(name: str, facts: Mapping[str, Any]) -> RmAttribute:
    cardinality = facts.get("cardinality")
    return RmAttribute(
        name=name,
        type_name=facts["type"],
        mandatory=facts.get("mandatory", False),
        container=cardinality is not None,
        cardinality=OPTIONAL if cardinality is None else Interval(*cardinality),
        computed=facts.get("computed", False),
    )


def _filled(type_name: str, arguments: Mapping[str, str]) -> str:
    if type_name in arguments:
        return arguments[type_name]
    inner = type_arguments(type_name)
    if not inner:
        return type_name
    return f"{base_name(type_name)}<{','.join(_filled(argument, arguments) for argument in inner)}>"


def _with_type(attribute: RmAttribute, type_name: str) -> RmAttribute:
    if type_name == attribute.type_name:
        return attribute
    return replace(attribute, type_name=type_name)
