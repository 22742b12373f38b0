"""Item tags as documents: one per target, key and path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from cdr.store.database import DURABLE, Database, Document, store_errors
from cdr.versions import Kind, Tag


@dataclass(frozen=True, slots=True)
class TagDocuments:
    """The collection ``tags``; ``o`` is the object that a tag goes with when it is erased."""

    database: Database

    async def of_ehr(self, ehr_id: str, wanted: Mapping[str, str]) -> Sequence[Tag]:
        """The tags of an EHR with these values."""
        return await self._found({"e": ehr_id, **wanted})

    async def of_target(self, ehr_id: str, target: str) -> Sequence[Tag]:
        """The tags of one object or version."""
        return await self._found({"e": ehr_id, "o": target.partition("::")[0], "target": target})

    async def of_object(self, ehr_id: str, object_id: str) -> Sequence[Tag]:
        """The tags of an object and of all its versions."""
        return await self._found({"e": ehr_id, "o": object_id})

    async def replace(self, ehr_id: str, target: str, tags: Sequence[Tag]) -> None:
        """Put ``tags`` in place of all tags of a target, at once."""
        where = {"e": ehr_id, "o": target.partition("::")[0], "target": target}
        documents = [_document(where, tag) for tag in tags]

        async def change(session: AsyncClientSession) -> None:
            # The gate of the EHR: erasure conflicts with this, so that no tag is written behind it.
            gate = {"_id": ehr_id, "gate.open": True}
            passed = await self.database.ehrs.update_one(gate, {"$inc": {"gate.w": 1}}, session=session)
            object_there = await self.database.versions.find_one(
                {"e": ehr_id, "o": where["o"]}, {"_id": 1}, session=session
            )
            if passed.matched_count and object_there:
                await self.database.tags.delete_many(where, session=session)
                if documents:
                    await self.database.tags.insert_many(documents, session=session)

        with store_errors():
            async with self.database.client.start_session(causal_consistency=False) as session:
                await session.with_transaction(change, ReadConcern("snapshot"), DURABLE)

    async def delete(self, ehr_id: str, target: str, key: str) -> bool:
        """Delete the tags of a target with this key; False if there were none."""
        where = {"e": ehr_id, "o": target.partition("::")[0], "target": target, "key": key}
        with store_errors():
            return (await self.database.tags.delete_many(where)).deleted_count > 0

    async def _found(self, condition: Document) -> Sequence[Tag]:
        with store_errors():
            order = [(name, 1) for name in ("o", "target", "key", "path")]
            cursor = self.database.tags.find(condition).sort(order)
            documents = await cursor.to_list()
        return [
            Tag(each["target"], Kind(each["k"]), each["key"], each.get("value"), each.get("path"))
            for each in documents
        ]


def _document(where: Document, tag: Tag) -> Document:
    document: Document = {**where, "k": tag.kind.value, "key": tag.key}
    if tag.value is not None:
        document["value"] = tag.value
    if tag.path is not None:
        document["path"] = tag.path
    return document
