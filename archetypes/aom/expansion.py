"""``use_node`` replaced by a copy of what it refers to."""

from __future__ import annotations

from dataclasses import replace

from archetypes.aom.constraints import ArchetypeInternalRef, CComplexObject, CObject
from archetypes.aom.node_ids import is_redefinition
from archetypes.errors import CannotFlatten
from archetypes.paths import RmPath

MAX_NODES = 10_000
MAX_DEPTH = 120


def object_at(root: CComplexObject, path: RmPath) -> CObject | None:
    """The node at a path; where the path's code was redefined since, the first that redefines it."""
    node: CObject | None = root
    for segment in path.segments:
        attribute = node.attribute(segment.attribute) if isinstance(node, CComplexObject) else None
        children = attribute.children if attribute else ()
        code = segment.node_id
        exact = next((each for each in children if code in (None, each.node_id)), None)
        node = exact or next((each for each in children if is_redefinition(each.node_id, code or "")), None)
    return node


def expanded(root: CComplexObject, archetype_id: str) -> CComplexObject:
    """The tree without references. Raises CannotFlatten for one that leads nowhere, or into itself."""
    done = _Expansion(root, archetype_id).object(root, (), "")
    assert isinstance(done, CComplexObject)
    return done


class _Expansion:
    """A walk that copies targets; ``open_paths`` are the references that it is inside of."""

    def __init__(self, root: CComplexObject, archetype_id: str) -> None:
        self._root = root
        self._archetype_id = archetype_id
        self._nodes = 0

    def object(self, node: CObject, open_paths: tuple[str, ...], path: str, depth: int = 0) -> CObject:
        if depth > MAX_DEPTH:
            raise CannotFlatten(self._archetype_id, path[:80], "nested too deep")
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CannotFlatten(self._archetype_id, path, f"more than {MAX_NODES} nodes")
        if isinstance(node, ArchetypeInternalRef):
            return self._target(node, open_paths, path, depth)
        if not isinstance(node, CComplexObject):
            return node
        attributes = []
        for attribute in node.attributes:
            here = f"{path}/{attribute.rm_attribute_name}"
            children = tuple(
                self.object(child, open_paths, f"{here}[{child.node_id}]", depth + 1)
                for child in attribute.children
            )
            same = all(new is old for new, old in zip(children, attribute.children, strict=True))
            attributes.append(attribute if same else replace(attribute, children=children))
        if all(new is old for new, old in zip(attributes, node.attributes, strict=True)):
            return node
        return replace(node, attributes=tuple(attributes))

    def _target(
        self, reference: ArchetypeInternalRef, open_paths: tuple[str, ...], path: str, depth: int
    ) -> CObject:
        to = reference.target_path
        if to in open_paths:
            raise CannotFlatten(self._archetype_id, path, f"the reference to {to} contains itself")
        target = object_at(self._root, RmPath.parse(to))
        if target is None:
            raise CannotFlatten(self._archetype_id, path, f"nothing is at {to}")
        inherits = reference.inherits_occurrences
        copy = replace(
            target,
            node_id=reference.node_id or target.node_id,
            occurrences=target.occurrences if inherits else reference.occurrences,
            occurrences_stated=target.occurrences_stated if inherits else True,
        )
        return self.object(copy, (*open_paths, to), path, depth + 1)
