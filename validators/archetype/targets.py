"""Paths inside one definition: what they select, and where ``use_node`` leads."""

from __future__ import annotations

from archetypes.aom.constraints import ArchetypeInternalRef, CComplexObject, CObject
from archetypes.errors import MalformedPath
from archetypes.paths import RmPath


def resolve(root: CComplexObject, path: RmPath) -> list[CObject]:
    """The objects of the definition at a path; a step without node id selects all members."""
    nodes: list[CObject] = [root]
    for segment in path.segments:
        nodes = [
            child
            for node in nodes
            if isinstance(node, CComplexObject)
            for attribute in node.attributes
            if attribute.rm_attribute_name == segment.attribute
            for child in attribute.children
            if segment.node_id in (None, child.node_id)
        ]
    return nodes


def targets(root: CComplexObject, reference: ArchetypeInternalRef) -> list[CObject]:
    """What a ``use_node`` refers to; empty where its path is malformed or leads nowhere."""
    try:
        path = RmPath.parse(reference.target_path)
    except MalformedPath:
        return []
    return resolve(root, path) if path.segments else [root]


def references_below(node: CObject) -> list[ArchetypeInternalRef]:
    """Every ``use_node`` in a subtree, the node itself included."""
    found: list[ArchetypeInternalRef] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ArchetypeInternalRef):
            found.append(each)
        elif isinstance(each, CComplexObject):
            waiting.extend(child for _, child in each.children())
    return found
