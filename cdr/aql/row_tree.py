"""The rows of one composition as FROM and paths see them; see ``cdr.stored_rows`` for what a row is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from cdr.aql.rm_types import Types
from cdr.aql.values import Instant, Length, TimeOfDay
from cdr.stored_rows import root_code


class RowNode:
    """An object of a composition: the row that holds it, and the code that its paths go on from."""

    __slots__ = ("code", "row", "tree")

    def __init__(self, tree: RowTree, row: int, code: str) -> None:
        self.tree = tree
        self.row = row
        self.code = code

    def get(self, attribute: str) -> Any:
        """What tests of an archetype id and of a name ask for."""
        row = self.tree.rows[self.row]
        if attribute == "archetype_node_id":
            return row.get("a")
        return {"value": row.get("m")} if attribute == "name" else None


class RowTree:
    """Wanted nodes in pre-order, as in ``NodeTree``, with the rows that they stand on."""

    __slots__ = ("_children", "ends", "nodes", "rows", "types", "uid")

    def __init__(self, rows: Sequence[Mapping[str, Any]], uid: str, wanted: Types) -> None:
        self.rows = rows
        self.uid = uid
        self.nodes: list[RowNode] = []
        self.types: list[str] = []
        self.ends: list[int] = []
        self._children: Mapping[tuple[int, str], list[int]] | None = None
        places = []
        for index, row in enumerate(rows):
            rm_class = row.get("c")
            if rm_class in wanted:
                archetype_id = row.get("a")
                code = root_code(archetype_id) if archetype_id else row["q"]
                places.append(index)
                self.nodes.append(RowNode(self, index, code))
                self.types.append(rm_class)
        if places:
            last = _subtree_ends(rows)
            self.ends = [bisect_left(places, last[place]) for place in places]

    @property
    def children(self) -> Mapping[tuple[int, str], list[int]]:
        """The rows below a row at a place."""
        if self._children is None:
            found: dict[tuple[int, str], list[int]] = {}
            for index, row in enumerate(self.rows):
                found.setdefault((row["p"], row["q"]), []).append(index)
            self._children = found
        return self._children

    def value(self, row: int, key: str, temporal_key: str) -> Any:
        """The value of a code in a row; a text that is a date, a time or a duration knows it."""
        values = self.rows[row].get("v")
        if values is None:
            return None
        value = values.get(key)
        if type(value) is str:
            return _temporal(value, values.get(temporal_key))
        return value


def _temporal(text: str, key: Any) -> str:
    """The text as what its comparison key says it is; the database gives large numbers a class of its own."""
    if key is None:
        return text
    if isinstance(key, int):
        return Instant(text)
    return Length(text) if isinstance(key, float) else TimeOfDay(text)


def _subtree_ends(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Behind which row the subtree of each row ends."""
    ends = list(range(1, len(rows) + 1))
    for index in range(len(rows) - 1, 0, -1):
        above = rows[index]["p"]
        if ends[index] > ends[above]:
            ends[above] = ends[index]
    return ends
