"""Rows of a query as text, batch by batch: CSV (RFC 4180) and NDJSON. Objects stand as JSON in a cell of CSV.

In CSV an absent value is nothing between the commas, and an empty text is ``""``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import orjson

from cdr.aql.scope import Column
from cdr.queries import RowStream

CSV = "text/csv"
NDJSON = "application/x-ndjson"


async def table(stream: RowStream, media_type: str) -> AsyncIterator[bytes]:
    """The whole answer in pieces, the first of which comes before any row is asked for."""
    names = _names(stream.columns)
    write: Callable[[Sequence[Any]], bytes]
    if media_type == CSV:
        write = _csv_line
        yield _csv_line(names)
    else:

        def write(row: Sequence[Any]) -> bytes:
            return orjson.dumps(dict(zip(names, row, strict=True))) + b"\n"

    async for batch in stream.batches:
        yield b"".join(map(write, batch))


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns]


def _csv_line(row: Sequence[Any]) -> bytes:
    return ",".join(map(_csv_cell, row)).encode() + b"\r\n"


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else orjson.dumps(cell).decode()
    if not text or any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
