"""Changes of an XML document that keep it XML, so that the fuzzer gets behind the parser."""

from __future__ import annotations

import copy
import random

from lxml import etree

from archetypes.rm.canonical_xml import NAMESPACE
from archetypes.rm.safe_xml import XSI_TYPE
from archetypes.rm.schema import rm_schema
from tests.fuzz.mutating import NAMES, ODD

_TEXTS = ["\U0001f600", *(value for value in ODD if isinstance(value, str) and value.isprintable())]
_MOST = 40  # copies of an element at once


def mutated_xml(data: bytes, chance: random.Random) -> bytes | None:
    """The document with one to four changes; None if it is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    for _ in range(chance.randint(1, 4)):
        elements = [element for element in root.iter() if isinstance(element.tag, str)]
        _change(chance.choice(elements), elements, chance)
    return etree.tostring(root)


def _change(element: etree._Element, elements: list[etree._Element], chance: random.Random) -> None:
    parent = element.getparent()
    match chance.randrange(9):
        case 0 if parent is not None:
            parent.remove(element)
        case 1 if parent is not None:
            parent.extend([copy.deepcopy(element) for _ in range(chance.choice((1, 2, _MOST)))])
        case 2:
            element.append(copy.deepcopy(chance.choice(elements)))
        case 3:
            element.set(XSI_TYPE, chance.choice((*sorted(rm_schema().classes), "", "x:DV_TEXT")))
        case 4:
            name = chance.choice((*NAMES, "x"))
            element.tag = name if chance.random() < 0.1 else f"{{{NAMESPACE}}}{name}"
        case 5:
            element.set(chance.choice((*NAMES, "archetype_node_id")), chance.choice(_TEXTS))
        case 6:
            element.append(chance.choice((etree.Comment("x"), etree.PI("x", "y"))))
        case 7:
            element.tail = chance.choice(_TEXTS)
        case _:
            element.text = chance.choice(_TEXTS)
