"""Rules about a specialised archetype of ADL 2 beside the flat form of its parent."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttributeTuple,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CTerminologyCode,
)
from archetypes.aom.narrowing import is_within, leaf_is_narrower
from archetypes.aom.node_ids import depth_of, is_redefinition
from archetypes.findings import Finding
from archetypes.intervals import PROHIBITED
from archetypes.rm.schema import rm_schema
from validators.archetype.adl2.pairs import NodePair, attribute_pairs, node_pairs, redefinitions
from validators.archetype.subject import Subject, finding

_NEW = re.compile(r"(?:id|at)(?:\d+|0(?:\.0)*\.[1-9]\d*)")


def check_existence_conforms(subject: Subject) -> Iterator[Finding]:
    """VSANCE: a stated existence is not wider than the flat parent's (AOM 2, VSANCE)."""
    for pair in attribute_pairs(subject):
        mine, theirs = pair.child.existence, pair.parent.existence if pair.parent else None
        if mine is not None and theirs is not None and not is_within(mine, theirs) and mine != PROHIBITED:
            yield finding("VSANCE", pair.path, expected=str(theirs), found=str(mine), span=pair.child.span)


def check_cardinality_conforms(subject: Subject) -> Iterator[Finding]:
    """VSANCC: a stated cardinality is not wider than the flat parent's (AOM 2, VSANCC)."""
    for pair in attribute_pairs(subject):
        theirs = pair.parent.cardinality if pair.parent else None
        if pair.child.cardinality is None or theirs is None:
            continue
        mine, allowed = pair.child.cardinality.interval, theirs.interval
        if not is_within(mine, allowed):
            yield finding("VSANCC", pair.path, expected=str(allowed), found=str(mine), span=pair.child.span)


def check_types_conform(subject: Subject) -> Iterator[Finding]:
    """VSONCT: a redefined node keeps its type or takes a subtype (AOM 2, VSONCT)."""
    for path, child, parent in redefinitions(subject):
        if not rm_schema().is_a(child.rm_type_name, parent.rm_type_name):
            expected, found = parent.rm_type_name, child.rm_type_name
            yield finding("VSONCT", path, expected=expected, found=found, span=child.span)


def check_kinds_conform(subject: Subject) -> Iterator[Finding]:
    """VSONT: a redefined node is of the kind of its parent (AOM 2, VSONT).

    An object of which nothing is said may become anything; a slot may be filled.
    """
    for path, child, parent in redefinitions(subject):
        if not _is_kind_of(child, parent) and not _is_prohibited(child):
            expected, found = type(parent).__name__, type(child).__name__
            yield finding("VSONT", path, expected=expected, found=found, span=child.span)


def check_new_nodes(subject: Subject) -> Iterator[Finding]:
    """VSONIN: a node that the flat parent lacks has a new code of the archetype's level (AOM 2, VSONIN)."""
    depth = depth_of(subject.archetype.concept)
    for pair in node_pairs(subject):
        code = pair.child.node_id
        if pair.parent is None and not (_NEW.fullmatch(code) and depth_of(code) == depth):
            expected = f"{code[:2]}0{'.0' * (depth - 1)}.1"
            yield finding("VSONIN", pair.path, expected=expected, found=code, span=pair.child.span)


def check_occurrences_conform(subject: Subject) -> Iterator[Finding]:
    """VSONCO: what redefines a node occurs within the parent's occurrences (AOM 2, VSONCO).

    Of a node that occurs once, each redefinition lies within; of one that occurs more often, all together
    meet the parent's occurrences.
    """
    together: defaultdict[int, list[NodePair]] = defaultdict(list)
    for pair in node_pairs(subject):
        if pair.parent is not None and pair.child.occurrences_stated and pair.parent.occurrences_stated:
            together[id(pair.parent)].append(pair)
    for pairs in together.values():
        yield from _occurrences(pairs)


def _occurrences(pairs: list[NodePair]) -> Iterator[Finding]:
    parent = pairs[0].parent
    assert parent is not None
    theirs = parent.occurrences
    lower = sum(pair.child.occurrences.lower or 0 for pair in pairs)
    for pair in pairs:
        mine = pair.child.occurrences
        if mine == PROHIBITED:
            continue
        wider = theirs.upper == 1 and (mine.upper is None or mine.upper > 1)
        apart = theirs.upper is not None and lower > theirs.upper and len(pairs) == 1
        if wider or apart:
            expected = str(theirs)
            yield finding("VSONCO", pair.path, expected=expected, found=str(mine), span=pair.child.span)


def check_prohibited_kinds(subject: Subject) -> Iterator[Finding]:
    """VSONPT: a prohibited node is of the kind of what it prohibits (AOM 2, VSONPT)."""
    for path, child, parent in redefinitions(subject):
        if _is_prohibited(child) and type(child) is not type(parent):
            expected, found = type(parent).__name__, type(child).__name__
            yield finding("VSONPT", path, expected=expected, found=found, span=child.span)


def check_prohibited_codes(subject: Subject) -> Iterator[Finding]:
    """VSONPI: a prohibited node has the code of what it prohibits (AOM 2, VSONPI)."""
    for path, child, parent in redefinitions(subject):
        if _is_prohibited(child) and child.node_id != parent.node_id:
            yield finding("VSONPI", path, expected=parent.node_id, found=child.node_id, span=child.span)


def check_prohibited_exists(subject: Subject) -> Iterator[Finding]:
    """VSONPO: only what the parent has is prohibited (AOM 2, VSONPO)."""
    for pair in node_pairs(subject):
        if pair.parent is None and _is_prohibited(pair.child):
            yield finding("VSONPO", pair.path, found=pair.child.node_id, span=pair.child.span)


def check_sibling_order(subject: Subject) -> Iterator[Finding]:
    """VSSM: a node is put before or after one of the same container (AOM 2, VSSM)."""
    for pair in node_pairs(subject):
        if pair.child.sibling_order is None:
            continue
        anchor = pair.child.sibling_order.node_id
        theirs = pair.parent_attribute.children if pair.parent_attribute else ()
        if not any(is_redefinition(node.node_id, anchor) for node in (*theirs, *pair.attribute.children)):
            yield finding("VSSM", pair.path, found=anchor, span=pair.child.span)


def check_values_conform(subject: Subject) -> Iterator[Finding]:
    """VPOV: a redefined constraint on a value allows nothing beyond its parent (AOM 2, phase 2, VPOV)."""
    for pair in attribute_pairs(subject):
        theirs = [node for node in (pair.parent.children if pair.parent else ()) if not node.node_id]
        for child in pair.child.children:
            if child.node_id or not theirs:
                continue
            if not any(_is_narrower(subject, child, parent) for parent in theirs):
                yield finding("VPOV", pair.path, found=_short(child), span=child.span)


def check_tuple_members_conform(subject: Subject) -> Iterator[Finding]:
    """VTPIN: a redefined tuple is about the members of the parent's (AOM 2, phase 2, VTPIN)."""
    for path, child, mine, theirs in _tuples(subject):
        if not any(each.members == mine.members for each in theirs):
            expected = " | ".join(", ".join(each.members) for each in theirs)
            yield finding("VTPIN", path, expected=expected, found=", ".join(mine.members), span=child.span)


def check_tuple_rows_conform(subject: Subject) -> Iterator[Finding]:
    """VTPNC: each row of a redefined tuple lies within a row of the parent's (AOM 2, phase 2, VTPNC)."""
    for path, child, mine, theirs in _tuples(subject):
        rows = [row for each in theirs if each.members == mine.members for row in each.rows]
        for row in mine.rows if rows else ():
            if not any(_row_within(subject, row, wider) for wider in rows):
                found = ", ".join(_short(cell) for cell in row)
                yield finding("VTPNC", path, found=found, span=child.span)


def _row_within(subject: Subject, row: tuple[CObject, ...], wider: tuple[CObject, ...]) -> bool:
    return all(_is_narrower(subject, mine, theirs) for mine, theirs in zip(row, wider, strict=True))


def _tuples(
    subject: Subject,
) -> Iterator[tuple[str, CObject, CAttributeTuple, tuple[CAttributeTuple, ...]]]:
    """Tuples of the child about members that the parent has tuples about."""
    for path, child, parent in redefinitions(subject):
        if not (isinstance(child, CComplexObject) and isinstance(parent, CComplexObject)):
            continue
        for mine in child.tuples:
            theirs = tuple(each for each in parent.tuples if set(each.members) & set(mine.members))
            if theirs:
                yield path, child, mine, theirs


def _is_kind_of(child: CObject, parent: CObject) -> bool:
    if isinstance(parent, ArchetypeSlot):
        return isinstance(child, ArchetypeSlot | CArchetypeRoot)
    if isinstance(parent, CArchetypeRoot):
        return isinstance(child, CComplexObject)
    if isinstance(parent, CComplexObject):
        return isinstance(child, CComplexObject) or not (parent.attributes or parent.tuples)
    return type(child) is type(parent)


def _is_prohibited(node: CObject) -> bool:
    return node.occurrences_stated and node.occurrences == PROHIBITED


def _is_narrower(subject: Subject, child: CObject, parent: CObject) -> bool:
    if isinstance(child, CTerminologyCode) and isinstance(parent, CTerminologyCode):
        return _codes_within(subject, child, parent)
    if isinstance(child, CPrimitiveObject) and isinstance(parent, CPrimitiveObject):
        mine, theirs = _alternatives(child), _alternatives(parent)
        return all(any(leaf_is_narrower(each, wider) for wider in theirs) for each in mine)
    return child == parent


def _alternatives(leaf: CPrimitiveObject) -> list[CPrimitiveObject]:
    items = (leaf.item, *leaf.others)
    return [CPrimitiveObject(rm_type_name=leaf.rm_type_name, item=item) for item in items]


def _codes_within(subject: Subject, child: CTerminologyCode, parent: CTerminologyCode) -> bool:
    """A value set redefines its parent's by a code that specialises it, or by members of it."""
    if parent.status not in ("", "required") or is_redefinition(child.code, parent.code):
        return True
    allowed = _members(subject, parent.code)
    mine = _members(subject, child.code)
    return not allowed or all(any(is_redefinition(each, wider) for wider in allowed) for each in mine)


def _members(subject: Subject, code: str) -> tuple[str, ...]:
    """The codes of a constraint; none are known of a value set outside."""
    return (code,) if code.startswith("at") else tuple(subject.flat_value_sets.get(code, ()))


def _short(leaf: CObject) -> str:
    if isinstance(leaf, CTerminologyCode):
        return leaf.code
    return str(getattr(leaf, "item", None) or leaf.rm_type_name)
