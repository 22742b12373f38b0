"""Rows in the forms that programs read them in, batch by batch: CSV, NDJSON, Arrow stream, Parquet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.columnar import ArrowWriter, ParquetWriter
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from cdr.aql.errors import AqlTooLarge
from cdr.rows import RowStream, TypedColumn

CSV = "text/csv"
NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
_BY_PARAMETER: Mapping[str, str] = {
    "JSON": JSON,
    "CSV": CSV,
    "NDJSON": NDJSON,
    "ARROW": ARROW,
    "PARQUET": PARQUET,
}
TABLES = tuple(media_type for media_type in _BY_PARAMETER.values() if media_type != JSON)
ERASED_SINCE = "Helsekort-Erased-Since"


def answer_form(request: Request, *offered: str) -> str:
    """The media type of the answer, by the parameter ``format`` or by Accept.

    Raises NotAcceptable, MalformedRequest.
    """
    wanted = request.query_params.get("format")
    if wanted is None:
        return accepted(request, *offered)
    form = _BY_PARAMETER.get(wanted.upper())
    if form not in offered:
        names = [name for name, media_type in _BY_PARAMETER.items() if media_type in offered]
        raise MalformedRequest("parameter.malformed", f"format: {wanted[:40]!r} is not {' or '.join(names)}")
    return form


def table_answer(
    stream: RowStream, media_type: str, *, limit: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The rows while the query runs, ``limit`` bytes of them; when the client goes away, the query ends."""
    shown = dict(headers or {})
    if stream.erased_since is not None:
        shown[ERASED_SINCE] = str(stream.erased_since)
    return StreamingResponse(_within(table(stream, media_type), limit), media_type=media_type, headers=shown)


async def table(stream: RowStream, media_type: str) -> AsyncIterator[bytes]:
    """The whole answer in pieces, the first of which comes before any row is asked for."""
    writer = _WRITERS[media_type](stream.columns)
    if head := writer.head():
        yield head
    async for batch in stream.batches:
        if written := writer.rows(batch):
            yield written
    if rest := writer.end():
        yield rest


async def _within(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Raises AqlTooLarge once more than ``limit`` bytes would go out: the client sees a broken answer."""
    sent = 0
    async for piece in pieces:
        sent += len(piece)
        if sent > limit:
            raise AqlTooLarge("bytes", limit)
        yield piece


class CsvWriter:
    """RFC 4180. An absent value is nothing between the commas, an empty text ``""``, an object JSON."""

    def __init__(self, columns: Sequence[TypedColumn]) -> None:
        self._names = [column.name for column in columns]

    def head(self) -> bytes:
        """The names of the columns."""
        return _csv_line(self._names)

    def rows(self, batch: Sequence[Sequence[Any]]) -> bytes:
        """A line for each."""
        return b"".join(map(_csv_line, batch))

    def end(self) -> bytes:
        """Nothing."""
        return b""


class NdjsonWriter:
    """An object for each row."""

    def __init__(self, columns: Sequence[TypedColumn]) -> None:
        self._names = [column.name for column in columns]

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, batch: Sequence[Sequence[Any]]) -> bytes:
        """A line for each."""
        named = (dict(zip(self._names, row, strict=True)) for row in batch)
        return b"".join(orjson.dumps(row) + b"\n" for row in named)

    def end(self) -> bytes:
        """Nothing."""
        return b""


Writer = CsvWriter | NdjsonWriter | ArrowWriter | ParquetWriter
_WRITERS: Mapping[str, Callable[[Sequence[TypedColumn]], Writer]] = {
    CSV: CsvWriter,
    NDJSON: NdjsonWriter,
    ARROW: ArrowWriter,
    PARQUET: ParquetWriter,
}


def _csv_line(row: Sequence[Any]) -> bytes:
    return ",".join(map(_csv_cell, row)).encode() + b"\r\n"


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else orjson.dumps(cell).decode()
    if not text or any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
