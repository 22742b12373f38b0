"""The invariants of the reference model as conditions on an object of known class and attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

from archetypes.rm.schema import rm_schema
from archetypes.rm.value_domains import CODE_SETS, FILLED_TEXTS, GROUPS, PARTY_TYPES
from archetypes.terminology import terminology
from validators.compiled.leaves import holds, remembered
from validators.compiled.source import Source
from validators.compiled.warnings import Unsure
from validators.composition import invariants
from validators.composition.invariants import OWN_RULES, URI, Invariant


class Object(Protocol):
    """The object that conditions are made for."""

    source: Source
    variables: Mapping[str, str]  # by attribute; the attributes that the object has
    node_id: str | None  # the only node id that it may have, if that is known
    variable: str  # the object itself

    def unless_usual(self, name: str, condition: str) -> str:
        """A condition on one member, if the member is not the usual one."""


def invariant_conditions(node: Object, rm_type: str) -> list[str]:
    """Conditions for every invariant of the class, inherited ones too. Raises Unsure where one is broken."""
    filled, groups, code_sets, own = _rules_of(rm_type)
    source, variables = node.source, node.variables
    conditions = [variables[name] for name in filled if name in variables and not _is_fixed(node, name)]
    for name, codes in groups:
        if name in variables:
            code = f"{variables[name]}['defining_code']"
            is_listed = f"{code}['code_string'] in {source.constant(codes)}"
            is_openehr = f"{code}['terminology_id']['value'] == 'openehr'"
            conditions.append(node.unless_usual(name, f"({is_listed} and {is_openehr})"))
    for name, codes in code_sets:
        if name in variables:
            is_listed = f"{variables[name]}['code_string'].lower() in {source.constant(codes)}"
            conditions.append(node.unless_usual(name, is_listed))
    for rule in own:
        conditions += _own_conditions(node, rule)
    return conditions


def _is_fixed(node: Object, name: str) -> bool:
    return name == "archetype_node_id" and node.node_id is not None


_Coded = tuple[tuple[str, frozenset[str]], ...]


@cache
def _rules_of(rm_type: str) -> tuple[tuple[str, ...], _Coded, _Coded, tuple[Invariant, ...]]:
    is_a, words = rm_schema().is_a, terminology()
    return (
        tuple(name for class_name, name in FILLED_TEXTS if is_a(rm_type, class_name)),
        tuple(
            (name, frozenset(words.groups[group]))
            for class_name, name, group in GROUPS
            if is_a(rm_type, class_name)
        ),
        tuple(
            (name, frozenset(code.lower() for code in words.code_sets[code_set]))
            for class_name, name, code_set in CODE_SETS
            if is_a(rm_type, class_name)
        ),
        tuple(rule for class_name, own in OWN_RULES.items() if is_a(rm_type, class_name) for rule in own),
    )


def _own_conditions(node: Object, rule: Invariant) -> list[str]:
    written = _WRITTEN.get(rule)
    if written is not None:
        return written(node)
    needed = _NEEDED.get(rule)
    if needed is not None and needed not in node.variables:
        return []
    return [f"{node.source.constant(_as_test(rule))}({node.variable})"]


@cache
def _as_test(rule: Invariant) -> Callable[[object], bool]:
    return holds(rule)


_is_archetype_id = remembered(invariants.is_archetype_id)


def _archetype_details(node: Object) -> list[str]:
    details = node.variables.get("archetype_details")
    node_id = node.variables.get("archetype_node_id")
    if node_id is None:
        raise Unsure
    is_id = node.source.constant(_is_archetype_id)
    if node.node_id is None:
        if details is None:
            return [f"('-' not in {node_id} or not {is_id}({node_id}))"]
        return [f"{is_id}({node_id})", f"{details}['archetype_id']['value'] == {node_id}"]
    if (details is not None) != _is_archetype_id(node.node_id):
        raise Unsure
    if details is None:
        return []
    return [node.unless_usual("archetype_details", f"{details}['archetype_id']['value'] == {node_id}")]


def _archetype_root(node: Object) -> list[str]:
    if "archetype_details" not in node.variables:
        raise Unsure
    return []


def _element_value(node: Object) -> list[str]:
    has_value, has_flavour = "value" in node.variables, "null_flavour" in node.variables
    if has_value == has_flavour or (has_value and "null_reason" in node.variables):
        raise Unsure
    return []


def _history_events(node: Object) -> list[str]:
    events = node.variables.get("events")
    if "summary" in node.variables:
        return []
    if events is None:
        raise Unsure
    return [events]


def _party_identified(node: Object) -> list[str]:
    if not {"name", "identifiers", "external_ref"} & set(node.variables):
        raise Unsure
    return []


def _party_ref_type(node: Object) -> list[str]:
    kind = node.variables.get("type")
    return [] if kind is None else [f"{kind} in {node.source.constant(PARTY_TYPES)}"]


def _precision(node: Object) -> list[str]:
    precision = node.variables.get("precision")
    return [] if precision is None else [f"{precision} >= -1"]


def _uri(node: Object) -> list[str]:
    value = node.variables.get("value")
    return [] if value is None else [f"{node.source.constant(URI.fullmatch)}({value})"]


_WRITTEN: Mapping[Invariant, Callable[[Object], list[str]]] = {
    invariants.check_archetype_details: _archetype_details,
    invariants.check_archetype_root: _archetype_root,
    invariants.check_element_value: _element_value,
    invariants.check_history_events: _history_events,
    invariants.check_party_identified: _party_identified,
    invariants.check_party_ref_type: _party_ref_type,
    invariants.check_precision: _precision,
    invariants.check_uri: _uri,
}

# Rules that have nothing to say of an object without the attribute.
_NEEDED: Mapping[Invariant, str] = {
    invariants.check_ism_transition: "transition",
    invariants.check_history_period: "period",
    invariants.check_item_table: "rows",
    invariants.check_magnitude_status: "magnitude_status",
    invariants.check_normal_status: "normal_status",
    invariants.check_accuracy: "accuracy_is_percent",
    invariants.check_mapping_match: "match",
}
