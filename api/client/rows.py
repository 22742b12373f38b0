"""The rows of a query, ready for a table of one's own choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.client.formats import JsonObject

if TYPE_CHECKING:
    import pandas
    import pyarrow


@dataclass(frozen=True, slots=True)
class Rows:
    """A RESULT_SET: names of the columns, the rows in their order, and what the server says of the query."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    meta: JsonObject

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self.rows)

    def dicts(self) -> list[JsonObject]:
        """Each row as an object by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame; needs the package pandas."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(self.columns))

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table; needs the package pyarrow. The types of its columns are those of the values."""
        import pyarrow

        columns = [[row[at] for row in self.rows] for at in range(len(self.columns))]
        return pyarrow.table(columns, names=list(self.columns))
