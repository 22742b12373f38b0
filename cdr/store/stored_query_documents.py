"""Stored queries as documents: one per version, never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from cdr.store.database import Database, Document, store_errors


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """One version of a named query; ``version`` is ``major.minor.patch``.

    ``description`` is by language; ``parameters`` are declarations as JSON has them.
    """

    name: str
    version: str
    text: str
    saved: datetime
    description: Mapping[str, str] = field(default_factory=dict)
    parameters: Sequence[Document] = ()


@dataclass(frozen=True, slots=True)
class StoredQueryDocuments:
    """The collection ``stored_queries``."""

    database: Database

    async def add(self, query: StoredQuery) -> bool:
        """Store a version; False if it is there already."""
        document: Document = {
            "_id": f"{query.name}/{query.version}",
            "name": query.name,
            "version": query.version,
            "q": query.text,
            "saved": query.saved,
            "description": dict(query.description),
            "parameters": list(query.parameters),
        }
        with store_errors():
            try:
                await self.database.stored_queries.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def versions(self, name: str) -> Sequence[StoredQuery]:
        """All versions of the query of exactly this name."""
        return await self._found({"name": name})

    async def beginning_with(self, start: str) -> Sequence[StoredQuery]:
        """All versions of the queries whose name begins so."""
        return await self._found({"name": {"$regex": f"^{re.escape(start)}"}})

    async def delete(self, query: StoredQuery) -> bool:
        """Delete a version; False if it was gone."""
        with store_errors():
            result = await self.database.stored_queries.delete_one({"_id": f"{query.name}/{query.version}"})
        return result.deleted_count == 1

    async def _found(self, condition: Document) -> Sequence[StoredQuery]:
        with store_errors():
            documents = await self.database.stored_queries.find(condition).to_list()
        return [_query(each) for each in documents]


def _query(document: Document) -> StoredQuery:
    return StoredQuery(
        document["name"],
        document["version"],
        document["q"],
        document["saved"],
        document.get("description", {}),
        document.get("parameters", ()),
    )
