"""XML from strangers: parsed without entities, document types, network or unbounded depth.

The parser's own limits stand (256 levels, 10 MB texts); nothing is looked up outside the bytes given.
"""

from __future__ import annotations

from typing import cast

from lxml import etree

from archetypes.findings import Finding, SourceSpan
from templates.errors import UnreadableTemplate

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
MAX_BYTES = 32 * 1024 * 1024


def parse_xml(data: bytes, source: str, *, root_tag: str) -> etree._Element:
    """The root element, which must be ``root_tag`` (``{namespace}name``).

    Raises UnreadableTemplate with one of the codes ``template.too_large``, ``template.xml`` (not well
    formed, too deep), ``template.doctype`` and ``template.root``.
    """
    if len(data) > MAX_BYTES:
        raise unreadable("template.too_large", SourceSpan(source, 1, 1), f"{len(data)} bytes", f"{MAX_BYTES}")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, column = getattr(error, "position", (1, 1))
        raise unreadable("template.xml", SourceSpan(source, line, max(column, 1)), str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable("template.doctype", SourceSpan(source, 1, 1), "a document type declaration")
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
