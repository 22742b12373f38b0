"""All stored compositions, or those of one template, as a stream: for dry runs over the whole store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from cdr.store.database import FAR, Database, Document, store_errors
from cdr.store.documents import stored_version
from cdr.versions import Kind, StoredVersion

BATCH = 100


@dataclass(frozen=True, slots=True)
class TemplateVersions:
    """Versions by template.

    The latest ones of a template are found by an index; for all else the whole collection is read.
    """

    database: Database

    async def count(self, template_id: str | None = None, *, all_versions: bool = False) -> int:
        """How many versions :meth:`batches` gives if nothing is written meanwhile."""
        with store_errors():
            return await self.database.versions.count_documents(_query(template_id, all_versions))

    async def batches(
        self, template_id: str | None = None, *, all_versions: bool = False
    ) -> AsyncIterator[Sequence[StoredVersion]]:
        """Versions with their data, at most 100 at once; deletions are left out.

        What is written while this runs may or may not be among them.
        """
        with store_errors():
            cursor = self.database.versions.find(
                _query(template_id, all_versions), {"r": 0, "rows": 0}, batch_size=BATCH
            )
            batch: list[StoredVersion] = []
            async with cursor:
                async for document in cursor:
                    batch.append(stored_version(document))
                    if len(batch) == BATCH:
                        yield batch
                        batch = []
            if batch:
                yield batch


def _query(template_id: str | None, all_versions: bool) -> Document:
    query: Document = {"k": Kind.COMPOSITION.value} | ({"tid": template_id} if template_id else {})
    return query | ({"z": {"$exists": True}} if all_versions else {"until": FAR})
