"""The card's tables equal what an oracle works out from the registered fields, on the story and on women."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from api.demo.story import Woman, read_story
from bench.table_oracle import expected
from bench.women import women
from cdr.analysis.columns import CardTemplate
from cdr.analysis.definitions import fields_elsewhere, table_definitions
from cdr.analysis.rows import CardTable
from cdr.card_tables import UnknownTable, card_table, table_codebook
from cdr.compositions import create_composition
from cdr.context import Ctx, utc_now
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr, erase_ehr
from templates.fields import field_nodes
from templates.repository import library_templates

pytestmark = pytest.mark.anyio
Row = dict[str, Any]


async def stored(ctx: Ctx, everybody: Sequence[Woman]) -> dict[str, str]:
    """Store the contacts of women; the ids of women and contacts as the server gave them."""
    await publish_library(ctx)
    ids: dict[str, str] = {}
    for woman in everybody:
        ids[woman.id] = (await create_ehr(ctx)).ehr_id
        for contact in woman.contacts:
            composition = contact.composition(library_templates())
            version = await create_composition(ctx, ids[woman.id], composition)
            ids[contact.id] = version.uid.object_id
    return ids


@pytest.fixture
def ctx(ctx: Ctx) -> Ctx:
    """On the day of today: nothing of the story lies in the future."""
    return replace(ctx, clock=utc_now)


async def rows(ctx: Ctx, name: str, **options: Any) -> list[Row]:
    """A table as rows by column."""
    stream = await card_table(ctx, name, **options)
    names = [column.name for column in stream.columns]
    return [dict(zip(names, row, strict=True)) async for batch in stream.batches for row in batch]


def right(name: str, everybody: Sequence[Woman], ids: dict[str, str]) -> list[Row]:
    """What the oracle says, with the ids of the server."""
    found = [row for woman in everybody for row in expected(name, ids[woman.id], woman.contacts)]
    return [
        row | {key: ids[row[key]] for key in ("contact_id", "document_id") if key in row} for row in found
    ]


def differing(found: list[Row], expected: list[Row]) -> list[str]:
    """Cells that differ, and rows that only one side has; in an order that does not depend on ids."""
    one, other = Counter(map(_shown, found)), Counter(map(_shown, expected))
    return [f"- {row}" for row in other - one] + [f"+ {row}" for row in one - other]


def _shown(row: Row) -> str:
    """Without what is missing, numbers to nine digits."""
    rounded = {key: round(cell, 9) if isinstance(cell, float) else cell for key, cell in row.items()}
    return str(sorted((key, cell) for key, cell in rounded.items() if cell is not None))


async def test_the_tables_of_the_story(ctx: Ctx) -> None:
    story = read_story()
    ids = await stored(ctx, story)
    counts = {}
    for name in table_definitions():
        found = await rows(ctx, name)
        assert differing(found, right(name, story, ids)) == [], name
        counts[name] = len(found)
    assert counts == {
        "woman": 1,
        "pregnancy": 3,
        "contact": 45,
        "fetus": 28,
        "test": 40,
        "sf": 17,
        "earlier": 0,
    }


@pytest.mark.slow
async def test_the_tables_of_generated_women(ctx: Ctx) -> None:
    everybody = list(women(12))
    ids = await stored(ctx, everybody)
    for name in table_definitions():
        assert differing(await rows(ctx, name), right(name, everybody, ids)) == [], name


async def test_how_it_was_at_a_time_without_what_was_erased_since(ctx: Ctx) -> None:
    everybody = list(women(3, "as of"))
    ids = await stored(ctx, everybody)
    then = ctx.clock()
    await stored(ctx, list(women(1, "later")))
    await erase_ehr(ctx, ids[everybody[0].id])
    stream = await card_table(ctx, "woman", as_of=then)
    found = [row[0] async for batch in stream.batches for row in batch]
    assert sorted(found) == sorted(ids[woman.id] for woman in everybody[1:])
    assert stream.erased_since == 1
    assert len(await rows(ctx, "woman")) == 3


async def test_the_codebook(ctx: Ctx) -> None:
    everybody = list(women(6, "codebook"))
    await stored(ctx, everybody)
    book = await table_codebook(ctx, "contact")
    entries = {entry.column.name: entry for entry in book.columns}
    assert book.rows == sum(bool(each.pregnancy) for woman in everybody for each in woman.contacts)
    weight = entries["weight_kg"]
    contacts = [each for woman in everybody for each in woman.contacts if each.pregnancy]
    registered = sum("HK13.3" in contact.fields for contact in contacts)
    assert weight.filled == registered / book.rows
    assert (weight.column.unit, weight.column.nb, weight.column.en) == ("kg", "Vekt", "Weight")
    assert ("helsekort_kontroll.v0", True) in {(tid, "body_weight" in path) for tid, path in weight.sources}
    protein = [(code.value, code.en) for code in entries["urine_protein"].column.codes]
    assert protein == [(1, "Negative"), (2, "Trace"), (3, "1+"), (4, "2+"), (5, "3+")]


async def test_what_a_column_cannot_hold_is_left_out_and_counted(ctx: Ctx) -> None:
    """Some dates of scans are months."""
    everybody = list(women(12))
    await stored(ctx, everybody)
    contacts = [contact for woman in everybody for contact in woman.contacts]
    months = sum(len(contact.fields.get("HK9.6", "2023-01-01")) == 7 for contact in contacts)
    book = await table_codebook(ctx, "pregnancy")
    assert months > 0
    assert {e.column.name: e.left_out for e in book.columns}["due_ultrasound_on"] == months


async def test_tables_that_are_not_there(ctx: Ctx) -> None:
    with pytest.raises(UnknownTable, match="woman, pregnancy"):
        await card_table(ctx, "women")
    for name in table_definitions():
        assert await rows(ctx, name) == []


def test_every_field_of_the_card_is_in_a_table_or_told_to_be_elsewhere() -> None:
    held = {field for template in library_templates().values() for field in field_nodes(template)}
    placed = set(fields_elsewhere())
    for table in table_definitions().values():
        for column in (*table.columns, *table.results):
            placed |= {*column.fields, *(column.beside or ())[:1]}
    assert held - placed == set()


def test_a_table_reads_only_documents_that_can_add_to_a_row() -> None:
    templates = [CardTemplate.of(each) for each in library_templates().values()]
    read = {
        name: {each.template_id for each in templates if CardTable.of(table, templates).reads(each)}
        for name, table in table_definitions().items()
    }
    assert read["earlier"] == {"helsekort_tidligere_svangerskap.v0"}
    assert read["sf"] == {"helsekort_kontroll.v0"}
    assert read["woman"] == read["pregnancy"] == {each.template_id for each in templates}
    assert read["test"] < read["contact"]


async def test_tables_without_anything_to_read_have_no_rows(ctx: Ctx) -> None:
    await create_ehr(ctx)
    assert [await rows(ctx, name) for name in table_definitions()] == [[]] * len(table_definitions())
