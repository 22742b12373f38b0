"""XML of templates: read safely, with faults as located findings."""

from __future__ import annotations

from typing import cast

from lxml import etree

from archetypes.errors import MalformedXml
from archetypes.findings import Finding, SourceSpan
from archetypes.rm.safe_xml import XSI_TYPE, parse_safely
from templates.errors import UnreadableTemplate

_CODES = {
    "xml.too_large": "template.too_large",
    "xml.syntax": "template.xml",
    "xml.doctype": "template.doctype",
}


def parse_xml(data: bytes, source: str, *, root_tag: str) -> etree._Element:
    """The root element, which must be ``root_tag`` (``{namespace}name``).

    Raises UnreadableTemplate with one of the codes ``template.too_large``, ``template.xml`` (not well
    formed, too deep), ``template.doctype`` and ``template.root``.
    """
    try:
        root = parse_safely(data)
    except MalformedXml as error:
        span = SourceSpan(source, error.line, error.column)
        raise unreadable(_CODES[error.code], span, error.message) from error
    if root.tag != root_tag:
        raise unreadable("template.root", span_of(root, source), str(root.tag), root_tag)
    return root


def unreadable(code: str, span: SourceSpan, found: str, expected: str = "") -> UnreadableTemplate:
    """One located problem as an error to raise."""
    return UnreadableTemplate([Finding(code, "", expected, found, span=span)])


def span_of(element: etree._Element, source: str) -> SourceSpan:
    """Where the start tag of ``element`` ends; XML parsers know the line only."""
    return SourceSpan(source, cast(int | None, element.sourceline) or 1, 1)


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    return etree.QName(element).localname


def xsi_type(element: etree._Element) -> str:
    """``xsi:type`` without its prefix, or an empty text."""
    return (element.get(XSI_TYPE) or "").strip().rpartition(":")[2]


def text_of(element: etree._Element | None) -> str:
    """The text without surrounding blanks: tools break lines inside leaf elements."""
    return "" if element is None else (element.text or "").strip()
