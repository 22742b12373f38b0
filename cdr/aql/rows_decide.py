"""Can the rows of a composition decide a query? A static test, whose answer ``explain`` shows.

They can if every class of FROM below VERSION is an archetype root, an entry, an event or an activity, if
names are asked of those only, and if every path ends in a value with nothing but nodes by their ids and
single objects above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.aql.printer import print_column
from cdr.aql.rm_types import Types, class_types, part_types
from cdr.aql.scope import FromClass, Scope, uses
from cdr.stored_rows.maker import UNROWED_CLASSES, UNROWED_OF_NODES, UNROWED_OF_VALUES, bound_classes

# node id, name, is it an archetype id
Selector = tuple[str, str | None, bool]

_PLAIN_VERSION = re.compile(r"\.v\d+(\.\d+)*$", re.ASCII)
_OUTSIDE = frozenset({"EHR", "VERSION"})
_ON_FACTS = frozenset({"EHR_STATUS", "FOLDER"})


def why_payload(scope: Scope) -> str | None:
    """What rows do not hold of this query, as AQL text; None if they can decide it."""
    for entry in scope.classes:
        if not _is_rowed_class(entry):
            return f"{entry.rm_type} {entry.variable or ''}".strip()
    for path, counted in uses(scope):
        entry = scope.variables[path.variable.lower()]
        if not is_rowed_path(entry, path, counted=counted):
            return _text(path)
    return None


def selector(part: ast.PathPart, types: Types) -> Selector | None:
    """How a segment picks nodes by id, perhaps by name too; None if it does in no such way."""
    found = predicate_selector(part.predicate)
    if found is None or not found[2] or _PLAIN_VERSION.search(found[0]):
        return found
    return None


def has_own_row(types: Types) -> bool:
    """Do nodes of these classes have a row wherever they stand?"""
    return types <= bound_classes()


# -- classes ---------------------------------------------------------------------------------------


def _is_rowed_class(entry: FromClass) -> bool:
    predicate = entry.expr.predicate
    if entry.rm_type == "EHR" or entry.types <= _ON_FACTS:
        return True
    if entry.rm_type == "VERSION":
        return not isinstance(predicate, ast.StandardPredicate) or predicate.path.parts[0].name != "data"
    assert not isinstance(predicate, str)
    by_id = None if predicate is None else predicate_selector(predicate)
    if predicate is not None and (by_id is None or not by_id[2]):
        return False
    if by_id is not None and not _PLAIN_VERSION.search(by_id[0]):
        return False
    return entry.types <= _always_rowed() or by_id is not None


def _always_rowed() -> Types:
    return bound_classes() | {"COMPOSITION"}


# -- paths -----------------------------------------------------------------------------------------


def is_rowed_path(entry: FromClass, path: ast.IdentifiedPath, *, counted: bool) -> bool:
    """Do rows hold the values of a path; ``counted``: it is only asked how many there are."""
    if entry.rm_type == "EHR" or entry.types <= _ON_FACTS:
        return True
    if path.predicate is not None:
        return False
    if path.path is None:
        return counted
    if entry.rm_type == "VERSION":
        return path.path.parts[0].name != "data"
    return _ends_in_rows(entry, path.path.parts)


def _ends_in_rows(entry: FromClass, parts: tuple[ast.PathPart, ...]) -> bool:
    types = entry.types
    known = entry.expr.predicate is not None or types == {"COMPOSITION"}
    place = _Place(named=True, rooted=known)
    for index, part in enumerate(parts):
        special = _special(parts[index:], types, place) if is_node(types) else None
        if special is not None:
            return special
        following = part_types(types, part, []) - UNROWED_CLASSES
        if is_node(following):
            below = _node_place(part, following)
            if below is None:
                return False
            place = below
        elif not _is_single_object(types, part) or _is_value(following) is not (part is parts[-1]):
            return False
        types = following
    return not is_node(types)


@dataclass(frozen=True, slots=True)
class _Place:
    """``named``: its name stands in a row; ``rooted``: it is surely the root of an archetype."""

    named: bool
    rooted: bool


def _node_place(part: ast.PathPart, types: Types) -> _Place | None:
    """The place that a segment leads to if rows know which nodes it picks."""
    found = selector(part, types)
    if found is None or part.name in UNROWED_OF_NODES or not types <= class_types("LOCATABLE"):
        return None
    named = found[2] or has_own_row(types)
    return _Place(named, found[2]) if named or found[1] is None else None


def _special(rest: tuple[ast.PathPart, ...], types: Types, place: _Place) -> bool | None:
    """Values of nodes that rows hold in another way, or not at all; None for the others."""
    names = tuple(part.name for part in rest)
    if any(part.predicate is not None for part in rest[:2]):
        return None if names[0] not in UNROWED_OF_NODES else False
    if names == ("name", "value"):
        return place.named
    if names == ("archetype_node_id",):
        return place.rooted
    if names == ("archetype_details", "template_id", "value"):
        return types == {"COMPOSITION"}
    return False if names[0] in UNROWED_OF_NODES else None


def is_node(types: Types) -> bool:
    """Can a node with an id stand there?"""
    return bool(types & class_types("LOCATABLE"))


def _is_value(types: Types) -> bool:
    return all(rm_schema().is_primitive(name) for name in types)


def _is_single_object(types: Types, part: ast.PathPart) -> bool:
    """A value or an object without node id, one at most; no such thing can also be a node."""
    if part.predicate is not None or (part.name in UNROWED_OF_VALUES and not is_node(types)):
        return False
    attributes = [rm_schema().attribute(owner, part.name) for owner in types]
    return not any(attribute is not None and attribute.container for attribute in attributes)


def predicate_selector(predicate: ast.PathPredicate | None) -> Selector | None:
    """A node id or an archetype id, and a name perhaps; None for any other predicate."""
    match predicate:
        case ast.NodePredicate():
            return _with_name(predicate.node_id, predicate.name, is_archetype=False)
        case ast.ArchetypePredicate():
            return _with_name(predicate.archetype_id, predicate.name, is_archetype=True)
        case ast.PredicateAnd(operands=(first, ast.StandardPredicate() as second)):
            by_id, name = predicate_selector(first), _name_criterion(second)
            if by_id is not None and by_id[1] is None and name is not None:
                return by_id[0], name, by_id[2]
    return None


def _with_name(node_id: str, name: ast.NameOperand | None, *, is_archetype: bool) -> Selector | None:
    if name is None:
        return node_id, None, is_archetype
    if isinstance(name, ast.Primitive) and isinstance(name.value, str):
        return node_id, name.value, is_archetype
    return None


def _name_criterion(predicate: ast.StandardPredicate) -> str | None:
    names = tuple(part.name for part in predicate.path.parts)
    plain = not any(part.predicate for part in predicate.path.parts)
    operand = predicate.operand
    if names != ("name", "value") or not plain or predicate.operator != "=":
        return None
    return operand.value if isinstance(operand, ast.Primitive) and isinstance(operand.value, str) else None


def _text(path: ast.IdentifiedPath) -> str:
    return print_column(path)
