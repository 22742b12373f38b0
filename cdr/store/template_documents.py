"""Published templates as documents: one per revision, never changed.

``rk`` and ``rh`` are key and digest of the request that published it (``Idempotency-Key``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from cdr.store.database import Database, Document, store_errors
from cdr.store.documents import compress, decompress
from cdr.store.waiting import RepeatKey


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """One revision of a template.

    ``source`` is the OPT 1.4 XML as it was sent; ``content_hash`` identifies what it says
    (``OperationalTemplate.content_hash``).
    """

    template_id: str
    revision: int
    concept: str
    archetype_id: str
    created: datetime
    content_hash: str
    source: bytes


@dataclass(frozen=True, slots=True)
class TemplateDocuments:
    """The collection ``templates``."""

    database: Database

    async def newest(self, template_id: str) -> PublishedTemplate | None:
        """The newest revision of a template."""
        with store_errors():
            found = await self.database.templates.find_one({"tid": template_id}, sort=[("rev", -1)])
        return None if found is None else _template(found)

    async def newest_revision(self, template_id: str) -> int:
        """The number of the newest revision, 0 if there is none."""
        with store_errors():
            found = await self.database.templates.find_one(
                {"tid": template_id}, {"rev": 1}, sort=[("rev", -1)]
            )
        return 0 if found is None else int(found["rev"])

    async def ids(self) -> Sequence[str]:
        """The ids of all templates."""
        with store_errors():
            return [str(each) for each in await self.database.templates.distinct("tid")]

    async def all_newest(self) -> Sequence[PublishedTemplate]:
        """The newest revision of every template, by id."""
        newest: dict[str, PublishedTemplate] = {}
        with store_errors():
            async for found in self.database.templates.find().sort([("tid", 1), ("rev", 1)]):
                newest[found["tid"]] = _template(found)
        return list(newest.values())

    async def published_by(self, key: RepeatKey, since: datetime) -> tuple[str, PublishedTemplate] | None:
        """What a request with this key asked (its digest) and published, if that was after ``since``."""
        asked = {"rk": key.mark, "created": {"$gte": since}}
        with store_errors():
            found = await self.database.templates.find_one(asked)
        return None if found is None else (str(found["rh"]), _template(found))

    async def add(self, template: PublishedTemplate, repeat: RepeatKey | None = None) -> bool:
        """Store a new revision; False if that revision is there already."""
        key = {} if repeat is None else {"rk": repeat.mark, "rh": repeat.digest}
        with store_errors():
            try:
                await self.database.templates.insert_one(_document(template) | key)
            except DuplicateKeyError:
                return False
        return True


def _document(template: PublishedTemplate) -> Document:
    return {
        "_id": f"{template.template_id}::{template.revision}",
        "tid": template.template_id,
        "rev": template.revision,
        "concept": template.concept,
        "a": template.archetype_id,
        "created": template.created,
        "hash": template.content_hash,
        "z": compress(template.source),
    }


def _template(stored: Document) -> PublishedTemplate:
    return PublishedTemplate(
        template_id=stored["tid"],
        revision=stored["rev"],
        concept=stored["concept"],
        archetype_id=stored["a"],
        created=stored["created"],
        content_hash=stored["hash"],
        source=decompress(stored["z"]),
    )
