"""Conditions of the template on whole data values, names and the texts of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CCodePhrase,
    CCodeReference,
    CDvOrdinal,
    CDvQuantity,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    QuantityItem,
)
from archetypes.repository import admits
from archetypes.rm.canonical_json import write_canonical
from archetypes.terminology import terminology
from validators.compiled.leaves import holds, interval_conditions, remembered
from validators.compiled.source import Source
from validators.compiled.units import Fit, Unit
from validators.compiled.warnings import PathStep, Site, Unsure, unsure
from validators.composition.check import Check
from validators.composition.data_values import ANY_PRECISION, check_ordinal, is_same_terminology
from validators.composition.naming import admits_name, listed_names, name_constraint
from validators.composition.place import Place

_MOST_NAMES, _LONGEST_NAME = 256, 500


class Object(Protocol):
    """The object that conditions are made for."""

    source: Source
    unit: Unit
    fit: Fit
    root: CArchetypeRoot | None
    steps: tuple[PathStep, ...]
    variables: Mapping[str, str]
    variable: str

    def unless_usual(self, name: str, condition: str) -> str:
        """A condition on one member, if the member is not the usual one."""


def value_conditions(node: Object) -> list[str]:
    """What a constraint on a whole value asks; attributes of complex objects are judged one by one."""
    constraint = node.fit.constraint
    if isinstance(constraint, CPrimitiveObject | ArchetypeInternalRef):
        raise Unsure
    write = _KINDS.get(type(constraint))
    return [] if write is None else write(node, constraint)


# --- quantities and ordinals ----------------------------------------------------------------------


def _quantity(node: Object, constraint: CDvQuantity) -> list[str]:
    units = node.variables["units"]
    if not constraint.items:
        return _property(node, constraint, units)
    by_units: dict[str, list[QuantityItem]] = {}
    for item in constraint.items:
        by_units.setdefault(item.units, []).append(item)
    return [" or ".join(_item(node, items) for items in by_units.values()).join("()")]


def _item(node: Object, items: list[QuantityItem]) -> str:
    is_unit = f"{node.variables['units']} == {node.source.constant(items[0].units)}"
    ranges = [" and ".join(_ranges(node, item)) for item in items]
    if not all(ranges):
        return f"({is_unit})"
    return f"({is_unit} and ({' or '.join(f'({each})' for each in ranges)}))"


def _ranges(node: Object, item: QuantityItem) -> list[str]:
    conditions = []
    if item.magnitude is not None:
        conditions += interval_conditions(node.source, item.magnitude, node.variables["magnitude"])
    precision = node.variables.get("precision")
    if precision is not None and item.precision is not None and item.precision.lower != ANY_PRECISION:
        conditions += interval_conditions(node.source, item.precision, precision)
    return conditions


def _property(node: Object, constraint: CDvQuantity, units: str) -> list[str]:
    if constraint.property is None:
        return []
    code = constraint.property.rpartition("::")[2].rstrip("]")
    known = terminology().units_of(code)
    if not known:
        return []
    expected = terminology().rubric("property", code) or constraint.property
    site = Site("quantity.units_unknown", node.steps, "/units", expected)
    foreign = terminology().units
    warn = f"({units} not in {node.source.constant(foreign)} and {_warning(node, site, units)})"
    return [f"({units} in {node.source.constant(known)} or {warn})"]


def _warning(node: Object, site: Site, found: str) -> str:
    return f"{node.source.constant(site.warn)}(p, {found})"


def _ordinal(node: Object, constraint: CDvOrdinal) -> list[str]:
    if not constraint.items:
        return []
    pairs = frozenset((item.value, item.terminology_id, item.code) for item in constraint.items)
    code = f"{node.variables['symbol']}['defining_code']"
    pair = f"({node.variables['value']}, {code}['terminology_id']['value'], {code}['code_string'])"
    rule = node.source.constant(_as_condition(check_ordinal, constraint))
    return [f"({pair} in {node.source.constant(pairs)} or {rule}({node.variable}))"]


def _as_condition(rule: Callable[..., None], constraint: CObject) -> Callable[[Any], bool]:
    return holds(lambda value, place, report: rule(constraint, value, place, _Run(report)))


class _Run:
    """What a rule of a single value needs of a run: a report."""

    def __init__(self, report: Any) -> None:
        self.report = report


# --- codes ----------------------------------------------------------------------------------------


def _terminology(node: Object, expected: str | None) -> list[str]:
    if not expected:
        return []
    found = f"{node.variables['terminology_id']}['value']"
    wanted = node.source.constant(expected)
    same = node.source.constant(is_same_terminology)
    return [node.unless_usual("terminology_id", f"({found} == {wanted} or {same}({wanted}, {found}))")]


def _code(node: Object, constraint: CCodePhrase) -> list[str]:
    conditions = _terminology(node, constraint.terminology_id)
    if constraint.codes:
        codes = node.source.constant(frozenset(constraint.codes))
        conditions.append(f"{node.variables['code_string']} in {codes}")
    return conditions


def _code_reference(node: Object, constraint: CCodeReference) -> list[str]:
    site = Site("code.not_checked", node.steps, "/code_string", constraint.reference_set_uri)
    return [
        *_terminology(node, constraint.terminology_id),
        _warning(node, site, node.variables["code_string"]),
    ]


def _constraint_reference(node: Object, constraint: ConstraintRef) -> list[str]:
    site = Site("code.not_checked", node.steps, "/code_string", constraint.reference)
    return [_warning(node, site, node.variables["code_string"])]


def _slot(node: Object, constraint: ArchetypeSlot) -> list[str]:
    node_id = node.variables.get("archetype_node_id")
    if node_id is None:
        return []
    return [f"{node.source.constant(remembered(lambda found: admits(constraint, found)))}({node_id})"]


_KINDS: Mapping[type[Any], Callable[[Any, Any], list[str]]] = {
    CDvQuantity: _quantity,
    CDvOrdinal: _ordinal,
    CCodePhrase: _code,
    CCodeReference: _code_reference,
    ConstraintRef: _constraint_reference,
    ArchetypeSlot: _slot,
}


# --- names and rubrics ----------------------------------------------------------------------------


def name_condition(node: Object) -> list[str]:
    """The object has a name that its node may have."""
    constraint = node.fit.constraint
    name = node.variables.get("name")
    names = name_constraint(constraint) if constraint is not None else None
    if constraint is None or names is None or name is None or "archetype_node_id" not in node.variables:
        return []
    if not names.children:
        return []
    admitted = node.source.constant(_admits(node.unit, constraint))
    listed = listed_names(names.children[0]) if len(names.children) == 1 else None
    if listed is None:
        return [f"{admitted}({node.variable})"]
    return [node.unless_usual("name", f"{name}['value'] in {node.source.constant(frozenset(listed))}")]


def _admits(unit: Unit, constraint: CObject) -> Callable[[Any], bool]:
    """Names that were admitted are known again as they are written."""
    template = unit.template
    check = Check(template.rules, template.language, template.complete)
    admitted: set[bytes] = set()

    def test(value: Any) -> bool:
        key = write_canonical(value["name"])
        if key in admitted:
            return True
        place = Place(None, "", None, constraint, value)
        is_admitted = admits_name(constraint, value, place, check)
        if is_admitted and len(admitted) < _MOST_NAMES and len(key) < _LONGEST_NAME:
            admitted.add(key)
        return is_admitted

    return test


def rubric_condition(node: Object) -> list[str]:
    """The text of a local code is one of the archetype's; if not, the interpreter makes the warning."""
    code = node.variables.get("defining_code")
    if code is None or node.root is None:
        return []
    rubrics: dict[str, set[str]] = {}
    for terms in node.root.terms.values():
        for term_code, term in terms.items():
            rubrics.setdefault(term_code, set()).add(term.text)
    if not rubrics:
        return []
    known = node.source.constant(rubrics)
    text = node.variables.get("value", "''")
    return [
        f"({code}['code_string'] not in {known} or {code}['terminology_id']['value'] != 'local'"
        f" or {text} in {known}[{code}['code_string']] or {node.source.constant(unsure)}())"
    ]
