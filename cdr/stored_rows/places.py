"""The places that documents of a template can have values at, by path code: two must never share one.

A code has 48 bits. That two of some hundred thousand places meet is as good as impossible, but then queries
would take one for the other without a word: so it is looked for when a template is published.
"""

from __future__ import annotations

from array import array
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias
from zlib import crc32

from archetypes.aom.constraints import CArchetypeRoot, CComplexObject, CObject
from archetypes.rm.schema import base_name, rm_schema
from cdr.stored_rows.codes import chain, root_code, slot_segment, stem
from cdr.stored_rows.maker import UNROWED_OF_NODES, UNROWED_OF_VALUES, is_archetype_id
from templates.operational import OperationalTemplate
from templates.remembering import once_a_template

DEPTH = 5  # of attributes below a node: context/setting/defining_code/terminology_id/value
TEMPLATE_ID = ("archetype_details", "template_id", "value")  # the one thing that rows hold of the details

_MARKS = 2**16
Place: TypeAlias = tuple[str, str]  # a code, and the archetype and path that it names


def shared_code(templates: Sequence[OperationalTemplate]) -> str | None:
    """Two places of the templates that have one code, named for whoever renames one; None: there are none."""
    known: dict[int, int] = {}
    for template in templates:
        for mark in place_marks(template):
            code, own = divmod(mark, _MARKS)
            if known.setdefault(code, own) != own:
                return " and ".join(sorted(_named(code, templates)))
    return None


@once_a_template
def place_marks(template: OperationalTemplate) -> array[int]:
    """The codes of a template, each with a few bits of the place that it names."""
    return array("Q", sorted({_mark(code, place) for code, place in _places(template)}))


def _mark(code: str, place: str) -> int:
    return int.from_bytes(urlsafe_b64decode(code)) * _MARKS + crc32(place.encode()) % _MARKS


def _named(wanted: int, templates: Sequence[OperationalTemplate]) -> set[str]:
    found = (each for template in templates for each in _places(template))
    return {place for code, place in found if _mark(code, place) // _MARKS == wanted}


def _places(template: OperationalTemplate) -> Iterator[Place]:
    root = template.definition
    code, place = root_code(root.archetype_id), stem(root.archetype_id)
    yield _chained(code, place, TEMPLATE_ID)
    yield from _below(root, code, place)


def _below(constraint: CObject, code: str, place: str) -> Iterator[Place]:
    """The values at a node and below it."""
    for path in _attributes(base_name(constraint.rm_type_name), DEPTH):
        yield _chained(code, place, path)
    if not isinstance(constraint, CComplexObject):
        return
    for attribute, child in constraint.children():
        node_id = child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id
        segment = slot_segment(attribute.rm_attribute_name, node_id or None)
        below = chain(code, segment)
        yield below, place + segment
        if node_id and is_archetype_id(node_id):
            yield from _below(child, root_code(node_id), stem(node_id))
        else:
            yield from _below(child, below, place + segment)


def _chained(code: str, place: str, path: tuple[str, ...]) -> Place:
    for name in path:
        code, place = chain(code, slot_segment(name)), place + slot_segment(name)
    return code, place


@cache
def _attributes(rm_class: str, depth: int) -> tuple[tuple[str, ...], ...]:
    """The paths to the values of an object, which rows hold: through single attributes that are no nodes."""
    schema = rm_schema()
    unrowed = UNROWED_OF_NODES if schema.is_a(rm_class, "LOCATABLE") else UNROWED_OF_VALUES
    found: dict[tuple[str, ...], None] = {}
    for name, attribute in schema.attributes(rm_class).items():
        kind = base_name(attribute.type_name)
        if name in unrowed or attribute.container or schema.is_a(kind, "LOCATABLE"):
            continue
        found[(name,)] = None
        inner = schema.concrete_subtypes(kind) if depth > 1 and not schema.is_primitive(kind) else ()
        for each in sorted(inner):
            found.update({(name, *path): None for path in _attributes(each, depth - 1)})
    return tuple(found)
