"""The card of one woman: status, life, history (by NHN's Maternity Record API, where that has it)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.answers import json_answer
from api.caller import patient
from api.card_requests import PATIENT, Body, Record, read_model
from api.deps import Context
from api.negotiation import JSON, accepted
from api.openapi import errors, parameters, request_body
from cdr import cards, consents
from cdr.actor import ActorKind
from cdr.cards import CardRecord
from cdr.consent import Bar, CardStatus
from cdr.versions import JsonObject, iso
from cdr.women import NOBODY, record_of

router = APIRouter(tags=["Card"])

CardId = Annotated[str, Path(description="Id of the card (recordId).")]


class StatusChange(Body):
    """How a card ends."""

    status: CardStatus
    liveBirth: bool = False


class Visibility(Body):
    """Whether a card that ended without a birth stays in everybody's history."""

    shown: bool


class Erasure(Body):
    """The decision by which an entry is erased."""

    decision: str = Field(pattern=r"^[A-Za-z0-9/.\-]{1,50}$", description="Reference of the decision.")
    decidedBy: str = Field(pattern=r"^[^\W\d_][\w .'\-]{0,99}$", description="Who decided.")


class Report(Body):
    """What the register of persons says of her."""

    bar: Bar | None


@router.get(
    "/status",
    summary="Is there consent, and an active card",
    responses=errors(400, 404, 406),
    openapi_extra=parameters(PATIENT),
)
async def get_status(request: Request, ctx: Context, record: Record) -> Response:
    """What may be known before the card is opened. A woman without a record has given no consent."""
    accepted(request, JSON)
    if record == NOBODY and ctx.actor.kind is ActorKind.CITIZEN:
        state = await cards.get_nobodys_state(ctx)
    else:
        state = await cards.get_card_state(ctx, record)
    return json_answer(
        {
            "hasGivenConsent": state.consent,
            "hasActiveMaternityRecord": state.active is not None,
            "latestRecordId": state.latest,
            "deceased": state.bar is Bar.DECEASED,
        }
    )


@router.get(
    "/history", summary="Her cards", responses=errors(400, 404, 406), openapi_extra=parameters(PATIENT)
)
async def get_history(request: Request, ctx: Context, record: Record) -> Response:
    """Oldest first. One that ended without a birth is shown to her alone, unless she lets it stay."""
    accepted(request, JSON)
    return json_answer([_shown(card) for card in await cards.get_cards(ctx, record)])


@router.post(
    "/record",
    summary="Begin a card",
    status_code=201,
    responses=errors(400, 404, 406, 409),
    openapi_extra=parameters(PATIENT),
)
async def create_record(request: Request, ctx: Context, record: Record) -> Response:
    """At most one card of a woman is active; it needs her consent."""
    accepted(request, JSON)
    return json_answer(_shown(await cards.create_card(ctx, record)), status=201)


@router.post(
    "/record/{record_id}/updateStatus",
    summary="End a card",
    responses=errors(400, 404, 406, 409, 413, 415),
    openapi_extra={
        **request_body(JSON, example={"status": "DELIVERED", "liveBirth": True}),
        **parameters(PATIENT),
    },
)
async def update_status(request: Request, ctx: Context, record: Record, record_id: CardId) -> Response:
    """`DELIVERED` or `TERMINATED`. Without a birth the card leaves the history of all but her."""
    accepted(request, JSON)
    asked = await read_model(request, ctx, StatusChange)
    ended = await cards.end_card(ctx, record, record_id, status=asked.status, live_birth=asked.liveBirth)
    return json_answer(_shown(ended))


@router.post(
    "/record/{record_id}/visibility",
    summary="Let a card without a birth stay in the history, or not",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409, 413, 415),
    openapi_extra={**request_body(JSON, example={"shown": True}), **parameters(PATIENT)},
)
async def set_visibility(request: Request, ctx: Context, record: Record, record_id: CardId) -> Response:
    """She alone decides."""
    asked = await read_model(request, ctx, Visibility)
    await cards.keep_card(ctx, record, record_id, shown=asked.shown)
    return Response(status_code=204)


@router.post(
    "/entries/{entry_id}/erasure",
    summary="Erase an entry by a named decision",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 413, 415),
    openapi_extra={
        **request_body(JSON, example={"decision": "2026/1234-5", "decidedBy": "Kari Nordmann"}),
        **parameters(PATIENT),
    },
)
async def erase_entry(
    request: Request,
    ctx: Context,
    record: Record,
    entry_id: Annotated[str, Path(description="Object id of the entry.")],
) -> Response:
    """All versions of it, as the woman asked; the audit keeps the decision and nothing of the entry."""
    asked = await read_model(request, ctx, Erasure)
    await cards.erase_entry(ctx, record, entry_id, decision=asked.decision, decided_by=asked.decidedBy)
    return Response(status_code=204)


@router.post(
    "/person",
    summary="Tell that she is dead, or her address confidential",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409, 413, 415),
    openapi_extra={**request_body(JSON, example={"bar": "confidential_address"}), **parameters(PATIENT)},
)
async def report_person(request: Request, ctx: Context, record: Record) -> Response:
    """For the register of persons: `deceased`, `confidential_address` or null; holds at the next call.

    Also of somebody who has no record: one that is made for her later begins with it.
    """
    asked = await read_model(request, ctx, Report)
    await consents.remember_person(ctx, patient(request), asked.bar)
    record = await record_of(ctx, patient(request))  # one may have been made since
    if record != NOBODY:
        await consents.report_person(ctx, record, asked.bar)
    return Response(status_code=204)


def _shown(card: CardRecord) -> JsonObject:
    return {
        "recordId": card.id,
        "created": iso(card.created),
        "recordStatus": {
            "status": card.status.value,
            "terminationDate": None if card.ended is None else iso(card.ended),
            "liveBirth": card.live_birth,
        },
    }
