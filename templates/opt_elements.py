"""Finding one's way in the elements of an OPT."""

from __future__ import annotations

from lxml import etree

from templates.opt_writer import NAMESPACE
from templates.xml_source import text_of

Element = etree._Element


def child(element: Element, name: str) -> Element | None:
    """The first child with this name, or None."""
    return element.find(f"{{{NAMESPACE}}}{name}")


def children(element: Element, name: str) -> list[Element]:
    """All children with this name."""
    return element.findall(f"{{{NAMESPACE}}}{name}")


def descend(element: Element, *names: str) -> Element | None:
    """The first element on this path of names, or None."""
    return element.find("/".join(f"{{{NAMESPACE}}}{name}" for name in names))


def texts(element: Element, name: str) -> tuple[str, ...]:
    """The texts of all children with this name."""
    return tuple(text_of(each) for each in children(element, name))


def truth(element: Element, name: str) -> bool:
    """True if the child with this name says so."""
    return text_of(child(element, name)) in ("true", "1")


def code_text(element: Element | None) -> str:
    """``terminology::code`` of a CODE_PHRASE."""
    if element is None:
        return ""
    terminology = text_of(descend(element, "terminology_id", "value"))
    return f"{terminology}::{text_of(child(element, 'code_string'))}"
