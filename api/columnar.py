"""Rows as columns for analysis: Arrow IPC stream and Parquet, batch by batch.

Texts are ``string``, whole numbers ``int64``, numbers ``double``, dates ``date32``, instants
``timestamp[ms, UTC]``; what may be of several types is JSON in a ``string``. Names that two columns share
stay as they are: Arrow allows them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import pyarrow
import pyarrow.parquet

from cdr.rows import CellType, MisfitCell, TypedColumn

ROW_GROUP = 20_000  # rows that Parquet keeps together


class _Sink(io.RawIOBase):
    """Collects what a writer writes until it is taken; only its position is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class ArrowWriter:
    """The Arrow IPC streaming format; a record batch for each batch of rows."""

    def __init__(self, columns: Sequence[TypedColumn]) -> None:
        self._columns = columns
        self._sink = _Sink()
        self._schema = schema(columns)
        self._writer = pyarrow.ipc.new_stream(self._sink, self._schema)

    def head(self) -> bytes:
        """The schema."""
        return self._sink.take()

    def rows(self, batch: Sequence[Sequence[Any]]) -> bytes:
        """A record batch. Raises MisfitCell."""
        if batch:
            self._writer.write_batch(record_batch(self._columns, self._schema, batch))
        return self._sink.take()

    def end(self) -> bytes:
        """The mark of the end."""
        self._writer.close()
        return self._sink.take()


class ParquetWriter:
    """A Parquet file with a row group for each ``ROW_GROUP`` rows."""

    def __init__(self, columns: Sequence[TypedColumn]) -> None:
        self._columns = columns
        self._sink = _Sink()
        self._schema = schema(columns)
        self._writer = pyarrow.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0

    def head(self) -> bytes:
        """The magic number."""
        return self._sink.take()

    def rows(self, batch: Sequence[Sequence[Any]]) -> bytes:
        """A row group when enough rows have come. Raises MisfitCell."""
        if batch:
            self._waiting.append(record_batch(self._columns, self._schema, batch))
            self._rows += len(batch)
        if self._rows >= ROW_GROUP:
            self._write_group()
        return self._sink.take()

    def end(self) -> bytes:
        """The last row group and the footer."""
        self._write_group()
        self._writer.close()
        return self._sink.take()

    def _write_group(self) -> None:
        if self._waiting:
            self._writer.write_table(pyarrow.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._rows = [], 0


def schema(columns: Sequence[TypedColumn]) -> Any:
    """The Arrow schema of the columns."""
    return pyarrow.schema([pyarrow.field(column.name, _ARROW[column.type]) for column in columns])


def record_batch(columns: Sequence[TypedColumn], shape: Any, batch: Sequence[Sequence[Any]]) -> Any:
    """Rows as an Arrow record batch. Raises MisfitCell for a cell that is not of its column's type."""
    arrays = [_array(column, cells) for column, cells in zip(columns, zip(*batch, strict=True), strict=True)]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=shape)


def _array(column: TypedColumn, cells: Sequence[Any]) -> Any:
    convert = _CONVERT[column.type]
    try:
        return pyarrow.array([None if cell is None else convert(cell) for cell in cells], _ARROW[column.type])
    except (ValueError, TypeError, OverflowError, pyarrow.ArrowException) as error:
        raise MisfitCell(column.name, column.type.value) from error


def _json_text(cell: Any) -> str:
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()


def _whole(cell: Any) -> int:
    if isinstance(cell, bool) or cell != int(cell):
        raise ValueError(cell)
    return int(cell)


def _number(cell: Any) -> float:
    if isinstance(cell, bool | str):
        raise ValueError(cell)
    return float(cell)


def _exactly(kind: type) -> Callable[[Any], Any]:
    def check(cell: Any) -> Any:
        if type(cell) is not kind:
            raise ValueError(cell)
        return cell

    return check


_ARROW: Mapping[CellType, Any] = {
    CellType.TEXT: pyarrow.string(),
    CellType.WHOLE: pyarrow.int64(),
    CellType.NUMBER: pyarrow.float64(),
    CellType.BOOLEAN: pyarrow.bool_(),
    CellType.DATE: pyarrow.date32(),
    CellType.INSTANT: pyarrow.timestamp("ms", "UTC"),
    CellType.JSON: pyarrow.string(),
}
_CONVERT: Mapping[CellType, Callable[[Any], Any]] = {
    CellType.TEXT: _json_text,
    CellType.WHOLE: _whole,
    CellType.NUMBER: _number,
    CellType.BOOLEAN: _exactly(bool),
    CellType.DATE: date.fromisoformat,
    CellType.INSTANT: datetime.fromisoformat,
    CellType.JSON: _json_text,
}
