"""Read OPT 1.4 XML as editors write it.

Real files differ from the published schema in known ways, which are read as meant: blanks around leaf
texts, prefixed ``xsi:type``, ``null_flavor`` for ``null_flavour``, extra ``match_negated`` elements and
``slot_node_id`` attributes, ``C_DV_SCALE``. What has no meaning for us (revision history, views, default
values for forms) is left out. Everything else that does not fit is a located fault: kinds of constraint
that we do not know, parts that are missing, types and attributes that the reference model has not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from lxml import etree

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    OrdinalItem,
    Primitive,
    QuantityItem,
    TermDefinition,
    Terms,
)
from archetypes.errors import MalformedPath, MalformedXml
from archetypes.findings import Finding
from archetypes.intervals import ONCE, OPTIONAL, Interval
from archetypes.paths import RmPath
from archetypes.rm.canonical_xml import read_object
from archetypes.rm.schema import rm_schema
from templates.errors import UnreadableTemplate
from templates.operational import Annotations, Defaults, OperationalTemplate
from templates.opt_elements import child, children, code_text, descend, texts, truth
from templates.opt_writer import NAMESPACE, content_hash
from templates.tree import find
from templates.xml_source import local_name, parse_xml, span_of, text_of, xsi_type

T = TypeVar("T", int, float, str)
Element = etree._Element

# The reference model writes British English; some editors wrote American.
SPELLINGS = MappingProxyType({"null_flavor": "null_flavour"})

# Editors name the transitions of actions, which have no name in the data.
MEANINGLESS = frozenset({("ISM_TRANSITION", "name")})


def read_opt(data: bytes, source: str = "template.opt") -> OperationalTemplate:
    """Read an operational template.

    ``source`` is the file's name for messages. Raises UnreadableTemplate with all faults found, each
    with its line.
    """
    root = parse_xml(data, source, root_tag=f"{{{NAMESPACE}}}template")
    template = _Reader(source).template(root)
    return replace(template, content_hash=content_hash(template))


class _Reader:
    """Walks the elements and gathers faults."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._faults: list[Finding] = []
        self._language = ""
        self._ontologies: dict[str, Terms] = {}

    # --- template --------------------------------------------------------------------------------

    def template(self, root: Element) -> OperationalTemplate:
        for name in ("language", "template_id", "concept", "definition"):
            if child(root, name) is None:
                self._fault("template.missing_part", root, expected=f"<{name}>")
        self._language = text_of(descend(root, "language", "code_string"))
        template_id = text_of(descend(root, "template_id", "value"))
        if not self._faults:
            for name, text in (("language", self._language), ("template_id", template_id)):
                if not text:
                    self._fault("template.missing_part", root, expected=f"a text in <{name}>")
        definition_element = child(root, "definition")
        if definition_element is None or self._faults:
            raise UnreadableTemplate(self._faults)
        self._ontologies = {
            element.get("archetype_id") or "": self._ontology(element)
            for name in ("ontology", "component_ontologies")
            for element in children(root, name)
        }
        definition = self._archetype_root(definition_element)
        defaults = self._defaults(root, definition)
        if self._faults:
            raise UnreadableTemplate(self._faults)
        return OperationalTemplate(
            template_id=template_id,
            concept=text_of(child(root, "concept")),
            language=self._language,
            definition=definition,
            uid=text_of(descend(root, "uid", "value")) or None,
            description=MappingProxyType(dict(self._description(child(root, "description")))),
            annotations=_annotations(children(root, "annotations"), definition, text_of),
            defaults=defaults,
            view=_annotations(_hints(root), definition, lambda item: text_of(child(item, "value"))),
        )

    def _defaults(self, root: Element, definition: CArchetypeRoot) -> Defaults:
        """T_CONSTRAINT: default values of forms, by the path of the value."""
        found = {}
        constraints = child(root, "constraints")
        for attribute in [] if constraints is None else children(constraints, "attributes"):
            default = descend(attribute, "children", "default_value")
            if default is None:
                continue
            try:
                value = read_object(default, "DATA_VALUE")
            except MalformedXml as error:
                self._fault("template.malformed_value", default, found=error.message)
                continue
            name = text_of(child(attribute, "rm_attribute_name"))
            for path in _places(text_of(child(attribute, "differential_path")), definition):
                found[f"{path}/{name}"] = value
        return MappingProxyType(found)

    def _description(self, element: Element | None) -> Iterator[tuple[str, str]]:
        """Flat keys; texts in other languages than the template's are ``purpose@en``."""
        if element is None:
            return
        for group in ("original_author", "other_details"):
            for item in children(element, group):
                if text_of(item):
                    yield f"{group}.{item.get('id') or ''}", text_of(item)
        if text_of(child(element, "lifecycle_state")):
            yield "lifecycle_state", text_of(child(element, "lifecycle_state"))
        details = children(element, "details")
        for position, detail in enumerate(details):
            language = text_of(descend(detail, "language", "code_string"))
            own = language == self._language or (position == 0 and len(details) == 1)
            suffix = "" if own else f"@{language}"
            for name in ("purpose", "use", "misuse", "copyright"):
                if text_of(child(detail, name)):
                    yield name + suffix, text_of(child(detail, name))
            keywords = [" ".join(text.split()) for text in texts(detail, "keywords") if text]
            if keywords:
                yield f"keywords{suffix}", "\n".join(keywords)

    # --- terms -----------------------------------------------------------------------------------

    def _ontology(self, element: Element) -> Terms:
        return {
            definitions.get("language") or "": self._terms(definitions, "items")
            for definitions in children(element, "term_definitions")
        }

    def _terms(self, parent: Element, name: str) -> Mapping[str, TermDefinition]:
        terms = {}
        for term in children(parent, name):
            found = {item.get("id") or "": text_of(item) for item in children(term, "items")}
            terms[term.get("code") or ""] = TermDefinition(
                text=found.pop("text", ""),
                description=found.pop("description", ""),
                other=MappingProxyType(found),
            )
        return MappingProxyType(terms)

    def _all_terms(self, element: Element, archetype_id: str) -> Terms:
        """The root's own terms, and other languages from the template's ontologies."""
        own = self._terms(element, "term_definitions")
        others = {
            language: terms
            for language, terms in self._ontologies.get(archetype_id, {}).items()
            if language != self._language or not own
        }
        return MappingProxyType({**others, **({self._language: own} if own else {})})

    def _bindings(self, element: Element) -> Mapping[str, Mapping[str, str]]:
        bindings: dict[str, Mapping[str, str]] = {}
        for group in children(element, "term_bindings"):
            items = {
                item.get("code") or "": code_text(child(item, "value")) for item in children(group, "items")
            }
            bindings[group.get("terminology") or ""] = MappingProxyType(items)
        return MappingProxyType(bindings)

    # --- objects ---------------------------------------------------------------------------------

    def _object(self, element: Element) -> CObject | None:
        kind = xsi_type(element)
        reader = _OBJECTS.get(kind)
        if reader is None:
            found = kind or "no xsi:type"
            self._fault("template.unknown_kind", element, expected=", ".join(sorted(_OBJECTS)), found=found)
            return None
        try:
            return reader(self, element)
        except ValueError as error:
            self._fault("template.malformed_value", element, found=str(error))
            return None

    def _type_name(self, element: Element) -> str:
        name = text_of(child(element, "rm_type_name"))
        schema = rm_schema()
        if not name:
            self._fault("template.missing_part", element, expected="<rm_type_name>")
        elif schema.get(name) is None and not schema.is_primitive(name.upper()):
            self._fault("template.unknown_rm_type", element, found=name)
        return name

    def _occurrences(self, element: Element) -> Interval[int]:
        return self._interval(child(element, "occurrences"), int) or ONCE

    def _complex_object(self, element: Element) -> CComplexObject:
        type_name = self._type_name(element)
        return CComplexObject(
            rm_type_name=type_name,
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            attributes=tuple(self._attributes(element, type_name)),
        )

    def _archetype_root(self, element: Element) -> CArchetypeRoot:
        plain = self._complex_object(element)
        archetype_id = text_of(descend(element, "archetype_id", "value"))
        if not archetype_id:
            self._fault("template.missing_part", element, expected="<archetype_id>")
        return CArchetypeRoot(
            rm_type_name=plain.rm_type_name,
            occurrences=plain.occurrences,
            node_id=plain.node_id,
            span=plain.span,
            attributes=plain.attributes,
            archetype_id=archetype_id,
            template_id=text_of(descend(element, "template_id", "value")) or None,
            terms=self._all_terms(element, archetype_id),
            term_bindings=self._bindings(element),
        )

    def _attributes(self, element: Element, type_name: str) -> Iterator[CAttribute]:
        for stated in children(element, "attributes"):
            name = text_of(child(stated, "rm_attribute_name"))
            name = SPELLINGS.get(name, name)
            if (type_name, name) in MEANINGLESS:
                continue
            known_type = rm_schema().get(type_name)
            if known_type is not None and rm_schema().attribute(type_name, name) is None:
                self._fault("template.unknown_rm_attribute", stated, found=f"{type_name}.{name}")
            objects = (self._object(each) for each in children(stated, "children"))
            yield CAttribute(
                rm_attribute_name=name,
                existence=self._interval(child(stated, "existence"), int) or OPTIONAL,
                cardinality=self._cardinality(child(stated, "cardinality")),
                children=tuple(each for each in objects if each is not None),
                span=span_of(stated, self._source),
            )

    def _cardinality(self, element: Element | None) -> Cardinality | None:
        if element is None:
            return None
        return Cardinality(
            interval=self._interval(child(element, "interval"), int) or Interval(0, None),
            is_ordered=truth(element, "is_ordered"),
            is_unique=truth(element, "is_unique"),
        )

    def _slot(self, element: Element) -> ArchetypeSlot:
        return ArchetypeSlot(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            includes=self._patterns(element, "includes"),
            excludes=self._patterns(element, "excludes"),
        )

    def _patterns(self, element: Element, name: str) -> tuple[str, ...]:
        """The archetype id patterns of the assertions; other assertions are refused by name."""
        patterns = []
        for assertion in children(element, name):
            pattern = descend(assertion, "expression", "right_operand", "item", "pattern")
            operator = text_of(descend(assertion, "expression", "operator"))
            if pattern is None or operator != "2007":
                stated = text_of(child(assertion, "string_expression"))
                self._fault("template.unsupported_assertion", assertion, found=stated)
            patterns.append(text_of(pattern))
        return tuple(patterns)

    def _primitive_object(self, element: Element) -> CPrimitiveObject:
        item = child(element, "item")
        return CPrimitiveObject(
            rm_type_name=text_of(child(element, "rm_type_name")),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            item=None if item is None else self._primitive(item),
        )

    def _constraint_ref(self, element: Element) -> ConstraintRef:
        return ConstraintRef(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            reference=text_of(child(element, "reference")),
        )

    def _code_phrase(self, element: Element) -> CCodePhrase:
        return CCodePhrase(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            terminology_id=text_of(descend(element, "terminology_id", "value")) or None,
            codes=texts(element, "code_list"),
            assumed_value=text_of(descend(element, "assumed_value", "code_string")) or None,
        )

    def _code_reference(self, element: Element) -> CCodeReference:
        return CCodeReference(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            terminology_id=text_of(descend(element, "terminology_id", "value")) or None,
            reference_set_uri=text_of(child(element, "referenceSetUri")),
        )

    def _quantity(self, element: Element) -> CDvQuantity:
        property_element, assumed = child(element, "property"), child(element, "assumed_value")
        magnitude = text_of(None if assumed is None else child(assumed, "magnitude"))
        return CDvQuantity(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            property=None if property_element is None else code_text(property_element),
            items=tuple(
                QuantityItem(
                    units=text_of(child(item, "units")),
                    magnitude=self._interval(child(item, "magnitude"), _real),
                    precision=self._interval(child(item, "precision"), int),
                )
                for item in children(element, "list")
            ),
            assumed_value=(_real(magnitude), text_of(descend(element, "assumed_value", "units")))
            if magnitude
            else None,
        )

    def _ordinal(self, element: Element) -> CDvOrdinal:
        assumed = text_of(descend(element, "assumed_value", "value"))
        return CDvOrdinal(
            rm_type_name=self._type_name(element),
            occurrences=self._occurrences(element),
            node_id=text_of(child(element, "node_id")),
            span=span_of(element, self._source),
            items=tuple(
                OrdinalItem(
                    value=_real(text_of(child(item, "value"))),
                    terminology_id=text_of(
                        descend(item, "symbol", "defining_code", "terminology_id", "value")
                    ),
                    code=text_of(descend(item, "symbol", "defining_code", "code_string")),
                )
                for item in children(element, "list")
            ),
            assumed_value=float(assumed) if assumed else None,
        )

    # --- primitives ------------------------------------------------------------------------------

    def _primitive(self, element: Element) -> Primitive | None:
        kind = xsi_type(element)
        assumed = text_of(child(element, "assumed_value")) or None
        match kind:
            case "C_BOOLEAN":
                return CBoolean(
                    true_valid=truth(element, "true_valid"),
                    false_valid=truth(element, "false_valid"),
                    assumed_value=None if assumed is None else assumed == "true",
                )
            case "C_STRING":
                return CString(
                    pattern=text_of(child(element, "pattern")) or None,
                    values=texts(element, "list"),
                    list_open=truth(element, "list_open"),
                    assumed_value=assumed,
                )
            case "C_INTEGER":
                return CInteger(
                    values=tuple(map(int, texts(element, "list"))),
                    range=self._interval(child(element, "range"), int),
                    assumed_value=None if assumed is None else int(assumed),
                )
            case "C_REAL":
                return CReal(
                    values=tuple(map(_real, texts(element, "list"))),
                    range=self._interval(child(element, "range"), _real),
                    assumed_value=None if assumed is None else _real(assumed),
                )
            case "C_DURATION":
                return CDuration(
                    pattern=text_of(child(element, "pattern")) or None,
                    range=self._interval(child(element, "range"), str),
                    assumed_value=assumed,
                )
            case "C_DATE" | "C_TIME" | "C_DATE_TIME":
                return self._temporal(element, kind.removeprefix("C_"), assumed)
        self._fault("template.unknown_kind", element, found=kind or "no xsi:type")
        return None

    def _temporal(self, element: Element, rm_type: str, assumed: str | None) -> CTemporal:
        zone = text_of(child(element, "timezone_validity"))
        return CTemporal(
            rm_type=rm_type,
            pattern=text_of(child(element, "pattern")) or None,
            range=self._interval(child(element, "range"), str),
            timezone_validity=int(zone) if zone else None,
            assumed_value=assumed,
        )

    def _interval(self, element: Element | None, of: Callable[[str], T]) -> Interval[T] | None:
        """A range; the included flag of a side without limit means nothing and is read as True."""
        if element is None:
            return None
        lower = None if truth(element, "lower_unbounded") else text_of(child(element, "lower")) or None
        upper = None if truth(element, "upper_unbounded") else text_of(child(element, "upper")) or None
        try:
            start = None if lower is None else of(lower)
            end = None if upper is None else of(upper)
        except ValueError as error:
            self._fault("template.malformed_value", element, found=str(error))
            return None
        return Interval(
            start,
            end,
            lower is None or text_of(child(element, "lower_included")) != "false",
            upper is None or text_of(child(element, "upper_included")) != "false",
        )

    def _fault(self, code: str, element: Element, *, found: str = "", expected: str = "") -> None:
        span = span_of(element, self._source)
        self._faults.append(Finding(code, _place(element), expected, found, span=span))


_OBJECTS: Mapping[str, Callable[[_Reader, Element], CObject]] = MappingProxyType(
    {
        "C_COMPLEX_OBJECT": _Reader._complex_object,
        "C_ARCHETYPE_ROOT": _Reader._archetype_root,
        "ARCHETYPE_SLOT": _Reader._slot,
        "C_PRIMITIVE_OBJECT": _Reader._primitive_object,
        "CONSTRAINT_REF": _Reader._constraint_ref,
        "C_CODE_PHRASE": _Reader._code_phrase,
        "C_CODE_REFERENCE": _Reader._code_reference,
        "C_DV_QUANTITY": _Reader._quantity,
        "C_DV_ORDINAL": _Reader._ordinal,
        "C_DV_SCALE": _Reader._ordinal,
    }
)


def _annotations(
    notes: Iterable[Element], definition: CArchetypeRoot, text: Callable[[Element], str]
) -> Annotations:
    """Notes by template path. A path that leads nowhere keeps its text: editors leave such behind."""
    found: dict[str, dict[str, str]] = {}
    for note in notes:
        items = {item.get("id") or "": text(item) for item in children(note, "items")}
        for path in _places((note.get("path") or "").strip(), definition):
            found.setdefault(path, {}).update(items)
    return MappingProxyType({path: MappingProxyType(items) for path, items in found.items()})


def _hints(root: Element) -> list[Element]:
    view = child(root, "view")
    return [] if view is None else children(view, "constraints")


def _places(stated: str, definition: CArchetypeRoot) -> Iterable[str]:
    try:
        segments = RmPath.parse(stated).segments
    except MalformedPath:
        return (stated.removeprefix(f"[{definition.archetype_id}]"),)
    found = [path for path, _ in find(definition, segments, definition.terms)]
    return found or (str(RmPath(segments)),)


def _place(element: Element) -> str:
    """Where in the file: the attribute names and node ids above, such as ``/content/data[at0001]``."""
    steps: list[str] = []
    node_id = ""
    for each in (element, *element.iterancestors()):
        if local_name(each) == "children":
            node_id = text_of(child(each, "node_id"))
        elif local_name(each) == "attributes":
            name = text_of(child(each, "rm_attribute_name"))
            steps.append(f"/{name}[{node_id}]" if node_id else f"/{name}")
            node_id = ""
    return "".join(reversed(steps))


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number")
    return number
