"""What rows let the store do for a query: leave versions out, deliver the best first, count alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdr.aql import ast
from cdr.aql.paths import TrieNode, parts_of
from cdr.aql.rm_types import NUMBERS, Types
from cdr.aql.row_paths import keys_read
from cdr.aql.rows_decide import is_rowed_path, predicate_selector, why_payload
from cdr.aql.scope import ByColumn, FromClass, Scope, paths_of_terminal, paths_of_where
from cdr.aql.values import AddressText
from cdr.candidates import LeafCondition, QueryAccess, RecordOrder, Tally
from cdr.stored_rows import root_code, stem

Literal = str | int | float | bool
_START_TIME = ("context", "start_time", "value")
_RANGES = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A path whose values all stand under one code; ``exact``: nowhere else, and nothing else there."""

    key: str
    types: Types
    exact: bool


def conjuncts(expr: ast.WhereExpr | None) -> Iterator[ast.WhereExpr]:
    """What surely holds for every row of the answer."""
    if isinstance(expr, ast.AndExpr):
        for operand in expr.operands:
            yield from conjuncts(operand)
    elif expr is not None:
        yield expr


def leaf_of(path: ast.IdentifiedPath, scope: Scope) -> Leaf | None:
    """The leaf of a path of a variable whose archetype is named; None for any other."""
    entry = scope.variables[path.variable.lower()]
    predicate = entry.expr.predicate
    known = None if predicate is None or isinstance(predicate, str) else predicate_selector(predicate)
    if known is None or not known[2] or path.path is None or not is_rowed_path(entry, path, counted=False):
        return None
    trie = TrieNode(entry.types)
    trie.add(parts_of(path)).leaf = True
    keys = [key for key in keys_read(trie, root_code(known[0])) if not key.endswith("~")]
    if len(keys) != 1:
        return None
    by_id_only = known[1] is None and stem(known[0]) == known[0]
    exact = by_id_only and all(_is_plain(part) for part in path.path.parts)
    return Leaf(keys[0], scope.path_types[path], exact)


def _is_plain(part: ast.PathPart) -> bool:
    predicate = part.predicate
    return predicate is None or (isinstance(predicate, ast.NodePredicate) and predicate.name is None)


# -- conditions --------------------------------------------------------------------------------------


def leaf_conditions(entry: FromClass, scope: Scope) -> Iterator[LeafCondition]:
    """What the conjuncts of WHERE ask of the values of a variable."""
    if entry.variable is None or entry.negated or entry.rm_type in ("EHR", "VERSION"):
        return
    for conjunct in conjuncts(scope.query.where):
        found = _condition(conjunct)
        if found is None or found[0].variable.lower() != entry.variable:
            continue
        path, operator, values = found
        leaf = leaf_of(path, scope)
        if leaf is not None and _compare_as_stored(operator, values, leaf.types):
            yield LeafCondition(leaf.key, operator, values)


def _condition(expr: ast.WhereExpr) -> tuple[ast.IdentifiedPath, str, tuple[Literal, ...]] | None:
    match expr:
        case ast.ComparisonExpr(left=ast.IdentifiedPath() as path, right=ast.Primitive() as literal):
            operator: str = expr.operator
            items: Sequence[object] = (literal.value,)
        case ast.MatchesExpr(path=path, operand=ast.ValueList() as operand):
            literals = [item.value for item in operand.items if isinstance(item, ast.Primitive)]
            operator, items = "=", [value for value in literals if value is not None]
        case _:
            return None
    values = tuple(value for value in items if isinstance(value, str | int | float))
    known = len(values) == len(items) and values
    return (path, operator, values) if known else None


def _compare_as_stored(operator: str, values: Sequence[Literal], types: Types) -> bool:
    """Does the database compare these values as AQL does? Texts that may be dates it does not."""
    if any(isinstance(value, AddressText) or _is_huge(value) for value in values):
        return False
    if all(isinstance(value, str) for value in values):
        return operator == "=" and types == {"STRING"}
    if all(isinstance(value, bool) for value in values):
        return operator == "="
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return numbers and (operator == "=" or (operator in _RANGES and len(values) == 1))


def _is_huge(value: Literal) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63


# -- order -------------------------------------------------------------------------------------------


def record_order(scope: Scope, *, skipped: int, count: int | None) -> RecordOrder | None:
    """The order that lets an ordered query with LIMIT stop early; None where there is no such order."""
    top = scope.query.select.top
    backward = top is not None and top.direction == "BACKWARD"
    if not scope.order_by or count is None or scope.aggregated or backward:
        return None
    first = scope.order_by[0]
    value = scope.columns[first.index].expr if isinstance(first, ByColumn) else first.value
    if not isinstance(value, ast.IdentifiedPath) or value.path is None:
        return None
    enough = skipped + count
    entry = scope.variables[value.variable.lower()]
    if entry.types == {"COMPOSITION"} and tuple(part.name for part in value.path.parts) == _START_TIME:
        return RecordOrder(None, first.descending, enough)
    # Upwards, the database begins with versions in which any row lacks the value.
    leaf = leaf_of(value, scope) if first.descending and why_payload(scope) is None else None
    if leaf is None or not leaf.types <= NUMBERS:
        return None
    return RecordOrder(leaf.key, first.descending, enough)


# -- counting ----------------------------------------------------------------------------------------


def tally_of(scope: Scope, access: QueryAccess) -> Tally | None:
    """How a query of aggregates over everything is answered by counting; None where it is not.

    Its classes are an EHR, a COMPOSITION and perhaps one archetype root in it; every path of it is the same
    leaf, and a row without that leaf counts for nothing.
    """
    if not _is_plain_access(access) or not _aggregates_everything(scope) or scope.as_of is not None:
        return None
    chained = _chain_of(scope.query.from_expr, scope)
    if chained is None:
        return None
    composition, root = chained
    paths = {path for column in scope.columns for path in paths_of_terminal(column.expr) if path.path}
    paths |= {path for path, _ in paths_of_where(scope.query.where)}
    if not paths:
        return _count_of(composition, root) if scope.query.where is None else None
    leaves = [leaf_of(path, scope) for path in paths]
    first = leaves[0]
    if first is None or root is None or any(leaf != first for leaf in leaves) or not first.exact:
        return None
    if any(scope.variables[path.variable.lower()] is not root for path in paths):
        return None
    plain = first.types <= NUMBERS | {"STRING", "BOOLEAN"}
    return Tally(key=first.key) if plain and _counts_values_only(scope) else None


def _is_plain_access(access: QueryAccess) -> bool:
    """Is what may be seen a matter of whole templates, over everybody?

    Whoever may query known EHRs only is told of these women, whom the audit is to name one by one.
    """
    known = QueryAccess(excluded=access.excluded, sights=access.sights)
    return access == known and not access.sights.partial


def _aggregates_everything(scope: Scope) -> bool:
    columns = [column.expr for column in scope.columns]
    only = all(isinstance(expr, ast.AggregateFunctionCall) for expr in columns)
    exists = any(found for _, found in paths_of_where(scope.query.where))
    return only and scope.group_by is None and not exists


def _chain_of(expr: ast.ContainsExpr, scope: Scope) -> tuple[FromClass, FromClass | None] | None:
    """COMPOSITION and the root in it of ``EHR CONTAINS COMPOSITION CONTAINS <root>``."""
    classes: list[FromClass] = []
    following: ast.ContainsExpr | None = expr
    while following is not None:
        if not isinstance(following, ast.Containment) or following.negated:
            return None
        classes.append(scope.class_of(following.operand))
        following = following.contains
    if classes and classes[0].rm_type == "EHR" and classes[0].expr.predicate is None:
        del classes[0]
    if not 1 <= len(classes) <= 2 or classes[0].rm_type != "COMPOSITION":
        return None
    if not _is_by_major_id(classes[0], optional=True):
        return None
    if len(classes) == 1:
        return classes[0], None
    return (classes[0], classes[1]) if _is_by_major_id(classes[1], optional=False) else None


def _is_by_major_id(entry: FromClass, *, optional: bool) -> bool:
    predicate = entry.expr.predicate
    if predicate is None:
        return optional
    by_id = isinstance(predicate, ast.ArchetypePredicate) and predicate.name is None
    return by_id and stem(predicate.archetype_id) == predicate.archetype_id  # type: ignore[union-attr]  # by_id


def _count_of(composition: FromClass, root: FromClass | None) -> Tally | None:
    if root is None:
        return Tally()
    predicate = root.expr.predicate
    assert isinstance(predicate, ast.ArchetypePredicate)
    return Tally(archetype_id=predicate.archetype_id)


def _counts_values_only(scope: Scope) -> bool:
    """Do rows without the leaf count for nothing, by WHERE or because aggregates ignore NULL?"""
    bare = any(
        isinstance(column.expr, ast.AggregateFunctionCall)
        and (column.expr.argument is None or column.expr.argument.path is None)
        for column in scope.columns
    )
    return not bare or _rejects_missing(scope.query.where)


def _rejects_missing(where: ast.WhereExpr | None) -> bool:
    """Is the condition sure not to hold where all its paths are missing?"""
    return any(
        isinstance(each, ast.ComparisonExpr | ast.LikeExpr | ast.MatchesExpr)
        and any(True for _ in paths_of_where(each))
        and not _has_function(each)
        for each in conjuncts(where)
    )


def _has_function(expr: ast.WhereExpr) -> bool:
    if not isinstance(expr, ast.ComparisonExpr):
        return False
    return any(isinstance(side, ast.FunctionCall | ast.Arithmetic) for side in (expr.left, expr.right))
