"""XML from strangers: parsed without entities, document types, network or unbounded depth.

The parser's own limits stand (256 levels, 10 MB texts); nothing is looked up outside the bytes given.
"""

from __future__ import annotations

from lxml import etree

from archetypes.errors import MalformedXml

MAX_BYTES = 32 * 1024 * 1024
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def parse_safely(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """The root element. Raises MalformedXml: ``xml.too_large``, ``xml.syntax``, ``xml.doctype``."""
    if len(data) > max_bytes:
        raise MalformedXml("xml.too_large", f"{len(data)} bytes, at most {max_bytes} are read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, column = getattr(error, "position", (1, 1))
        raise MalformedXml("xml.syntax", str(error), line=line, column=max(column, 1)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedXml("xml.doctype", "a document type declaration")
    return root
