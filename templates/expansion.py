"""Writes out the ``use_node`` parts of an archetype, so that every node stands where data have it."""

from __future__ import annotations

from dataclasses import replace

from archetypes.aom.constraints import ArchetypeInternalRef, CComplexObject, CObject
from archetypes.errors import MalformedPath
from archetypes.paths import RmPath
from templates.faults import Faults
from templates.tree import find


def expand_internal_references(definition: CComplexObject, faults: Faults) -> CComplexObject:
    """``definition`` with each reference replaced by what it points to.

    A reference that leads nowhere, or into itself, is a fault and is left out.
    """
    return _Expansion(definition, faults).complex_object(definition, ())


class _Expansion:
    def __init__(self, definition: CComplexObject, faults: Faults) -> None:
        self._definition = definition
        self._faults = faults

    def complex_object(self, node: CComplexObject, active: tuple[str, ...]) -> CComplexObject:
        attributes = []
        for attribute in node.attributes:
            children = tuple(new for child in attribute.children for new in self._object(child, active))
            same = all(new is old for new, old in zip(children, attribute.children, strict=False))
            unchanged = same and len(children) == len(attribute.children)
            attributes.append(attribute if unchanged else replace(attribute, children=children))
        return replace(node, attributes=tuple(attributes))

    def _object(self, node: CObject, active: tuple[str, ...]) -> tuple[CObject, ...]:
        if isinstance(node, ArchetypeInternalRef):
            return self._target(node, active)
        if isinstance(node, CComplexObject) and node.attributes:
            return (self.complex_object(node, active),)
        return (node,)

    def _target(self, reference: ArchetypeInternalRef, active: tuple[str, ...]) -> tuple[CObject, ...]:
        path = reference.target_path
        if path in active:
            self._faults.error("archetype.circular_reference", found=path)
            return ()
        try:
            segments = RmPath.parse(path).segments
        except MalformedPath:
            segments = ()
        target = next((node for _, node in find(self._definition, segments, {}) if segments), None)
        if target is None:
            self._faults.error("archetype.unknown_target", found=path)
            return ()
        occurrences = target.occurrences if reference.inherits_occurrences else reference.occurrences
        if isinstance(target, CComplexObject):
            target = self.complex_object(target, (*active, path))
        return (replace(target, occurrences=occurrences),)
