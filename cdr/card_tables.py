"""The card as tables, made from the answers of AQL: woman, pregnancy, contact, fetus, test, sf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdr.access import Action
from cdr.analysis.codebook import ColumnEntry, Filling, codebook
from cdr.analysis.columns import CardColumn, CardTemplate, Privacy, Templates
from cdr.analysis.definitions import TableDefinition, restricted_fields, table_definitions
from cdr.analysis.rows import CardTable, Cells, Document, Documents
from cdr.analysis.view import SMALLEST_CELL, View
from cdr.audit import Outcome
from cdr.candidates import QueryAccess
from cdr.doors import Call, asking, reading
from cdr.errors import NotFound
from cdr.queries import rows_for
from cdr.rows import RowStream
from cdr.versions import iso
from cdr.views import view_of
from templates.operational import OperationalTemplate

__all__ = ["Codebook", "UnknownTable", "card_table", "list_card_tables", "table_codebook"]

EHRS = "SELECT e/ehr_id/value FROM EHR e"
DOCUMENTS = (
    "SELECT e/ehr_id/value, c/uid/value, c FROM EHR e CONTAINS COMPOSITION c{as_of} "
    "WHERE c/archetype_details/template_id/value MATCHES {{$templates}}"
)
AS_OF = " AS OF $as_of"
AT_ONCE = 100  # EHRs that are read together; each is read whole, so that its rows fit each other


class UnknownTable(NotFound):
    """No table of this name."""

    code = "table.unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no table {name[:60]!r}, only {', '.join(table_definitions())}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """A table, its columns and how filled they are; ``withheld`` are columns that the caller does not see.

    ``aql`` is the query that the rows are made from; ``rows`` is None where nobody counted.
    """

    table: TableDefinition
    columns: Sequence[ColumnEntry]
    withheld: Sequence[CardColumn]
    aql: str
    rows: int | None


@reading(Action.READ_TABLE)
async def list_card_tables(call: Call) -> Sequence[TableDefinition]:
    """The tables that there are."""
    return tuple(table_definitions().values())


@asking(Action.READ_TABLE)
async def card_table(call: Call, name: str, *, as_of: datetime | None = None) -> RowStream:
    """The rows of a table, as they are made; ``as_of`` says how it was then. Raises UnknownTable.

    An analyst gets pseudonyms, and the columns that the project may see.
    """
    opened = await _open(call, name, as_of)
    await call.record([call.entry(Outcome.GRANTED, what=f"table {name}", detail=opened.said)])
    columns = tuple(column.typed for column in opened.shown)
    erased = None if as_of is None else await call.ctx.store.erased_since(as_of)
    return RowStream(columns, opened.rows(call), erased)


@asking(Action.READ_TABLE)
async def table_codebook(
    call: Call, name: str, *, as_of: datetime | None = None, counted: bool = True
) -> Codebook:
    """What the columns are; ``counted``: with the share of rows that each fills. Raises UnknownTable."""
    opened = await _open(call, name, as_of)
    await call.record([call.entry(Outcome.GRANTED, what=f"codebook {name}", detail=opened.said)])
    filling = Filling() if counted else None
    if filling is not None:
        async for batch in opened.rows(call):
            filling.count(batch)
    hides_small = opened.view is not None and opened.view.hides_small_cells
    few = filling is not None and hides_small and 0 < filling.rows < SMALLEST_CELL
    return Codebook(
        table=opened.table.definition,
        columns=codebook(opened.table, opened.shown, filling, hides_small=hides_small),
        withheld=[column for column in opened.table.columns if column not in opened.shown],
        aql=_text(as_of),
        rows=None if filling is None or few else filling.rows,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A table for one caller: the columns that are shown, and where its rows come from."""

    table: CardTable
    view: View | None
    shown: tuple[CardColumn, ...]
    templates: Templates
    access: QueryAccess
    as_of: datetime | None

    @property
    def said(self) -> str:
        """What the audit says of it."""
        parts = [f"{len(self.shown)} of {len(self.table.columns)} columns"]
        parts += [f"project {self.view.project}"] if self.view else []
        parts += [f"as of {iso(self.as_of)}"] if self.as_of else []
        return "; ".join(parts)

    async def rows(self, call: Call) -> AsyncIterator[list[Cells]]:
        """The rows of some EHRs at a time."""
        documents = Documents(self.templates)
        as_of = {} if self.as_of is None else {"as_of": iso(self.as_of)}
        text, chosen = _text(self.as_of), {"templates": self._read_templates()}
        ehr_ids = [
            str(row[0])
            async for batch in rows_for(call, EHRS + (AS_OF if as_of else ""), as_of, self.access)
            for row in batch
        ]
        for start in range(0, len(ehr_ids), AT_ONCE):
            access = await call.part_of(self.access, frozenset(ehr_ids[start : start + AT_ONCE]))
            found: dict[str, list[Document]] = {}
            async for batch in rows_for(call, text, {**chosen, **as_of}, access):
                await asyncio.to_thread(_read, documents, batch, found)
            yield await asyncio.to_thread(self._made, found)

    def _read_templates(self) -> list[str]:
        return [each.template_id for each in self.templates if self.table.reads(each)]

    def _made(self, found: dict[str, list[Document]]) -> list[Cells]:
        rows = [row for ehr_id, mine in found.items() for row in self.table.rows(ehr_id, mine)]
        if self.view is None:
            return rows
        kept = [index for index, column in enumerate(self.table.columns) if column in self.shown]
        return [[self._seen(row[index], self.table.columns[index]) for index in kept] for row in rows]

    def _seen(self, cell: Any, column: CardColumn) -> Any:
        is_key = column.privacy is Privacy.KEY and cell is not None
        return self.view.pseudonym(str(cell)) if is_key and self.view is not None else cell


async def _open(call: Call, name: str, as_of: datetime | None) -> _Opened:
    definition = table_definitions().get(name)
    access = await call.population()
    if definition is None:
        raise UnknownTable(name)
    view = await view_of(call)
    templates = _of_the_card(await call.ctx.templates.all(), view)
    table = CardTable.of(definition, templates)
    shown = tuple(column for column in table.columns if view is None or view.shows_column(column))
    return _Opened(table, view, shown, templates, access, as_of)


def _of_the_card(published: Sequence[OperationalTemplate], view: View | None) -> list[CardTemplate]:
    """Templates that hold fields of the card; one of restricted fields only for whom these are permitted."""
    known = [CardTemplate.of(each) for each in published]
    hidden = restricted_fields() if view and not view.shows(Privacy.RESTRICTED) else frozenset()
    return [each for each in known if any(not _is_header(name) for name in each.fields.keys() - hidden)]


def _is_header(field: str) -> bool:
    return field.startswith("HK0.")


def _read(documents: Documents, batch: Sequence[Cells], found: dict[str, list[Document]]) -> None:
    for ehr_id, uid, composition in batch:
        document = documents.read(uid, composition)
        if document is not None:
            found.setdefault(ehr_id, []).append(document)


def _text(as_of: datetime | None) -> str:
    return DOCUMENTS.format(as_of="" if as_of is None else AS_OF)
