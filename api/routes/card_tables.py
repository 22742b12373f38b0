"""The card as tables; no part of openEHR's API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.analysts import FORM, PROJECT, AnalystContext
from api.answers import ANALYSIS_PATH, json_answer
from api.cancelling import ClientGone, no_answer, unless_gone
from api.negotiation import JSON, accepted
from api.openapi import bodies, errors, parameters
from api.tables import CSV, NDJSON, PARQUET, TABLES, answer_form, table, table_answer
from api.times import version_time
from cdr import card_tables
from cdr.analysis.columns import CardColumn
from cdr.analysis.definitions import TableDefinition
from cdr.card_tables import Codebook
from cdr.rows import CellType, RowStream, TypedColumn

router = APIRouter(prefix="/tables", tags=["Analysis"])

TableName = Annotated[str, Path(description="woman, pregnancy, contact, fetus, test or sf")]
AsOf = Annotated[str | None, Query(description="The tables as they were at this time (ISO 8601).")]
Counted = Annotated[bool, Query(description="Count how filled each column is; reads the whole table.")]
_IN_CSV = (
    "name",
    "label_nb",
    "label_en",
    "type",
    "unit",
    "codes",
    "field",
    "source",
    "filled",
    "left_out",
)


_OPTIONS = parameters(PROJECT)


@router.get(
    "", summary="The tables of the card", responses=errors(406) | bodies(JSON), openapi_extra=_OPTIONS
)
async def list_tables(request: Request, ctx: AnalystContext) -> Response:
    """Name and title of each."""
    accepted(request, JSON)
    return json_answer([_table_json(each) for each in await card_tables.list_card_tables(ctx)])


@router.get(
    "/{name}",
    summary="A table of the card",
    responses=errors(400, 404, 406, 408) | bodies(*TABLES),
    openapi_extra=parameters(PROJECT, FORM),
)
async def read_table(request: Request, ctx: AnalystContext, name: TableName, as_of: AsOf = None) -> Response:
    """Rows as Parquet, Arrow, CSV or NDJSON, by Accept or `?format=`, while they are made."""
    media_type = answer_form(request, *TABLES)
    stream = await card_tables.card_table(ctx, name, as_of=version_time(as_of, "as_of"))
    named = {PARQUET: "parquet", CSV: "csv", NDJSON: "ndjson"}.get(media_type, "arrow")
    headers = {"Content-Disposition": f'attachment; filename="{name}.{named}"'}
    return table_answer(stream, media_type, limit=ctx.settings.stream_bytes, headers=headers)


@router.get(
    "/{name}/codebook",
    summary="What the columns of a table are",
    responses=errors(400, 404, 406, 408) | bodies(JSON, CSV),
    openapi_extra=parameters(PROJECT, FORM),
)
async def read_codebook(
    request: Request, ctx: AnalystContext, name: TableName, as_of: AsOf = None, counted: Counted = True
) -> Response:
    """Labels, type, unit, codes, source and share filled; JSON or CSV."""
    media_type = answer_form(request, JSON, CSV)
    asking = card_tables.table_codebook(ctx, name, as_of=version_time(as_of, "as_of"), counted=counted)
    try:
        book = await unless_gone(request, asking)
    except ClientGone:
        return no_answer()
    if media_type == JSON:
        return json_answer(_codebook_json(book))
    rows = [[_csv_text(entry[name]) for name in _IN_CSV] for entry in _entries(book)]
    columns = tuple(TypedColumn(each, CellType.TEXT) for each in _IN_CSV)
    pieces = [piece async for piece in table(RowStream(columns, _once(rows)), CSV)]
    return Response(b"".join(pieces), media_type=CSV)


def _table_json(definition: TableDefinition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "label": {"nb": definition.nb, "en": definition.en},
        "rows": f"{ANALYSIS_PATH}/tables/{definition.name}",
        "codebook": f"{ANALYSIS_PATH}/tables/{definition.name}/codebook",
    }


def _codebook_json(book: Codebook) -> dict[str, Any]:
    return {
        "table": book.table.name,
        "label": {"nb": book.table.nb, "en": book.table.en},
        "rows": book.rows,
        "aql": book.aql,
        "columns": _entries(book),
        "withheld": [{"name": column.name, "because": column.privacy.value} for column in book.withheld],
    }


def _entries(book: Codebook) -> list[dict[str, Any]]:
    return [
        {
            **_column_json(entry.column),
            "source": [{"template": template, "path": path} for template, path in entry.sources],
            "filled": entry.filled,
            "left_out": entry.left_out,
        }
        for entry in book.columns
    ]


def _column_json(column: CardColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "label_nb": column.nb,
        "label_en": column.en,
        "type": column.typed.type.value,
        "kind": column.kind.value,
        "unit": column.unit or None,
        "codes": [{"code": each.value, "nb": each.nb, "en": each.en} for each in column.codes],
        "field": None if column.field is None else " ".join(column.field.fields),
    }


def _csv_text(value: Any) -> str | None:
    """Codes and sources in one cell, a line each."""
    if isinstance(value, list):
        return "\n".join(" = ".join(map(str, each.values())) for each in value)
    return None if value is None else str(value)


async def _once(rows: list[list[Any]]) -> Any:
    yield rows
