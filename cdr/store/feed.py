"""The feed of events out of MongoDB's change stream: commits as they became durable, in their order.

A number that writers count up would be read with holes, for transactions become visible in another order than
they began; the change stream has none. Its resume token is the cursor of the feed. What it tells is
read from the oplog, so a cursor is good for as long as the oplog reaches back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId, Timestamp
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure

from cdr.events import CursorExpired, Event, EventBatch, EventType, MalformedCursor
from cdr.store.database import PASSING_CODES, Database, Document, store_errors
from cdr.versions import Kind, Lifecycle

MOST_EVENTS = 1000  # in a batch
_HISTORY_LOST = 286
_TOKEN = re.compile("[0-9A-F]{20,2000}")

Changes = AsyncChangeStream[Document]

_WANTED = ("e", "o", "n", "s", "k", "tid", "ct", "tc", "lc", "type", "to")  # never the payload
_PIPELINE: list[Document] = [
    {"$match": {"operationType": "insert", "ns.coll": {"$in": ["versions", "notices"]}}},
    {"$project": {"ns": 1, **{f"fullDocument.{name}": 1 for name in _WANTED}}},
]
_CREATED: Mapping[Kind, EventType] = {
    Kind.COMPOSITION: EventType.COMPOSITION_CREATED,
    Kind.EHR_STATUS: EventType.EHR_CREATED,
    Kind.FOLDER: EventType.DIRECTORY_CREATED,
}
_UPDATED: Mapping[Kind, EventType] = {
    Kind.COMPOSITION: EventType.COMPOSITION_UPDATED,
    Kind.EHR_STATUS: EventType.STATUS_UPDATED,
    Kind.FOLDER: EventType.DIRECTORY_UPDATED,
}
_DELETED: Mapping[Kind, EventType] = {
    Kind.COMPOSITION: EventType.COMPOSITION_DELETED,
    Kind.FOLDER: EventType.DIRECTORY_DELETED,
}


@dataclass(frozen=True, slots=True)
class Feed:
    """The events of one database."""

    database: Database

    async def follow(
        self, after: str | None = None, since: datetime | None = None, *, wait: float = 1.0
    ) -> AsyncGenerator[EventBatch]:
        """Batches without end, from the cursor ``after``, else from a time, else from now.

        A batch holds what is there; it is empty when nothing happened for ``wait`` seconds. Raises
        MalformedCursor, CursorExpired, StoreUnavailable; iterating raises the last two.
        """
        with store_errors(), _history_errors():
            return _batches(await self._watch(after, since, wait))

    async def _watch(self, after: str | None, since: datetime | None, wait: float) -> Changes:
        if after is not None and not _TOKEN.fullmatch(after):
            raise MalformedCursor
        try:
            return await self.database.versions.database.watch(
                _PIPELINE,
                resume_after=None if after is None else {"_data": after},
                start_at_operation_time=None if after or not since else Timestamp(int(since.timestamp()), 0),
                max_await_time_ms=max(1, int(wait * 1000)),
                batch_size=MOST_EVENTS,
            )
        except OperationFailure as error:
            if after is None or error.code == _HISTORY_LOST or error.code in PASSING_CODES:
                raise
            raise MalformedCursor from error


def notice(event: EventType, ehr: Document, at: datetime, uid: str | None = None) -> Document:
    """The document of an erasure or a consent, out of that of its EHR as it was before."""
    told_to = sorted({each["org"] for each in ehr.get("rel", ()) if each.get("until") is None})
    return {"_id": ObjectId(), "type": event.value, "e": ehr["_id"], "tc": at, "o": uid, "to": told_to}


async def tell(database: Database, told: Document, session: AsyncClientSession) -> None:
    """Tell what is no version, out of ``notice``: followers read it in the oplog, so it need not stay."""
    await database.notices.insert_one(told, session=session)
    await database.notices.delete_one({"_id": told["_id"]}, session=session)


async def _batches(stream: Changes) -> AsyncGenerator[EventBatch]:
    """What the database sent together, together: what is at hand needs no waiting, so it is read at once."""
    with store_errors(), _history_errors():
        reading = asyncio.ensure_future(stream.try_next())
        try:
            while True:
                await asyncio.wait({reading})
                events: list[Event] = []
                while reading.done() and len(events) < MOST_EVENTS:
                    change = reading.result()
                    cursor = _cursor(stream)
                    if change is not None:
                        events.append(_event(change))
                    reading = asyncio.ensure_future(stream.try_next())
                    await asyncio.sleep(0)
                yield EventBatch(events, cursor)
        finally:
            # Not cancelled: a read that is cut off leaves its connection behind.
            await asyncio.wait({reading})
            await stream.close()


def _cursor(stream: Changes) -> str:
    token = stream.resume_token
    assert token is not None  # the server sends one with every answer
    return str(token["_data"])


def _event(change: Mapping[str, Any]) -> Event:
    document = change["fullDocument"]
    cursor = change["_id"]["_data"]
    if change["ns"]["coll"] == "notices":
        return Event(
            cursor=cursor,
            type=EventType(document["type"]),
            at=document["tc"],
            ehr_id=document["e"],
            uid=document["o"],
            told_to=frozenset(document["to"]),
        )
    return Event(
        cursor=cursor,
        type=_type(document),
        at=document["tc"],
        ehr_id=document["e"],
        uid=f"{document['o']}::{document['s']}::{document['n']}",
        template_id=document.get("tid"),
        contribution=document["ct"],
    )


def _type(document: Document) -> EventType:
    kind = Kind(document["k"])
    if document["lc"] == Lifecycle.DELETED.value:
        return _DELETED[kind]
    return _CREATED[kind] if document["n"] == 1 else _UPDATED[kind]


@contextmanager
def _history_errors() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code == _HISTORY_LOST:
            raise CursorExpired from error
        raise
