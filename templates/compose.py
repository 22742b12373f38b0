"""Compose: a canonical composition from the values of card fields.

The template leads: values go to the nodes that are annotated with their field, the structure above
them is made, mandatory nodes that can only have one value get it (the role "mor", a test name), and
what the reference model demands is filled from the header. Two calls with the same arguments give equal
compositions: no clock, no random ids.

Composing does not judge completeness: a mandatory node without a value is left out, and the validator
says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archetypes.aom.constraints import CArchetypeRoot, CAttribute, CComplexObject, CObject
from archetypes.rm.schema import rm_schema
from templates.data_values import DataValue, alternatives
from templates.determined import determined
from templates.errors import ValueRefused
from templates.fields import field_nodes
from templates.header import Header
from templates.operational import OperationalTemplate
from templates.placements import Placement, Step, placements
from templates.rm_defaults import RM_DEFAULTS, archetyped, concrete_type, node_name, subject
from templates.rubrics import Rubrics

__all__ = ["Header", "compose"]

# Attributes that are made from the header or the template's texts, not from the constraint's children.
_MADE_ELSEWHERE = frozenset({"name", "subject", "category", "ism_transition"})


def compose(opt: OperationalTemplate, header: Header, values: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical composition (RM 1.1.0) that holds ``values``.

    ``values``: field id (with ``#n`` for the n-th instance) -> value in the forms of
    ``templates.data_values``. Raises FieldNotHeld and ValueRefused, each with the field's id.
    """
    held = field_nodes(opt)
    given = {name: value for name, value in header.field_values().items() if name in held}
    tree = _grow(opt.definition, placements(opt, {**given, **values}))
    return _Builder(opt, header).composition(tree)


@dataclass(slots=True)
class _Branch:
    """A node that will exist, with what is known below it."""

    constraint: CObject
    root: CArchetypeRoot
    instance: int = 1
    source: str = ""
    value: DataValue | None = None
    below: dict[Step, _Branch] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[CAttribute, ...]:
        """What the template says about the attributes of the node."""
        return self.constraint.attributes if isinstance(self.constraint, CComplexObject) else ()

    def alternatives(self, attribute: str) -> tuple[CObject, ...]:
        """What may stand in a single attribute."""
        found = (a.children for a in self.attributes if a.rm_attribute_name == attribute)
        return next(found, ())

    def child(self, step: Step) -> _Branch:
        """The branch at ``step``, made if it is new."""
        if step not in self.below:
            self.below[step] = self.made(*step)
        return self.below[step]

    def made(self, attribute: str, position: int, instance: int = 1) -> _Branch:
        """A branch for the constraint at this place, not yet part of the tree."""
        child = self.alternatives(attribute)[position]
        root = child if isinstance(child, CArchetypeRoot) else self.root
        return _Branch(child, root, instance)

    def members(self, attribute: CAttribute) -> Iterator[_Branch]:
        """The branches under ``attribute`` and, where it has none, its mandatory nodes; in order."""
        name = attribute.rm_attribute_name
        for position, constraint in enumerate(attribute.children):
            there = sorted(step for step in self.below if step[:2] == (name, position))
            yield from (self.below[step] for step in there)
            if not there and constraint.occurrences.lower:
                yield self.made(name, position)


def _grow(definition: CArchetypeRoot, placed: Iterable[Placement]) -> _Branch:
    tree = _Branch(definition, definition)
    for placement in placed:
        branch = tree
        for step in placement.steps:
            branch = branch.child(step)
        if branch.value not in (None, placement.value):
            raise ValueRefused(placement.field, f"another value than {branch.source} in the same place")
        branch.value, branch.source = placement.value, placement.field
    return tree


@dataclass(frozen=True, slots=True)
class _Builder:
    """Turns branches into canonical objects."""

    opt: OperationalTemplate
    header: Header

    def composition(self, tree: _Branch) -> dict[str, Any]:
        made = self._locatable(tree)
        made["archetype_details"]["template_id"] = {"_type": "TEMPLATE_ID", "value": self.opt.template_id}
        made["language"] = self.header.language_code()
        made["territory"] = self.header.territory_code()
        made["composer"] = self.header.author()
        category = determined(tree.alternatives("category"), self._rubrics(tree))
        if category is not None:
            made["category"] = category
        content = self._attributes(tree)
        made["context"] = content.pop("context", {}) | self.header.context()
        return made | content

    def _node(self, branch: _Branch) -> dict[str, Any] | None:
        """The object of a branch; None if nothing below it has a value."""
        type_name = concrete_type(branch.constraint)
        if type_name == "ELEMENT":
            return self._element(branch)
        if rm_schema().is_a(type_name, "DATA_VALUE"):
            return determined((branch.constraint,), self._rubrics(branch))
        content = self._attributes(branch)
        if type_name == "ACTION":
            content = self._with_careflow_step(content, branch)
        if not content:
            return None
        made = self._locatable(branch) | content
        if rm_schema().is_a(type_name, "ENTRY"):
            made["subject"] = subject(branch.alternatives("subject"), branch.instance, self.header.language)
        for complete in RM_DEFAULTS.get(type_name, ()):
            complete(made, self.header)
        return made

    def _locatable(self, branch: _Branch) -> dict[str, Any]:
        """Type, name and ids of a node."""
        constraint = branch.constraint
        made: dict[str, Any] = {"_type": concrete_type(constraint)}
        if not rm_schema().is_a(made["_type"], "LOCATABLE"):
            return made
        made["name"] = node_name(constraint, self._rubrics(branch))
        made["archetype_node_id"] = constraint.node_id
        if isinstance(constraint, CArchetypeRoot):
            made["archetype_node_id"] = constraint.archetype_id
            made["archetype_details"] = archetyped(constraint.archetype_id)
        return made

    def _element(self, branch: _Branch) -> dict[str, Any] | None:
        value = branch.value or determined(alternatives(branch.constraint), self._rubrics(branch))
        return None if value is None else {**self._locatable(branch), "value": value}

    def _attributes(self, branch: _Branch) -> dict[str, Any]:
        """What the branch has to say, attribute by attribute."""
        made: dict[str, Any] = {}
        for attribute in branch.attributes:
            name = attribute.rm_attribute_name
            known = rm_schema().attribute(branch.constraint.rm_type_name, name)
            if name in _MADE_ELSEWHERE or known is None:
                continue
            members = [node for node in map(self._node, branch.members(attribute)) if node is not None]
            if members:
                made[name] = members if known.container else members[0]
        return made

    def _with_careflow_step(self, content: dict[str, Any], branch: _Branch) -> dict[str, Any]:
        """An action's content with the careflow step that was given, else the first of the template."""
        given = [child for step, child in branch.below.items() if step[0] == "ism_transition"]
        if not given and (not content or not branch.alternatives("ism_transition")):
            return content
        chosen = given[0] if given else branch.made("ism_transition", 0)
        transition: dict[str, Any] = {"_type": "ISM_TRANSITION"}
        for attribute in chosen.attributes:
            value = determined(attribute.children, self._rubrics(chosen))
            if value is not None:
                transition[attribute.rm_attribute_name] = value
        return {"ism_transition": transition, **content}

    def _rubrics(self, branch: _Branch) -> Rubrics:
        return Rubrics(branch.root, self.opt.language)
