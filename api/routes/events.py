"""The feed of events: as server-sent events, or in pieces for those who ask now and then.

No part of openEHR's API. Events carry identifiers; the content is fetched by the other routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import json_answer
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from api.openapi import errors
from api.times import version_time
from cdr import feed
from cdr.events import Event, EventBatch, EventFilter, EventType

router = APIRouter(prefix="/events/v1", tags=["Events"])

EVENT_STREAM = "text/event-stream"
STREAM_WAIT, PAGE_WAIT = 1.0, 0.1  # seconds of one look
QUIET_BATCHES = 15  # so many empty seconds, then a sign of life with the cursor


@router.get("/events", summary="Follow what happens", responses=errors(400, 406, 410))
async def get_events(
    request: Request,
    ctx: Context,
    after: Annotated[
        str | None, Query(description="Cursor to go on from; `Last-Event-ID` says the same.")
    ] = None,
    since: Annotated[str | None, Query(description="Time to begin at, ISO 8601; without it, now.")] = None,
    type: Annotated[list[EventType] | None, Query(description="Only these types.")] = None,
    template: Annotated[list[str] | None, Query(description="Only compositions of these templates.")] = None,
    ehr_id: Annotated[str | None, Query(description="Only this EHR.")] = None,
    wait: Annotated[float, Query(ge=0, le=30, description="JSON: longest wait for an event, seconds.")] = 0,
) -> Response:
    """`Accept: text/event-stream` follows the feed; `application/json` gives what is there, and a cursor.

    410 when the feed no longer reaches back to the cursor: read anew what you follow, then begin without one.
    """
    media_type = accepted(request, JSON, EVENT_STREAM)
    streams = media_type == EVENT_STREAM
    batches = await feed.follow_events(
        ctx,
        after=_cursor(request, after),
        since=version_time(since),
        wanted=EventFilter(frozenset(type or ()), frozenset(template or ()), ehr_id),
        wait=STREAM_WAIT if streams else PAGE_WAIT,
    )
    if streams:
        return StreamingResponse(_server_sent(request, batches), media_type=EVENT_STREAM)
    async with aclosing(batches):
        return _page(await _first(batches, wait))


async def _first(batches: AsyncGenerator[EventBatch], wait: float) -> EventBatch:
    """The first batch with events, or what there is after so many seconds."""
    deadline = asyncio.get_running_loop().time() + wait
    batch = await anext(batches)
    while not batch.events and asyncio.get_running_loop().time() < deadline:
        batch = await anext(batches)
    return batch


def _cursor(request: Request, after: str | None) -> str | None:
    """What a client that was cut off names by the header, and others by the address."""
    header = request.headers.get("last-event-id") or None
    if header and after and header != after:
        raise MalformedRequest("header.malformed", "Last-Event-ID and after name different cursors")
    return header or after


def _page(batch: EventBatch) -> Response:
    told = [{**event.to_json(), "cursor": event.cursor} for event in batch.events]
    return json_answer({"events": told, "cursor": batch.cursor})


async def _server_sent(request: Request, batches: AsyncGenerator[EventBatch]) -> AsyncIterator[bytes]:
    """HTML Living Standard, server-sent events; ends when the server does, and clients then come back."""
    quiet = QUIET_BATCHES  # the first batch is told even if empty, so that the client has a cursor
    async with aclosing(batches):
        async for batch in batches:
            quiet = 0 if batch.events else quiet + 1
            if batch.events:
                yield b"".join(map(_message, batch.events))
            elif quiet > QUIET_BATCHES:
                quiet = 0
                yield f": nothing happened\nid: {batch.cursor}\n\n".encode()
            if request.app.state.closing:
                return


def _message(event: Event) -> bytes:
    head = f"id: {event.cursor}\nevent: {event.type}\ndata: ".encode()
    return head + orjson.dumps(event.to_json()) + b"\n\n"
