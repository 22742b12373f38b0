"""Rows of stored compositions made again, and compared with what is stored; the payload is the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import orjson
from pymongo import UpdateOne

from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import decompress, rows_fields
from cdr.stored_rows import FORMAT, make_rows
from cdr.versions import Kind

BATCH = 200
MOST_NAMED = 1000
_COMPOSITIONS: Document = {"k": Kind.COMPOSITION.value, "z": {"$exists": True}}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RowsRebuilt:
    """``made`` compositions have rows now that had none of this format; ``without`` cannot have any."""

    made: int
    without: int


@dataclass(frozen=True, slots=True)
class RowsChecked:
    """``wrong`` names the versions whose rows are not those of their composition (at most 1,000).

    ``outdated`` compositions have no rows of this format and could have them: they decide for themselves.
    """

    checked: int
    outdated: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowDocuments:
    """The rows of all compositions. A version never changes, so that this may run beside anything."""

    database: Database

    async def rebuild(self, progress: Progress | None = None) -> RowsRebuilt:
        """Make the rows of compositions that have none of this format. Raises StoreUnavailable."""
        made = without = 0
        outdated = {**_COMPOSITIONS, "full": {"$ne": FORMAT}}
        async for batch, total in self._batches(outdated):
            fields = await asyncio.to_thread(_made, batch)
            updates = [UpdateOne({"_id": _id}, {"$set": each}) for _id, each in fields.items()]
            with store_errors():
                await self.database.versions.bulk_write(updates, ordered=False)
            fit = sum(each["full"] == FORMAT for each in fields.values())
            made, without = made + fit, without + len(fields) - fit
            if progress is not None:
                progress(made + without, total)
        return RowsRebuilt(made, without)

    async def check(self, progress: Progress | None = None) -> RowsChecked:
        """Compare the rows of every composition with those it gives. Raises StoreUnavailable."""
        checked = outdated = 0
        wrong: list[str] = []
        async for batch, total in self._batches(_COMPOSITIONS):
            expected = await asyncio.to_thread(_made, batch)
            for document in batch:
                right = expected[document["_id"]]
                if document.get("full") != FORMAT:
                    outdated += right["full"] == FORMAT
                elif document.get("rows") != right.get("rows") and len(wrong) < MOST_NAMED:
                    wrong.append(document["_id"])
            checked += len(batch)
            if progress is not None:
                progress(checked, total)
        return RowsChecked(checked, outdated, tuple(wrong))

    async def _batches(self, query: Document) -> AsyncIterator[tuple[list[Document], int]]:
        with store_errors():
            total = await self.database.versions.count_documents(query)
            cursor = self.database.versions.find(query, {"z": 1, "rows": 1, "full": 1}, batch_size=BATCH)
            async with cursor:
                batch: list[Document] = []
                async for document in cursor:
                    batch.append(document)
                    if len(batch) == BATCH:
                        yield batch, total
                        batch = []
                if batch:
                    yield batch, total


def _made(documents: list[Document]) -> dict[str, Document]:
    return {
        document["_id"]: rows_fields(make_rows(orjson.loads(decompress(document["z"]))))
        for document in documents
    }
