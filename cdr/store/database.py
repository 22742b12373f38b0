"""The collections of one MongoDB database, and what a silent database means for a caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConnectionFailure, OperationFailure, WTimeoutError
from pymongo.read_concern import ReadConcern

from cdr.errors import StoreUnavailable

Document = dict[str, Any]
Collection = AsyncCollection[Document]

FAR = datetime(9999, 12, 31, tzinfo=UTC)  # ``until`` of a version that is current
DURABLE = WriteConcern(w="majority", j=True)
MAJORITY = ReadConcern("majority")
# Not enough members, shutting down, stepping down: the same request may succeed in a moment.
PASSING_CODES = frozenset({64, 91, 189, 11600, 11602, 13388, 13435, 13436})


@dataclass(frozen=True, slots=True)
class Database:
    """The collections; reads see what a majority holds, writes are majority-written and journaled."""

    client: AsyncMongoClient[Document]
    versions: Collection
    contributions: Collection
    repeats: Collection
    tags: Collection
    stored_queries: Collection
    projects: Collection
    permits: Collection
    ehrs: Collection
    subjects: Collection
    joins: Collection
    set_aside: Collection
    audit: Collection
    proofs: Collection
    templates: Collection
    adl2: Collection
    code_lists: Collection
    code_checks: Collection
    tombstones: Collection
    erasures: Collection
    bars: Collection
    notices: Collection
    webhooks: Collection
    consents: Collection
    cards: Collection
    removals: Collection
    meta: Collection

    @classmethod
    def of(cls, client: AsyncMongoClient[Document], name: str) -> Database:
        """The collections of database ``name``."""
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        database = client.get_database(
            name, codec_options=options, read_concern=MAJORITY, write_concern=DURABLE
        )
        names = [field.name for field in fields(cls) if field.name != "client"]
        return cls(client, **{collection: database[collection] for collection in names})


def of_an_ehr(database: Database) -> tuple[Collection, ...]:
    """What holds documents of an EHR under ``e`` and goes with it; ``ehrs`` itself goes last."""
    return (
        database.versions,
        database.contributions,
        database.tags,
        database.code_checks,
        database.subjects,
        database.consents,
        database.cards,
        database.removals,
        database.set_aside,
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the driver's "no answer" into StoreUnavailable; other errors are bugs and rise."""
    try:
        yield
    except (ConnectionFailure, WTimeoutError) as error:
        raise StoreUnavailable(type(error).__name__) from error
    except OperationFailure as error:
        if error.code in PASSING_CODES:
            raise StoreUnavailable(f"code {error.code}") from error
        raise
