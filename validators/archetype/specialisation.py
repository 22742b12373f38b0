"""Rules about a specialised archetype beside its parent (AOM 2, validity rules of specialised objects).

ADL 1.4 files hold the whole definition of a specialisation. A node of the child belongs to the parent's
node with the same code, or with the code that its own code specialises (``at0004.1`` to ``at0004``);
``at0.4`` is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import ArchetypeInternalRef, CAttribute, CComplexObject, CObject
from archetypes.aom.narrowing import is_within
from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from validators.archetype.subject import Subject, finding
from validators.archetype.targets import targets


@dataclass(frozen=True, slots=True)
class _Pair:
    """A node of the child and the node of the parent that it redefines."""

    path: str
    child: CObject
    parent: CObject


@dataclass(frozen=True, slots=True)
class _AttributePair:
    path: str
    child: CAttribute
    parent: CAttribute


def check_types_conform(subject: Subject) -> Iterator[Finding]:
    """VSONCT: a redefined node keeps its type or takes a subtype (AOM 2, VSONCT)."""
    for pair in _object_pairs(subject):
        if not rm_schema().is_a(pair.child.rm_type_name, pair.parent.rm_type_name):
            yield _found("VSONCT", pair, pair.parent.rm_type_name, pair.child.rm_type_name)


def check_occurrences_conform(subject: Subject) -> Iterator[Finding]:
    """VSONCO: a redefined node may not occur more often than its parent (AOM 2, VSONCO).

    Lower bounds are not compared: one of several specialisations of a mandatory node may be optional.
    """
    for pair in _object_pairs(subject):
        mine, theirs = pair.child.occurrences.upper, pair.parent.occurrences.upper
        if theirs is not None and (mine is None or mine > theirs):
            yield _found("VSONCO", pair, str(pair.parent.occurrences), str(pair.child.occurrences))


def check_existence_conforms(subject: Subject) -> Iterator[Finding]:
    """VSANCE: a stated existence is not wider than the parent's (AOM 2, VSANCE)."""
    for pair in _attribute_pairs(subject):
        mine, theirs = pair.child.existence, pair.parent.existence
        if mine is not None and theirs is not None and not is_within(mine, theirs):
            yield finding("VSANCE", pair.path, expected=str(theirs), found=str(mine), span=pair.child.span)


def check_cardinality_conforms(subject: Subject) -> Iterator[Finding]:
    """VSANCC: a stated cardinality is not wider than the parent's (AOM 2, VSANCC)."""
    for pair in _attribute_pairs(subject):
        if pair.child.cardinality is None or pair.parent.cardinality is None:
            continue
        mine, theirs = pair.child.cardinality.interval, pair.parent.cardinality.interval
        if not is_within(mine, theirs):
            yield finding("VSANCC", pair.path, expected=str(theirs), found=str(mine), span=pair.child.span)


def check_new_nodes(subject: Subject) -> Iterator[Finding]:
    """VSONIN: a node that the parent lacks carries a code of the child's level (AOM 2, VSONIN)."""
    if subject.parent is None or len(subject.lineage) > 1:
        return  # codes of a grandparent look new beside the parent alone
    known = {code for terms in subject.parent.terminology.terms.values() for code in terms}
    for place in subject.places:
        code = place.node.node_id
        if code and "." not in code and code not in known:
            expected = f"at0{'.1' * max(1, subject.archetype.concept.count('.'))}"
            yield finding("VSONIN", place.path, expected=expected, found=code, span=place.node.span)


def _found(code: str, pair: _Pair, expected: str, found: str) -> Finding:
    return finding(code, pair.path or "/", expected=expected, found=found, span=pair.child.span)


def _object_pairs(subject: Subject) -> Iterator[_Pair]:
    return (pair for pair in _pairs(subject) if isinstance(pair, _Pair))


def _attribute_pairs(subject: Subject) -> Iterator[_AttributePair]:
    return (pair for pair in _pairs(subject) if isinstance(pair, _AttributePair))


def _pairs(subject: Subject) -> Iterator[_Pair | _AttributePair]:
    """Everything that both archetypes constrain; each node of the child once."""
    if subject.parent is None:
        return
    waiting = [_Pair("", subject.archetype.definition, subject.parent.definition)]
    while waiting:
        pair = waiting.pop()
        yield pair
        child, parent = pair.child, _followed(pair.parent, subject.parent)
        if not (isinstance(child, CComplexObject) and isinstance(parent, CComplexObject)):
            continue
        for attribute in child.attributes:
            theirs = parent.attribute(attribute.rm_attribute_name)
            if theirs is None:
                continue
            path = f"{pair.path}/{attribute.rm_attribute_name}"
            yield _AttributePair(path, attribute, theirs)
            waiting.extend(_children(path, attribute, theirs))


def _children(path: str, mine: CAttribute, theirs: CAttribute) -> Iterator[_Pair]:
    for child in mine.children:
        parent = _redefined(child.node_id, theirs) if child.node_id else None
        if parent is not None:
            yield _Pair(f"{path}[{child.node_id}]", child, parent)


def _redefined(code: str, theirs: CAttribute) -> CObject | None:
    """The parent's node of this code, or of the nearest code that it specialises."""
    by_code = {node.node_id: node for node in theirs.children if node.node_id}
    while code:
        if code in by_code:
            return by_code[code]
        code = code.rpartition(".")[0]
    return None


def _followed(node: CObject, archetype: Archetype) -> CObject:
    if isinstance(node, ArchetypeInternalRef):
        found = targets(archetype.definition, node)
        return found[0] if found else node
    return node
