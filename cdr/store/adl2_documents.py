"""What was published in ADL 2, as documents: one per id, never changed.

``rk`` and ``rh`` are key and digest of the request that published it (``Idempotency-Key``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from archetypes.aom.archetype import ArtefactKind
from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import compress, decompress
from cdr.store.waiting import RepeatKey


@dataclass(frozen=True, slots=True)
class Adl2Artefact:
    """A template or an archetype of ADL 2; ``id`` has a version of three parts.

    ``source`` is the text as it was sent; ``operational`` that of the operational template, None for an
    archetype. ``archetype_id`` is what a template specialises, or its own id.
    """

    id: str
    kind: ArtefactKind
    concept: str
    archetype_id: str
    created: datetime
    source: bytes
    operational: bytes | None


@dataclass(frozen=True, slots=True)
class Adl2Documents:
    """The collection ``adl2``."""

    database: Database

    async def get(self, artefact_id: str) -> Adl2Artefact | None:
        """What is published under an id."""
        with store_errors():
            found = await self.database.adl2.find_one({"_id": artefact_id})
        return None if found is None else _artefact(found)

    async def ids(self) -> Sequence[str]:
        """All ids."""
        with store_errors():
            return [str(each["_id"]) async for each in self.database.adl2.find({}, {"_id": 1})]

    async def sources(self) -> Mapping[str, bytes]:
        """The texts as they were sent, by id."""
        with store_errors():
            found = self.database.adl2.find({}, {"z": 1})
            return {str(each["_id"]): decompress(each["z"]) async for each in found}

    async def templates(self) -> Sequence[Adl2Artefact]:
        """All templates, by id."""
        with store_errors():
            found = self.database.adl2.find({"opt": {"$exists": True}}).sort("_id")
            return [_artefact(each) async for each in found]

    async def published_by(self, key: RepeatKey, since: datetime) -> tuple[str, Adl2Artefact] | None:
        """What a request with this key asked (its digest) and published, if that was after ``since``."""
        with store_errors():
            found = await self.database.adl2.find_one({"rk": key.mark, "created": {"$gte": since}})
        return None if found is None else (str(found["rh"]), _artefact(found))

    async def add(self, artefact: Adl2Artefact, repeat: RepeatKey | None = None) -> bool:
        """Store it; False if its id is there already."""
        key = {} if repeat is None else {"rk": repeat.mark, "rh": repeat.digest}
        with store_errors():
            try:
                await self.database.adl2.insert_one(_document(artefact) | key)
            except DuplicateKeyError:
                return False
        return True


def _document(artefact: Adl2Artefact) -> Document:
    document: Document = {
        "_id": artefact.id,
        "kind": artefact.kind.value,
        "concept": artefact.concept,
        "a": artefact.archetype_id,
        "created": artefact.created,
        "z": compress(artefact.source),
    }
    return document | ({} if artefact.operational is None else {"opt": compress(artefact.operational)})


def _artefact(stored: Document) -> Adl2Artefact:
    return Adl2Artefact(
        id=stored["_id"],
        kind=ArtefactKind(stored["kind"]),
        concept=stored["concept"],
        archetype_id=stored["a"],
        created=stored["created"],
        source=decompress(stored["z"]),
        operational=decompress(stored["opt"]) if "opt" in stored else None,
    )
