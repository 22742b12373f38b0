"""Rules about what a definition refers to: its own nodes, and other archetypes in slots."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.constraints import ArchetypeInternalRef, ArchetypeSlot
from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from validators.archetype.slot_patterns import named_archetypes
from validators.archetype.subject import Place, Subject, at
from validators.archetype.targets import references_below, targets


def check_slot_ids(subject: Subject) -> Iterator[Finding]:
    """VDFAI: ids that a slot names are archetype ids (ADL 1.4, Definition Section, VDFAI)."""
    for place in subject.places:
        if isinstance(place.node, ArchetypeSlot):
            for pattern in (*place.node.includes, *place.node.excludes):
                for named in named_archetypes(pattern):
                    if named.archetype_id is None:
                        yield at(place, "VDFAI", expected="openEHR-EHR-CLASS.concept.vN", found=named.text)


def check_paths(subject: Subject) -> Iterator[Finding]:
    """VDFPT: the path of a use_node leads to a node of the definition (ADL 1.4, VDFPT)."""
    root = subject.archetype.definition
    for place, reference in _references(subject):
        if not targets(root, reference):
            yield at(place, "VDFPT", found=reference.target_path)


def check_reference_types(subject: Subject) -> Iterator[Finding]:
    """VUNT: use_node names the type of its target or a supertype (ADL 1.4, Archetype Internal References)."""
    root = subject.archetype.definition
    for place, reference in _references(subject):
        for target in targets(root, reference):
            if not rm_schema().is_a(target.rm_type_name, reference.rm_type_name):
                yield at(place, "VUNT", expected=target.rm_type_name, found=reference.rm_type_name)


def check_reference_cycles(subject: Subject) -> Iterator[Finding]:
    """No use_node contains itself (ADL 1.4, Archetype Internal References: a reference is a copy)."""
    root = subject.archetype.definition
    below: dict[int, frozenset[int]] = {}  # many references share a target
    leads_to: dict[int, frozenset[int]] = {}
    for _, reference in _references(subject):
        inner: frozenset[int] = frozenset()
        for target in targets(root, reference):
            if id(target) not in below:
                below[id(target)] = frozenset(map(id, references_below(target)))
            inner = inner | below[id(target)] if inner else below[id(target)]
        leads_to[id(reference)] = inner
    for place, reference in _references(subject):
        if _reaches(leads_to, id(reference)):
            yield at(place, "archetype.use_node_cycle", found=reference.target_path)


def _references(subject: Subject) -> Iterator[tuple[Place, ArchetypeInternalRef]]:
    for place in subject.places:
        if isinstance(place.node, ArchetypeInternalRef):
            yield place, place.node


def _reaches(leads_to: dict[int, frozenset[int]], start: int) -> bool:
    """True if a walk from ``start`` comes back to it."""
    seen: set[int] = set()
    waiting = list(leads_to[start])
    while waiting:
        each = waiting.pop()
        if each == start:
            return True
        if each not in seen:
            seen.add(each)
            waiting.extend(leads_to.get(each, ()))
    return False
