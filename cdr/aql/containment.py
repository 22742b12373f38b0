"""FROM compiled to an enumeration of bindings: which object each class expression stands for.

A ``Matcher`` calls its continuation for each way to match, with the objects in the slots of the row. A
continuation that returns True ends the enumeration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from cdr.aql import ast
from cdr.aql.paths import Test, all_of, compile_predicate
from cdr.aql.rm_types import Types
from cdr.aql.row_tree import RowTree
from cdr.aql.rows_decide import predicate_selector
from cdr.aql.scope import FromClass, Scope
from cdr.aql.trees import JsonObject, NodeTree
from cdr.aql.values import Zone
from cdr.candidates import Record, VersionRecord

Row: TypeAlias = list[Any]
Continuation: TypeAlias = Callable[[], bool]
Span: TypeAlias = tuple[NodeTree | RowTree, int, int]
# (record, row, where to look, what to do with each match) -> stopped early
Matcher: TypeAlias = Callable[["OpenRecord", Row, Sequence[Span], Continuation], bool]

_LIFECYCLE = {"532": "complete", "553": "incomplete", "523": "deleted"}


class OpenRecord:
    """A record with what FROM needs of it, made when first asked for."""

    def __init__(self, record: Record, wanted: Types, tick: Callable[[], None]) -> None:
        self.record = record
        self.tick = tick  # called at each combination tried; raises when the time is over
        self._wanted = wanted
        self._trees: dict[int, tuple[Span, ...]] = {}

    @cached_property
    def ehr(self) -> JsonObject:
        """The EHR as paths see it."""
        return canonical_ehr(self.record)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """All of the latest compositions, the EHR_STATUS and the directory."""
        found = [
            span
            for version in self.record.versions
            if version.is_latest
            for span in self.version_spans(version)
        ]
        for name, rm_class in (("ehr_status", "EHR_STATUS"), ("directory", "FOLDER")):
            whole = self.record.ehr.get(name)
            if whole:
                found.extend(_spans(NodeTree(whole, rm_class, self._wanted)))
        return tuple(found)

    def referenced(self, folder: JsonObject) -> Sequence[Span]:
        """The latest compositions that a folder, or a folder in it, names in its items."""
        wanted = set(_items_of(folder))
        return [
            span
            for version in self.record.versions
            if version.is_latest and version.uid.partition("::")[0] in wanted
            for span in self.version_spans(version)
        ]

    def version_spans(self, version: VersionRecord) -> tuple[Span, ...]:
        """The whole composition of a version; nothing for a deletion."""
        if version.composition is None:
            return ()
        known = self._trees.get(id(version))
        if known is None:
            known = self._trees[id(version)] = _spans(self._tree(version))
        return known

    def _tree(self, version: VersionRecord) -> NodeTree | RowTree:
        if version.rows is not None:
            return RowTree(version.rows, version.uid, self._wanted)
        composition: Any = version.composition
        return NodeTree(composition, "COMPOSITION", self._wanted)


def canonical_ehr(record: Record) -> JsonObject:
    """The EHR in canonical form, with its EHR_STATUS in place of the reference."""
    facts = record.ehr
    ehr: JsonObject = {
        "_type": "EHR",
        "system_id": {"_type": "HIER_OBJECT_ID", "value": facts.get("system_id", "")},
        "ehr_id": {"_type": "HIER_OBJECT_ID", "value": facts["ehr_id"]},
    }
    if facts.get("time_created"):
        ehr["time_created"] = {"_type": "DV_DATE_TIME", "value": facts["time_created"]}
    if facts.get("ehr_status"):
        ehr["ehr_status"] = facts["ehr_status"]
    return ehr


def canonical_version(version: VersionRecord) -> JsonObject:
    """An ORIGINAL_VERSION in canonical form."""
    lifecycle = {
        "_type": "DV_CODED_TEXT",
        "value": _LIFECYCLE.get(version.lifecycle, version.lifecycle),
        "defining_code": {
            "_type": "CODE_PHRASE",
            "terminology_id": {"_type": "TERMINOLOGY_ID", "value": "openehr"},
            "code_string": version.lifecycle,
        },
    }
    contribution = {
        "_type": "OBJECT_REF",
        "id": {"_type": "HIER_OBJECT_ID", "value": version.contribution},
        "namespace": "local",
        "type": "CONTRIBUTION",
    }
    parts: JsonObject = {
        "_type": "ORIGINAL_VERSION",
        "uid": {"_type": "OBJECT_VERSION_ID", "value": version.uid},
        "contribution": contribution,
        "commit_audit": {"_type": "AUDIT_DETAILS", **_audit(version)},
        "lifecycle_state": lifecycle,
    }
    if version.preceding_uid:
        preceding = {"_type": "OBJECT_VERSION_ID", "value": version.preceding_uid}
        parts["preceding_version_uid"] = preceding
    if version.composition is not None:
        parts["data"] = version.composition
    return parts


def _audit(version: VersionRecord) -> JsonObject:
    audit = dict(version.audit)
    if version.time_committed:
        audit.setdefault("time_committed", {"_type": "DV_DATE_TIME", "value": version.time_committed})
    return audit


def _items_of(folder: JsonObject) -> Iterator[str]:
    """The ids of the objects that a folder refers to, at any depth, also by one of their versions."""
    for item in folder.get("items") or ():
        yield ((item.get("id") or {}).get("value") or "").partition("::")[0]
    for inner in folder.get("folders") or ():
        yield from _items_of(inner)


def _spans(tree: NodeTree | RowTree) -> tuple[Span, ...]:
    return ((tree, 0, len(tree.nodes)),) if tree.nodes else ()


def wanted_types(scope: Scope) -> Types:
    """All classes that FROM looks for within compositions, EHR_STATUS and folders."""
    inner = [entry.types for entry in scope.classes if entry.rm_type not in ("EHR", "VERSION")]
    return frozenset().union(*inner)


def compile_contains(expr: ast.ContainsExpr, scope: Scope, zone: Zone, used: frozenset[int]) -> Matcher:
    """FROM, or a part of it; ``used`` are the classes whose objects are looked at by anything else."""
    match expr:
        case ast.ContainsAnd():
            return _and([compile_contains(each, scope, zone, used) for each in expr.operands])
        case ast.ContainsOr():
            matchers = [compile_contains(each, scope, zone, used) for each in expr.operands]
            return _or(matchers, [_slots(each, scope) for each in expr.operands])
        case ast.Containment():
            return _containment(expr, scope, zone, used)


def _and(matchers: Sequence[Matcher]) -> Matcher:
    """Each combination of matches."""

    def match(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        def from_operand(index: int) -> bool:
            record.tick()
            if index == len(matchers):
                return then()
            return matchers[index](record, row, spans, lambda: from_operand(index + 1))

        return from_operand(0)

    return match


def _or(matchers: Sequence[Matcher], slots: Sequence[frozenset[int]]) -> Matcher:
    """Each match of each operand, with the variables of the others unbound."""
    others = [frozenset().union(*slots) - own for own in slots]

    def match(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        for matcher, unbound in zip(matchers, others, strict=True):
            for slot in unbound:
                row[slot] = None
            if matcher(record, row, spans, then):
                return True
        return False

    return match


def _slots(expr: ast.ContainsExpr, scope: Scope) -> frozenset[int]:
    if not isinstance(expr, ast.Containment):
        return frozenset().union(*(_slots(operand, scope) for operand in expr.operands))
    own = frozenset({scope.class_of(expr.operand).index})
    return own if expr.contains is None else own | _slots(expr.contains, scope)


def _containment(expr: ast.Containment, scope: Scope, zone: Zone, used: frozenset[int]) -> Matcher:
    entry = scope.class_of(expr.operand)
    inner = None
    if expr.contains is not None:
        inner = compile_contains(expr.contains, scope, zone, used)
    follow = _follow(inner, negated=expr.negated)
    if entry.rm_type == "EHR":
        return _ehr(entry, follow, zone)
    if entry.rm_type == "VERSION":
        return _version(entry, follow, zone, used)
    return _node(entry, follow, zone)


# what is done at a matched object: (record, row, its inner spans, then)
Follow: TypeAlias = Matcher


def _follow(inner: Matcher | None, *, negated: bool) -> Follow:
    if inner is None:
        return lambda record, row, spans, then: then()
    if not negated:
        return inner

    def absent(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        found = inner(record, row, spans, lambda: True)
        return False if found else then()

    return absent


def _class_test(entry: FromClass, zone: Zone) -> Test | None:
    predicate = entry.expr.predicate
    if predicate is None or isinstance(predicate, str):
        return None
    return compile_predicate(predicate, entry.types, zone)


def _ehr(entry: FromClass, follow: Follow, zone: Zone) -> Matcher:
    test, slot = _class_test(entry, zone), entry.index

    def match(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        if test is not None and test(record.ehr) is not True:
            return False
        row[slot] = record.ehr
        return follow(record, row, record.spans, then)

    return match


def _version(entry: FromClass, follow: Follow, zone: Zone, used: frozenset[int]) -> Matcher:
    """Without ALL_VERSIONS, the latest versions only."""
    test, slot = _class_test(entry, zone), entry.index
    all_versions = entry.expr.predicate == "ALL_VERSIONS"
    needed = test is not None or slot in used

    def match(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        for version in record.record.versions:
            if not (all_versions or version.is_latest):
                continue
            instance = canonical_version(version) if needed else {}
            if test is not None and test(instance) is not True:
                continue
            row[slot] = instance
            if follow(record, row, record.version_spans(version), then):
                return True
        return False

    return match


def _node(entry: FromClass, follow: Follow, zone: Zone) -> Matcher:
    data_test, slot, types = _class_test(entry, zone), entry.index, entry.types
    row_test = _row_test(entry, zone)

    def match(record: OpenRecord, row: Row, spans: Sequence[Span], then: Continuation) -> bool:
        for tree, start, end in spans:
            test = row_test if type(tree) is RowTree else data_test
            for index in range(start, end):
                if tree.types[index] not in types:
                    continue
                node = tree.nodes[index]
                if test is not None and test(node) is not True:
                    continue
                row[slot] = node
                inside: Sequence[Span] = ((tree, index + 1, tree.ends[index]),)
                if tree.types[index] == "FOLDER" and isinstance(node, dict):
                    inside = (*inside, *record.referenced(node))
                if follow(record, row, inside, then):
                    return True
        return False

    return match


def _row_test(entry: FromClass, zone: Zone) -> Test | None:
    """The same test of a node on a row, which knows its archetype and its name."""
    predicate = entry.expr.predicate
    found = None if predicate is None or isinstance(predicate, str) else predicate_selector(predicate)
    if found is None:
        return None
    archetype_id, name, _ = found
    tests = [compile_predicate(ast.ArchetypePredicate(archetype_id=archetype_id), entry.types, zone)]
    if name is not None:
        tests.append(lambda node: node.get("name")["value"] == name)
    return all_of(tests)
