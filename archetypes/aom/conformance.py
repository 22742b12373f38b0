"""Does an archetype only narrow another one? (AOM 1.4, specialisation and redefinition)

Our library holds own editions of public archetypes, with the same ids, codes and paths: whatever data
an edition allows, the public archetype allows too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import (
    ArchetypeSlot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CObject,
)
from archetypes.aom.narrowing import is_within, leaf_is_narrower
from archetypes.aom.references import followed
from archetypes.aom.slots import is_everything
from archetypes.findings import Finding
from archetypes.intervals import ANY_NUMBER
from archetypes.rm.schema import RmAttribute, rm_schema

EPISODIC = "451"
# Older archetypes have but one code for what openEHR now calls event, persistent and episodic.
_CATEGORIES_BEFORE_EPISODIC = ({"433"}, {"435"})


def conformance_findings(child: Archetype, parent: Archetype) -> list[Finding]:
    """What ``child`` allows beyond ``parent``; empty where it is equal or narrower.

    ``use_node`` is followed in both. What ``child`` leaves out is no finding unless the parent demands it:
    a template closes what its archetypes do not mention. One exception is allowed: COMPOSITION.category
    may be episodic (451) where the parent has 433 or 435. Codes of findings:
    ``conformance.node_unknown``, ``.attribute_unknown``, ``.type``, ``.occurrences``, ``.existence``,
    ``.cardinality``, ``.mandatory_missing``, ``.values``, ``.slot``, ``.code_unknown``, ``.term_missing``.
    """
    comparison = _Comparison(child, parent)
    findings = list(comparison.objects(child.definition, parent.definition, ""))
    findings.extend(_terms(child, parent))
    return findings


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two archetypes side by side; every method yields the findings of one place."""

    child_archetype: Archetype
    parent_archetype: Archetype

    def objects(self, child: CObject, parent: CObject, path: str) -> Iterator[Finding]:
        child = followed(child, self.child_archetype.definition)
        parent = followed(parent, self.parent_archetype.definition)
        if not rm_schema().is_a(child.rm_type_name, parent.rm_type_name):
            yield _finding("type", path, parent.rm_type_name, child.rm_type_name, child)
            return
        if not is_within(child.occurrences, parent.occurrences):
            yield _finding("occurrences", path, str(parent.occurrences), str(child.occurrences), child)
        match child, parent:
            case ArchetypeSlot(), ArchetypeSlot():
                yield from _slot(child, parent, path)
            case CComplexObject(), CComplexObject():
                yield from self._attributes(child, parent, path)
            case _, CComplexObject(attributes=()):
                return
            case _ if type(child) is not type(parent) and not leaf_is_narrower(child, parent):
                yield _finding("values", path, type(parent).__name__, type(child).__name__, child)
            case _ if not leaf_is_narrower(child, parent) and not _is_episodic(child, parent, path):
                yield _finding("values", path, _shown(parent), _shown(child), child)

    def _attributes(self, child: CComplexObject, parent: CComplexObject, path: str) -> Iterator[Finding]:
        for attribute in child.attributes:
            here = f"{path}/{attribute.rm_attribute_name}"
            known = rm_schema().attribute(child.rm_type_name, attribute.rm_attribute_name)
            theirs = parent.attribute(attribute.rm_attribute_name)
            if known is None:
                yield Finding("conformance.attribute_unknown", here, child.rm_type_name, span=attribute.span)
                continue
            theirs = theirs or CAttribute(rm_attribute_name=attribute.rm_attribute_name)
            yield from _multiplicities(attribute, theirs, known, here)
            yield from self._children(attribute, theirs, known, here)

    def _children(
        self, mine: CAttribute, theirs: CAttribute, known: RmAttribute, path: str
    ) -> Iterator[Finding]:
        for child in mine.children:
            here = f"{path}[{child.node_id}]" if child.node_id else path
            yield from self._child(child, theirs, known, here)
        if not mine.children or not known.container:
            return
        present = {child.node_id for child in mine.children}
        for parent in theirs.children:
            if parent.occurrences.lower and parent.node_id not in present:
                missing = f"{path}[{parent.node_id}]"
                yield Finding("conformance.mandatory_missing", missing, str(parent.occurrences), "0")

    def _child(self, child: CObject, theirs: CAttribute, known: RmAttribute, path: str) -> Iterator[Finding]:
        """A child must fit one object of the parent with its code; what the parent leaves open, the RM."""
        if not theirs.children:
            parents: list[CObject] = [_anything(known)]
        else:
            parents = [parent for parent in theirs.children if parent.node_id == child.node_id]
        if not parents:
            yield Finding("conformance.node_unknown", path, found=child.rm_type_name, span=child.span)
            return
        attempts = [list(self.objects(child, parent, path)) for parent in parents]
        # Of several alternatives the nearest one tells what is wrong.
        yield from min(attempts, key=_distance)


def _anything(known: RmAttribute) -> CComplexObject:
    """What the reference model allows as one member of an attribute."""
    return CComplexObject(rm_type_name=known.type_name, occurrences=ANY_NUMBER)


def _distance(findings: list[Finding]) -> tuple[bool, int]:
    return any(finding.code == "conformance.type" for finding in findings), len(findings)


def _multiplicities(mine: CAttribute, theirs: CAttribute, known: RmAttribute, path: str) -> Iterator[Finding]:
    """Unstated, the reference model's multiplicities count."""
    existence = mine.existence or known.existence
    allowed = theirs.existence or known.existence
    if not is_within(existence, allowed):
        yield Finding("conformance.existence", path, str(allowed), str(existence), span=mine.span)
    if not known.container:
        return
    cardinality = mine.cardinality.interval if mine.cardinality else known.cardinality
    allowed = theirs.cardinality.interval if theirs.cardinality else known.cardinality
    if not is_within(cardinality, allowed):
        yield Finding("conformance.cardinality", path, str(allowed), str(cardinality), span=mine.span)


def _slot(child: ArchetypeSlot, parent: ArchetypeSlot, path: str) -> Iterator[Finding]:
    """The child's patterns must stand in the parent, alone or as one of its alternatives."""
    allowed = _alternatives(parent.includes)
    if any(is_everything(pattern) for pattern in parent.includes) or not (parent.includes or parent.excludes):
        return
    if not parent.includes:
        # Only exclusions: the child must keep them all, or name what it takes.
        if not set(parent.excludes) <= set(child.excludes) and not child.includes:
            yield _finding("slot", path, " | ".join(parent.excludes), " | ".join(child.excludes), child)
        return
    beyond = sorted(_alternatives(child.includes) - allowed)
    if beyond or not child.includes:
        yield _finding("slot", path, " | ".join(parent.includes), " | ".join(beyond) or "*", child)


def _alternatives(patterns: tuple[str, ...]) -> set[str]:
    """The parts that tools join by ``|``; a bar inside parentheses joins nothing."""
    parts: set[str] = set()
    for pattern in patterns:
        parts.update([pattern] if "(" in pattern and "|" in _inside(pattern) else pattern.split("|"))
    return parts


def _inside(pattern: str) -> str:
    """What stands in parentheses."""
    depth, inside = 0, []
    for char in pattern:
        depth += (char == "(") - (char == ")")
        if depth:
            inside.append(char)
    return "".join(inside)


def _is_episodic(child: CObject, parent: CObject, path: str) -> bool:
    return (
        path == "/category/defining_code"
        and isinstance(child, CCodePhrase)
        and isinstance(parent, CCodePhrase)
        and child.codes == (EPISODIC,)
        and set(parent.codes) in _CATEGORIES_BEFORE_EPISODIC
    )


def _terms(child: Archetype, parent: Archetype) -> Iterator[Finding]:
    """Each local code is one of the parent and has a text in every language of the child."""
    known = _codes_with_text(parent)
    for code, node in _local_codes(child.definition).items():
        if known and code not in known:
            yield _finding("code_unknown", "", "", code, node)
        for language, terms in child.terminology.terms.items():
            if code not in terms:
                yield _finding("term_missing", "", language, code, node)
        if not child.terminology.terms:
            yield _finding("term_missing", "", "", code, node)


def _codes_with_text(archetype: Archetype) -> set[str]:
    return {code for terms in archetype.terminology.terms.values() for code in terms}


def _local_codes(node: CObject) -> Mapping[str, CObject]:
    """Codes of nodes and values below ``node``, each with the constraint that uses it first."""
    codes: dict[str, CObject] = {}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.node_id:
            codes.setdefault(each.node_id, each)
        if isinstance(each, CCodePhrase) and each.terminology_id == "local":
            codes.update({code: each for code in each.codes if code not in codes})
        if isinstance(each, CDvOrdinal):
            codes.update({item.code: each for item in each.items if item.terminology_id == "local"})
        if isinstance(each, CComplexObject):
            waiting.extend(below for _, below in each.children())
    return codes


def _shown(node: CObject) -> str:
    """A leaf in short."""
    match node:
        case CCodePhrase():
            return f"{node.terminology_id}::{','.join(node.codes)}"
        case CDvOrdinal():
            return ",".join(f"{item.value:g}|{item.code}" for item in node.items)
    return str(getattr(node, "item", None) or getattr(node, "items", "") or node.rm_type_name)


def _finding(kind: str, path: str, expected: str, found: str, node: CObject) -> Finding:
    return Finding(f"conformance.{kind}", path, expected, found, span=node.span)
