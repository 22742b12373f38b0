"""Rules about the definition of an ADL 2 archetype: paths, references, codes of nodes, numbers."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.archetype import ArtefactKind
from archetypes.aom.constraints import ArchetypeInternalRef, CComplexObject, CObject
from archetypes.aom.expansion import object_at
from archetypes.errors import MalformedPath
from archetypes.findings import Finding
from archetypes.paths import RmPath
from archetypes.rm.schema import rm_schema
from validators.archetype.adl2.pairs import attribute_pairs
from validators.archetype.adl2.places import own_places
from validators.archetype.adl2.specialisation import check_sibling_order
from validators.archetype.references import check_reference_cycles
from validators.archetype.subject import Place, Subject, at, finding


def check_differential_paths_allowed(subject: Subject) -> Iterator[Finding]:
    """VDIFV: only a specialised archetype has differential paths (AOM 2, VDIFV)."""
    if subject.archetype.parent_id is not None:
        return
    for place in subject.places:
        for attribute in place.node.attributes if isinstance(place.node, CComplexObject) else ():
            if attribute.differential_path:
                path = f"{attribute.differential_path}/{attribute.rm_attribute_name}"
                yield finding("VDIFV", place.path or "/", found=path, span=attribute.span)


def check_differential_paths_exist(subject: Subject) -> Iterator[Finding]:
    """VDIFP: a differential path leads to an object of the flat parent (AOM 2, VDIFP)."""
    for pair in attribute_pairs(subject):
        if pair.child.differential_path and pair.owner is None:
            yield finding("VDIFP", pair.path, found=pair.child.differential_path, span=pair.child.span)


def check_attributes_unique(subject: Subject) -> Iterator[Finding]:
    """VCATU: an object constrains each attribute once, by name, path or in tuples (AOM 2, VCATU)."""
    for place in subject.places:
        if not isinstance(place.node, CComplexObject):
            continue
        seen: set[str] = set()
        for attribute in place.node.attributes:
            name = f"{attribute.differential_path}/{attribute.rm_attribute_name}"
            if name in seen:
                yield finding("VCATU", f"{place.path}{name}", found=name, span=attribute.span)
            seen.add(name)
        for member in (name for each in place.node.tuples for name in each.members):
            if f"/{member}" in seen:
                yield at(place, "VCATU", found=member)
            seen.add(f"/{member}")


def check_tuple_members(subject: Subject) -> Iterator[Finding]:
    """VCARM: the class has the attributes of its tuples (AOM 2, VCARM)."""
    for place in subject.places:
        for each in place.node.tuples if isinstance(place.node, CComplexObject) else ():
            for member in each.members:
                if rm_schema().attribute(place.node.rm_type_name, member) is None:
                    yield at(place, "VCARM", expected=place.node.rm_type_name, found=member)


def check_codes_unique(subject: Subject) -> Iterator[Finding]:
    """VCOSU: a node code names one node of the archetype (AOM 2, VCOSU).

    The codes inside a used archetype are its own; copies in an operational template have the same codes.
    """
    if subject.archetype.kind is ArtefactKind.OPERATIONAL_TEMPLATE:
        return
    seen: dict[str, str] = {}
    for place in own_places(subject):
        code = place.node.node_id
        if code in seen:
            yield at(place, "VCOSU", expected=seen[code] or "/", found=code)
        elif code:
            seen[code] = place.path


def check_reference_paths(subject: Subject) -> Iterator[Finding]:
    """VUNP: the path of a use_node leads to a node of the archetype or of its parent (AOM 2, VUNP)."""
    if subject.archetype.parent_id is not None and subject.flat_parent is None:
        return
    for place, reference in _references(subject):
        if not _targets(subject, reference):
            yield at(place, "VUNP", found=reference.target_path)


def check_reference_types(subject: Subject) -> Iterator[Finding]:
    """VUNT: use_node names the type of its target or a supertype (AOM 2, VUNT)."""
    for place, reference in _references(subject):
        for target in _targets(subject, reference):
            if not rm_schema().is_a(target.rm_type_name, reference.rm_type_name):
                yield at(place, "VUNT", expected=target.rm_type_name, found=reference.rm_type_name)


def check_lower_bounds(subject: Subject) -> Iterator[Finding]:
    """WACMCL: the mandatory members leave room in the cardinality (AOM 2, WACMCL)."""
    for path, attribute, _ in subject.attributes:
        upper = attribute.cardinality.interval.upper if attribute.cardinality else None
        needed = sum(child.occurrences.lower or 0 for child in attribute.children if child.occurrences_stated)
        if upper is not None and needed > upper:
            expected, found = f"<= {upper}", str(needed)
            yield finding("WACMCL", path, expected=expected, found=found, span=attribute.span)


def check_flattened(subject: Subject) -> Iterator[Finding]:
    """A specialised archetype can be laid over its parent (AOM 2, Flattening).

    Silent where another rule names the reason.
    """
    error = subject.not_flattened
    told = (
        check_differential_paths_exist,
        check_reference_paths,
        check_reference_cycles,
        check_sibling_order,
    )
    if error is None or any(True for rule in told for _ in rule(subject)):
        return
    yield finding("archetype.not_flattened", error.path or "/", found=error.reason)


def _references(subject: Subject) -> Iterator[tuple[Place, ArchetypeInternalRef]]:
    for place in subject.places:
        if isinstance(place.node, ArchetypeInternalRef):
            yield place, place.node


def _targets(subject: Subject, reference: ArchetypeInternalRef) -> list[CObject]:
    """The node that a reference leads to: in the flat parent if it is there, else in the archetype itself."""
    try:
        path = RmPath.parse(reference.target_path)
    except MalformedPath:
        return []
    roots = [subject.archetype.definition]
    if subject.flat_parent is not None:
        roots.insert(0, subject.flat_parent.definition)
    found = (object_at(root, path) for root in roots)
    return [node for node in found if node is not None][:1]
