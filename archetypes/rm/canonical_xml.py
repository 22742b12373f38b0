"""Canonical XML of the reference model, to and from the same plain dicts as canonical JSON (ITS-XML).

An object is an element named after its attribute; ``xsi:type`` tells its class where the declared type
does not; ``archetype_node_id`` is an XML attribute. Which attributes are numbers, lists or objects is read
from the RM table, the order of elements from the published schemas (``xml_order.json``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, cast

from lxml import etree

from archetypes.errors import MalformedXml
from archetypes.rm.safe_xml import MAX_BYTES, XSI_TYPE, parse_safely
from archetypes.rm.schema import RmAttribute, base_name, rm_schema

NAMESPACE = "http://schemas.openehr.org/v1"
MOST_ATTRIBUTES = 100  # classes of the reference model have a dozen
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NODE_ID = "archetype_node_id"
_PREFIXES = cast("dict[str, str]", {None: NAMESPACE, "xsi": XSI})  # lxml takes None, its stubs do not
_CONTRIBUTION = {"uid": "HIER_OBJECT_ID", "audit": "AUDIT_DETAILS"}
_ITS_REST_NAMES = {
    "UPDATE_VERSION": "ORIGINAL_VERSION",
    "UPDATE_AUDIT": "AUDIT_DETAILS",
    "UPDATE_ATTESTATION": "ATTESTATION",
}
# What some software writes beside the value that it is computed from.
_COMPUTED: Mapping[str, frozenset[str]] = {
    "ARCHETYPE_ID": frozenset(
        {
            "qualifiedRmEntity",
            "domainConcept",
            "rmOriginator",
            "rmName",
            "rmEntity",
            "specialisation",
            "versionId",
        }
    )
}
_READ_NAMESPACES = ("", NAMESPACE, "http://schemas.openehr.org/v2")


def read_canonical_xml(data: bytes, rm_type: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The object in ``data`` as canonical JSON has it, with ``_type`` everywhere.

    ``rm_type`` is the declared type of the root element, whose name does not matter; elements without
    a namespace are read too. Raises MalformedXml with line.
    """
    return read_object(parse_safely(data, max_bytes=max_bytes), rm_type)


def read_contribution_xml(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """A contribution as clients send it: CONTRIBUTION whose versions are versions, not references to them.

    The names of ITS-REST (UPDATE_VERSION ...) stand for those of the model. Raises MalformedXml with line.
    """
    versions: list[dict[str, Any]] = []
    tree: dict[str, Any] = {"_type": "CONTRIBUTION", "versions": versions}
    for child in parse_safely(data, max_bytes=max_bytes):
        name = _local_name(child)
        if name in ("versions", "version"):
            versions.append(read_object(child, "ORIGINAL_VERSION"))
        elif name not in _CONTRIBUTION or name in tree:
            raise _malformed("xml.element", child, f"a contribution has no {name}, or has one only")
        else:
            tree[name] = read_object(child, _CONTRIBUTION[name])
    return tree


def write_canonical_xml(value: Mapping[str, Any], rm_type: str, element: str) -> bytes:
    """``value`` (canonical, valid by the RM) under a root ``element`` that is declared as ``rm_type``.

    Raises ValueError for an attribute that its class does not have.
    """
    root = etree.Element(f"{{{NAMESPACE}}}{element}", nsmap=_PREFIXES)
    write_object(root, value, rm_type)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


# --- reading ----------------------------------------------------------------------------------------


def read_object(element: etree._Element, declared: str) -> dict[str, Any]:
    """The object in one element of a document, declared as the type ``declared``. Raises MalformedXml."""
    rm_type = _type_of(element, declared)
    tree: dict[str, Any] = {"_type": rm_type}
    attributes = rm_schema().attributes(rm_type)
    for name, text in _attributes(element):
        attribute = attributes.get(name)
        if attribute is None or attribute.container or not rm_schema().is_primitive(attribute.type_name):
            raise _malformed("xml.element", element, f"{rm_type} has no attribute {name} of one text")
        tree[name] = _scalar(text, attribute)
    for child in element:
        _read_child(tree, child, attributes)
    if len(element) == 0 and (element.text or "").strip():
        raise _malformed("xml.value", element, f"a text where a {rm_type} was expected")
    return tree


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    """XML attributes that stand for attributes of the model: those without a namespace."""
    if len(element.attrib) > MOST_ATTRIBUTES:  # the library takes quadratic time to list them
        raise _malformed("xml.element", element, f"more than {MOST_ATTRIBUTES} attributes")
    for name, text in element.attrib.items():
        if not str(name).startswith("{"):
            yield str(name), str(text)


def _read_child(tree: dict[str, Any], child: etree._Element, attributes: Mapping[str, RmAttribute]) -> None:
    name = _local_name(child)
    attribute = attributes.get(name)
    if name in _COMPUTED.get(tree["_type"], ()):
        return
    if attribute is None:
        raise _malformed("xml.element", child, f"{tree['_type']} has no attribute {name}")
    value = _read_value(child, attribute)
    if attribute.container:
        tree.setdefault(name, []).append(value)
    elif name in tree:
        raise _malformed("xml.element", child, f"{tree['_type']} has one {name} only")
    else:
        tree[name] = value


def _read_value(element: etree._Element, attribute: RmAttribute) -> Any:
    if rm_schema().is_primitive(attribute.type_name):
        return _scalar(element.text or "", attribute)
    return read_object(element, attribute.type_name)


def _type_of(element: etree._Element, declared: str) -> str:
    stated = (element.get(XSI_TYPE) or "").strip().rpartition(":")[2]
    rm_type = base_name(_ITS_REST_NAMES.get(stated, stated) or declared)
    known = rm_schema().get(rm_type)
    if known is None or not rm_schema().is_a(rm_type, base_name(declared)):
        raise _malformed("xml.type", element, f"{rm_type} is no {base_name(declared)}")
    if known.abstract:
        raise _malformed("xml.type", element, f"xsi:type is missing: {rm_type} is abstract")
    return rm_type


def _scalar(text: str, attribute: RmAttribute) -> Any:
    """A value as JSON would have it; what is not of the declared type stays as it is for the validator."""
    text = text.strip() if attribute.type_name in _NUMBERS or attribute.type_name == "BOOLEAN" else text
    if attribute.type_name == "BOOLEAN":
        return _BOOLEANS.get(text, text)
    return _number(text) if attribute.type_name in _NUMBERS else text


def _number(text: str) -> int | float | str:
    """Whole numbers without a point stay whole; INF and NaN are no numbers of JSON."""
    try:
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        return text


_WHOLE = re.compile(r"[+-]?\d{1,18}")
_NUMBERS = frozenset({"INTEGER", "INTEGER64", "REAL", "DOUBLE"})
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def _local_name(element: etree._Element) -> str:
    name = etree.QName(element)
    if (name.namespace or "") not in _READ_NAMESPACES:
        raise _malformed("xml.element", element, f"namespace {name.namespace} is not openEHR's")
    return name.localname


def _malformed(code: str, element: etree._Element, message: str) -> MalformedXml:
    return MalformedXml(code, message, line=cast(int | None, element.sourceline) or 1)


# --- writing ----------------------------------------------------------------------------------------


def write_object(element: etree._Element, value: Mapping[str, Any], declared: str) -> None:
    """The attributes of ``value`` into ``element``. Raises ValueError for one that its class has not."""
    rm_type = str(value.get("_type") or base_name(declared))
    if rm_type != declared:
        element.set(XSI_TYPE, rm_type)
    attributes = rm_schema().attributes(rm_type)
    for name in _in_order(rm_type, value):
        attribute = attributes.get(name)
        if attribute is None:
            raise ValueError(f"{rm_type} has no attribute {name}")
        if name == NODE_ID:
            element.set(NODE_ID, str(value[name]))
            continue
        for member in value[name] if isinstance(value[name], list) else [value[name]]:
            _write_value(etree.SubElement(element, f"{{{NAMESPACE}}}{name}"), member, attribute)


def _write_value(element: etree._Element, value: Any, attribute: RmAttribute) -> None:
    if isinstance(value, Mapping):
        write_object(element, value, attribute.type_name)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = str(value)


def _in_order(rm_type: str, value: Mapping[str, Any]) -> Iterator[str]:
    """The attributes that are there, in the order of the published schema."""
    order = _orders().get(rm_type) or tuple(rm_schema().attributes(rm_type))
    yield from (name for name in order if value.get(name) is not None)
    rest = value.keys() - set(order) - {"_type"}
    yield from sorted(name for name in rest if value[name] is not None)


@cache
def _orders() -> Mapping[str, tuple[str, ...]]:
    table = json.loads((files("archetypes.rm") / "xml_order.json").read_text(encoding="utf-8"))
    return MappingProxyType({name: tuple(order) for name, order in table.items()})
