"""Selecting and replacing nodes in constraint trees.

Trees are frozen: an edit copies the nodes above the place that changes and shares all others.

Which siblings a step without a name means: those whose name the template does not fix; if it fixes all
of them, all. That is how template editors write paths to a cloned node and to a renamed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
    Terms,
)
from archetypes.paths import PathSegment
from archetypes.rm.schema import rm_schema
from templates.operational import fixed_name, step

Edit = Callable[[CObject, CComplexObject], tuple[CObject, ...]]


def edit_at(
    node: CComplexObject, segments: Sequence[PathSegment], edit: Edit, terms: Terms
) -> CComplexObject | None:
    """``node`` with ``edit`` applied to what the path selects; None if it selects nothing.

    ``edit`` is given an object and its owner, and answers with the objects that take its place: none, one
    or several. What lies below a prohibited node counts as found and is not edited. An attribute of the
    reference model that the archetype is silent about is made on the way.
    """
    segment, rest = segments[0], segments[1:]
    attribute = node.attribute(segment.attribute)
    if attribute is None or (not attribute.children and segment.node_id is None):
        attribute = _unconstrained(node.rm_type_name, segment)
    if attribute is None:
        return None
    chosen = set(selected(attribute.children, segment, terms))
    children: list[CObject] = []
    found = False
    for position, child in enumerate(attribute.children):
        new = _edited(child, node, rest, edit, terms) if position in chosen else None
        found = found or new is not None
        children.extend((child,) if new is None else new)
    return with_attribute(node, replace(attribute, children=tuple(children))) if found else None


def _edited(
    child: CObject, owner: CComplexObject, rest: Sequence[PathSegment], edit: Edit, terms: Terms
) -> tuple[CObject, ...] | None:
    if not rest:
        return edit(child, owner)
    if not isinstance(child, CComplexObject):
        return None
    if child.occurrences.upper == 0:
        # Editors leave rules behind for what is below a removed node.
        return (child,)
    new = edit_at(child, rest, edit, child.terms if isinstance(child, CArchetypeRoot) else terms)
    return None if new is None else (new,)


def find(
    node: CComplexObject, segments: Sequence[PathSegment], terms: Terms, path: str = ""
) -> Iterator[tuple[str, CObject]]:
    """What the path selects, each with its template path (as ``Node.path`` writes it)."""
    if not segments:
        yield path, node
        return
    attribute = node.attribute(segments[0].attribute)
    for position in selected(attribute.children, segments[0], terms) if attribute else ():
        child = attribute.children[position] if attribute else node
        below = path + step(segments[0].attribute, child)
        if isinstance(child, CComplexObject):
            own = child.terms if isinstance(child, CArchetypeRoot) else terms
            yield from find(child, segments[1:], own, below)
        elif len(segments) == 1:
            yield below, child


def selected(siblings: Sequence[CObject], segment: PathSegment, terms: Terms) -> list[int]:
    """The positions of the siblings that the step means (see the module's text)."""
    same_id = [i for i, child in enumerate(siblings) if segment.node_id in (None, identifier(child))]
    if segment.name is not None:
        return [i for i in same_id if has_name(siblings[i], segment.name, terms)]
    free = [i for i in same_id if fixed_name(siblings[i]) is None]
    return free or same_id


def identifier(child: CObject) -> str:
    """What stands in the brackets of a path: the archetype id of a root, else the at-code."""
    return child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id


def has_name(child: CObject, name: str, terms: Terms) -> bool:
    """True if the template fixes this name, or fixes none and the archetype's text is this."""
    fixed = fixed_name(child)
    if fixed is not None:
        return fixed == name
    own = child.terms if isinstance(child, CArchetypeRoot) else terms
    texts = (codes[child.node_id].text for codes in own.values() if child.node_id in codes)
    return name in texts


def with_attribute(node: CComplexObject, attribute: CAttribute) -> CComplexObject:
    """``node`` with this attribute in the place of the one of the same name, or as its last."""
    name = attribute.rm_attribute_name
    if node.attribute(name) is None:
        return replace(node, attributes=(*node.attributes, attribute))
    attributes = (attribute if a.rm_attribute_name == name else a for a in node.attributes)
    return replace(node, attributes=tuple(attributes))


def _unconstrained(type_name: str, segment: PathSegment) -> CAttribute | None:
    """The attribute as the reference model has it, with one object that allows everything."""
    known = rm_schema().attribute(type_name, segment.attribute)
    if known is None or known.container or segment.node_id is not None:
        return None
    anything = CComplexObject(rm_type_name=known.type_name)
    return CAttribute(rm_attribute_name=known.name, existence=known.existence, children=(anything,))
