"""A specialised archetype of ADL 2 beside the flat form of its parent, node by node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archetypes.aom.constraints import CArchetypeRoot, CAttribute, CComplexObject, CObject
from archetypes.aom.node_ids import redefined
from validators.archetype.subject import Subject, object_of_parent


@dataclass(frozen=True, slots=True)
class NodePair:
    """A node of the child; ``parent`` is what it redefines, None where it is new."""

    path: str
    child: CObject
    parent: CObject | None
    attribute: CAttribute
    parent_attribute: CAttribute | None


@dataclass(frozen=True, slots=True)
class AttributePair:
    """An attribute of the child; ``owner`` and ``parent`` are None where the parent has nothing there."""

    path: str
    child: CAttribute
    parent: CAttribute | None
    owner: CComplexObject | None


def node_pairs(subject: Subject) -> Iterator[NodePair]:
    """The nodes with codes below the root; nothing without a flat parent."""
    return (pair for pair in _pairs(subject) if isinstance(pair, NodePair))


def redefinitions(subject: Subject) -> Iterator[tuple[str, CObject, CObject]]:
    """Path, node of the child and what it redefines."""
    return ((pair.path, pair.child, pair.parent) for pair in node_pairs(subject) if pair.parent is not None)


def attribute_pairs(subject: Subject) -> Iterator[AttributePair]:
    """The attributes; nothing without a flat parent."""
    return (pair for pair in _pairs(subject) if isinstance(pair, AttributePair))


def _pairs(subject: Subject) -> Iterator[NodePair | AttributePair]:
    if subject.flat_parent is None or subject.archetype.parent_id is None:
        return
    waiting: list[tuple[str, CObject, CObject | None]] = [
        ("", subject.archetype.definition, subject.flat_parent.definition)
    ]
    while waiting:
        path, child, parent = waiting.pop()
        if not isinstance(child, CComplexObject) or (isinstance(child, CArchetypeRoot) and path):
            continue
        for attribute in child.attributes:
            owner = object_of_parent(parent, attribute.differential_path)
            theirs = owner.attribute(attribute.rm_attribute_name) if owner else None
            here = f"{path}{attribute.differential_path}/{attribute.rm_attribute_name}"
            yield AttributePair(here, attribute, theirs, owner)
            for pair in _children(here, attribute, theirs):
                yield pair
                waiting.append((pair.path, pair.child, pair.parent))


def _children(path: str, mine: CAttribute, theirs: CAttribute | None) -> Iterator[NodePair]:
    by_code = {node.node_id: node for node in theirs.children if node.node_id} if theirs else {}
    for child in mine.children:
        if child.node_id:
            parent = redefined(child.node_id, by_code)
            yield NodePair(f"{path}[{child.node_id}]", child, parent, mine, theirs)
