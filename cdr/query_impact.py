"""Which stored queries would lose a path with a changed template: their paths, resolved in both.

A path is there if the template speaks of each node that it names; what it names by attribute alone must
exist in the reference model. Inside an open slot everything is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cdr.aql import ast
from cdr.aql.errors import AqlSyntaxError, AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.printer import print_column
from cdr.aql.scope import paths_of_terminal, paths_of_where
from cdr.aql.template_places import TemplatePlaces
from templates.operational import OperationalTemplate


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
    before, after = TemplatePlaces(old), TemplatePlaces(new)
    found = (_impact(query, before, after) for query in queries)
    return [impact for impact in found if impact.lost or impact.error]


def _impact(query: NamedQuery, before: TemplatePlaces, after: TemplatePlaces) -> QueryImpact:
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
