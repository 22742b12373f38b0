"""Cards: begun, ended, remembered; and what she does not want seen of them (docs/consent.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import (
    NO_CONSENT,
    Against,
    Bar,
    Block,
    BlockScope,
    CardStatus,
    ConsentFacts,
    card_ended,
    card_shown,
    card_started,
)
from cdr.consent_changes import change_of, facts_of
from cdr.consent_errors import BadBlock, UnknownBlock, UnknownCard
from cdr.doors import Call, asking, reading, writing
from cdr.errors import BadRequest, UnknownObject
from cdr.sight import card_sections
from cdr.store.waiting import CardRecord, ConsentChange
from cdr.versions import normal_object_id

MAX_BLOCKS = 200
LONGEST_DECISION = 200

__all__ = ["CardRecord", "CardState", "create_card", "end_card", "get_card_state"]


@dataclass(frozen=True, slots=True)
class CardState:
    """What may be known of a card before it is opened."""

    consent: bool
    active: str | None
    latest: str | None
    bar: Bar | None


@reading(Action.READ_CARD_STATUS)
async def get_card_state(call: Call, ehr_id: str) -> CardState:
    """Is there consent, and an active card? Of an EHR that is not there: no, told to whom may ask.

    A card that ended without a birth is named to nobody but her, unless she lets it stay.
    """
    facts = await call.ctx.store.consents.facts(normal_object_id(ehr_id)) or NO_CONSENT
    if call.ctx.lack_of(facts) is not None:
        return CardState(False, None, None, facts.bar)
    latest = facts.card.id if facts.card and facts.card.id not in call.sight.cards else None
    active = latest if facts.card and facts.card.status is CardStatus.ACTIVE else None
    return CardState(True, active, latest, None)


@asking(Action.READ_CARD_STATUS)
async def get_nobodys_state(call: Call) -> CardState:
    """What a citizen who has no record is told of herself: she has given no consent."""
    call.waits = False  # there is no EHR that could be asked about
    await call.record([call.entry(Outcome.GRANTED)])
    return CardState(False, None, None, None)


@writing(Action.CREATE_CARD)
async def create_card(call: Call, ehr_id: str) -> CardRecord:
    """Begin a card. Raises UnknownEhr, CardExists, CardClosed, ConsentChanged."""
    ehr_id, before = normal_object_id(ehr_id), await facts_of(call, ehr_id)
    card = CardRecord(call.ctx.new_id(), CardStatus.ACTIVE, call.ctx.clock())
    await _commit(call, ehr_id, before, card_started(before, card.id), card)
    return card


@writing(Action.END_CARD)
async def end_card(
    call: Call, ehr_id: str, card_id: str, *, status: CardStatus, live_birth: bool = False
) -> CardRecord:
    """End the active card, with a birth or without. Raises UnknownEhr, CardInactive, CardClosed."""
    if status is CardStatus.ACTIVE:
        raise BadRequest("a card ends as DELIVERED or TERMINATED")
    ehr_id, card_id = normal_object_id(ehr_id), normal_object_id(card_id)
    before = await facts_of(call, ehr_id)
    after = card_ended(before, card_id, status, live_birth=live_birth)
    known = await _card(call, ehr_id, card_id)
    ended = replace(known, status=status, ended=call.ctx.clock(), live_birth=live_birth)
    await _commit(call, ehr_id, before, after, ended)
    return ended


@reading(Action.READ_CARDS)
async def get_cards(call: Call, ehr_id: str) -> Sequence[CardRecord]:
    """Her cards, oldest first, but for those that only she sees. Raises UnknownEhr."""
    await facts_of(call, ehr_id)
    cards = await call.ctx.store.consents.cards(normal_object_id(ehr_id))
    return [card for card in cards if card.id not in call.sight.cards]


@writing(Action.KEEP_CARD)
async def keep_card(call: Call, ehr_id: str, card_id: str, *, shown: bool) -> None:
    """Let a card that ended without a birth stay in everybody's history, or not. Raises UnknownCard."""
    ehr_id, card_id = normal_object_id(ehr_id), normal_object_id(card_id)
    before = await facts_of(call, ehr_id)
    card = await _card(call, ehr_id, card_id)
    if card.live_birth or card.status is CardStatus.ACTIVE:
        raise UnknownCard
    await _commit(call, ehr_id, before, card_shown(before, card_id, shown=shown))


@reading(Action.READ_BLOCKS)
async def get_blocks(call: Call, ehr_id: str) -> Sequence[Block]:
    """What she has blocked. Raises UnknownEhr."""
    return (await facts_of(call, ehr_id)).blocks


@writing(Action.CHANGE_BLOCKS)
async def add_block(
    call: Call,
    ehr_id: str,
    *,
    scope: BlockScope,
    target: str = "",
    against: Against = Against.EVERYONE,
    name: str = "",
) -> Block:
    """Block the card, a section or an entry for everybody, an organisation or a person; holds at once.

    Raises UnknownEhr, BadBlock, UnknownObject, CardClosed.
    """
    ehr_id, before = normal_object_id(ehr_id), await facts_of(call, ehr_id)
    target = await _checked_target(call, ehr_id, scope, target)
    if (against is Against.EVERYONE) != (name == "") or len(name) > 20 or not name.isascii():
        raise BadBlock("an organisation or a person needs its number as name; everyone has none")
    if len(before.blocks) >= MAX_BLOCKS:
        raise BadBlock(f"there are {MAX_BLOCKS} blocks already")
    block = Block(
        id=call.ctx.new_id(), scope=scope, target=target, against=against, name=name, since=call.ctx.clock()
    )
    after = replace(before, number=before.number + 1, blocks=(*before.blocks, block))
    await _commit(call, ehr_id, before, after)
    return block


@writing(Action.CHANGE_BLOCKS)
async def remove_block(call: Call, ehr_id: str, block_id: str) -> None:
    """Open what a block kept. Raises UnknownEhr, UnknownBlock."""
    ehr_id, before = normal_object_id(ehr_id), await facts_of(call, ehr_id)
    left = tuple(block for block in before.blocks if block.id != block_id)
    if len(left) == len(before.blocks):
        raise UnknownBlock
    await _commit(call, ehr_id, before, replace(before, number=before.number + 1, blocks=left))


@writing(Action.ERASE_ENTRY)
async def erase_entry(call: Call, ehr_id: str, object_id: str, *, decision: str, decided_by: str) -> None:
    """Erase one entry with all its versions, as she asked, by a decision that has a name and a number.

    The audit keeps both, and nothing of the entry. Raises UnknownEhr, UnknownObject, BadRequest.
    """
    ehr_id, object_id = normal_object_id(ehr_id), normal_object_id(object_id)
    stated = [decision.strip(), decided_by.strip()]
    if not all(stated) or any(len(text) > LONGEST_DECISION for text in stated):
        raise BadRequest(
            f"a decision has a reference and who decided, up to {LONGEST_DECISION} characters each"
        )
    head = await call.ctx.store.reads.head(ehr_id, object_id)
    if head is None or not head.access.on_card:
        raise UnknownObject(object_id)
    named = f"decision {stated[0]} by {stated[1]}"
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id, detail=named)])
    if not await call.ctx.store.erase_object(ehr_id, object_id, call.ctx.terms):
        raise UnknownObject(object_id)
    await call.record([call.entry(Outcome.DONE, ehr_id=ehr_id, detail=named)])


async def _checked_target(call: Call, ehr_id: str, scope: BlockScope, target: str) -> str:
    if scope is BlockScope.CARD:
        if target:
            raise BadBlock("a block of the card has no target")
        return ""
    if scope is BlockScope.SECTION:
        if target not in card_sections():
            raise BadBlock(f"no such section; the card has {', '.join(card_sections())}")
        return target
    object_id = normal_object_id(target)
    head = await call.ctx.store.reads.head(ehr_id, object_id)
    if head is None or not head.access.on_card:
        raise UnknownObject(object_id[:100])
    return object_id


async def _card(call: Call, ehr_id: str, card_id: str) -> CardRecord:
    cards = await call.ctx.store.consents.cards(ehr_id)
    for card in cards:
        if card.id == card_id and card_id not in call.sight.cards:
            return card
    raise UnknownCard


async def _commit(
    call: Call, ehr_id: str, before: ConsentFacts, after: ConsentFacts, card: CardRecord | None = None
) -> None:
    change = ConsentChange(before=before.number, facts=after, card=card)
    await call.commit(change_of(call, ehr_id, change, what=f"card {card.id}" if card else ""))
