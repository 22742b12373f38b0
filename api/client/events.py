"""The feed of events: what happened, by identifiers; the content is read with the other operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import orjson

from api.client.formats import JsonObject
from api.client.operation import Operation, Stream

_PATH = "/events/v1/events"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Keep ``cursor`` once you are done with it, and go on from there after a restart.

    ``id`` is the same when an event is told again; ``uid`` is a version id, or an object id if it was erased.
    """

    id: str
    type: str
    time: datetime
    ehr_id: str
    cursor: str
    uid: str | None = None
    template_id: str | None = None
    contribution: str | None = None

    @classmethod
    def from_json(cls, told: JsonObject, cursor: str) -> Event:
        """An event as the server tells it."""
        return cls(
            id=told["id"],
            type=told["type"],
            time=datetime.fromisoformat(told["time"]),
            ehr_id=told["ehr_id"],
            cursor=cursor,
            uid=told.get("uid"),
            template_id=told.get("template_id"),
            contribution=told.get("contribution"),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Events that were there, and the cursor to ask on from, also where there were none."""

    events: Sequence[Event]
    cursor: str


def page(
    after: str | None = None, *, since: datetime | None = None, wait: float = 0.0, **wanted: Any
) -> Operation[Page]:
    """What happened after a cursor; ``wait`` so many seconds (up to 30) for something to happen.

    ``wanted``: lists ``type`` and ``template``, and ``ehr_id``. Refused with status 410 and code
    ``events.cursor_expired`` when the feed no longer reaches back so far.
    """
    params = _params(after, since, wanted) | {"wait": wait}
    return Operation(method="GET", path=_PATH, params=params, read=_page, repeatable=True)


def follow(after: str | None = None, *, since: datetime | None = None, **wanted: Any) -> Stream[Event]:
    """What happens, as it happens, without end; ``wanted`` and refusals as :func:`page`."""
    return Stream(
        method="GET",
        path=_PATH,
        params=_params(after, since, wanted),
        headers={"Accept": "text/event-stream"},
        decoder=_decoder,
    )


def _params(after: str | None, since: datetime | None, wanted: dict[str, Any]) -> dict[str, Any]:
    stated = {"after": after, "since": None if since is None else since.isoformat(), **wanted}
    return {name: value for name, value in stated.items() if value is not None}


def _page(response: httpx.Response) -> Page:
    body = orjson.loads(response.content)
    return Page([Event.from_json(told, told["cursor"]) for told in body["events"]], body["cursor"])


def _decoder() -> Callable[[str], Event | None]:
    """Of server-sent events: the id comes before the data of its event, in a line of its own."""
    cursor = ""

    def decode(line: str) -> Event | None:
        nonlocal cursor
        name, _, value = line.partition(": ")
        if name == "id":
            cursor = value
        return Event.from_json(orjson.loads(value), cursor) if name == "data" else None

    return decode
