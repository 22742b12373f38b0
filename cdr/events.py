"""What happened in the repository, as values that carry identifiers only.

Whoever is told fetches the content with a token of its own, so that access and consent are decided then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cdr.errors import BadRequest, Gone, NotFound
from cdr.versions import JsonObject, iso


class EventType(StrEnum):
    """The kinds of events; all but the last four tell of a version that was committed."""

    EHR_CREATED = "ehr.created"
    STATUS_UPDATED = "ehr_status.updated"
    COMPOSITION_CREATED = "composition.created"
    COMPOSITION_UPDATED = "composition.updated"
    COMPOSITION_DELETED = "composition.deleted"
    DIRECTORY_CREATED = "directory.created"
    DIRECTORY_UPDATED = "directory.updated"
    DIRECTORY_DELETED = "directory.deleted"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    OBJECT_ERASED = "object.erased"
    EHR_ERASED = "ehr.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. ``cursor`` is its place in the feed; ``uid`` is a version id, or an object id if erased.

    ``id`` is the same however often the event is told. ``told_to`` are the organisations that had a treatment
    relation when something was erased or a consent changed, for afterwards nobody can look it up.
    """

    cursor: str
    type: EventType
    at: datetime
    ehr_id: str
    uid: str | None = None
    template_id: str | None = None
    contribution: str | None = None
    told_to: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """What a receiver knows a repeated event by."""
        return f"{self.type}/{self.uid or self.ehr_id}/{int(self.at.timestamp() * 1000)}"

    def to_json(self) -> JsonObject:
        """The event as it is told; what it has not is left out."""
        told = {
            "id": self.id,
            "type": self.type.value,
            "time": iso(self.at),
            "ehr_id": self.ehr_id,
            "uid": self.uid,
            "template_id": self.template_id,
            "contribution": self.contribution,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; an empty set means all. What has no template passes every set of templates."""

    types: frozenset[EventType] = frozenset()
    templates: frozenset[str] = frozenset()
    ehr_id: str | None = None

    def admits(self, event: Event) -> bool:
        """Is this event wanted?"""
        return (
            (not self.types or event.type in self.types)
            and (not self.templates or event.template_id is None or event.template_id in self.templates)
            and (self.ehr_id is None or event.ehr_id == self.ehr_id)
        )


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order of their commits, maybe none; ``cursor`` is where the next batch begins."""

    events: Sequence[Event]
    cursor: str


class MalformedCursor(BadRequest):
    """A text that is no place in the feed of events."""

    code = "events.cursor_malformed"

    def __init__(self) -> None:
        super().__init__("this is no cursor of the feed; begin without one, or with a time")


class BadWebhook(BadRequest):
    """An address that this server does not call."""

    code = "webhook.address"


class UnknownWebhook(NotFound):
    """No such webhook, or one of somebody else."""

    code = "webhook.unknown"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"no webhook {webhook_id}")
        self.webhook_id = webhook_id


class CursorExpired(Gone):
    """The feed reaches no longer back to this cursor or time: events were missed."""

    code = "events.cursor_expired"

    def __init__(self) -> None:
        super().__init__(
            "the feed does not reach back so far: read anew what you follow, then go on without a cursor"
        )
