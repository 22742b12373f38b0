"""Where ``use_node`` leads."""

from __future__ import annotations

from dataclasses import replace

from archetypes.aom.constraints import ArchetypeInternalRef, CComplexObject, CObject
from archetypes.paths import RmPath


def followed(node: CObject, definition: CComplexObject) -> CObject:
    """The node that a ``use_node`` names, with the occurrences of the reference; other nodes as they are.

    ``definition`` is the archetype's root. A reference that leads nowhere, or to another reference, is
    returned as it is. Raises MalformedPath.
    """
    if not isinstance(node, ArchetypeInternalRef):
        return node
    target = _at(definition, RmPath.parse(node.target_path))
    if target is None or isinstance(target, ArchetypeInternalRef):
        return node
    occurrences = target.occurrences if node.inherits_occurrences else node.occurrences
    return replace(target, node_id=node.node_id or target.node_id, occurrences=occurrences)


def _at(root: CObject, path: RmPath) -> CObject | None:
    node: CObject | None = root
    for segment in path.segments:
        attribute = node.attribute(segment.attribute) if isinstance(node, CComplexObject) else None
        children = attribute.children if attribute else ()
        node = next((each for each in children if segment.node_id in (None, each.node_id)), None)
    return node
