"""Archetypes and templates as trees for the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.tree import Tree

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    Terms,
)
from archetypes.changes.leaves import described, primitive_text, slot_text
from archetypes.changes.matching import identifier, node_name
from archetypes.intervals import ONCE


def constraint_tree(root: CComplexObject, terms: Terms, language: str) -> Tree:
    """``root`` with all below; texts in ``language``, or in the first language that the terms have."""
    tree = Tree(_label(root, terms, language))
    _grow(tree, root, terms, language)
    return tree


def _grow(branch: Tree, node: CComplexObject, terms: Terms, language: str) -> None:
    own = node.terms if isinstance(node, CArchetypeRoot) else terms
    for attribute, child in node.children():
        if attribute.rm_attribute_name == "name":
            continue
        label = _label(child, own, language)
        below = branch.add(f"[dim]{escape(attribute.rm_attribute_name)}[/dim] {label}")
        if isinstance(child, CComplexObject):
            _grow(below, child, own, language)


def _label(node: CObject, terms: Terms, language: str) -> str:
    """``Systolisk  ELEMENT[at0004] 0..1``."""
    own = node.terms if isinstance(node, CArchetypeRoot) else terms
    chosen = language if language in own else next(iter(own), language)
    name = node_name(node, terms, chosen)
    ident = f"[{identifier(node)}]" if identifier(node) else ""
    colour = "magenta" if isinstance(node, CArchetypeRoot) else "cyan" if ident else "green"
    unsaid = not node.occurrences_stated or (node.occurrences == ONCE and not ident)
    times = "" if unsaid else f" {node.occurrences}"
    title = f"[bold]{escape(name)}[/bold] " if name else ""
    return f"{title}[{colour}]{escape(node.rm_type_name + ident)}[/]{times}{_content(node)}"


def _tuples(node: CComplexObject) -> str:
    """``[magnitude, units] 2 rows``"""
    return "".join(
        f" [yellow]{escape('[' + ', '.join(each.members) + ']')} {len(each.rows)}x[/yellow]"
        for each in node.tuples
    )


def _content(node: CObject) -> str:
    match node:
        case CComplexObject():
            return _tuples(node)
        case ArchetypeSlot():
            text = f"slot {slot_text(node)}"
        case ArchetypeInternalRef():
            text = f"use_node {node.target_path}"
        case CPrimitiveObject():
            text = ", ".join(primitive_text(item) for item in (node.item, *node.others))
        case _:
            text = described(node)
    return f" [yellow]{escape(text)}[/yellow]"
