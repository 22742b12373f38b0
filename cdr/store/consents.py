"""Consents in MongoDB: the state in the document of the EHR, the history and the cards beside it.

consents  {_id "<ehr>:<number>", e, n, do  decision, at, by, doc  text that was shown}
cards     {_id card, e, st  status, from, to, live}
removals  {_id job, e, at, total, done, end}  what a withdrawal removes (cdr.store.removals)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ReplaceOne, UpdateOne

from cdr.consent import (
    CardStatus,
    ConsentFacts,
    Decision,
    LegalBasis,
    card_closed,
    consent_facts,
    consent_members,
)
from cdr.consent_errors import CardInactive, ConsentChanged
from cdr.errors import CdrError
from cdr.events import EventType
from cdr.store.database import Database, Document, store_errors
from cdr.store.waiting import CardGate, CardRecord, Commit, ConsentChange, ConsentEvent

CONSENT_MEMBERS = {"consent": 1, "card": 1, "hidden": 1, "blocks": 1}  # of the document of an EHR

_TOLD = {Decision.GIVEN: EventType.CONSENT_GIVEN, Decision.WITHDRAWN: EventType.CONSENT_WITHDRAWN}


@dataclass(frozen=True, slots=True)
class ConsentWrite:
    """What the consent changes of a group write, beside their versions."""

    gates: list[UpdateOne]
    events: list[Document]
    cards: list[ReplaceOne[Document]]
    removals: list[Document]
    notices: list[tuple[str, EventType, datetime]]

    @classmethod
    def of(cls, group: Sequence[Commit]) -> ConsentWrite:
        """The writes of all commits of ``group`` that change a consent."""
        write = cls([], [], [], [], [])
        for commit in group:
            if commit.consent is not None:
                write._add(commit.ehr_id, commit.consent, commit.clock)
        return write

    def _add(self, ehr_id: str, change: ConsentChange, at: datetime) -> None:
        unchanged = {"_id": ehr_id, "gate.open": True, "consent.n": change.before or None}
        written = {"$set": consent_members(change.facts), "$inc": {"gate.w": 1}}
        self.gates.append(UpdateOne(unchanged, written))
        if change.event is not None:
            self.events.append(_event_document(ehr_id, change.facts.number, change.event))
            if change.event.decision in _TOLD:
                self.notices.append((ehr_id, _TOLD[change.event.decision], change.event.at))
        if change.card is not None:
            self.cards.append(ReplaceOne({"_id": change.card.id}, _card(ehr_id, change.card), upsert=True))
        if change.removal is not None:
            self.removals.append({"_id": change.removal, "e": ehr_id, "at": at, "total": None, "done": 0})


def card_gate_updates(group: Sequence[Commit]) -> list[UpdateOne]:
    """For each EHR whose card is written: a write on its gate that finds it only while consent holds."""
    gates = {(c.ehr_id, c.gate): c.clock for c in group if c.gate is not None}
    return [
        UpdateOne({"_id": ehr_id, **open_card(gate, clock)}, {"$inc": {"gate.w": 1}})
        for (ehr_id, gate), clock in gates.items()
        if gate is not None
    ]


def open_card(gate: CardGate, now: datetime) -> Document:
    """ConsentFacts.lack and the current card, as a condition on the document of the EHR."""
    condition: Document = {
        "gate.open": True,
        "gate.mod": True,
        "consent.bar": None,
        "consent.job": None,
        "consent.out": {"$ne": True},
    }
    if gate.card_id is not None:
        condition["card.id"] = gate.card_id
    if gate.basis is LegalBasis.CONSENT:
        condition |= {"consent.given": True, "consent.until": {"$gt": now}}
    return condition


def consent_error(commit: Commit, facts: ConsentFacts) -> CdrError | None:
    """Why the consent as it stands refuses a commit; None if it does not."""
    if commit.consent is not None and commit.consent.before != facts.number:
        return ConsentChanged()
    if commit.gate is None:
        return None
    lack = facts.lack(commit.gate.basis, commit.clock)
    if lack is not None:
        return card_closed(lack)
    current = None if facts.card is None else facts.card.id
    wanted = commit.gate.card_id
    return CardInactive(wanted) if wanted is not None and wanted != current else None


@dataclass(frozen=True, slots=True)
class Removal:
    """How far the removal of what was stored has come; ``total`` is None before it was counted.

    ``scrubbed`` is when the database's own traces were rewritten, None before.
    """

    id: str
    started: datetime
    total: int | None
    removed: int
    ended: datetime | None
    scrubbed: datetime | None


@dataclass(frozen=True, slots=True)
class Consents:
    """Questions about consents."""

    database: Database

    async def facts(self, ehr_id: str) -> ConsentFacts | None:
        """The consent of an EHR; None if there is no such EHR. Raises StoreUnavailable."""
        with store_errors():
            found = await self.database.ehrs.find_one({"_id": ehr_id}, CONSENT_MEMBERS)
        return None if found is None else consent_facts(found)

    async def history(self, ehr_id: str) -> Sequence[ConsentEvent]:
        """Every decision, oldest first."""
        with store_errors():
            found = await self.database.consents.find({"e": ehr_id}).sort("n", 1).to_list()
        return [ConsentEvent(Decision(one["do"]), one["at"], one["by"], one["doc"]) for one in found]

    async def cards(self, ehr_id: str) -> Sequence[CardRecord]:
        """Her cards, oldest first."""
        with store_errors():
            found = await self.database.cards.find({"e": ehr_id}).sort("from", 1).to_list()
        return [
            CardRecord(one["_id"], CardStatus(one["st"]), one["from"], one["to"], one["live"])
            for one in found
        ]

    async def removal(self, ehr_id: str, job: str) -> Removal | None:
        """How far a removal has come."""
        with store_errors():
            found = await self.database.removals.find_one({"_id": job, "e": ehr_id})
            scrub = await self.database.meta.find_one({"_id": "scrub"})
        if found is None:
            return None
        ended, rewritten = found.get("end"), scrub["at"] if scrub else None
        scrubbed = rewritten if ended and rewritten and rewritten > ended else None
        return Removal(job, found["at"], found["total"], found["done"], ended, scrubbed)


def _event_document(ehr_id: str, number: int, event: ConsentEvent) -> Document:
    return {
        "_id": f"{ehr_id}:{number}",
        "e": ehr_id,
        "n": number,
        "do": event.decision.value,
        "at": event.at,
        "by": event.by,
        "doc": event.document,
    }


def _card(ehr_id: str, card: CardRecord) -> Document:
    return {
        "_id": card.id,
        "e": ehr_id,
        "st": card.status.value,
        "from": card.created,
        "to": card.ended,
        "live": card.live_birth,
    }
