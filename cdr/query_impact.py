"""Which stored queries would lose a path with a changed template: their paths, resolved in both.

A path is there if the template speaks of each node that it names; what it names by attribute alone must
exist in the reference model. Inside an open slot everything is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CAttribute, CComplexObject, CObject
from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.aql.errors import AqlSyntaxError, AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.printer import print_column
from cdr.aql.scope import paths_of_terminal, paths_of_where
from cdr.candidates import archetype_matches
from templates.operational import Node, OperationalTemplate, fixed_name

# These hold compositions; a template says nothing about them.
_AROUND = frozenset({"EHR", "EHR_STATUS", "FOLDER"})


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query with the name that people know it by."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LostPath:
    """A path, or a class of FROM, that leads to nothing any more; ``line`` counts from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class QueryImpact:
    """What one query would lose; ``error`` is set, and nothing else, if it is no AQL."""

    name: str
    lost: tuple[LostPath, ...] = ()
    error: str = ""


def query_impact(
    queries: Iterable[NamedQuery], old: OperationalTemplate, new: OperationalTemplate
) -> list[QueryImpact]:
    """The queries that lose something or cannot be read, in their order."""
    before, after = _Places(old), _Places(new)
    found = (_impact(query, before, after) for query in queries)
    return [impact for impact in found if impact.lost or impact.error]


def _impact(query: NamedQuery, before: _Places, after: _Places) -> QueryImpact:
    try:
        tree = parse(query.text)
    except (AqlSyntaxError, AqlTooLarge) as error:
        return QueryImpact(query.name, error=str(error))
    mine, theirs = before.classes(tree.from_expr), after.classes(tree.from_expr)
    lost = [
        _lost(_class_text(expr), expr.position)
        for expr, nodes in mine.by_class
        if nodes and not theirs.nodes_of(expr)
    ]
    for path in _paths(tree):
        starts = theirs.variables.get(path.variable.lower(), ())
        if starts and mine.holds(path) and not theirs.holds(path):
            lost.append(_lost(print_column(path), path.position))
    return QueryImpact(query.name, tuple(dict.fromkeys(lost)))


def _lost(text: str, position: ast.Position) -> LostPath:
    return LostPath(text, position.line, position.column)


def _class_text(expr: ast.ClassExpr) -> str:
    predicate = expr.predicate
    if isinstance(predicate, ast.ArchetypePredicate):
        return f"{expr.rm_type} [{predicate.archetype_id}]"
    return expr.rm_type


def _paths(query: ast.AqlQuery) -> Iterator[ast.IdentifiedPath]:
    for column in query.select.columns:
        yield from paths_of_terminal(column.column)
    yield from (path for path, _ in paths_of_where(query.where))
    for value in (*query.group_by, *(key.value for key in query.order_by)):
        yield from (path for path in paths_of_terminal(value) if path.path is not None)


# --- where the classes of FROM stand ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Classes:
    """The nodes of the template that each class of FROM may stand for."""

    by_class: tuple[tuple[ast.ClassExpr, tuple[Node, ...]], ...]
    variables: Mapping[str, tuple[Node, ...]]

    def nodes_of(self, expr: ast.ClassExpr) -> tuple[Node, ...]:
        """The nodes of a class expression (found by identity)."""
        return next(nodes for known, nodes in self.by_class if known is expr)

    def holds(self, path: ast.IdentifiedPath) -> bool:
        """Does a node of the variable have the path?"""
        parts = path.path.parts if path.path is not None else ()
        starts = self.variables.get(path.variable.lower(), ())
        return any(
            _selects(path.predicate, node.constraint, node.root)
            and _reaches(node.constraint, node.root, parts)
            for node in starts
        )


class _Places:
    """One template, ready to be asked."""

    def __init__(self, template: OperationalTemplate) -> None:
        self._nodes = tuple(template.nodes())

    def classes(self, expr: ast.ContainsExpr) -> _Classes:
        """The nodes of every class of FROM that binds something; NOT CONTAINS binds nothing."""
        by_class: list[tuple[ast.ClassExpr, tuple[Node, ...]]] = []
        self._collect(expr, None, by_class)
        variables = {known.variable.lower(): nodes for known, nodes in by_class if known.variable}
        return _Classes(tuple(by_class), variables)

    def _collect(
        self,
        expr: ast.ContainsExpr,
        within: tuple[Node, ...] | None,
        found: list[tuple[ast.ClassExpr, tuple[Node, ...]]],
    ) -> None:
        if not isinstance(expr, ast.Containment):
            for operand in expr.operands:
                self._collect(operand, within, found)
            return
        if isinstance(expr.operand, ast.ClassExpr) and expr.operand.rm_type.upper() not in _AROUND:
            within = self._matching(expr.operand, within)
            found.append((expr.operand, within))
        if expr.contains is not None and not expr.negated:
            self._collect(expr.contains, within, found)

    def _matching(self, expr: ast.ClassExpr, within: tuple[Node, ...] | None) -> tuple[Node, ...]:
        above = None if within is None else {id(node.constraint) for node in within}
        return tuple(
            node
            for node in self._nodes
            if _is_of_class(node.constraint, expr)
            and _selects(expr.predicate, node.constraint, node.root)
            and (above is None or any(id(parent) in above for parent in node.parents))
        )


def _is_of_class(constraint: CObject, expr: ast.ClassExpr) -> bool:
    return not isinstance(constraint, ArchetypeSlot) and rm_schema().is_a(
        constraint.rm_type_name, expr.rm_type.upper()
    )


# --- predicates ---------------------------------------------------------------------------------------


def _selects(predicate: ast.PathPredicate | None, node: CObject, root: CArchetypeRoot) -> bool:
    """May the node be one that the predicate means? What only data can tell counts as yes."""
    match predicate:
        case ast.ArchetypePredicate():
            known = isinstance(node, CArchetypeRoot) and archetype_matches(
                predicate.archetype_id, node.archetype_id
            )
            return known and _has_name(predicate.name, node, root)
        case ast.NodePredicate():
            plain = not isinstance(node, CArchetypeRoot) and node.node_id == predicate.node_id
            return plain and _has_name(predicate.name, node, root)
        case ast.PredicateAnd():
            return all(_selects(each, node, root) for each in predicate.operands)
        case ast.PredicateOr():
            return any(_selects(each, node, root) for each in predicate.operands)
        case ast.StandardPredicate(operator="=", operand=ast.Primitive() as operand):
            names = [part.name for part in predicate.path.parts]
            return names != ["name", "value"] or _has_name(operand, node, root)
    return True


def _has_name(name: ast.NameOperand | None, node: CObject, root: CArchetypeRoot) -> bool:
    """A node without a fixed name usually has that of its code, in some language."""
    if not isinstance(name, ast.Primitive):
        return True
    fixed = fixed_name(node)
    if fixed is not None:
        return name.value == fixed
    own = node if isinstance(node, CArchetypeRoot) else root
    texts = {terms[node.node_id].text for terms in own.terms.values() if node.node_id in terms}
    return not texts or name.value in texts


# --- paths --------------------------------------------------------------------------------------------


def _reaches(node: CObject, root: CArchetypeRoot, parts: tuple[ast.PathPart, ...]) -> bool:
    if not parts or isinstance(node, ArchetypeSlot):
        return True
    part, rest = parts[0], parts[1:]
    attribute = node.attribute(part.name) if isinstance(node, CComplexObject) else None
    if attribute is None or (not attribute.children and not _is_prohibited(attribute)):
        return not _names_a_node(parts) and _rm_has(frozenset({node.rm_type_name}), parts)
    return any(
        _reaches(child, child if isinstance(child, CArchetypeRoot) else root, rest)
        for child in attribute.children
        if isinstance(child, ArchetypeSlot) or _selects(part.predicate, child, root)
    )


def _is_prohibited(attribute: CAttribute) -> bool:
    return attribute.existence is not None and attribute.existence.upper == 0


def _names_a_node(parts: tuple[ast.PathPart, ...]) -> bool:
    """Does the path go by ids that only a template or archetype can know?"""
    return any(isinstance(part.predicate, ast.NodePredicate | ast.ArchetypePredicate) for part in parts)


def _rm_has(types: frozenset[str], parts: tuple[ast.PathPart, ...]) -> bool:
    """Does the reference model have the attributes, in some subtype?"""
    schema = rm_schema()
    for part in parts:
        concrete = {each for name in types for each in (schema.concrete_subtypes(name) or {name})}
        found = (schema.attribute(each, part.name) for each in concrete)
        types = frozenset(attribute.type_name for attribute in found if attribute is not None)
        if not types:
            return False
    return True
