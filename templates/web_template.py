"""The web template: an operational template as forms and FLAT paths see it (JSON form, version 2.3).

The tree leaves out what data have but nobody fills in: item structures, HISTORY, the only EVENT of a
history. An ELEMENT with one data type is one node with its value. Ids are made of the names in the
template's default language (simplified formats specification; the algorithm as both implementations
have it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
    CString,
    TermDefinition,
)
from archetypes.intervals import ONCE, OPTIONAL, Interval
from archetypes.rm.schema import RmAttribute, rm_schema
from templates.narrowing import code_phrase, primitive, with_code_phrase, with_primitive
from templates.operational import OperationalTemplate, fixed_name, step
from templates.tree import with_attribute
from templates.web_template_finish import MEMBER_OF, finished
from templates.web_template_inputs import Json, Labels, inputs_of, proportion_types, set_defaults

VERSION = "2.3"

# Structure that data have and forms do not show.
_HIDDEN = frozenset({"ITEM_TREE", "ITEM_LIST", "ITEM_SINGLE", "ITEM_TABLE", "HISTORY"})
_EVENTS = frozenset({"EVENT", "POINT_EVENT", "INTERVAL_EVENT"})
_EMPTY_STRUCTURES = frozenset({"CLUSTER", "SECTION"}) | _EVENTS

# What every object of a type needs besides the template's nodes; filled from the context of a FLAT
# composition if the template says nothing about it.
_ENTRY = ("language", "encoding", "subject")
_CONTEXT_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "COMPOSITION": ("category", "language", "territory", "composer"),
    "EVENT_CONTEXT": ("start_time", "setting"),
    "OBSERVATION": _ENTRY,
    "EVALUATION": _ENTRY,
    "ADMIN_ENTRY": _ENTRY,
    "INSTRUCTION": ("narrative", *_ENTRY),
    "ACTION": ("time", "ism_transition", *_ENTRY),
    "ACTIVITY": ("timing", "action_archetype_id"),
    "EVENT": ("time",),
    "POINT_EVENT": ("time",),
    "INTERVAL_EVENT": ("time", "width", "math_function"),
    "ISM_TRANSITION": ("current_state", "transition", "careflow_step"),
}
_OPTIONAL_IN_CONTEXT = frozenset({"transition", "careflow_step"})

# What an ELEMENT without a constraint on its value is offered as.
_ANY_VALUE = (
    "DV_CODED_TEXT",
    "DV_TEXT",
    "DV_MULTIMEDIA",
    "DV_PARSABLE",
    "DV_STATE",
    "DV_BOOLEAN",
    "DV_IDENTIFIER",
    "DV_URI",
    "DV_EHR_URI",
    "DV_DURATION",
    "DV_QUANTITY",
    "DV_COUNT",
    "DV_PROPORTION",
    "DV_DATE_TIME",
    "DV_DATE",
    "DV_TIME",
    "DV_ORDINAL",
    "DV_SCALE",
)

_NAMES_OF_CHOICES = ("localizedName", "localizedNames", "localizedDescriptions")

# Attributes that a template constrains without making a node of them.
_NO_NODE = frozenset({"name", "null_flavour", "archetype_node_id", "archetype_details"})


def to_web_template(template: OperationalTemplate) -> dict[str, Any]:
    """The web template as a JSON object."""
    builder = _Builder(template)
    result: Json = {"templateId": template.template_id}
    version = template.description.get("other_details.sem_ver")
    if version:
        result["semVer"] = version
    result["version"] = VERSION
    result["defaultLanguage"] = template.language
    result["languages"] = builder.languages
    result["tree"] = builder.tree()
    return result


def node_id(name: str) -> str:
    """The id that a name gives, before duplicates are told apart."""
    text = "".join(c if c.isalpha() or c in "_.-" or (c.isascii() and c.isdigit()) else "_" for c in name)
    text = re.sub("_+", "_", text).lower().removeprefix("_").removesuffix("_")
    if not text:
        return "id"
    return f"a{text}" if text[0].isdigit() else text


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an object stands: path from the composition, its archetype root, and how often."""

    path: str
    root: CArchetypeRoot
    attribute: str = ""
    siblings: Sequence[CObject] = ()
    occurrences: Interval[int] = ONCE


class _Builder:
    def __init__(self, template: OperationalTemplate) -> None:
        self._template = template
        others = {language for node in _roots(template) for language in node.terms}
        self.languages = [template.language, *sorted(others - {template.language})]

    def tree(self) -> Json:
        """The root node with all below."""
        root = self._template.definition
        node = self._node(root, _Place("", root))
        node["children"] = list(self._children(root, _Place("", root)))
        if root.rm_type_name == "COMPOSITION":
            node["children"] = _context_first(node["children"])
        return finished(node)

    # --- objects ---------------------------------------------------------------------------------

    def _object(self, constraint: CObject, place: _Place) -> Iterator[Json]:
        """The node of an object, or the nodes below it where it is left out itself."""
        type_name = constraint.rm_type_name
        if isinstance(constraint, ArchetypeSlot):
            return
        if isinstance(constraint, CArchetypeRoot):
            place = replace(place, root=constraint)
        if type_name == "ELEMENT" and isinstance(constraint, CComplexObject):
            yield self._element(constraint, place)
        elif isinstance(constraint, CComplexObject) and self._hidden(constraint, place):
            yield from self._children(constraint, place)
        elif rm_schema().is_a(type_name, "DATA_VALUE") or not isinstance(constraint, CComplexObject):
            yield self._value(constraint, place)
        else:
            node = self._node(constraint, place)
            children = list(self._children(constraint, place))
            named = [child for child in children if not child.get("inContext")]
            if named or type_name not in _EMPTY_STRUCTURES:
                yield {**node, "children": children} if children else node

    def _hidden(self, constraint: CComplexObject, place: _Place) -> bool:
        if constraint.rm_type_name in _HIDDEN:
            return True
        if constraint.rm_type_name not in _EVENTS:
            return False
        events = [sibling for sibling in place.siblings if sibling.rm_type_name in _EVENTS]
        return len(events) == 1 and constraint.occurrences.upper == 1

    def _children(self, constraint: CComplexObject, place: _Place) -> Iterator[Json]:
        stated = set()
        for attribute in constraint.attributes:
            if attribute.rm_attribute_name in _NO_NODE or attribute.existence == Interval(0, 0):
                continue
            stated.add(attribute.rm_attribute_name)
            yield from self._attribute(constraint, attribute, place)
        for name in _CONTEXT_ATTRIBUTES.get(constraint.rm_type_name, ()):
            known = rm_schema().attribute(constraint.rm_type_name, name)
            if name not in stated and known is not None:
                yield self._from_context(known, place)
        if constraint.rm_type_name == "INSTRUCTION" and "expiry_time" not in stated:
            yield self._expiry_time(place)

    def _attribute(self, owner: CComplexObject, attribute: CAttribute, place: _Place) -> Iterator[Json]:
        name = attribute.rm_attribute_name
        if name in _CONTEXT_ATTRIBUTES.get(owner.rm_type_name, ()):
            yield self._stated_context(attribute, place)
            return
        container = attribute.cardinality is not None
        children = [variant for child in attribute.children for variant in self._by_name(child, place)]
        for child in children:
            path = place.path + _data_step(name, child)
            times = child.occurrences
            if not container:
                lower = 1 if attribute.existence and attribute.existence.lower and times.lower else 0
                times = Interval(lower, 1)
            for node in self._object(child, _Place(path, place.root, name, attribute.children, times)):
                node.setdefault(MEMBER_OF, attribute)
                yield node

    def _by_name(self, child: CObject, place: _Place) -> Sequence[CObject]:
        """One object for each of the names that the template allows, if these are listed."""
        attribute = child.attribute("name") if isinstance(child, CComplexObject) else None
        if attribute is None or not attribute.children or not isinstance(child, CComplexObject):
            return (child,)
        root = child if isinstance(child, CArchetypeRoot) else place.root
        names = list(self._allowed_names(attribute.children[0], root))
        if len(names) < 2:
            return (child,)
        return [_with_name(child, attribute, name, code) for name, code in names]

    def _allowed_names(self, name: CObject, root: CArchetypeRoot) -> Iterator[tuple[str, str | None]]:
        """The names that are listed, each with its code if it has one."""
        texts, phrase = primitive(name, "value"), code_phrase(name)
        if isinstance(texts, CString) and not texts.list_open:
            yield from ((text, None) for text in texts.values)
        elif phrase is not None:
            labels = Labels(root, self._template.language)
            for code in phrase.codes:
                definition = labels.definition(
                    phrase.terminology_id or "local", code, self._template.language
                )
                yield definition.text if definition else code, code

    # --- elements and data values ----------------------------------------------------------------

    def _element(self, element: CComplexObject, place: _Place) -> Json:
        node = self._node(element, place)
        attribute = element.attribute("value")
        alternatives = attribute.children if attribute else ()
        if not alternatives:
            alternatives = tuple(CComplexObject(rm_type_name=kind) for kind in _ANY_VALUE)
        coded = [a for a in alternatives if a.rm_type_name == "DV_CODED_TEXT"]
        plain = [a for a in alternatives if a.rm_type_name == "DV_TEXT"]
        if len(alternatives) == 2 and len(coded) == len(plain) == 1:
            return self._merged(node, coded[0], plain[0], place)
        if len(alternatives) == 1:
            return self._with_value(node, alternatives[0], place)
        inner = replace(place, path=f"{place.path}/value")
        ordered = sorted(alternatives, key=lambda a: a.rm_type_name == "DV_TEXT")
        names = {key: node[key] for key in _NAMES_OF_CHOICES if key in node}
        choices = [{**self._choice(alternative, inner), **names} for alternative in ordered]
        return {**node, "children": choices}

    def _with_value(self, node: Json, value: CObject, place: _Place) -> Json:
        node.update(rmType=value.rm_type_name, aqlPath=f"{place.path}/value")
        node.update(self._details(value, replace(place, path=f"{place.path}/value")))
        return node

    def _merged(self, node: Json, coded: CObject, plain: CObject, place: _Place) -> Json:
        """A code from a list, or another text."""
        node = self._with_value(node, coded, place)
        for each in node["inputs"]:
            if "list" in each:
                each["listOpen"] = True
        node["inputs"].append({"suffix": "other", "type": "TEXT"})
        return node

    def _choice(self, value: CObject, place: _Place) -> Json:
        node = self._value(value, replace(place, occurrences=OPTIONAL))
        node["id"] = _choice_id(value.rm_type_name)
        return node

    def _value(self, value: CObject, place: _Place) -> Json:
        """A node without a name: a data value that is no ELEMENT's only one."""
        node: Json = {
            "id": place.attribute or "value",
            "rmType": value.rm_type_name,
            "nodeId": value.node_id,
            "min": place.occurrences.lower or 0,
            "max": _upper(place.occurrences),
            "aqlPath": place.path,
        }
        node.update(self._details(value, place))
        return node

    def _details(self, value: CObject, place: _Place) -> Json:
        """Inputs, or the two bounds of an interval."""
        if value.rm_type_name.startswith("DV_INTERVAL"):
            return {"children": list(self._bounds(value, place))}
        details: Json = {}
        if value.rm_type_name == "DV_PROPORTION":
            details["proportionTypes"] = proportion_types(value)
        inputs = inputs_of(value, Labels(place.root, self._template.language))
        default = self._template.defaults.get(place.path)
        if default is not None:
            set_defaults(inputs, default)
        return {**details, "inputs": inputs} if inputs else details

    def _bounds(self, value: CObject, place: _Place) -> Iterator[Json]:
        for bound in ("lower", "upper"):
            there = value.attribute(bound) if isinstance(value, CComplexObject) else None
            known = rm_schema().attribute(value.rm_type_name, bound)
            type_name = known.type_name if known else "DV_ORDERED"
            inner = there.children[0] if there and there.children else CComplexObject(rm_type_name=type_name)
            at = _Place(f"{place.path}/{bound}", place.root, bound, (), ONCE)
            yield self._value(inner, at)

    # --- what comes from the context -------------------------------------------------------------

    def _from_context(self, known: RmAttribute, place: _Place) -> Json:
        """An attribute that the template is silent about."""
        value = CComplexObject(rm_type_name=known.type_name)
        return self._context_node(known.name, value, place)

    def _expiry_time(self, place: _Place) -> Json:
        node = self._context_node("expiry_time", CComplexObject(rm_type_name="DV_DATE_TIME"), place)
        del node["inContext"]
        return {**node, "name": "expiry_time", "min": 0}

    def _stated_context(self, attribute: CAttribute, place: _Place) -> Json:
        """An attribute that the template narrows; several alternatives are shown as one."""
        name = attribute.rm_attribute_name
        if name == "ism_transition":
            return self._ism_transition(attribute, place)
        return self._context_node(name, attribute.children[0], place)

    def _context_node(self, name: str, value: CObject, place: _Place) -> Json:
        type_name = "PARTY_PROXY" if value.rm_type_name.startswith("PARTY") else value.rm_type_name
        # Writers give the category a node id instead of a name.
        label = {"nodeId": ""} if name == "category" else {"name": name.capitalize()}
        node: Json = {
            "id": name,
            **label,
            "rmType": type_name,
            "min": 0 if name in _OPTIONAL_IN_CONTEXT else 1,
            "max": 1,
            "aqlPath": f"{place.path}/{name}",
        }
        node.update(self._details(value, place))
        if name == "category":
            for each in node.get("inputs", ()):
                each.pop("defaultValue", None)
        node["inContext"] = True
        return node

    def _ism_transition(self, attribute: CAttribute, place: _Place) -> Json:
        """All transitions as one node, with the careflow steps and states that they allow."""
        inner = replace(place, path=f"{place.path}/ism_transition")
        node = self._context_node("ism_transition", CComplexObject(rm_type_name="ISM_TRANSITION"), place)
        annotations: Json = {}
        for child in attribute.children:
            annotations.update(self._annotations(None, place.path + step("ism_transition", child)))
        if annotations:
            node["annotations"] = annotations
        steps = [child for child in attribute.children if isinstance(child, CComplexObject)]
        children = []
        for name in _CONTEXT_ATTRIBUTES["ISM_TRANSITION"]:
            stated = [there for child in steps if (there := child.attribute(name)) and there.children]
            value: CObject = CComplexObject(rm_type_name="DV_CODED_TEXT")
            if stated:
                value = _union([there.children[0] for there in stated])
            below = self._context_node(name, value, inner)
            if name == "careflow_step":
                _add_states(below, steps)
            children.append(below)
        return {**node, "children": children}

    # --- names -----------------------------------------------------------------------------------

    def _node(self, constraint: CObject, place: _Place) -> Json:
        """What every node has; ids of siblings are made unique later."""
        fixed = fixed_name(constraint)
        terms = self._definitions(_code_of_name(constraint) or constraint.node_id, place.root)
        default = terms.get(self._template.language) or next(iter(terms.values()), None)
        name = fixed or (default.text if default else None)
        node: Json = {"id": node_id(name) if name else place.attribute or constraint.rm_type_name.lower()}
        if name is not None:
            node.update(name=name, localizedName=name)
        node["rmType"] = constraint.rm_type_name
        node["nodeId"] = _identifier(constraint)
        # The context is optional in the model; every composition that a form makes has one.
        node["min"] = 1 if constraint.rm_type_name == "EVENT_CONTEXT" else place.occurrences.lower or 0
        node["max"] = _upper(place.occurrences)
        if name is not None:
            node["localizedNames"] = self._names(fixed, terms)
            node["localizedDescriptions"] = {
                language: terms[language].description for language in self.languages if language in terms
            }
        own = place.root.terms.get(self._template.language, {}).get(constraint.node_id)
        annotations = self._annotations(own or default, place.path)
        if annotations:
            node["annotations"] = annotations
        bindings = Labels(place.root, self._template.language).bindings(constraint.node_id)
        if bindings:
            node["termBindings"] = bindings
        node["aqlPath"] = place.path
        return node

    def _definitions(self, code: str, root: CArchetypeRoot) -> dict[str, TermDefinition]:
        return {language: terms[code] for language, terms in root.terms.items() if code in terms}

    def _names(self, fixed: str | None, terms: Mapping[str, TermDefinition]) -> Json:
        """A name that the template gives is known in the template's language only."""
        if fixed is not None:
            return {self._template.language: fixed}
        return {language: terms[language].text for language in self.languages if language in terms}

    def _annotations(self, term: TermDefinition | None, path: str) -> Json:
        own = self._template.annotations.get(path, {})
        hints = {f"view:{name}": text for name, text in self._template.view.get(path, {}).items()}
        return {**(term.other if term else {}), **own, **hints}


def _with_name(node: CComplexObject, attribute: CAttribute, name: str, code: str | None) -> CComplexObject:
    fixed = with_primitive(attribute.children[0], "value", "STRING", CString(values=(name,)))
    phrase = code_phrase(fixed)
    if code is not None and phrase is not None:
        fixed = with_code_phrase(fixed, replace(phrase, codes=(code,)))
    return with_attribute(node, replace(attribute, children=(fixed,)))


def _code_of_name(constraint: CObject) -> str | None:
    """The local code that is a node's only name: it describes the node better than the node's own term."""
    attribute = constraint.attribute("name") if isinstance(constraint, CComplexObject) else None
    phrase = code_phrase(attribute.children[0]) if attribute and attribute.children else None
    return phrase.codes[0] if phrase and phrase.terminology_id == "local" and len(phrase.codes) == 1 else None


def _add_states(careflow_step: Json, transitions: Sequence[CComplexObject]) -> None:
    """To each careflow step the states that go with it."""
    states: dict[str, list[str]] = {}
    for transition in transitions:
        for code in _codes_of(transition, "careflow_step"):
            states.setdefault(code, []).extend(_codes_of(transition, "current_state"))
    for item in careflow_step.get("inputs", [{}])[0].get("list", ()):
        item.pop("localizedDescriptions", None)
        if states.get(item["value"]):
            item["currentStates"] = states[item["value"]]


def _codes_of(transition: CComplexObject, name: str) -> tuple[str, ...]:
    attribute = transition.attribute(name)
    phrase = code_phrase(attribute.children[0]) if attribute and attribute.children else None
    return phrase.codes if phrase else ()


def _roots(template: OperationalTemplate) -> Iterator[CArchetypeRoot]:
    return (node.constraint for node in template.nodes() if isinstance(node.constraint, CArchetypeRoot))


def _context_first(children: list[Json]) -> list[Json]:
    return sorted(children, key=lambda child: child["rmType"] != "EVENT_CONTEXT")


def _identifier(constraint: CObject) -> str:
    return constraint.archetype_id if isinstance(constraint, CArchetypeRoot) else constraint.node_id


def _choice_id(type_name: str) -> str:
    """``quantity_value``, ``interval_of_quantity_value``."""
    names = re.findall(r"DV_([A-Z_]+)", type_name) or [type_name]
    return "_of_".join(name.lower().strip("_") for name in names) + "_value"


def _data_step(attribute: str, child: CObject) -> str:
    """The path step as data have it: only a LOCATABLE carries its node id."""
    return step(attribute, child) if rm_schema().is_a(child.rm_type_name, "LOCATABLE") else f"/{attribute}"


def _upper(occurrences: Interval[int]) -> int:
    return -1 if occurrences.upper is None else occurrences.upper


def _union(values: list[CObject]) -> CObject:
    """One coded text with the codes of all."""
    first = code_phrase(values[0])
    if first is None or not isinstance(values[0], CComplexObject):
        return values[0]
    codes: dict[str, None] = {}
    for value in values:
        phrase = code_phrase(value)
        codes.update(dict.fromkeys(phrase.codes if phrase else ()))
    phrase = replace(first, codes=tuple(codes))
    attribute = CAttribute(rm_attribute_name="defining_code", existence=ONCE, children=(phrase,))
    return replace(values[0], attributes=(attribute,))
