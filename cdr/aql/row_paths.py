"""Paths compiled to functions over rows: the same tries as in ``paths``, the same cohesion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cdr.aql import ast
from cdr.aql.paths import Rows, Step, TrieNode, combined, step_types
from cdr.aql.row_tree import RowNode, RowTree
from cdr.aql.rows_decide import has_own_row, is_node, selector
from cdr.candidates import archetype_matches
from cdr.stored_rows import chain, root_code, slot_segment

RowRows: TypeAlias = Callable[[RowTree, int], Sequence[tuple[Any, ...]]]
Getter: TypeAlias = Callable[[RowTree, int], Any]

# Codes of objects whose only value stands elsewhere than among the values of a row.
_NAME = "name"
_UID = "uid"


def both_ways(over_data: Rows, trie: TrieNode) -> Rows:
    """``compile_trie`` for objects of compositions and for those of rows alike."""
    over_rows: dict[str, RowRows] = {}

    def rows(instance: Any) -> Sequence[tuple[Any, ...]]:
        if type(instance) is not RowNode:
            return over_data(instance)
        known = over_rows.get(instance.code)
        if known is None:
            known = over_rows[instance.code] = compile_row_trie(trie, instance.code, set())
        return known(instance.tree, instance.row)

    return rows


def values_both_ways(over_data: Step, path: ast.ObjectPath, trie: TrieNode) -> Step:
    """``compile_values`` for objects of compositions and for those of rows alike."""
    rest = TrieNode(trie.types)
    rest.add(path.parts).leaf = True
    rows = both_ways(lambda _: (), rest)

    def values(instance: Any) -> Sequence[Any]:
        if type(instance) is not RowNode:
            return over_data(instance)
        return [row[-1] for row in rows(instance)]

    return values


def keys_read(trie: TrieNode, code: str) -> set[str]:
    """The codes of the values that the paths of an object at the place ``code`` read."""
    keys: set[str] = set()
    if trie.children:
        compile_row_trie(trie, code, keys)
    return keys


def compile_row_trie(node: TrieNode, code: str, keys: set[str]) -> RowRows:
    """The rows of slot values below an object at the place ``code``; adds to ``keys`` what it reads."""
    branches = [_compile_branch(child, node, code, keys) for child in node.children.values()]
    if len(branches) == 1:
        return branches[0][0]
    missings = [missing for _, missing in branches]

    def rows(tree: RowTree, row: int) -> Sequence[tuple[Any, ...]]:
        return combined([branch(tree, row) for branch, _ in branches], missings)

    return rows


def _compile_branch(
    child: TrieNode, above: TrieNode, code: str, keys: set[str]
) -> tuple[RowRows, tuple[None, ...]]:
    assert child.part is not None
    own = child.leaf or child.bound
    missing = (None,) * (own + child.width)
    if not child.children:
        return _leaf(_getter(child.part, code, keys)), missing
    found = selector(child.part, step_types(above.types, child.part))
    if found is None:
        inside = _object_code(child.part, above, code)
        below = compile_row_trie(child, inside, keys)
        return _same_row(below, inside, bound=child.bound), missing
    node_id, name, is_archetype = found
    place = chain(code, slot_segment(child.part.name, node_id))
    inside = root_code(node_id) if is_archetype else place
    below = compile_row_trie(child, inside, keys)
    wanted = node_id if is_archetype else None
    folds = not is_archetype and not has_own_row(child.types)
    return _members(below, place, inside, wanted, name, folds=folds, bound=child.bound), missing


def _leaf(get: Getter) -> RowRows:
    def rows(tree: RowTree, row: int) -> Sequence[tuple[Any, ...]]:
        value = get(tree, row)
        return () if value is None else ((value,),)

    return rows


def _same_row(below: RowRows, code: str, *, bound: bool) -> RowRows:
    if not bound:
        return below

    def rows(tree: RowTree, row: int) -> Sequence[tuple[Any, ...]]:
        return [(RowNode(tree, row, code), *found) for found in below(tree, row)]

    return rows


def _members(
    below: RowRows,
    place: str,
    code: str,
    archetype_id: str | None,
    name: str | None,
    *,
    folds: bool,
    bound: bool,
) -> RowRows:
    """The nodes at a place: rows of their own or, where there are none and they may, folded into this one."""
    inner = _same_row(below, code, bound=bound)

    def rows(tree: RowTree, row: int) -> Sequence[tuple[Any, ...]]:
        members = tree.children.get((row, place))
        if members is None:
            return inner(tree, row) if folds else ()
        found: list[tuple[Any, ...]] = []
        for member in members:
            if archetype_id is not None and not _is(tree, member, archetype_id):
                continue
            if name is None or tree.rows[member].get("m") == name:
                found.extend(inner(tree, member))
        return found

    return rows


def _is(tree: RowTree, row: int, archetype_id: str) -> bool:
    present = tree.rows[row].get("a")
    return present is not None and archetype_matches(archetype_id, present)


def _object_code(part: ast.PathPart, above: TrieNode, code: str) -> str:
    if part.name == "name" and is_node(above.types):
        return _NAME
    if part.name == "uid" and above.types == {"COMPOSITION"}:
        return _UID
    return chain(code, slot_segment(part.name))


def _getter(part: ast.PathPart, code: str, keys: set[str]) -> Getter:
    if code == _NAME:
        return lambda tree, row: tree.rows[row].get("m")
    if code == _UID:
        return lambda tree, row: tree.uid
    if part.name == "archetype_node_id":
        return lambda tree, row: tree.rows[row].get("a")
    key = chain(code, slot_segment(part.name))
    temporal = key + "~"
    keys |= {key, temporal}
    return lambda tree, row: tree.value(row, key, temporal)
