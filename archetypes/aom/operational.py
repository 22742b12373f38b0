"""The operational template of an ADL 2 template: one flat archetype with all others that it uses (OPT 2).

Slots that are filled are replaced by what fills them, closed slots and prohibited nodes are left out, and
references have versions of three parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from archetypes.aom.archetype import Archetype, ArchetypeTerminology, ArtefactKind
from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
)
from archetypes.aom.flattening import overlaid
from archetypes.errors import CannotFlatten
from archetypes.intervals import PROHIBITED

MAX_ARCHETYPES = 500


def operational_template(template: Archetype, flat: Callable[[str], Archetype]) -> Archetype:
    """``template`` is flat already; ``flat`` gives the flat form of what a reference names.

    Raises CannotFlatten, also for an archetype that uses itself, and whatever ``flat`` raises.
    """
    assembly = _Assembly(flat)
    definition = assembly.complex(template.definition, (template.archetype_id,))
    return replace(
        template,
        kind=ArtefactKind.OPERATIONAL_TEMPLATE,
        parent_id=None,
        definition=definition,
        component_terminologies=assembly.terminologies,
        overlays=(),
        comments={},
    )


@dataclass(frozen=True, slots=True)
class _Assembly:
    """The walk that fills roots; ``terminologies`` are those of the archetypes met, by id."""

    flat: Callable[[str], Archetype]
    terminologies: dict[str, ArchetypeTerminology] = field(default_factory=dict)

    def complex(self, node: CComplexObject, inside: tuple[str, ...]) -> CComplexObject:
        attributes = (self._attribute(each, inside) for each in node.attributes)
        return replace(node, attributes=tuple(each for each in attributes if each is not None))

    def _attribute(self, attribute: CAttribute, inside: tuple[str, ...]) -> CAttribute | None:
        """None for one that may not be there, or whose members are all gone."""
        if attribute.existence == PROHIBITED:
            return None
        children = tuple(
            self._object(child, inside)
            for child in attribute.children
            if not (isinstance(child, ArchetypeSlot) and child.is_closed) and not _is_prohibited(child)
        )
        if attribute.children and not children:
            return None
        return replace(attribute, children=children)

    def _object(self, node: CObject, inside: tuple[str, ...]) -> CObject:
        if isinstance(node, CArchetypeRoot):
            return self._filled(node, inside)
        return self.complex(node, inside) if isinstance(node, CComplexObject) else node

    def _filled(self, root: CArchetypeRoot, inside: tuple[str, ...]) -> CArchetypeRoot:
        used = self.flat(root.archetype_id)
        if used.archetype_id in inside:
            raise CannotFlatten(inside[0], f"[{root.node_id}]", f"{used.archetype_id} uses itself")
        self.terminologies[used.archetype_id] = used.terminology
        if len(self.terminologies) > MAX_ARCHETYPES:
            raise CannotFlatten(inside[0], f"[{root.node_id}]", f"more than {MAX_ARCHETYPES} archetypes")
        # What the template says of the filler beside naming it counts on top.
        body = overlaid(used, replace(root, node_id=used.definition.node_id))
        filled = replace(root, archetype_id=used.archetype_id, attributes=body.attributes, tuples=body.tuples)
        done = self.complex(filled, (*inside, used.archetype_id))
        assert isinstance(done, CArchetypeRoot)
        return done


def _is_prohibited(node: CObject) -> bool:
    return node.occurrences_stated and node.occurrences == PROHIBITED
