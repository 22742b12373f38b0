"""Example compositions: what a template wants, filled in by a machine.

Minimal: the mandatory nodes alone. Full: every node once, except slots that may stay open, structures
that hold nothing else, and what a cardinality leaves no room for. Which of several alternatives (data
types, codes, names, careflow steps) is taken, the seed decides: each alternative of each node is reached
by some seed, and one seed always gives the same composition. No value means anything; a code where the
template lists none is ``EXAMPLE-CODE`` of ``EXAMPLE-TERMINOLOGY``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

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
    ConstraintRef,
    CPrimitiveObject,
)
from archetypes.aom.slots import admits
from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from templates.errors import NoExample
from templates.example_defaults import (
    concrete_types,
    defaults_of,
    example_header,
    plain_default,
    usual_code,
)
from templates.example_members import chosen_members
from templates.example_primitives import Choice, Impossible, primitive_example
from templates.example_texts import matching_text
from templates.example_values import (
    UNKNOWN,
    code_example,
    completed_value,
    consistent_transition,
    group_code,
    openehr_coded,
    ordinal_example,
    quantity_example,
)
from templates.header import Header
from templates.operational import OperationalTemplate
from templates.rm_defaults import archetyped, node_name
from templates.rubrics import Rubrics

Kind = Literal["minimal", "full"]

# Older tools write the American spelling into templates; the reference model has one spelling.
_SPELLINGS = {"null_flavor": "null_flavour"}
_PERSISTENT = "431"
MOST_OBJECTS = 20_000  # of one example; the largest public templates need some thousands


class _TooMany(Exception):
    """The template asks for more objects than anybody would read."""


def example_composition(
    opt: OperationalTemplate, *, kind: Kind = "full", seed: int = 0, language: str | None = None
) -> dict[str, Any]:
    """A canonical composition (RM 1.1.0, without uid) that the template allows.

    ``language`` is that of the texts, where the template has it; else the template's own. Raises
    NoExample if the template contradicts itself in a mandatory place or is not one of a composition,
    ValueError for a negative seed.
    """
    if seed < 0:
        raise ValueError("a seed is 0 or more")
    if opt.definition.rm_type_name != "COMPOSITION":
        raise NoExample(opt.template_id, f"its root is {opt.definition.rm_type_name}, no COMPOSITION")
    header = example_header(language or opt.language)
    builder = _Builder(kind == "full", language or opt.language, header)
    try:
        made = builder.complex_object(opt.definition, opt.definition, Choice.of_seed(seed))
    except (Impossible, _TooMany) as error:
        raise NoExample(opt.template_id, str(error)) from error
    made["archetype_details"]["template_id"] = {"_type": "TEMPLATE_ID", "value": opt.template_id}
    if made["category"]["defining_code"]["code_string"] != _PERSISTENT:
        made.setdefault("context", {"_type": "EVENT_CONTEXT"} | header.context())
    return made


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes an object of a constraint, and all below it."""

    full: bool
    language: str
    header: Header
    numbers: Iterator[int] = field(default_factory=count)

    def object(
        self, constraint: CObject, root: CArchetypeRoot, owner: tuple[str, str], choice: Choice
    ) -> Any:
        """A value of the constraint; ``owner`` is the class and attribute that it stands under."""
        match constraint:
            case CArchetypeRoot():
                return self.complex_object(constraint, constraint, choice)
            case CComplexObject():
                return self.complex_object(constraint, root, choice, owner)
            case CPrimitiveObject(item=None):
                return self._default(owner[0], owner[1], choice)
            case CPrimitiveObject(item=item):
                return self._primitive(item, owner, choice)
            case CDvQuantity():
                return quantity_example(constraint, choice)
            case CDvOrdinal():
                return ordinal_example(constraint, choice, Rubrics(root, self.language))
            case CCodePhrase() | CCodeReference() | ConstraintRef():
                return code_example(constraint, choice, usual_code(owner[1], self.language))
            case ArchetypeSlot():
                return self._filler(constraint, choice)
        raise Impossible(f"a reference that the template has not resolved: {type(constraint).__name__}")

    def _primitive(self, item: Any, owner: tuple[str, str], choice: Choice) -> Any:
        if owner == ("ACTIVITY", "action_archetype_id") and getattr(item, "pattern", None):
            return item.pattern  # the attribute is itself a pattern of archetype ids
        return primitive_example(item, choice)

    # --- complex objects -----------------------------------------------------------------------------

    def complex_object(
        self,
        constraint: CComplexObject,
        root: CArchetypeRoot,
        choice: Choice,
        owner: tuple[str, str] = ("", ""),
    ) -> dict[str, Any]:
        """An instance of the constraint's class with the attributes that the template speaks of."""
        if next(self.numbers) == MOST_OBJECTS:
            raise _TooMany(f"it would have more than {MOST_OBJECTS} objects")
        types, choice = choice.among(_fitting_types(constraint))
        made: dict[str, Any] = {"_type": base_name(types[0])}
        if rm_schema().is_a(made["_type"], "ENTRY") and not isinstance(constraint, CArchetypeRoot):
            # ENTRY, invariant Is_archetype_root.
            raise Impossible(f"{made['_type']} {constraint.node_id} is no root of an archetype")
        if rm_schema().is_a(made["_type"], "LOCATABLE"):
            made |= self._identity(constraint, root, choice)
        if made["_type"] == "ELEMENT":
            made |= self._element_content(constraint, root, choice)
        else:
            for attribute in constraint.attributes:
                made |= self._attribute(attribute, types[0], root, choice)
        made = self._coded_by_group(made, owner)
        made = completed_value(made, constraint, choice, Rubrics(root, self.language))
        made = self._completed(made, types[0], constraint, choice)
        if made["_type"] == "ISM_TRANSITION":
            return consistent_transition(made, constraint, self.language)
        return made

    def _identity(self, constraint: CComplexObject, root: CArchetypeRoot, choice: Choice) -> dict[str, Any]:
        rubrics = Rubrics(root, self.language)
        name = node_name(constraint, rubrics)
        names = constraint.attribute("name")
        if names is not None and names.children and not _leaves_open(names.children):
            name = self._single(names, names.children, root, ("LOCATABLE", "name"), choice)
        made: dict[str, Any] = {"name": name, "archetype_node_id": constraint.node_id or "at0000"}
        if isinstance(constraint, CArchetypeRoot):
            made["archetype_node_id"] = constraint.archetype_id
            made["archetype_details"] = archetyped(constraint.archetype_id)
        return made

    def _element_content(
        self, constraint: CComplexObject, root: CArchetypeRoot, choice: Choice
    ) -> dict[str, Any]:
        """Its value, or why there is none: a null flavour where the template speaks of one, or no value is
        possible."""
        attributes = [_spelled(attribute) for attribute in constraint.attributes]
        stated = {a.rm_attribute_name: a for a in attributes}
        open_value = CAttribute(rm_attribute_name="value")
        options = [stated.get("value", open_value), *filter(None, (stated.get("null_flavour"),))]
        ordered, below = choice.among(options)
        for attribute in ordered:
            try:
                found = self._attribute(attribute, "ELEMENT", root, below, wanted=True)
            except Impossible:
                continue
            if found:
                return found | self._other_content(attributes, root, choice)
        return {"null_flavour": openehr_coded(UNKNOWN[0], self.language)}

    def _other_content(
        self, attributes: Sequence[CAttribute], root: CArchetypeRoot, choice: Choice
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for attribute in attributes:
            if attribute.rm_attribute_name not in ("value", "null_flavour"):
                made |= self._attribute(attribute, "ELEMENT", root, choice)
        return made

    def _coded_by_group(self, made: dict[str, Any], owner: tuple[str, str]) -> dict[str, Any]:
        """A code that the template leaves open, but the reference model does not."""
        code = group_code(*owner)
        if made["_type"] == "DV_CODED_TEXT" and code is not None and not _has_openehr_code(made, owner):
            return openehr_coded(code, self.language)
        return made

    def _completed(
        self, made: dict[str, Any], type_name: str, constraint: CComplexObject, choice: Choice
    ) -> dict[str, Any]:
        """With the mandatory attributes that are still missing."""
        made |= defaults_of(made, self.header)
        if made["_type"] == "HISTORY" and not made.get("events"):
            made["events"] = [self._free("POINT_EVENT", choice, "event")]
        for known in rm_schema().attributes(type_name).values():
            if known.mandatory and not known.computed and known.name not in made:
                made[known.name] = self._default(type_name, known.name, choice)
        return made

    # --- attributes ----------------------------------------------------------------------------------

    def _attribute(
        self,
        attribute: CAttribute,
        type_name: str,
        root: CArchetypeRoot,
        choice: Choice,
        *,
        wanted: bool = False,
    ) -> dict[str, Any]:
        """The attribute with its value; empty if it is left out."""
        name = _SPELLINGS.get(attribute.rm_attribute_name, attribute.rm_attribute_name)
        known = rm_schema().attribute(type_name, name)
        is_made = known is None or known.computed or (name == "name" and _is_locatable(type_name))
        if known is None or is_made or _is_prohibited(attribute):
            return {}
        if known.container:
            members = self._members(attribute, known, root, (base_name(type_name), name), choice)
            return {name: members} if members else {}
        required = known.mandatory or bool(attribute.existence and attribute.existence.lower)
        if not (required or wanted or self.full):
            return {}
        side = {"lower": 0.25, "upper": 0.75}.get(name)  # of an interval, or two bounds would be one
        choice = choice if side is None else choice.at(side)
        try:
            made = self._value(attribute, known, root, base_name(type_name), choice)
        except Impossible:
            if required or wanted:
                raise
            return {}
        return {name: made} if required or wanted or not _is_empty_structure(made) else {}

    def _value(
        self, attribute: CAttribute, known: RmAttribute, root: CArchetypeRoot, owner: str, choice: Choice
    ) -> Any:
        allowed = [child for child in attribute.children if child.occurrences.upper != 0]
        if attribute.children and not allowed:
            raise Impossible(f"{known.name} may be nothing")
        if not allowed:
            return self._default(owner, known.name, choice, known)
        return self._single(attribute, allowed, root, (owner, known.name), choice)

    def _single(
        self,
        attribute: CAttribute,
        allowed: Sequence[CObject],
        root: CArchetypeRoot,
        owner: tuple[str, str],
        choice: Choice,
    ) -> Any:
        ordered, below = choice.among(allowed)
        reason = Impossible(f"no value of {owner[1]}")
        for alternative in ordered:
            try:
                return self.object(alternative, root, owner, below)
            except Impossible as error:
                reason = error
        raise reason

    def _members(
        self,
        attribute: CAttribute,
        known: RmAttribute,
        root: CArchetypeRoot,
        owner: tuple[str, str],
        choice: Choice,
    ) -> list[Any]:
        if attribute.children:
            least = 1 if owner == ("HISTORY", "events") else 0

            def make(child: CObject, below: Choice) -> Any:
                return self.object(child, root, owner, below)

            return chosen_members(attribute, known, make, choice, full=self.full, least=least)
        lower = attribute.cardinality.interval.lower if attribute.cardinality else 0
        return [self._free(known.type_name, choice, known.name) for _ in range(lower or 0)]

    # --- what the template leaves open -------------------------------------------------------------

    def _default(self, owner: str, name: str, choice: Choice, known: RmAttribute | None = None) -> Any:
        known = known or rm_schema().attribute(owner, name)
        if known is None:
            raise Impossible(f"{owner} has no {name}")
        if known.container:
            return [self._free(known.type_name, choice, name)]
        plain = plain_default(base_name(owner), known, choice, self.language)
        return self._free(known.type_name, choice, name) if plain is None else plain

    def _free(self, type_name: str, choice: Choice, name: str) -> dict[str, Any]:
        """An object that no constraint speaks of."""
        constraint = CComplexObject(rm_type_name=type_name, node_id="at0000")
        anywhere = CArchetypeRoot(rm_type_name=type_name, archetype_id="", node_id="")
        made = self.complex_object(constraint, anywhere, choice)
        if "name" in made and _is_locatable(made["_type"]):
            made["name"] = {"_type": "DV_TEXT", "value": name}
        return made

    def _filler(self, slot: ArchetypeSlot, choice: Choice) -> dict[str, Any]:
        """Something for a slot that must be filled: the smallest object of its class."""
        made = self._free(slot.rm_type_name, choice, "example")
        usual = f"openEHR-EHR-{made['_type']}.example.v1"
        made_up = (matching_text(pattern) for pattern in slot.includes)
        fitting = (i for i in (usual, *made_up) if i is not None and admits(slot, i) and "." in i)
        archetype_id = next(fitting, None)
        if archetype_id is None:
            raise Impossible("a slot that no archetype fits")
        return {**made, "archetype_node_id": archetype_id, "archetype_details": archetyped(archetype_id)}


def _fitting_types(constraint: CComplexObject) -> Sequence[str]:
    """The concrete classes that have every attribute which the template speaks of."""
    wanted = {_SPELLINGS.get(a.rm_attribute_name, a.rm_attribute_name) for a in constraint.attributes}
    types = concrete_types(constraint.rm_type_name)
    fitting = [name for name in types if wanted <= set(rm_schema().attributes(name))]
    return fitting or types


def _is_empty_structure(made: Any) -> bool:
    """True for a tree or list without items: its slots are open, so it has nothing to show."""
    if not isinstance(made, dict) or not rm_schema().is_a(made["_type"], "ITEM_STRUCTURE"):
        return False
    return not {"items", "rows", "item"} & set(made)


def _leaves_open(names: Sequence[CObject]) -> bool:
    """True if one of the alternatives is any text: then the node has the name of its term."""
    return any(
        child.rm_type_name == "DV_TEXT" and isinstance(child, CComplexObject) and not child.attributes
        for child in names
    )


def _spelled(attribute: CAttribute) -> CAttribute:
    name = _SPELLINGS.get(attribute.rm_attribute_name)
    if name is None:
        return attribute
    return CAttribute(rm_attribute_name=name, existence=attribute.existence, children=attribute.children)


def _is_prohibited(attribute: CAttribute) -> bool:
    return attribute.existence is not None and attribute.existence.upper == 0


def _is_locatable(type_name: str) -> bool:
    return rm_schema().is_a(type_name, "LOCATABLE")


def _has_openehr_code(made: dict[str, Any], owner: tuple[str, str]) -> bool:
    phrase = made.get("defining_code")
    return phrase is not None and phrase["terminology_id"]["value"] == "openehr"
