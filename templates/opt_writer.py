"""Write an operational template as OPT 1.4 XML (namespace ``http://schemas.openehr.org/v1``).

Equal templates give equal bytes: mappings are written in the order of their keys. The texts of the
template's own language stand in the archetype roots; those of other languages in
``component_ontologies``, once per archetype, as editors write them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from lxml import etree

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
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
    Primitive,
    TermDefinition,
)
from archetypes.intervals import ONCE, Interval
from archetypes.rm.canonical_xml import write_object
from templates.operational import OperationalTemplate

NAMESPACE = "http://schemas.openehr.org/v1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

Parent = etree._Element

# The stubs of lxml do not know the default namespace.
_PREFIXES = cast(dict[str, str], {None: NAMESPACE, "xsi": XSI, "xsd": XSD})


def write_opt(template: OperationalTemplate) -> bytes:
    """The template as UTF-8 XML, indented."""
    root = etree.Element(_tag("template"), nsmap=_PREFIXES)
    _code_phrase(_add(root, "language"), "ISO_639-1", template.language)
    _description(root, template)
    if template.uid is not None:
        _value(root, "uid", template.uid)
    _value(root, "template_id", template.template_id)
    _add(root, "concept", template.concept)
    _object_into(_add(root, "definition"), template.definition, template.language)
    for archetype_root in _first_of_each_archetype(template.definition):
        _component_ontology(root, archetype_root, template.language)
    for path, items in sorted(template.annotations.items()):
        annotation = _add(root, "annotations")
        annotation.set("path", f"[{template.definition.archetype_id}]{path}")
        _dictionary(annotation, "items", items)
    _defaults(root, template)
    _view(root, template)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _defaults(root: Parent, template: OperationalTemplate) -> None:
    """T_CONSTRAINT: what a new form shows."""
    constraints = _add(root, "constraints") if template.defaults else root
    for path, value in sorted(template.defaults.items()):
        above, _, name = path.rpartition("/")
        attribute = _add(constraints, "attributes")
        _add(attribute, "rm_attribute_name", name)
        child = _add(attribute, "children")
        _add(child, "rm_type_name", str(value["_type"]))
        _interval(child, "occurrences", ONCE)
        _add(child, "node_id")
        write_object(_add(child, "default_value"), value, "DATA_VALUE")
        _add(attribute, "differential_path", f"[{template.definition.archetype_id}]{above}")


def _view(root: Parent, template: OperationalTemplate) -> None:
    view = _add(root, "view") if template.view else root
    for path, items in sorted(template.view.items()):
        constraint = _add(view, "constraints")
        constraint.set("path", f"[{template.definition.archetype_id}]{path}")
        for name, text in sorted(items.items()):
            item = _add(constraint, "items")
            item.set("id", name)
            _add(item, "value", text)


def content_hash(template: OperationalTemplate) -> str:
    """SHA-256 of the OPT XML, in hex."""
    return hashlib.sha256(write_opt(template)).hexdigest()


# --- head ---------------------------------------------------------------------------------------


def _description(root: Parent, template: OperationalTemplate) -> None:
    """Flat keys to the schema's groups; ``purpose@en`` is the purpose in another language."""
    texts = template.description
    description = _add(root, "description")
    _dictionary(description, "original_author", _group(texts, "original_author.") or {"name": ""})
    _add(description, "lifecycle_state", texts.get("lifecycle_state", ""))
    _dictionary(description, "other_details", _group(texts, "other_details."))
    languages = sorted({key.partition("@")[2] for key in texts if "@" in key and "." not in key})
    for language in ("", *languages):
        details = _add(description, "details")
        _code_phrase(_add(details, "language"), "ISO_639-1", language or template.language)
        suffix = f"@{language}" if language else ""
        _add(details, "purpose", texts.get(f"purpose{suffix}", ""))
        for keyword in filter(None, texts.get(f"keywords{suffix}", "").split("\n")):
            _add(details, "keywords", keyword)
        for name in ("use", "misuse", "copyright"):
            if f"{name}{suffix}" in texts:
                _add(details, name, texts[f"{name}{suffix}"])


def _group(texts: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}


# --- terms --------------------------------------------------------------------------------------


def _first_of_each_archetype(definition: CArchetypeRoot) -> Iterator[CArchetypeRoot]:
    seen: set[str] = set()
    stack: list[CObject] = [definition]
    while stack:
        node = stack.pop()
        if isinstance(node, CArchetypeRoot) and node.archetype_id not in seen:
            seen.add(node.archetype_id)
            yield node
        if isinstance(node, CComplexObject):
            stack.extend(reversed([child for _, child in node.children()]))


def _component_ontology(root: Parent, archetype_root: CArchetypeRoot, language: str) -> None:
    others = sorted(other for other in archetype_root.terms if other != language)
    if not others:
        return
    ontology = _add(root, "component_ontologies")
    ontology.set("archetype_id", archetype_root.archetype_id)
    for other in others:
        definitions = _add(ontology, "term_definitions")
        definitions.set("language", other)
        _terms(definitions, "items", archetype_root.terms[other])


def _terms(parent: Parent, name: str, terms: Mapping[str, TermDefinition]) -> None:
    for code, definition in sorted(terms.items()):
        term = _add(parent, name)
        term.set("code", code)
        texts = {"text": definition.text, "description": definition.description, **definition.other}
        if not definition.description:
            del texts["description"]
        for key in ("text", "description", *sorted(definition.other)):
            if key in texts:
                _add(term, "items", texts[key]).set("id", key)


def _bindings(parent: Parent, root: CArchetypeRoot) -> None:
    for terminology, targets in sorted(root.term_bindings.items()):
        bindings = _add(parent, "term_bindings")
        bindings.set("terminology", terminology)
        for code, target in sorted(targets.items()):
            item = _add(bindings, "items")
            item.set("code", code)
            of, _, bound = target.rpartition("::")
            _code_phrase(_add(item, "value"), of or terminology, bound)


# --- objects ------------------------------------------------------------------------------------


def _object_into(element: Parent, node: CObject, language: str) -> None:
    """Common parts first, then what the kind of object has."""
    _add(element, "rm_type_name", node.rm_type_name)
    _interval(element, "occurrences", node.occurrences)
    _add(element, "node_id", node.node_id)
    if isinstance(node, CComplexObject):
        for attribute in node.attributes:
            _attribute(element, attribute, language)
        if isinstance(node, CArchetypeRoot):
            _archetype_root(element, node, language)
    else:
        _leaf_into(element, node)


def _leaf_into(element: Parent, node: CObject) -> None:
    match node:
        case ArchetypeSlot():
            _assertions(element, "includes", node.includes)
            _assertions(element, "excludes", node.excludes)
        case CPrimitiveObject():
            if node.item is not None:
                _primitive(element, "item", node.item)
        case CCodePhrase():
            _c_code_phrase(element, node)
        case CCodeReference():
            if node.terminology_id is not None:
                _value(element, "terminology_id", node.terminology_id)
            _add(element, "referenceSetUri", node.reference_set_uri)
        case ConstraintRef():
            _add(element, "reference", node.reference)
        case CDvQuantity():
            _c_quantity(element, node)
        case CDvOrdinal():
            _c_ordinal(element, node)
        case ArchetypeInternalRef():
            _add(element, "target_path", node.target_path)


def _kind(node: CObject) -> str:
    if isinstance(node, CDvOrdinal):
        return "C_DV_SCALE" if node.rm_type_name == "DV_SCALE" else "C_DV_ORDINAL"
    return _KINDS[type(node)]


_KINDS: Mapping[type, str] = {
    CComplexObject: "C_COMPLEX_OBJECT",
    CArchetypeRoot: "C_ARCHETYPE_ROOT",
    ArchetypeSlot: "ARCHETYPE_SLOT",
    ArchetypeInternalRef: "ARCHETYPE_INTERNAL_REF",
    ConstraintRef: "CONSTRAINT_REF",
    CPrimitiveObject: "C_PRIMITIVE_OBJECT",
    CCodePhrase: "C_CODE_PHRASE",
    CCodeReference: "C_CODE_REFERENCE",
    CDvQuantity: "C_DV_QUANTITY",
}


def _attribute(parent: Parent, attribute: CAttribute, language: str) -> None:
    cardinality = attribute.cardinality
    kind = "C_SINGLE_ATTRIBUTE" if cardinality is None else "C_MULTIPLE_ATTRIBUTE"
    element = _add(parent, "attributes", kind=kind)
    _add(element, "rm_attribute_name", attribute.rm_attribute_name)
    _interval(element, "existence", attribute.existence or Interval(0, 1))
    for child in attribute.children:
        _object_into(_add(element, "children", kind=_kind(child)), child, language)
    if cardinality is not None:
        _cardinality(element, cardinality)


def _cardinality(parent: Parent, cardinality: Cardinality) -> None:
    element = _add(parent, "cardinality")
    _add(element, "is_ordered", _boolean(cardinality.is_ordered))
    _add(element, "is_unique", _boolean(cardinality.is_unique))
    _interval(element, "interval", cardinality.interval)


def _archetype_root(element: Parent, node: CArchetypeRoot, language: str) -> None:
    _value(element, "archetype_id", node.archetype_id)
    if node.template_id is not None:
        _value(element, "template_id", node.template_id)
    _terms(element, "term_definitions", node.terms.get(language, {}))
    _bindings(element, node)


def _assertions(parent: Parent, name: str, patterns: Iterable[str]) -> None:
    """``archetype_id/value matches {/pattern/}`` as an expression tree."""
    for pattern in patterns:
        assertion = _add(parent, name)
        _add(assertion, "string_expression", f"archetype_id/value matches {{/{pattern}/}}")
        expression = _add(assertion, "expression", kind="EXPR_BINARY_OPERATOR")
        _add(expression, "type", "Boolean")
        _add(expression, "operator", "2007")
        _add(expression, "precedence_overridden", "false")
        left = _add(expression, "left_operand", kind="EXPR_LEAF")
        _add(left, "type", "String")
        _add(left, "item", "archetype_id/value", kind="xsd:string")
        _add(left, "reference_type", "attribute")
        right = _add(expression, "right_operand", kind="EXPR_LEAF")
        _add(right, "type", "String")
        _add(_add(right, "item", kind="C_STRING"), "pattern", pattern)
        _add(right, "reference_type", "constraint")


# --- domain types -------------------------------------------------------------------------------


def _c_code_phrase(element: Parent, node: CCodePhrase) -> None:
    if node.assumed_value is not None:
        _code_phrase(_add(element, "assumed_value"), node.terminology_id or "local", node.assumed_value)
    if node.terminology_id is not None:
        _value(element, "terminology_id", node.terminology_id)
    for code in node.codes:
        _add(element, "code_list", code)


def _c_quantity(element: Parent, node: CDvQuantity) -> None:
    if node.assumed_value is not None:
        assumed = _add(element, "assumed_value")
        _add(assumed, "magnitude", _number(node.assumed_value[0]))
        _add(assumed, "units", node.assumed_value[1])
    if node.property is not None:
        terminology, _, code = node.property.rpartition("::")
        _code_phrase(_add(element, "property"), terminology, code)
    for item in node.items:
        entry = _add(element, "list")
        if item.magnitude is not None:
            _interval(entry, "magnitude", item.magnitude)
        if item.precision is not None:
            _interval(entry, "precision", item.precision)
        _add(entry, "units", item.units)


def _c_ordinal(element: Parent, node: CDvOrdinal) -> None:
    items = [(item.value, item.terminology_id, item.code) for item in node.items]
    if node.assumed_value is not None:
        assumed = next((i for i in items if i[0] == node.assumed_value), (node.assumed_value, "local", ""))
        _ordinal(_add(element, "assumed_value"), *assumed)
    for value, terminology, code in items:
        _ordinal(_add(element, "list"), value, terminology, code)


def _ordinal(element: Parent, value: float, terminology: str, code: str) -> None:
    _add(element, "value", _number(value))
    symbol = _add(element, "symbol")
    # The rubric is looked up among the terms; editors leave it empty here.
    _add(symbol, "value", "")
    _code_phrase(_add(symbol, "defining_code"), terminology, code)


# --- primitives ---------------------------------------------------------------------------------


def _primitive(parent: Parent, name: str, item: Primitive) -> None:
    kind = f"C_{item.rm_type}" if isinstance(item, CTemporal) else _PRIMITIVES[type(item)]
    element = _add(parent, name, kind=kind)
    match item:
        case CBoolean():
            _add(element, "true_valid", _boolean(item.true_valid))
            _add(element, "false_valid", _boolean(item.false_valid))
            _optional(element, "assumed_value", item.assumed_value, _boolean)
        case CString():
            _optional(element, "pattern", item.pattern, str)
            for text in item.values:
                _add(element, "list", text)
            if item.values or item.list_open:
                _add(element, "list_open", _boolean(item.list_open))
            _optional(element, "assumed_value", item.assumed_value, str)
        case CInteger() | CReal():
            for number in item.values:
                _add(element, "list", _number(number))
            _optional_range(element, item.range)
            _optional(element, "assumed_value", item.assumed_value, _number)
        case CTemporal():
            _optional(element, "pattern", item.pattern, str)
            _optional(element, "timezone_validity", item.timezone_validity, str)
            _optional_range(element, item.range)
            _optional(element, "assumed_value", item.assumed_value, str)
        case CDuration():
            _optional(element, "pattern", item.pattern, str)
            _optional_range(element, item.range)
            _optional(element, "assumed_value", item.assumed_value, str)


_PRIMITIVES: Mapping[type, str] = {
    CBoolean: "C_BOOLEAN",
    CString: "C_STRING",
    CInteger: "C_INTEGER",
    CReal: "C_REAL",
    CDuration: "C_DURATION",
}


def _optional_range(element: Parent, limits: Interval[int] | Interval[float] | Interval[str] | None) -> None:
    if limits is not None:
        _interval(element, "range", limits)


def _optional(element: Parent, name: str, value: object, text_of: Callable[..., str]) -> None:
    if value is not None:
        _add(element, name, text_of(value))


# --- leaves -------------------------------------------------------------------------------------


def _interval(parent: Parent, name: str, limits: Interval[int] | Interval[float] | Interval[str]) -> None:
    element = _add(parent, name)
    lower, upper = limits.lower, limits.upper
    _add(element, "lower_included", _boolean(lower is not None and limits.lower_included))
    _add(element, "upper_included", _boolean(upper is not None and limits.upper_included))
    _add(element, "lower_unbounded", _boolean(lower is None))
    _add(element, "upper_unbounded", _boolean(upper is None))
    for side, limit in (("lower", lower), ("upper", upper)):
        if limit is not None:
            _add(element, side, limit if isinstance(limit, str) else _number(limit))


def _code_phrase(element: Parent, terminology: str, code: str) -> None:
    _value(element, "terminology_id", terminology)
    _add(element, "code_string", code)


def _dictionary(parent: Parent, name: str, items: Mapping[str, str]) -> None:
    for key, text in sorted(items.items()):
        _add(parent, name, text).set("id", key)


def _value(parent: Parent, name: str, text: str) -> None:
    _add(_add(parent, name), "value", text)


def _add(parent: Parent, name: str, text: str | None = None, *, kind: str | None = None) -> Parent:
    element = etree.SubElement(parent, _tag(name))
    if text is not None:
        element.text = text
    if kind is not None:
        element.set(f"{{{XSI}}}type", kind)
    return element


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _number(value: float) -> str:
    """Whole numbers without a fraction, as the schema wants them for integers."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
