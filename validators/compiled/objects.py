"""Compiles the test of all objects of one shape, type and constraint."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CAttribute,
    CComplexObject,
    CObject,
    CPrimitiveObject,
)
from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from validators.compiled.leaves import leaf_conditions, primitive_conditions
from validators.compiled.members import members_test
from validators.compiled.rm_rules import invariant_conditions
from validators.compiled.source import Source, Test
from validators.compiled.units import DEEPEST, Fit, Unit, root_of
from validators.compiled.values import name_condition, rubric_condition, value_conditions
from validators.compiled.warnings import NotCompiled, PathStep, Refused, Unsure, Warned, last_step, unsure
from validators.composition.naming import identifier
from validators.composition.objects import SPELLINGS
from validators.composition.reference_model import PRIMITIVES, ClassFacts, facts_of

# Attributes that say what data are; in the documents of a template they hardly differ.
TELLING = frozenset(
    {
        "archetype_details",
        "category",
        "encoding",
        "language",
        "name",
        "null_flavour",
        "setting",
        "subject",
        "terminology_id",
        "territory",
    }
)
MOST_INLINE = 8  # members of a small object that is judged where it stands, without a call
_CALLED = frozenset({"DV_INTERVAL", "REFERENCE_RANGE"})


def object_test(unit: Unit, value: dict[str, Any], fit: Fit) -> Test:
    """A test of the objects at ``unit`` that have the attributes and the type of ``value``.

    It leaves all others to what the unit has learned.

    Raises Unsure where such an object cannot be right, or cannot be judged in this form.
    """
    source = Source()
    names = {name: source.variable() for name in value}
    writer = _Writer(source, unit, fit, value, names, "v", "p")
    conditions = writer.conditions({name: variable for name, variable in names.items()})
    if unit.is_free:
        conditions.insert(0, f"(p < {DEEPEST} or {source.constant(unsure)}())")
    elif len(unit.steps) >= DEEPEST:
        raise Unsure
    return source.function(names, value.get("_type"), conditions, unit.learn)


class _Writer:
    """The conditions on one object; a small object inside another has a writer of its own."""

    def __init__(
        self,
        source: Source,
        unit: Unit,
        fit: Fit,
        value: Mapping[str, Any],
        variables: Mapping[str, str],
        variable: str,
        place: str,
    ) -> None:
        self.source = source
        self.place = place  # what a test of this object gets: the chain of indexes, or the depth
        self.unit = unit
        self.fit = fit
        self.value = value
        self.variables = variables
        self.variable = variable
        self.root = root_of(unit, fit.constraint)
        self.steps = unit.steps if fit.constraint is None else last_step(unit.steps, fit.constraint)
        self.constrained = _attributes_of(fit)
        self.node_id = _node_id_of(fit, value)
        self._usuals: dict[str, tuple[str, dict[str, Any]]] = {}  # by attribute: a flag, and what it says

    def conditions(self, first: Mapping[str, str]) -> list[str]:
        """All of them; ``first`` says how each member is called where it is first used."""
        facts = facts_of(self.fit.rm_type)
        self._check_shape(facts)
        conditions = []
        for name, member in self.value.items():
            if name != "_type":
                conditions += self._member(name, member, facts.attributes[name], first[name])
        conditions += invariant_conditions(self, self.fit.rm_type)
        conditions += value_conditions(self)
        if isinstance(self.fit.constraint, CComplexObject):
            conditions += name_condition(self)
            conditions += rubric_condition(self)
        return conditions

    def unless_usual(self, name: str, condition: str) -> str:
        """A condition on one member, which need not be looked at where the member is the usual one."""
        if name not in self._usuals:
            return condition
        flag, usual = self._usuals[name]
        known: dict[str, Any] = {self.variables[name]: usual}
        if self.node_id is not None:
            known[self.variables["archetype_node_id"]] = self.node_id
        return f"({flag} or {condition})" if self.source.holds(condition, known) else condition

    def _check_shape(self, facts: ClassFacts) -> None:
        """What the attributes alone decide."""
        for name in self.value:
            if name != "_type" and name not in facts.attributes:
                raise Refused
        if any(attribute.name not in self.value for attribute in facts.mandatory):
            raise Refused
        for name, (constraint, known) in self.constrained.items():
            if name in self.value:
                continue
            if known.computed and name == "is_integral":
                raise NotCompiled
            if not known.computed and self.unit.template.complete and _is_required(constraint, known):
                is_null = name == "value" and "null_flavour" in self.value
                if known.container or not is_null:
                    raise Refused

    def _member(self, name: str, member: Any, attribute: RmAttribute, first: str) -> list[str]:
        constraint, known = self.constrained.get(name, (None, attribute))
        if constraint is not None and constraint.existence is not None and constraint.existence.upper == 0:
            raise Unsure
        variable = self.variables[name]
        if attribute.container:
            return self._members(name, attribute, constraint, known, first)
        if attribute.type_name in PRIMITIVES:
            if name == "archetype_node_id" and self.node_id is not None:
                return [f"{first} == {self.source.constant(self.node_id)}"]
            conditions = primitive_conditions(self.source, attribute.type_name, first, variable)
            return conditions + self._leaf(attribute, constraint, variable)
        child = self._child(name, attribute, constraint, known)
        return [self._object(name, child, member, first, variable)]

    def _leaf(self, attribute: RmAttribute, constraint: CAttribute | None, variable: str) -> list[str]:
        children = _allowed(constraint)
        if not children:
            return []
        leaves = [child for child in children if isinstance(child, CPrimitiveObject)]
        if not leaves:
            raise Unsure
        alternatives = [
            " and ".join(leaf_conditions(self.source, leaf, attribute.type_name, attribute.name, variable))
            for leaf in leaves
        ]
        if not all(alternatives):
            return []
        return [" or ".join(f"({alternative})" for alternative in alternatives).join("()")]

    def _child(
        self, name: str, attribute: RmAttribute, constraint: CAttribute | None, known: RmAttribute
    ) -> Unit:
        children = _allowed(constraint)
        if not children:
            return self.unit.template.free_unit(attribute.type_name)
        return Unit(
            self.unit.template,
            attribute.type_name,
            known.type_name,
            candidates=children,
            root=self.root,
            steps=self.steps_to(name, listed=False),
        )

    def steps_to(self, name: str, *, listed: bool) -> tuple[PathStep, ...]:
        """The path to a member."""
        order = list(self.constrained).index(name)
        return (*self.steps, PathStep(name, order, listed))

    def place_of(self, child: Unit) -> str:
        """What a test of the child gets besides the object: the chain of indexes, or the depth."""
        if not child.is_free:
            return self.place
        return f"{self.place} + 1" if self.unit.is_free else str(len(self.steps) + 1)

    def _members(
        self,
        name: str,
        attribute: RmAttribute,
        constraint: CAttribute | None,
        known: RmAttribute,
        first: str,
    ) -> list[str]:
        variable = self.variables[name]
        doubt = self.source.constant(unsure)
        conditions = [f"(type({first}) is list or {variable} is None and {doubt}())"]
        if attribute.cardinality.lower:
            conditions.append(variable)
        template = self.unit.template
        if constraint is None or not constraint.children:
            child = template.free_unit(attribute.type_name)
            test: Test = members_test(child)
        else:
            child = Unit(
                template,
                attribute.type_name,
                known.type_name,
                candidates=constraint.children,
                root=self.root,
                steps=self.steps_to(name, listed=True),
            )
            test = members_test(child)
        conditions.append(f"{self.source.constant(test)}({variable}, {self.place_of(child)})")
        cardinality = None if constraint is None else constraint.cardinality
        if cardinality is not None:
            interval = cardinality.interval
            if interval.lower and template.complete:
                conditions.append(f"len({variable}) >= {int(interval.lower)}")
            if interval.upper is not None:
                conditions.append(f"len({variable}) <= {int(interval.upper)}")
        return conditions

    # --- objects inside ----------------------------------------------------------------------------

    def _object(self, name: str, child: Unit, member: Any, first: str, variable: str) -> str:
        known = ""
        usual = self._usual(name, child, member)
        if usual is not None:
            flag = self.source.variable()
            self._usuals[name] = flag, usual
            known, first = f"({flag} := {first} == {self.source.constant(usual)}) or ", variable
        test, place = self.source.constant(child.usual), self.place_of(child)
        inline = self._inline(child, member, first, variable)
        if inline is not None:
            return f"({known}({' and '.join(inline)}) or {test}[0]({variable}, {place}))"
        return f"({known}{test}[0]({first}, {place}))"

    def _usual(self, name: str, child: Unit, member: Any) -> dict[str, Any] | None:
        """A copy of an object that says what data are, and is the same each time: what equals it is right.

        Only of texts: 1, 1.0 and true are equal. None where the object may need a warning, or is not right.
        """
        if name not in TELLING or not _is_text_only(member):
            return None
        if any(child.template.can_warn(candidate) for candidate in child.candidates):
            return None
        copy: dict[str, Any] = deepcopy(member)
        warned: Warned = []
        try:
            is_right = child.test(copy, len(self.steps) + 1 if child.is_free else (None, warned))
        except Unsure:
            return None
        return copy if is_right and not warned else None

    def _inline(self, child: Unit, member: Any, first: str, variable: str) -> list[str] | None:
        """The conditions on a small object, written where it stands; None if it is not small."""
        if type(member) is not dict or not _is_small(member):
            return None
        try:
            fits = child.fits(member)
            if len(fits) != 1 or base_name(fits[0].rm_type) in _CALLED:
                return None
            names = {name: self.source.variable() for name in member}
            inner = _Writer(self.source, child, fits[0], member, names, variable, self.place_of(child))
            reads = {name: f"({own} := {variable}[{name!r}])" for name, own in names.items()}
            conditions = [f"len({first}) == {len(member)}"]
            if "_type" in member:
                stated = self.source.constant(member["_type"])
                conditions.append(f"{variable}['_type'] == {stated}")
            conditions += inner.conditions(reads)
        except Unsure:
            return None
        return conditions


def _is_text_only(value: Any) -> bool:
    """True for a small object of texts and such objects."""
    if type(value) is not dict or not _is_small(value):
        return False
    return all(type(member) is str or _is_text_only(member) for member in value.values())


def _is_small(value: Mapping[str, Any]) -> bool:
    return _leaves(value, 0) <= MOST_INLINE


def _leaves(value: Mapping[str, Any], depth: int) -> int:
    if depth > 3:
        return MOST_INLINE + 1
    count = 0
    for name, member in value.items():
        if isinstance(member, list) or not name.isidentifier():
            return MOST_INLINE + 1
        count += _leaves(member, depth + 1) if isinstance(member, dict) else 1
    return count


def _attributes_of(fit: Fit) -> dict[str, tuple[CAttribute, RmAttribute]]:
    """The constrained attributes in the order of the template, with what the reference model says of them."""
    if not isinstance(fit.constraint, CComplexObject):
        return {}
    attributes = rm_schema().attributes(fit.seen_type)
    found: dict[str, tuple[CAttribute, RmAttribute]] = {}
    for constraint in fit.constraint.attributes:
        name = SPELLINGS.get(constraint.rm_attribute_name, constraint.rm_attribute_name)
        known = attributes.get(name)
        if known is None:
            continue
        if name in found:
            raise Unsure
        found[name] = (constraint, known)
    if "archetype_node_id" in attributes and "name" in found:
        # The name is judged as a whole (name_condition), as the interpreter does it.
        constraint, known = found["name"]
        found["name"] = (CAttribute(rm_attribute_name="name"), known)
    return found


def _node_id_of(fit: Fit, value: Mapping[str, Any]) -> str | None:
    constraint = fit.constraint
    if constraint is None or isinstance(constraint, ArchetypeSlot) or not constraint.node_id:
        return None
    return identifier(constraint) if "archetype_node_id" in value else None


def _is_required(constraint: CAttribute, known: RmAttribute) -> bool:
    if not known.container:
        return constraint.existence is not None and bool(constraint.existence.lower)
    needs_member = any(child.occurrences.lower for child in constraint.children)
    cardinality = constraint.cardinality
    return needs_member or (cardinality is not None and bool(cardinality.interval.lower))


def _allowed(constraint: CAttribute | None) -> tuple[CObject, ...]:
    """The alternatives that are not prohibited."""
    if constraint is None or not constraint.children:
        return ()
    allowed = tuple(child for child in constraint.children if child.occurrences.upper != 0)
    if not allowed:
        raise Unsure
    return allowed
