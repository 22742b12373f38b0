"""Which cells of a counting answer must be hidden, so that nobody learns of fewer than five persons.

First those that are small themselves; then, in every line of the table whose total somebody may know (all
rows that differ in one key only), more of them, until the hidden cells of the line together stand for five
persons at least and none can be worked out from the others (primary and complementary suppression).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from cdr.analysis.view import SMALLEST_CELL

Cell: TypeAlias = tuple[int, int]  # row, column
Kind: TypeAlias = Literal["key", "count", "other"]
Rows: TypeAlias = Sequence[Sequence[Any]]


def hidden_cells(rows: Rows, kinds: Sequence[Kind]) -> frozenset[Cell]:
    """The cells to hide; the last member of a row is its number of persons, ``kinds`` are of the others."""
    keys = [at for at, kind in enumerate(kinds) if kind == "key"]
    lines = _lines(rows, keys)
    hidden: set[Cell] = set()
    for column, kind in enumerate(kinds):
        if kind == "key":
            continue
        sizes = [_size(row, column, kind) for row in rows]
        small = {at for at, size in enumerate(sizes) if 0 < size < SMALLEST_CELL}
        small |= _told_by_difference(rows, column, kinds)
        hidden |= {(at, column) for at in _completed(small, sizes, lines)}
    return frozenset(hidden)


def _size(row: Sequence[Any], column: int, kind: Kind) -> int:
    """How many persons a cell tells of: a count may be of several things of one person."""
    persons = int(row[-1] or 0)
    value = row[column]
    if kind == "count" and isinstance(value, int):
        return min(persons, value) if value else 0
    return persons


def _told_by_difference(rows: Rows, column: int, kinds: Sequence[Kind]) -> set[int]:
    """Rows where this count and a larger one beside it differ by few: the difference would count them."""
    found: set[int] = set()
    for at, row in enumerate(rows):
        value = row[column]
        if kinds[column] != "count" or not isinstance(value, int):
            continue
        others = (row[each] for each, kind in enumerate(kinds) if kind == "count" and each != column)
        if any(isinstance(other, int) and 0 < other - value < SMALLEST_CELL for other in others):
            found.add(at)
    return found


def _lines(rows: Rows, keys: Sequence[int]) -> list[list[int]]:
    """The lines of the table: rows that are alike in all keys but one."""
    lines: list[list[int]] = []
    for free in keys:
        alike: dict[str, list[int]] = defaultdict(list)
        for at, row in enumerate(rows):
            alike[repr([row[each] for each in keys if each != free])].append(at)
        lines += [line for line in alike.values() if len(line) > 1]
    return lines


def _completed(small: set[int], sizes: Sequence[int], lines: Sequence[Sequence[int]]) -> set[int]:
    """Hide the next smallest cell of each line that would still tell, until none does."""
    hidden = set(small)
    changed = bool(hidden)
    while changed:
        changed = False
        for line in lines:
            inside = [at for at in line if at in hidden]
            tells = len(inside) == 1 or sum(sizes[at] for at in inside) < SMALLEST_CELL
            rest = [at for at in line if at not in hidden and sizes[at] > 0]
            if inside and tells and rest:
                hidden.add(min(rest, key=lambda at: sizes[at]))
                changed = True
    return hidden
