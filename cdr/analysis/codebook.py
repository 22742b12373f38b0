"""The codebook of a table: what each column is, where it comes from, and how much of it is filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdr.analysis.columns import CardColumn
from cdr.analysis.rows import CardTable
from cdr.analysis.view import SMALLEST_CELL


@dataclass(slots=True)
class Filling:
    """How many rows there are, and in how many each column has a value."""

    rows: int = 0
    filled: Counter[int] = field(default_factory=Counter)

    def count(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count more rows."""
        for row in rows:
            self.rows += 1
            self.filled.update(index for index, cell in enumerate(row) if cell is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEntry:
    """A column in the codebook.

    ``sources`` are a template and a path each. ``filled`` is the share of rows with a value and ``left_out``
    how many values the column could not hold; None where nobody counted, or where few persons would show.
    """

    column: CardColumn
    sources: tuple[tuple[str, str], ...]
    filled: float | None = None
    left_out: int | None = None


def codebook(
    table: CardTable, columns: Sequence[CardColumn], filling: Filling | None, *, hides_small: bool
) -> list[ColumnEntry]:
    """The entries of the shown ``columns``, which are those that ``filling`` counted."""
    return [_entry(table, index, column, filling, hides_small) for index, column in enumerate(columns)]


def _entry(
    table: CardTable, index: int, column: CardColumn, filling: Filling | None, hides_small: bool
) -> ColumnEntry:
    places = table.result_places() if column.name == "test" else column.places
    sources = tuple((place.template_id, place.node.path) for place in places)
    if filling is None:
        return ColumnEntry(column=column, sources=sources)
    count, left_out = filling.filled[index], table.left_out[column.name]
    hidden = not filling.rows or (hides_small and _tells(count, filling.rows))
    return ColumnEntry(
        column=column,
        sources=sources,
        filled=None if hidden else count / filling.rows,
        left_out=None if hides_small and 0 < left_out < SMALLEST_CELL else left_out,
    )


def _tells(count: int, rows: int) -> bool:
    """Would the share tell of fewer than five rows that have a value, or that have none?"""
    return 0 < count < SMALLEST_CELL or 0 < rows - count < SMALLEST_CELL
