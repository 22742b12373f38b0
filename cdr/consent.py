"""Consent as values: what a woman has decided about her card, what that allows, and how it changes. Pure.

The document of an EHR holds the state (``consent``, ``card``, ``ended``, ``blocks``), so that one read
fetches it with everything else that an access needs, and every write conflicts with its change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cdr.consent_errors import (
    AddressConfidential,
    CardBlocked,
    CardClosed,
    CardExists,
    CardInactive,
    ConsentGiven,
    ConsentMissing,
    PersonDeceased,
    RemovalRunning,
)

FAR = datetime(9999, 12, 31, tzinfo=UTC)  # consent that was given here holds until it is withdrawn


class LegalBasis(StrEnum):
    """What a card rests on (setting ``legal_basis``)."""

    CONSENT = "consent"  # nothing is stored or shown before she has said yes
    REGULATION = "regulation"  # stored and shown unless she has said no


class Bar(StrEnum):
    """A fact about a person that keeps her from having a card, whatever she has decided."""

    DECEASED = "deceased"
    CONFIDENTIAL_ADDRESS = "confidential_address"


class Lack(StrEnum):
    """Why nothing of a card may be stored or shown."""

    DECEASED = "deceased"
    CONFIDENTIAL_ADDRESS = "confidential_address"
    NO_CONSENT = "no_consent"
    BLOCKED = "blocked"


class CardStatus(StrEnum):
    """The life of a card; one woman has at most one that is active."""

    ACTIVE = "ACTIVE"
    DELIVERED = "DELIVERED"  # ended with a birth; care after it is still written on the card
    TERMINATED = "TERMINATED"


class BlockScope(StrEnum):
    """What a block is about."""

    CARD = "card"
    SECTION = "section"  # ``target`` is a key of ``cdr/card_sections.toml``
    ENTRY = "entry"  # ``target`` is the object id of a composition


class Against(StrEnum):
    """From whom a block keeps it."""

    EVERYONE = "everyone"  # but herself
    ORGANISATION = "organisation"  # ``name`` is its number
    PERSON = "person"  # ``name`` is an HPR number


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Something that she does not want seen."""

    id: str
    scope: BlockScope
    target: str = ""
    against: Against = Against.EVERYONE
    name: str = ""
    since: datetime = FAR


@dataclass(frozen=True, slots=True)
class CurrentCard:
    """The card that new entries belong to: active, or ended with a birth."""

    id: str
    status: CardStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts:
    """What is known of one woman's consent; by default nothing, which means that she gave none.

    ``number`` counts her decisions. ``until`` is the end of what we know: far away for consent that was
    given here, minutes away where a register told. ``removal`` is the job that still removes what was
    stored. ``hidden_cards`` are cards that ended without a birth and are for her eyes only.
    """

    number: int = 0
    given: bool = False
    until: datetime = FAR
    opted_out: bool = False
    bar: Bar | None = None
    changed: datetime | None = None
    document: str = ""
    consent_object: str = ""
    removal: str | None = None
    card: CurrentCard | None = None
    hidden_cards: frozenset[str] = frozenset()
    blocks: tuple[Block, ...] = ()

    def lack(self, basis: LegalBasis, now: datetime) -> Lack | None:
        """Why nothing of the card may be stored or shown at this time; None if it may."""
        if self.bar is not None:
            return Lack(self.bar.value)
        if self.opted_out or self.removal is not None:
            return Lack.NO_CONSENT
        if basis is LegalBasis.CONSENT and not (self.given and now < self.until):
            return Lack.NO_CONSENT
        return None

    @property
    def plain(self) -> bool:
        """She allowed the card for good, and nothing more is to be heeded."""
        return (
            self.given
            and self.until == FAR
            and not (self.opted_out or self.bar or self.removal or self.hidden_cards or self.blocks)
        )


NO_CONSENT = ConsentFacts()


class Decision(StrEnum):
    """What can happen to a consent; the words of its history."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"  # a register said that it stands
    BARRED = "barred"
    UNBARRED = "unbarred"


def card_closed(lack: Lack) -> CardClosed:
    """The error that says why a card is closed."""
    return {
        Lack.DECEASED: PersonDeceased,
        Lack.CONFIDENTIAL_ADDRESS: AddressConfidential,
        Lack.NO_CONSENT: ConsentMissing,
        Lack.BLOCKED: CardBlocked,
    }[lack]()


def given(facts: ConsentFacts, *, at: datetime, document: str, until: datetime = FAR) -> ConsentFacts:
    """After she has said yes to ``document``.

    Raises ConsentGiven, RemovalRunning, PersonDeceased, AddressConfidential.
    """
    if facts.bar is not None:
        raise card_closed(Lack(facts.bar.value))
    if facts.removal is not None:
        raise RemovalRunning(facts.removal)
    if facts.given and at < facts.until:
        raise ConsentGiven
    return replace(
        facts,
        number=facts.number + 1,
        given=True,
        opted_out=False,
        until=until,
        changed=at,
        document=document,
    )


def withdrawn(facts: ConsentFacts, *, at: datetime, job: str, basis: LegalBasis) -> ConsentFacts:
    """After she has said no: the card is closed, and ``job`` removes what was stored.

    Her blocks and what she let stay end with what they were about. Raises ConsentMissing if there is
    nothing to withdraw.
    """
    nothing_given = not facts.given if basis is LegalBasis.CONSENT else facts.opted_out
    if nothing_given:
        raise ConsentMissing
    return ConsentFacts(
        number=facts.number + 1,
        opted_out=True,
        bar=facts.bar,
        changed=at,
        document=facts.document,
        removal=job,
    )


def confirmed(facts: ConsentFacts, *, at: datetime, until: datetime) -> ConsentFacts:
    """After a register has said that her consent stands, which we believe until then."""
    return replace(facts, number=facts.number + 1, until=until, changed=facts.changed or at)


def barred(facts: ConsentFacts, bar: Bar | None, *, at: datetime) -> ConsentFacts:
    """After the register of persons has told that she is dead, or her address confidential, or neither."""
    return replace(facts, number=facts.number + 1, bar=bar, changed=at)


def card_started(facts: ConsentFacts, card_id: str) -> ConsentFacts:
    """With a new active card. Raises CardExists if there is one already."""
    if facts.card is not None and facts.card.status is CardStatus.ACTIVE:
        raise CardExists(facts.card.id)
    card = CurrentCard(card_id, CardStatus.ACTIVE)
    return replace(facts, number=facts.number + 1, card=card)


def card_ended(facts: ConsentFacts, card_id: str, status: CardStatus, *, live_birth: bool) -> ConsentFacts:
    """After her active card ended. Without a birth it leaves the sight of all but her.

    Raises CardInactive if that is not her active card.
    """
    if facts.card is None or facts.card.id != card_id or facts.card.status is not CardStatus.ACTIVE:
        raise CardInactive(card_id)
    born = status is CardStatus.DELIVERED and live_birth
    return replace(
        facts,
        number=facts.number + 1,
        card=CurrentCard(card_id, status) if status is CardStatus.DELIVERED else None,
        hidden_cards=facts.hidden_cards if born else facts.hidden_cards | {card_id},
    )


def card_shown(facts: ConsentFacts, card_id: str, *, shown: bool) -> ConsentFacts:
    """With a card that ended without a birth in everybody's history, or in hers only."""
    cards = facts.hidden_cards - {card_id} if shown else facts.hidden_cards | {card_id}
    return replace(facts, number=facts.number + 1, hidden_cards=cards)


# --- as the document of an EHR holds it -------------------------------------------------------------


def consent_facts(ehr: Mapping[str, Any]) -> ConsentFacts:
    """The consent that the document of an EHR holds; members that are not there say nothing."""
    consent, card = ehr.get("consent") or {}, ehr.get("card")
    return ConsentFacts(
        number=consent.get("n", 0),
        given=consent.get("given", False),
        until=consent.get("until", FAR),
        opted_out=consent.get("out", False),
        bar=Bar(consent["bar"]) if consent.get("bar") else None,
        changed=consent.get("at"),
        document=consent.get("doc", ""),
        consent_object=consent.get("o", ""),
        removal=consent.get("job"),
        card=CurrentCard(card["id"], CardStatus(card["st"])) if card else None,
        hidden_cards=frozenset(ehr.get("hidden", ())),
        blocks=tuple(map(_block, ehr.get("blocks", ()))),
    )


def consent_members(facts: ConsentFacts) -> dict[str, Any]:
    """The members of the document of an EHR that hold the facts; the reverse of :func:`consent_facts`."""
    consent = {
        "n": facts.number,
        "given": facts.given,
        "until": facts.until,
        "out": facts.opted_out,
        "bar": facts.bar.value if facts.bar else None,
        "at": facts.changed,
        "doc": facts.document,
        "o": facts.consent_object,
        "job": facts.removal,
    }
    return {
        "consent": consent,
        "card": {"id": facts.card.id, "st": facts.card.status.value} if facts.card else None,
        "hidden": sorted(facts.hidden_cards),
        "blocks": [_block_members(block) for block in facts.blocks],
        "plain": facts.plain,
    }


def _block(members: Mapping[str, Any]) -> Block:
    return Block(
        id=members["id"],
        scope=BlockScope(members["scope"]),
        target=members["target"],
        against=Against(members["against"]),
        name=members["name"],
        since=members["since"],
    )


def _block_members(block: Block) -> dict[str, Any]:
    return {
        "id": block.id,
        "scope": block.scope.value,
        "target": block.target,
        "against": block.against.value,
        "name": block.name,
        "since": block.since,
    }
