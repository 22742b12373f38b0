"""Edits of a template's tree: the node at a path changed, removed or joined by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CString,
    TermDefinition,
)
from templates.operational import OperationalTemplate, step

Edit = Callable[[Any], CObject | tuple[CObject, ...] | None]


def edited(opt: OperationalTemplate, path: str, edit: Edit) -> OperationalTemplate:
    """``opt`` with ``edit`` applied to the node at ``path``; None removes it, a tuple takes its place."""
    if not path:
        definition = edit(opt.definition)
    else:
        definition, found = _below(opt.definition, "", path, edit)
        assert found, f"no node at {path}"
    assert isinstance(definition, CArchetypeRoot)
    return replace(opt, definition=definition)


def _below(node: CObject, here: str, path: str, edit: Edit) -> tuple[CObject, bool]:
    if not isinstance(node, CComplexObject):
        return node, False
    attributes, found = [], False
    for attribute in node.attributes:
        children: list[CObject] = []
        for child in attribute.children:
            place = here + step(attribute.rm_attribute_name, child)
            if place == path and not found:
                new, found = edit(child), True
                children.extend(() if new is None else new if isinstance(new, tuple) else (new,))
            elif not found and path.startswith(place):
                new, found = _below(child, place, path, edit)
                children.append(new)
            else:
                children.append(child)
        attributes.append(replace(attribute, children=tuple(children)))
    return replace(node, attributes=tuple(attributes)), found


def having(**changes: Any) -> Edit:
    """The node with other values of its fields."""
    return lambda node: replace(node, **changes)


def attribute(name: str, edit: Callable[[CAttribute], CAttribute | None]) -> Edit:
    """The node with one of its attributes changed, or dropped."""

    def apply(node: CComplexObject) -> CObject:
        assert node.attribute(name) is not None, name
        new = [edit(each) if each.rm_attribute_name == name else each for each in node.attributes]
        return replace(node, attributes=tuple(each for each in new if each is not None))

    return apply


def with_attribute(new: CAttribute) -> Edit:
    """The node with one more attribute."""
    return lambda node: replace(node, attributes=(*node.attributes, new))


def item(**changes: Any) -> Edit:
    """A primitive leaf with other values in its constraint."""
    return lambda node: replace(node, item=replace(node.item, **changes))


def term(
    language: str, code: str, *, text: str | None = None, description: str | None = None
) -> Callable[[CArchetypeRoot], CArchetypeRoot]:
    """An archetype root with another text or description of a code."""

    def apply(root: CArchetypeRoot) -> CArchetypeRoot:
        old = root.terms[language][code]
        new = TermDefinition(text or old.text, description or old.description, old.other)
        terms = {**root.terms, language: {**root.terms[language], code: new}}
        return replace(root, terms=terms)

    return apply


def named(name: str) -> CAttribute:
    """The constraint that fixes a node's name."""
    leaf = CPrimitiveObject(rm_type_name="STRING", item=CString(values=(name,)))
    value = CAttribute(rm_attribute_name="value", children=(leaf,))
    text = CComplexObject(rm_type_name="DV_TEXT", attributes=(value,))
    return CAttribute(rm_attribute_name="name", children=(text,))
