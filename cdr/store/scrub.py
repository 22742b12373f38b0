"""Rewriting a private database into a fresh data folder, so that nothing erased is left in the old files.

After a deletion MongoDB keeps the bytes for a while: in the oplog, in the journal, in free pages of data and
index files, and compacting does not clear them. Documents are copied as they are, so only what is stored
now comes along; indexes are built anew; the copy is compared with the original before it takes its place.
The cursors of the feed of events end with the old oplog.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from cdr.errors import DatabaseMissing
from cdr.store.data_folder import declare_whole, finish_swap, fresh_folder
from cdr.store.embedded import EmbeddedMongod

BATCH = 500
NOT_OURS = frozenset({"admin", "config", "local"})

Raw = AsyncCollection[RawBSONDocument]
Progress = Callable[[int, int], None]  # documents copied, of how many


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What was rewritten: documents and their bytes, the size of the files before and after, the time."""

    documents: int
    bytes: int
    before: int
    after: int
    seconds: float


async def scrub(
    folder: Path,
    *,
    mongod: Path | None = None,
    cache_mib: int = 256,
    options: Sequence[str] = (),
    progress: Progress = lambda _done, _of: None,
) -> Scrubbed:
    """Rewrite the private database of a data folder; the server must be stopped.

    ``options`` go to mongod. A kill at any moment leaves the old database or the new one, whole.
    Raises DataFolderInUse, DatabaseMissing (also if the copy differs from the original, which then stays).
    """
    started, folder = time.monotonic(), folder.resolve()
    how: dict[str, Any] = {"mongod": mongod, "cache_mib": cache_mib, "options": options}
    old = await EmbeddedMongod.start(folder, **how)
    try:
        before = _size(folder)
        new = await EmbeddedMongod.start(fresh_folder(folder), **how)
        try:
            documents, size = await _copy_all(old.uri, new.uri, progress)
        finally:
            await new.stop()
        await old.halt()
        declare_whole(folder)
        finish_swap(folder)
        return Scrubbed(documents, size, before, _size(folder), time.monotonic() - started)
    finally:
        await old.stop()


async def _copy_all(source: str, target: str, progress: Progress) -> tuple[int, int]:
    options: Mapping[str, Any] = {"document_class": RawBSONDocument, "appname": "helsekort scrub"}
    async with (
        AsyncMongoClient[RawBSONDocument](source, **options) as old,
        AsyncMongoClient[RawBSONDocument](target, **options) as new,
    ):
        names = [name for name in await old.list_database_names() if name not in NOT_OURS]
        pairs = [
            (old[name][collection], new[name][collection])
            for name in names
            for collection in sorted(await old[name].list_collection_names())
        ]
        total = sum([await original.estimated_document_count() for original, _ in pairs])
        documents = size = 0
        for original, copy in pairs:
            counted, weighed = await _copy(original, copy)
            documents, size = documents + counted, size + weighed
            progress(documents, total)
        for name in names:
            await _remember(new, name)
        await new.admin.command("fsync")
        return documents, size


async def _copy(original: Raw, copy: Raw) -> tuple[int, int]:
    """Documents and bytes of a collection. Raises DatabaseMissing if the copy is not equal."""
    written, documents, size = hashlib.sha256(), 0, 0
    await copy.database.create_collection(copy.name)
    async with original.find({}, batch_size=BATCH).sort("_id", 1) as found:
        batch: list[RawBSONDocument] = []
        async for document in found:
            written.update(document.raw)
            documents, size = documents + 1, size + len(document.raw)
            batch.append(document)
            if len(batch) == BATCH:
                await copy.insert_many(batch)
                batch = []
        if batch:
            await copy.insert_many(batch)
    if await _digest(copy) != written.hexdigest():
        raise DatabaseMissing(f"the copy of {original.full_name} differs; the old database stays in place")
    await _copy_indexes(original, copy)
    return documents, size


async def _digest(collection: Raw) -> str:
    digest = hashlib.sha256()
    async with collection.find({}, batch_size=BATCH).sort("_id", 1) as found:
        async for document in found:
            digest.update(document.raw)
    return digest.hexdigest()


async def _copy_indexes(original: Raw, copy: Raw) -> None:
    plain = original.with_options(CodecOptions(document_class=dict))
    specifications: Sequence[Mapping[str, Any]] = [
        {key: value for key, value in index.items() if key not in ("v", "ns")}
        async for index in await plain.list_indexes()
        if index["name"] != "_id_"
    ]
    if specifications:
        await copy.database.command("createIndexes", copy.name, indexes=specifications)


async def _remember(client: AsyncMongoClient[RawBSONDocument], database: str) -> None:
    """When it was done: a removal that ended before is gone from the traces too."""
    await client[database]["meta"].update_one(
        {"_id": "scrub"}, {"$set": {"at": datetime.now(UTC)}}, upsert=True
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in (folder / "mongo").rglob("*") if file.is_file())
