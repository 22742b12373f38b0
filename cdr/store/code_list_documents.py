"""Releases of code systems and value sets as documents: one per release, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time

import orjson
from pymongo.errors import DuplicateKeyError

from cdr.errors import TooLarge
from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import compress, decompress
from cdr.terminology.releases import CodeSystemRelease, Concept, Release, ValueSetRelease, canonical

MOST_BYTES = 15 * 1024 * 1024  # compressed; a document of MongoDB holds 16 MiB


@dataclass(frozen=True, slots=True)
class LoadedRelease:
    """What is known of a release without its codes; ``kind`` is CodeSystem or ValueSet."""

    kind: str
    url: str
    version: str
    valid_from: date
    valid_until: date | None
    provisional: bool
    codes: int
    imported: datetime


@dataclass(frozen=True, slots=True)
class CodeListDocuments:
    """The collection ``code_lists``."""

    database: Database

    async def names(self) -> frozenset[str]:
        """The canonical names of all releases, from the index alone."""
        with store_errors():
            found = self.database.code_lists.find({}, {"_id": 1}).hint([("_id", 1)])
            return frozenset([document["_id"] async for document in found])

    async def add(self, release: Release, imported: datetime) -> bool:
        """Store a release; False if that version of the list is there already. Raises TooLarge."""
        document = _document(release, imported)
        if len(document["z"]) > MOST_BYTES:
            raise TooLarge(len(document["z"]), MOST_BYTES)
        with store_errors():
            try:
                await self.database.code_lists.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def load(self, names: Iterable[str]) -> Sequence[Release]:
        """The named releases with their codes, in the order of their import."""
        with store_errors():
            found = self.database.code_lists.find({"_id": {"$in": list(names)}}).sort("at", 1)
            return [_release(document) async for document in found]

    async def listed(self) -> Sequence[LoadedRelease]:
        """All releases by list and beginning."""
        with store_errors():
            found = self.database.code_lists.find({}, {"z": 0}).sort([("url", 1), ("from", 1), ("at", 1)])
            return [_loaded(document) async for document in found]


def _document(release: Release, imported: datetime) -> Document:
    codes: list[object]
    if isinstance(release, ValueSetRelease):
        codes = list(map(list, sorted(release.codings)))
    else:
        codes = [list(astuple(concept)) for concept in release.concepts.values()]
    return {
        "_id": canonical(release),
        "kind": "ValueSet" if isinstance(release, ValueSetRelease) else "CodeSystem",
        "url": release.url,
        "version": release.version,
        "from": _moment(release.valid_from),
        "until": None if release.valid_until is None else _moment(release.valid_until),
        "provisional": release.provisional,
        "codes": len(codes),
        "at": imported,
        "z": compress(orjson.dumps(codes)),
    }


def _release(stored: Document) -> Release:
    until = None if stored["until"] is None else stored["until"].date()
    about = (stored["url"], stored["version"], stored["from"].date())
    codes = orjson.loads(decompress(stored["z"]))
    if stored["kind"] == "ValueSet":
        return ValueSetRelease(*about, frozenset(map(tuple, codes)), until, stored["provisional"])
    concepts = {concept.code: concept for concept in (Concept(*row) for row in codes)}
    return CodeSystemRelease(*about, concepts, until, stored["provisional"])


def _loaded(stored: Document) -> LoadedRelease:
    return LoadedRelease(
        kind=stored["kind"],
        url=stored["url"],
        version=stored["version"],
        valid_from=stored["from"].date(),
        valid_until=None if stored["until"] is None else stored["until"].date(),
        provisional=stored["provisional"],
        codes=stored["codes"],
        imported=stored["at"],
    )


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
