"""Arguments of the use cases about consent and cards, for the tests over all use cases."""

from __future__ import annotations

from typing import Any

from cdr import cards, compositions, consents, ehrs
from cdr.consent import Bar, BlockScope, CardStatus
from cdr.consent_changes import TEMPLATE
from cdr.consent_texts import text_version
from cdr.context import Ctx
from templates.repository import library_templates
from tests.cdr.small_template import note, published_small_template

KARI = "10915596784"  # synthetic


async def an_ehr(ctx: Ctx) -> dict[str, Any]:
    published, _ = published_small_template(TEMPLATE)
    ctx.templates.add(published, library_templates()[TEMPLATE])
    await ctx.store.removals.stop()  # or it would write entries of its own
    return {"ehr_id": (await ehrs.create_ehr(ctx)).ehr_id}


async def a_barred_person(ctx: Ctx) -> dict[str, Any]:
    return {"national_id": KARI, "bar": Bar.DECEASED}


async def a_decision(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"document": text_version()}


async def a_consent(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_decision(ctx)
    await consents.give_consent(ctx, **arguments)
    return arguments


async def a_removal(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_consent(ctx)
    job = await consents.withdraw_consent(ctx, **arguments)
    return {"ehr_id": arguments["ehr_id"], "job": job}


async def a_bar(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"bar": Bar.DECEASED}


async def a_word(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"given": True}


async def a_consenting_ehr(ctx: Ctx) -> dict[str, Any]:
    return {"ehr_id": (await a_consent(ctx))["ehr_id"]}


async def an_end(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_consenting_ehr(ctx)
    card = await cards.create_card(ctx, arguments["ehr_id"])
    return arguments | {"card_id": card.id, "status": CardStatus.TERMINATED}


async def a_choice(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_end(ctx)
    await cards.end_card(ctx, **arguments)
    return {"ehr_id": arguments["ehr_id"], "card_id": arguments["card_id"], "shown": True}


async def a_new_block(ctx: Ctx) -> dict[str, Any]:
    return await a_consenting_ehr(ctx) | {"scope": BlockScope.CARD}


async def a_block(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_new_block(ctx)
    block = await cards.add_block(ctx, **arguments)
    return {"ehr_id": arguments["ehr_id"], "block_id": block.id}


async def an_entry(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_ehr(ctx)
    ctx.templates.add(*published_small_template("card_note.v0", "card"))
    data = note(template_id="card_note.v0")
    stored = await compositions.create_composition(ctx, arguments["ehr_id"], data)
    named = {"decision": "2026/1", "decided_by": "Kari Nordmann"}
    return arguments | {"object_id": stored.uid.object_id} | named


async def a_person(ctx: Ctx) -> dict[str, Any]:
    return {"national_id": KARI}


async def nothing(ctx: Ctx) -> dict[str, Any]:
    return {}


CONSENT_ARGUMENTS = {
    "get_consent": an_ehr,
    "get_nobodys_consent": nothing,
    "give_consent": a_decision,
    "withdraw_consent": a_consent,
    "get_removal": a_removal,
    "hear_register": a_word,
    "report_person": a_bar,
    "remember_person": a_barred_person,
    "get_card_state": an_ehr,
    "get_nobodys_state": nothing,
    "create_card": a_consenting_ehr,
    "end_card": an_end,
    "get_cards": an_ehr,
    "keep_card": a_choice,
    "get_blocks": an_ehr,
    "add_block": a_new_block,
    "remove_block": a_block,
    "erase_entry": an_entry,
    "get_copy": a_consenting_ehr,
    "open_record": a_person,
}
