"""The names that constraints fix, and the path steps made of them."""

from __future__ import annotations

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CString,
)


def fixed_name(constraint: CObject) -> str | None:
    """The one name that the template allows for this node, or None."""
    # Names are constrained as name > DV_TEXT > value > C_STRING with a list of one.
    if not isinstance(constraint, CComplexObject):
        return None
    name = constraint.attribute("name")
    for text in name.children if name else ():
        value = text.attribute("value") if isinstance(text, CComplexObject) else None
        for leaf in value.children if value else ():
            if isinstance(leaf, CPrimitiveObject) and isinstance(leaf.item, CString):
                return leaf.item.values[0] if len(leaf.item.values) == 1 else None
    return None


def step(attribute: str, child: CObject) -> str:
    """The path step from a parent to ``child`` under ``attribute``, such as ``/items[at0004,'Mor']``."""
    ident = child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id
    name = fixed_name(child)
    if not ident:
        return f"/{attribute}"
    if name is None or isinstance(child, ArchetypeSlot):
        return f"/{attribute}[{ident}]"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"/{attribute}[{ident},'{escaped}']"
