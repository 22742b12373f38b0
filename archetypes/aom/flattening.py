"""The flat form of a specialised archetype: its parent's flat form with its own changes laid over it (AOM 2).

What a node of the child redefines is the parent's node with the same code, or with the code that its own code
specialises (``id4.1`` to ``id4``). Specialisations take the place of the node that they redefine; this stays
behind them while it may still occur. Prohibited nodes (``occurrences matches {0}``) stay, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CAttributeTuple,
    CComplexObject,
    CObject,
    SiblingOrder,
)
from archetypes.aom.expansion import expanded, object_at
from archetypes.aom.node_ids import is_redefinition, redefined
from archetypes.errors import CannotFlatten
from archetypes.paths import PathSegment, RmPath
from archetypes.rm.schema import rm_schema

MAX_STEPS = 60
_T = TypeVar("_T")


def flatten(child: Archetype, flat_parent: Archetype | None = None) -> Archetype:
    """The whole of a differential archetype; ``use_node`` is replaced by what it refers to.

    ``flat_parent`` is the flat form of the archetype that it specialises, None for a top-level one. An
    archetype of ADL 1.4 is whole already and comes back as it is. Raises CannotFlatten where the child
    refers to a node that the parent lacks, MalformedPath.
    """
    if not child.is_adl2:
        return child
    if flat_parent is None:
        return replace(
            child, definition=expanded(child.definition, child.archetype_id), is_differential=False
        )
    overlay = _Overlay(child.archetype_id, flat_parent.definition)
    definition = overlay.object(flat_parent.definition, child.definition, "")
    assert isinstance(definition, CComplexObject)
    return replace(
        child,
        definition=expanded(definition, child.archetype_id),
        terminology=_terminology(flat_parent.terminology, child),
        invariants="\n".join(text for text in (flat_parent.invariants, child.invariants) if text),
        annotations=_deep(flat_parent.annotations, child.annotations),
        rm_overlay=_deep(flat_parent.rm_overlay, child.rm_overlay),
        is_differential=False,
    )


def overlaid(flat: Archetype, changes: CComplexObject) -> CComplexObject:
    """The root of a flat archetype with what a reference to it says on top. Raises CannotFlatten."""
    done = _Overlay(flat.archetype_id, flat.definition).object(flat.definition, changes, "")
    assert isinstance(done, CComplexObject)
    return done


@dataclass(frozen=True, slots=True)
class _Overlay:
    """A child laid over ``root``, its flat parent; every method gives one place of the result."""

    archetype_id: str
    root: CComplexObject

    def object(self, parent: CObject, child: CObject, path: str) -> CObject:
        """One node of the parent with what the child says of it."""
        if isinstance(parent, ArchetypeInternalRef) and isinstance(child, CComplexObject):
            parent = self._target(parent, path)
        child = _with_inherited(parent, child)
        if isinstance(parent, CComplexObject) and isinstance(child, CComplexObject):
            return self._complex(parent, child, path)
        if isinstance(parent, ArchetypeSlot) and isinstance(child, ArchetypeSlot):
            return _slot(parent, child)
        return child

    def laid(self, owner: CComplexObject, attribute: CAttribute, path: str) -> CComplexObject:
        """An object with one attribute of the child laid over it."""
        attribute = _nested(attribute)
        name = attribute.rm_attribute_name
        mine = owner.attribute(name)
        here = f"{path}/{name}"
        known = rm_schema().attribute(owner.rm_type_name, name)
        siblings = _Siblings(list(mine.children if mine else ()), known is not None and not known.container)
        merged = self._attribute(mine or CAttribute(rm_attribute_name=name), attribute, siblings, here)
        if mine is None:
            return replace(owner, attributes=(*owner.attributes, merged))
        attributes = tuple(merged if each is mine else each for each in owner.attributes)
        return replace(owner, attributes=attributes)

    def _target(self, reference: ArchetypeInternalRef, path: str) -> CObject:
        """What a reference of the parent leads to, under its own code."""
        target = object_at(self.root, RmPath.parse(reference.target_path))
        if target is None:
            raise CannotFlatten(self.archetype_id, path, f"nothing is at {reference.target_path}")
        inherits = reference.inherits_occurrences
        return replace(
            target,
            node_id=reference.node_id,
            occurrences=target.occurrences if inherits else reference.occurrences,
            occurrences_stated=target.occurrences_stated if inherits else True,
        )

    def _complex(self, parent: CComplexObject, child: CComplexObject, path: str) -> CComplexObject:
        result: CComplexObject = replace(
            _as_root(parent, child),
            attributes=parent.attributes,
            tuples=parent.tuples,
            default_value=parent.default_value if child.default_value is None else child.default_value,
            comment=child.comment or parent.comment,
        )
        for attribute in child.attributes:
            result = self.laid(result, attribute, path)
        return _with_tuples(result, child.tuples)

    def _attribute(self, parent: CAttribute, child: CAttribute, siblings: _Siblings, path: str) -> CAttribute:
        return replace(
            parent,
            existence=child.existence or parent.existence,
            cardinality=child.cardinality or parent.cardinality,
            children=self._children(siblings, child.children, path),
        )

    def _children(self, siblings: _Siblings, children: tuple[CObject, ...], path: str) -> tuple[CObject, ...]:
        parents = tuple(siblings.nodes)
        if not children:
            return parents
        if any(not child.node_id and child.rm_type_name for child in children):
            return children  # constraints on a primitive value replace each other
        by_code = {parent.node_id: parent for parent in parents}
        redefining: dict[int, list[CObject]] = {id(parent): [] for parent in parents}
        ordered: CObject | None = None  # the node that the next one of an ordered run follows
        for each in children:
            child = self._addressed(each, parents, path)
            target = redefined(child.node_id, by_code)
            merged = self._child(target, child, f"{path}[{child.node_id}]")
            if target is not None:
                redefining[id(target)].append(child)
            siblings.nodes.insert(self._place(child, target, ordered, siblings, path), merged)
            if child.sibling_order is not None or ordered is not None:
                ordered = merged
        for parent in parents:
            siblings.settle(parent, redefining[id(parent)])
        return tuple(siblings.nodes)

    def _addressed(self, child: CObject, parents: tuple[CObject, ...], path: str) -> CObject:
        """A step of a differential path that names no node: the only one there is."""
        if child.node_id:
            return child
        if len(parents) != 1:
            raise CannotFlatten(self.archetype_id, path, "the path does not say which node it leads through")
        return replace(child, node_id=parents[0].node_id)

    def _place(
        self,
        child: CObject,
        target: CObject | None,
        ordered: CObject | None,
        siblings: _Siblings,
        path: str,
    ) -> int:
        """Where a node goes: by its marker, behind the run that it is in, at what it redefines, or last."""
        if child.sibling_order is not None:
            return self._anchor(child.sibling_order, siblings.nodes, path)
        if ordered is not None:
            return siblings.place_of(ordered) + 1
        return len(siblings.nodes) if target is None else siblings.place_of(target)

    def _child(self, target: CObject | None, child: CObject, path: str) -> CObject:
        if target is not None:
            return replace(self.object(target, child, path), sibling_order=None)
        if not child.rm_type_name:
            raise CannotFlatten(self.archetype_id, path, "the parent has no such node")
        if isinstance(child, CComplexObject):
            child = self._complex(replace(child, attributes=(), tuples=()), child, path)
        return replace(child, sibling_order=None)

    def _anchor(self, order: SiblingOrder, nodes: list[CObject], path: str) -> int:
        """Where an ordered node goes: before the first, after the last one of the code or of its kin."""
        places = [n for n, node in enumerate(nodes) if is_redefinition(node.node_id, order.node_id)]
        if not places:
            raise CannotFlatten(self.archetype_id, path, f"no sibling {order.node_id} to stand beside")
        return places[0] if order.is_before else places[-1] + 1


@dataclass(frozen=True, slots=True)
class _Siblings:
    """The members of one attribute while a child is laid over them; nodes are told apart by identity.

    Those of an attribute that holds one value (``is_single``) are alternatives.
    """

    nodes: list[CObject]
    is_single: bool

    def place_of(self, node: CObject) -> int:
        return next(place for place, each in enumerate(self.nodes) if each is node)

    def settle(self, parent: CObject, children: list[CObject]) -> None:
        """A node that is redefined under its own code, or as often as it may occur, is there no longer."""
        if any(child.node_id == parent.node_id for child in children) or self._is_used_up(parent, children):
            del self.nodes[self.place_of(parent)]

    def _is_used_up(self, parent: CObject, children: list[CObject]) -> bool:
        if not children or isinstance(parent, ArchetypeSlot):
            return False  # a slot is open until it is closed
        if self.is_single:
            return True
        limit = parent.occurrences.upper
        uppers = [(child if child.occurrences_stated else parent).occurrences.upper for child in children]
        known = [upper for upper in uppers if upper is not None]
        return limit is not None and (len(known) < len(uppers) or sum(known) >= limit)


def _with_inherited(parent: CObject, child: CObject) -> CObject:
    """The child with the type and the occurrences that it leaves to its parent."""
    if not child.rm_type_name:
        child = replace(child, rm_type_name=parent.rm_type_name)
    if child.occurrences_stated:
        return child
    return replace(child, occurrences=parent.occurrences, occurrences_stated=parent.occurrences_stated)


def _as_root(parent: CComplexObject, child: CComplexObject) -> CComplexObject:
    """A redefined archetype root stays one, also where the child names no archetype."""
    if isinstance(child, CArchetypeRoot) or not isinstance(parent, CArchetypeRoot):
        return child
    return replace(
        parent,
        rm_type_name=child.rm_type_name,
        node_id=child.node_id,
        occurrences=child.occurrences,
        occurrences_stated=child.occurrences_stated,
    )


def _slot(parent: ArchetypeSlot, child: ArchetypeSlot) -> ArchetypeSlot:
    """A slot that states no patterns keeps those of its parent."""
    if child.states_anything:
        return child
    return replace(
        child,
        includes=parent.includes,
        excludes=parent.excludes,
        other_includes=parent.other_includes,
        other_excludes=parent.other_excludes,
    )


def _with_tuples(node: CComplexObject, tuples: tuple[CAttributeTuple, ...]) -> CComplexObject:
    """Tuples replace those about the same members, and what was said of the members one by one."""
    if not tuples:
        return node
    told = {name for each in tuples for name in each.members}
    kept = tuple(each for each in node.tuples if not told & set(each.members))
    attributes = tuple(each for each in node.attributes if each.rm_attribute_name not in told)
    return replace(node, attributes=attributes, tuples=(*kept, *tuples))


def _nested(attribute: CAttribute) -> CAttribute:
    """A differential path as the nodes that it leads through; their types are those of the parent."""
    if not attribute.differential_path:
        return attribute
    inner = replace(attribute, differential_path="")
    segments = RmPath.parse(attribute.differential_path).segments
    if len(segments) > MAX_STEPS:
        raise CannotFlatten("", attribute.differential_path[:80], f"more than {MAX_STEPS} steps")
    for segment in reversed(segments):
        inner = _wrapped(segment, inner)
    return inner


def _wrapped(segment: PathSegment, attribute: CAttribute) -> CAttribute:
    node = CComplexObject(
        rm_type_name="", node_id=segment.node_id or "", occurrences_stated=False, attributes=(attribute,)
    )
    return CAttribute(rm_attribute_name=segment.attribute, children=(node,), span=attribute.span)


# --- everything but the definition --------------------------------------------------------------------


def _terminology(parent: ArchetypeTerminology, child: Archetype) -> ArchetypeTerminology:
    """All codes of both, in the languages of the child."""
    own = child.terminology
    return ArchetypeTerminology(
        terms={
            language: {**parent.terms.get(language, {}), **terms} for language, terms in own.terms.items()
        },
        term_bindings=_two_levels(parent.term_bindings, own.term_bindings),
        value_sets={**parent.value_sets, **own.value_sets},
        other=_deep(parent.other, own.other),
    )


def _two_levels(
    parent: Mapping[str, Mapping[str, _T]], child: Mapping[str, Mapping[str, _T]]
) -> dict[str, dict[str, _T]]:
    names = dict.fromkeys([*parent, *child])
    return {name: {**parent.get(name, {}), **child.get(name, {})} for name in names}


def _deep(parent: Mapping[str, Any], child: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two ODIN objects as one; what both say counts as the child says it."""
    if not parent or not child:
        return child or parent
    both = {**parent, **{key: _value(parent.get(key), value) for key, value in child.items()}}
    kind = type(child) if isinstance(child, dict) else dict  # an object with keys stays one
    return kind(both)


def _value(parent: Any, child: Any) -> Any:
    return _deep(parent, child) if isinstance(parent, dict) and isinstance(child, dict) else child
