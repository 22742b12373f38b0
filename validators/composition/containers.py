"""Container attributes: which member is which node of the template, and how many of each.

A member belongs to the node of its type and node id; among nodes of one id its name decides, and where
names do not, the node that it fits best. Members that no node claims may fill an open slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CAttribute, CObject, Interval
from archetypes.repository import admits
from archetypes.rm.schema import RmAttribute
from validators.composition.check import Check
from validators.composition.data import Node, text
from validators.composition.invariants import is_archetype_id
from validators.composition.matching import check_best, check_name, fits_known_type, fits_node_id, fits_type
from validators.composition.naming import admits_name, described, identifier, label
from validators.composition.place import Place
from validators.composition.report import shown


def check_container(
    attribute: CAttribute, value: Any, known: RmAttribute, place: Place, check: Check
) -> None:
    """The members of a list, and their numbers.

    An absent list counts as an empty one, whatever its existence: what must be in it is missing
    (so do openEHR's conformance tables).
    """
    members = [] if value is None else value
    if not isinstance(members, list):
        return
    if attribute.existence is not None and attribute.existence.upper == 0 and members:
        check.report.add("existence.prohibited", Place(place, known.name), "", shown(members))
        return
    errors = check.report.errors
    if attribute.children:
        _check_members(attribute.children, members, known, place, check)
    if attribute.cardinality is not None and not (not members and check.report.errors > errors):
        _check_cardinality(attribute.cardinality.interval, len(members), known, place, check)


def _check_cardinality(
    interval: Interval[int], count: int, known: RmAttribute, place: Place, check: Check
) -> None:
    too_few = interval.lower is not None and count < interval.lower
    if too_few and check.complete and not (known.mandatory and count == 0):
        check.report.add("cardinality.too_few", Place(place, known.name), str(interval), str(count))
    if interval.upper is not None and count > interval.upper:
        check.report.add("cardinality.too_many", Place(place, known.name), str(interval), str(count))


# --- which member is which node -------------------------------------------------------------------


def _check_members(
    children: Sequence[CObject], members: Sequence[Any], known: RmAttribute, place: Place, check: Check
) -> None:
    claimed: Counter[int] = Counter()
    unnamed: Counter[int] = Counter()
    for index, member in enumerate(members):
        if check.report.is_full:
            return
        candidates = _claim(children, member, index, known, place, check)
        if len(candidates) > 1:
            unnamed.update(id(child) for child in candidates)
            continue
        for child in candidates:
            claimed[id(child)] += 1
            upper = child.occurrences.upper
            if upper is not None and claimed[id(child)] == upper + 1:
                _report_surplus(child, index, member, known, place, check)
    if check.complete:
        _report_missing(children, claimed + unnamed, known, place, check)


def _claim(
    children: Sequence[CObject], member: Any, index: int, known: RmAttribute, place: Place, check: Check
) -> Sequence[CObject]:
    """The node that the member belongs to, after checking it.

    None where no node is found; several where the name that would decide cannot be read.
    """
    if not isinstance(member, dict) or not fits_known_type(member, known):
        return ()
    same_id = [
        child for child in children if not isinstance(child, ArchetypeSlot) and fits_node_id(child, member)
    ]
    same_type = [child for child in same_id if fits_type(child, member, known.type_name)]
    if same_type:
        return _claim_by_name(same_type, member, index, known, place, check)
    here = Place(place, known.name, index, None, member)
    if same_id:
        expected = " | ".join(dict.fromkeys(child.rm_type_name for child in same_id))
        check.report.add("type.not_allowed", here, expected, shown(member))
        return same_id[:1]
    return _claim_slot(children, member, here, known, check)


def _claim_by_name(
    candidates: Sequence[CObject], member: Node, index: int, known: RmAttribute, place: Place, check: Check
) -> Sequence[CObject]:
    here = Place(place, known.name, index, candidates[0], member)
    named = [child for child in candidates if admits_name(child, member, here, check)]
    if named or len(candidates) == 1:
        best = check_best(named or candidates, member, place, known.name, index, check)
        is_open = len(named) > 1 and text(member, "name", "value") is None
        return named if is_open else (best,)
    check_name(candidates, member, here, check)
    trial = check.trial()
    best = check_best(candidates, member, place, known.name, index, trial)
    for finding in trial.report.findings:
        if finding.code != "name.not_allowed":
            check.report.take_one(finding)
    return (best,)


def _claim_slot(
    children: Sequence[CObject], member: Node, here: Place, known: RmAttribute, check: Check
) -> Sequence[CObject]:
    node_id = member.get("archetype_node_id")
    slots = [
        child
        for child in children
        if isinstance(child, ArchetypeSlot) and fits_type(child, member, known.type_name)
    ]
    if isinstance(node_id, str) and is_archetype_id(node_id) and slots:
        for slot in slots:
            if admits(slot, node_id):
                return (slot,)
        expected = " | ".join(pattern for slot in slots for pattern in slot.includes) or "*"
        check.report.add("slot.not_admitted", here, expected, node_id)
        return ()
    expected = " | ".join(dict.fromkeys(identifier(child) for child in children))
    check.report.add("node.unexpected", here, expected, str(node_id or member.get("_type")))
    return ()


# --- how many of each -----------------------------------------------------------------------------


def _report_surplus(
    child: CObject, index: int, member: Any, known: RmAttribute, place: Place, check: Check
) -> None:
    here = Place(place, known.name, index, child, member)
    code = "occurrences.prohibited" if child.occurrences.upper == 0 else "occurrences.too_many"
    check.report.add(code, here, str(child.occurrences), described(child, place, check.language))


def _report_missing(
    children: Sequence[CObject], claimed: Counter[int], known: RmAttribute, place: Place, check: Check
) -> None:
    for child in children:
        lower, count = child.occurrences.lower or 0, claimed[id(child)]
        if count >= lower or (
            isinstance(child, ArchetypeSlot) and count + _fillers(child, children, claimed) >= lower
        ):
            continue
        params = {"node": identifier(child), "name": label(child, place, check.language)}
        expected = f"{described(child, place, check.language)} {child.occurrences}"
        check.report.add("occurrences.too_few", Place(place, known.name), expected, str(count), params=params)


def _fillers(slot: ArchetypeSlot, children: Sequence[CObject], claimed: Counter[int]) -> int:
    """Members that the template itself put into the slot: they satisfy its lower bound too."""
    return sum(
        claimed[id(child)]
        for child in children
        if isinstance(child, CArchetypeRoot) and admits(slot, child.archetype_id)
    )
