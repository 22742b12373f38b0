"""Two constraint trees side by side: the differences node by node.

Archetypes and templates are compared alike; a template's tree has no ``use_node`` left and carries the
terms at its archetype roots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CComplexObject,
    CObject,
    Interval,
    Terms,
)
from archetypes.aom.names import fixed_name, step
from archetypes.aom.references import followed
from archetypes.changes.kinds import Change, change
from archetypes.changes.leaves import described, leaf_changes, range_changes, slot_text
from archetypes.changes.matching import identifier, is_slot, node_name, pair_children, term_text
from archetypes.changes.texts import term_changes
from archetypes.intervals import OPTIONAL
from archetypes.rm.schema import RmAttribute, rm_schema

# Structure whose names stand in no FLAT path and on no form.
_STRUCTURE = frozenset({"ITEM_TREE", "ITEM_LIST", "ITEM_SINGLE", "ITEM_TABLE", "HISTORY"})

Changes = Iterator[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One of the two: its root, its default language, and the terms that hold where no root has its own."""

    definition: CComplexObject
    language: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    old_terms: Terms
    new_terms: Terms

    def below(self, attribute: str, child: CObject) -> _Place:
        return replace(self, path=self.path + step(attribute, child))


def tree_changes(old: Tree, new: Tree) -> Changes:
    """All differences between two trees, in the order of the old one. Raises MalformedPath."""
    comparison = _Comparison(old, new)
    place = _Place("", old.terms, new.terms)
    if not isinstance(old.definition, CArchetypeRoot):
        yield from term_changes(old.definition, old.terms, new.terms, old.language, "")
    yield from comparison.objects(old.definition, new.definition, place)


class _Comparison:
    """Every method yields the differences of one place."""

    def __init__(self, old: Tree, new: Tree) -> None:
        self._old = old
        self._new = new
        self._followed: set[tuple[str | int, str | int]] = set()

    # --- objects --------------------------------------------------------------------------------

    def objects(self, old: CObject, new: CObject, place: _Place) -> Changes:
        """Two nodes that are the same node."""
        if isinstance(old, ArchetypeInternalRef) or isinstance(new, ArchetypeInternalRef):
            yield from self._references(old, new, place)
            return
        if isinstance(old, CArchetypeRoot) and isinstance(new, CArchetypeRoot):
            place = replace(place, old_terms=old.terms, new_terms=new.terms)
            yield from term_changes(old, old.terms, new.terms, self._old.language, place.path)
        yield from self._names(old, new, place)
        yield from _multiplicities("occurrences", old.occurrences, new.occurrences, place.path)
        if old.rm_type_name != new.rm_type_name:
            yield from _types(old, new, place.path)
            if not _related(old, new):
                return
        yield from self._content(old, new, place)

    def _references(self, old: CObject, new: CObject, place: _Place) -> Changes:
        """Both lead to one path: what changed there is told there. Else what they lead to is compared.

        The same two targets are compared once only, at the first place: references may multiply.
        """
        before = followed(old, self._old.definition)
        after = followed(new, self._new.definition)
        targets = _target(old), _target(new)
        unresolved = isinstance(before, ArchetypeInternalRef) or isinstance(after, ArchetypeInternalRef)
        if targets[0] == targets[1] or unresolved or targets in self._followed:
            yield from _multiplicities("occurrences", before.occurrences, after.occurrences, place.path)
        else:
            self._followed.add(targets)
            yield from self.objects(before, after, place)

    def _content(self, old: CObject, new: CObject, place: _Place) -> Changes:
        match old, new:
            case CComplexObject(), CComplexObject():
                yield from self._attributes(old, new, place)
                if (old.tuples, old.default_value) != (new.tuples, new.default_value):
                    yield change("value_set.changed", place.path, _rows(old), _rows(new))
            case CComplexObject(attributes=(), tuples=()), _:
                yield change("constraint.added", place.path, "*", described(new))
            case _, CComplexObject(attributes=(), tuples=()):
                yield change("constraint.removed", place.path, described(old), "*")
            case _:
                yield from leaf_changes(old, new, place.path)

    def _names(self, old: CObject, new: CObject, place: _Place) -> Changes:
        if not identifier(old):
            return
        before = node_name(old, place.old_terms, self._old.language)
        after = node_name(new, place.new_terms, self._new.language)
        fixed = fixed_name(old), fixed_name(new)
        if before != after and before and after:
            hidden = old.rm_type_name in _STRUCTURE and fixed == (None, None)
            yield change("hidden_name.changed" if hidden else "name.changed", place.path, before, after)
        elif fixed[0] is None and fixed[1] is not None:
            yield change("name.fixed", place.path, "*", after)
        elif fixed[0] is not None and fixed[1] is None:
            yield change("name.freed", place.path, before, "*")
        elif fixed[0] is not None:
            yield from self._overridden(old, new, place)

    def _overridden(self, old: CObject, new: CObject, place: _Place) -> Changes:
        """The text of a code whose node has a fixed name: nobody sees it here."""
        before = term_text(old, place.old_terms, self._old.language)
        after = term_text(new, place.new_terms, self._new.language)
        if before != after:
            yield change("hidden_name.changed", place.path, before, after)

    # --- attributes -----------------------------------------------------------------------------

    def _attributes(self, old: CComplexObject, new: CComplexObject, place: _Place) -> Changes:
        names = dict.fromkeys(a.rm_attribute_name for a in (*old.attributes, *new.attributes))
        if fixed_name(old) is not None or fixed_name(new) is not None:
            names.pop("name", None)
        for name in names:
            known = rm_schema().attribute(old.rm_type_name, name)
            yield from self._attribute(old.attribute(name), new.attribute(name), name, known, place)

    def _attribute(
        self,
        old: CAttribute | None,
        new: CAttribute | None,
        name: str,
        known: RmAttribute | None,
        place: _Place,
    ) -> Changes:
        here = f"{place.path}/{name}"
        existence, cardinality = _existence(old, known), _cardinality(old, known)
        yield from _multiplicities("existence", existence, _existence(new, known), here)
        if known is not None and known.container:
            yield from _cardinalities(cardinality, _cardinality(new, known), here)
        if old is None and new is not None:
            yield from self._new_attribute(new, known, place)
        elif old is not None:
            yield from self._children(old, new, place)

    def _new_attribute(self, new: CAttribute, known: RmAttribute | None, place: _Place) -> Changes:
        """What the old tree did not speak of, the reference model decided."""
        present = _present(new)
        values = [child for child in present if not identifier(child)]
        if known is not None and len(values) == len(present) == 1:
            anything = CComplexObject(rm_type_name=known.type_name, occurrences=values[0].occurrences)
            yield from self.objects(anything, values[0], place.below(new.rm_attribute_name, values[0]))
            return
        if values:
            types = " | ".join(child.rm_type_name for child in values)
            yield change("constraint.added", f"{place.path}/{new.rm_attribute_name}", "*", types)
        for child in present:
            if identifier(child):
                yield from self._added(new, child, place)

    def _children(self, old: CAttribute, new: CAttribute | None, place: _Place) -> Changes:
        here = f"{place.path}/{old.rm_attribute_name}"
        before, after = _present(old), _present(new)
        prohibited = new is not None and (bool(new.children) or existence_upper(new) == 0)
        if not before and after and not old.children and existence_upper(old) != 0:
            yield change("constraint.added", here, "*", " | ".join(c.rm_type_name for c in after))
            return
        if before and not after and not prohibited and not any(map(identifier, before)):
            yield change("constraint.removed", here, " | ".join(c.rm_type_name for c in before), "*")
            return
        for mine, theirs in pair_children(
            before,
            after,
            lambda node: node_name(node, place.old_terms, self._old.language),
            lambda node: node_name(node, place.new_terms, self._new.language),
        ):
            if mine is not None and theirs is not None:
                yield from self._paired(old, mine, theirs, place)
            elif mine is not None:
                yield from self._removed(old, mine, place)
            elif theirs is not None:
                yield from self._added(old, theirs, place)

    def _paired(self, attribute: CAttribute, old: CObject, new: CObject, place: _Place) -> Changes:
        below = place.below(attribute.rm_attribute_name, old)
        if identifier(old) != identifier(new) and identifier(old) and identifier(new):
            versions = isinstance(old, CArchetypeRoot) and isinstance(new, CArchetypeRoot)
            same = _without_version(identifier(old)) == _without_version(identifier(new))
            code = "archetype.version_changed" if versions and same else "path.renamed"
            yield change(code, below.path, identifier(old), identifier(new))
        yield from self.objects(old, new, below)

    def _removed(self, attribute: CAttribute, old: CObject, place: _Place) -> Changes:
        path = place.path + step(attribute.rm_attribute_name, old)
        if is_slot(old):
            yield change("slot.closed", path, _shown(old), "")
        elif identifier(old):
            name = node_name(old, place.old_terms, self._old.language)
            yield change("path.removed", path, f"{old.rm_type_name} {name}".strip(), "")
        else:
            yield change("type.removed", path, old.rm_type_name, "", old.rm_type_name)

    def _added(self, attribute: CAttribute, new: CObject, place: _Place) -> Changes:
        path = place.path + step(attribute.rm_attribute_name, new)
        shown = f"{new.rm_type_name} {node_name(new, place.new_terms, self._new.language)}".strip()
        if not identifier(new):
            yield change("type.added", path, "", new.rm_type_name, new.rm_type_name)
        elif new.occurrences.lower and attribute.cardinality is not None:
            yield change("path.added_mandatory", path, "", f"{shown} {new.occurrences}")
        elif is_slot(new):
            yield change("slot.added", path, "", _shown(new))
        else:
            code = "slot.filler_added" if isinstance(new, CArchetypeRoot) else "path.added"
            yield change(code, path, "", shown)


def _rows(node: CComplexObject) -> str:
    """Tuples and the default value in short."""
    rows = [f"{', '.join(each.members)}: {len(each.rows)}" for each in node.tuples]
    return "; ".join([*rows, *(["default"] if node.default_value is not None else [])]) or "*"


def _target(node: CObject) -> str | int:
    """Where a reference leads; another node is known by itself."""
    return node.target_path if isinstance(node, ArchetypeInternalRef) else id(node)


# --- types ------------------------------------------------------------------------------------------


def _related(old: CObject, new: CObject) -> bool:
    schema = rm_schema()
    mine, theirs = old.rm_type_name, new.rm_type_name
    return schema.is_a(mine, theirs) or schema.is_a(theirs, mine)


def _types(old: CObject, new: CObject, path: str) -> Changes:
    if not _related(old, new):
        code = "type.changed"
    elif rm_schema().is_a(old.rm_type_name, new.rm_type_name):
        code = "type.widened"
    else:
        code = "type.narrowed"
    yield change(code, path, old.rm_type_name, new.rm_type_name)


# --- how many ---------------------------------------------------------------------------------------


def _multiplicities(kind: str, old: Interval[int], new: Interval[int], path: str) -> Changes:
    """``.mandatory`` where nothing was needed and something now is; else narrowed or widened."""
    if not old.lower and new.lower:
        yield change(f"{kind}.mandatory", path, old, new)
        old = replace(old, lower=new.lower)
        if old.upper is not None and new.upper is not None and new.upper >= old.upper:
            return
        if new.upper is None:
            return
    yield from range_changes(kind, old, new, path)


def _cardinalities(old: Cardinality, new: Cardinality, path: str) -> Changes:
    yield from _multiplicities("cardinality", old.interval, new.interval, path)
    if new.is_unique != old.is_unique:
        code = "cardinality.narrowed" if new.is_unique else "cardinality.widened"
        yield change(code, path, _unique(old), _unique(new), "unique")
    if new.is_ordered != old.is_ordered:
        yield change("cardinality.order_changed", path, _ordered(old), _ordered(new))


def _unique(cardinality: Cardinality) -> str:
    return "unique" if cardinality.is_unique else "not unique"


def _ordered(cardinality: Cardinality) -> str:
    return "ordered" if cardinality.is_ordered else "unordered"


def _existence(attribute: CAttribute | None, known: RmAttribute | None) -> Interval[int]:
    if attribute is not None and attribute.existence is not None:
        return attribute.existence
    return known.existence if known is not None else OPTIONAL


def existence_upper(attribute: CAttribute) -> int | None:
    """0 where the attribute is prohibited."""
    return None if attribute.existence is None else attribute.existence.upper


def _cardinality(attribute: CAttribute | None, known: RmAttribute | None) -> Cardinality:
    if attribute is not None and attribute.cardinality is not None:
        return attribute.cardinality
    return Cardinality(interval=known.cardinality) if known is not None else Cardinality()


def _present(attribute: CAttribute | None) -> list[CObject]:
    """The children that may occur; 0..0 is not there."""
    return [child for child in attribute.children if child.occurrences.upper != 0] if attribute else []


def _without_version(archetype_id: str) -> str:
    return archetype_id.rpartition(".v")[0]


def _shown(slot: CObject) -> str:
    return slot_text(slot)  # type: ignore[arg-type]  # is_slot was asked
