"""Rules about numbers: occurrences of members against the cardinality of what holds them."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.constraints import ArchetypeInternalRef, CAttribute, CComplexObject, CObject
from archetypes.findings import Finding
from archetypes.intervals import Interval
from archetypes.rm.schema import rm_schema
from validators.archetype.subject import Subject, at, finding
from validators.archetype.targets import targets


def check_intervals(subject: Subject) -> Iterator[Finding]:
    """VCOCD: occurrences, existence and cardinality are not empty intervals (AOM 1.4, C_OBJECT)."""
    for place in subject.places:
        if _is_empty(place.node.occurrences):
            yield at(place, "VCOCD", found=str(place.node.occurrences))
    for path, attribute, _ in subject.attributes:
        cardinality = attribute.cardinality.interval if attribute.cardinality else None
        for interval in (attribute.existence, cardinality):
            if interval is not None and _is_empty(interval):
                yield finding("VCOCD", path, found=str(interval), span=attribute.span)


def check_sum_of_occurrences(subject: Subject) -> Iterator[Finding]:
    """VCOC: what the members may be in all meets the cardinality (ADL 1.4, Occurrences, VCOC).

    The letter of the rule asks that the whole sum lies inside; nearly every published archetype has
    optional members in a ``1..*`` container and breaks it. Found is only what no data can satisfy.
    """
    for path, attribute, interval in _bounded_containers(subject):
        lower, upper = _sum(attribute, subject.archetype.definition)
        too_many = interval.upper is not None and lower > interval.upper
        too_few = upper is not None and attribute.children and upper < (interval.lower or 0)
        if too_many or too_few:
            found = str(Interval(lower, upper))
            yield finding("VCOC", path, expected=str(interval), found=found, span=attribute.span)


def check_single_occurrences(subject: Subject) -> Iterator[Finding]:
    """VACSO: under a single attribute nothing may occur twice (AOM 2, VACSO)."""
    for place in subject.places:
        if place.owner is None or place.attribute is None or not _is_single(place.owner, place.attribute):
            continue
        upper = place.node.occurrences.upper
        if place.node.occurrences_stated and (upper is None or upper > 1):
            yield at(place, "VACSO", expected="0..1", found=str(place.node.occurrences))


def check_upper_bounds(subject: Subject) -> Iterator[Finding]:
    """VACMCU: no member may occur more often than its container can hold (AOM 2, VACMCU)."""
    for path, attribute, interval in _bounded_containers(subject):
        for child in attribute.children:
            upper = child.occurrences.upper
            if interval.upper is not None and upper is not None and upper > interval.upper:
                place = f"{path}[{child.node_id}]" if child.node_id else path
                expected, found = f"<= {interval.upper}", str(child.occurrences)
                yield finding("VACMCU", place, expected=expected, found=found, span=child.span)


def check_orphans(subject: Subject) -> Iterator[Finding]:
    """VACMCO: beside the mandatory members there is room for an optional one (AOM 2, VACMCO)."""
    root = subject.archetype.definition
    for path, attribute, interval in _bounded_containers(subject):
        allowed = [_occurrences(child, root) for child in attribute.children]
        mandatory = sum(1 for each in allowed if each.lower)
        optional = any(not each.lower and each.upper != 0 for each in allowed)
        needed = mandatory + optional
        if interval.upper is not None and mandatory <= interval.upper < needed:
            expected, found = f"<= {interval.upper}", str(needed)
            yield finding("VACMCO", path, expected=expected, found=found, span=attribute.span)


def _bounded_containers(subject: Subject) -> Iterator[tuple[str, CAttribute, Interval[int]]]:
    for path, attribute, _ in subject.attributes:
        if attribute.cardinality is not None and attribute.children:
            yield path, attribute, attribute.cardinality.interval


def _sum(attribute: CAttribute, root: CComplexObject) -> tuple[int, int | None]:
    allowed = [_occurrences(child, root) for child in attribute.children]
    uppers = [each.upper for each in allowed]
    total = None if None in uppers else sum(upper for upper in uppers if upper is not None)
    return sum(each.lower or 0 for each in allowed), total


def _occurrences(child: CObject, root: CComplexObject) -> Interval[int]:
    """A use_node without occurrences has those of its target."""
    if isinstance(child, ArchetypeInternalRef) and child.inherits_occurrences:
        found = targets(root, child)
        return found[0].occurrences if found else child.occurrences
    return child.occurrences


def _is_single(owner: CComplexObject, attribute: CAttribute) -> bool:
    known = rm_schema().attribute(owner.rm_type_name, attribute.rm_attribute_name)
    return known is not None and not known.container


def _is_empty(interval: Interval[int]) -> bool:
    return interval.upper is not None and (interval.lower or 0) > interval.upper
