"""Her own decisions: consent, its withdrawal, her copy, what she does not want seen. Ours, not NHN's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.answers import json_answer
from api.caller import patient
from api.card_requests import PATIENT, Body, Record, read_model
from api.copy_pdf import PDF, copy_pdf
from api.deps import Context
from api.languages import preferred_language
from api.negotiation import JSON, accepted
from api.openapi import errors, parameters, request_body
from cdr import cards, consents
from cdr.consent import Against, Block, BlockScope, LegalBasis
from cdr.consent_texts import consent_texts, text_version
from cdr.consents import ConsentView, Removal
from cdr.context import Ctx
from cdr.her_copy import HerCopy, get_copy
from cdr.sight import card_sections
from cdr.store.waiting import ConsentEvent
from cdr.versions import JsonObject, iso
from cdr.women import NOBODY, national_id_of

router = APIRouter(tags=["Consent"])

_DOCUMENT = request_body(JSON, example={"document": "2026-11"})


class Confirmed(Body):
    """A decision, with the version of the text that she read before."""

    document: str = Field(max_length=20)


class Pushed(Body):
    """What she decided in the portal."""

    given: bool = Field(strict=True)
    document: str = Field("", max_length=20)


class NewBlock(Body):
    """What she does not want seen, and by whom."""

    scope: BlockScope
    target: str = Field("", max_length=200)
    against: Against = Against.EVERYONE
    name: str = Field("", max_length=20)


@router.get(
    "/consent", summary="Her consent", responses=errors(400, 404, 406), openapi_extra=parameters(PATIENT)
)
async def get_consent(request: Request, ctx: Context, record: Record) -> Response:
    """Whether it holds, its history, and the text that she would say yes to."""
    accepted(request, JSON)
    if record == NOBODY:
        view = await consents.get_nobodys_consent(ctx)
    else:
        view = await consents.get_consent(ctx, record)
    texts = consent_texts(preferred_language(request), scrub_days=ctx.settings.scrub_days)
    shown = {"document": text_version(), "title": texts["title"], "text": texts["give"]}
    return json_answer(_consent(view) | {"ifYouConsent": shown})


@router.post(
    "/consent",
    summary="Give consent",
    status_code=201,
    responses=errors(400, 404, 406, 409, 413, 415, 422),
    openapi_extra={**_DOCUMENT, **parameters(PATIENT)},
)
async def give_consent(request: Request, ctx: Context, record: Record) -> Response:
    """`document` is the version of the text that she was shown. A woman without a record gets one."""
    accepted(request, JSON)
    asked = await read_model(request, ctx, Confirmed)
    if record == NOBODY:
        record = await _own_record(request, ctx)
    await consents.give_consent(ctx, record, document=asked.document)
    return json_answer(_consent(await consents.get_consent(ctx, record)), status=201)


@router.post(
    "/consent/push",
    summary="Tell what the portal's register of consents says",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409, 413, 415),
    openapi_extra={**request_body(JSON, example={"given": False}), **parameters(PATIENT)},
)
async def push_consent(request: Request, ctx: Context, record: Record) -> Response:
    """For the register, when she decides there: a no closes the card at once and removes it."""
    asked = await read_model(request, ctx, Pushed)
    await consents.hear_register(ctx, record, given=asked.given, document=asked.document)
    return Response(status_code=204)


@router.get(
    "/consent/withdrawal",
    summary="What she loses if she withdraws",
    responses=errors(400, 404, 406),
    openapi_extra=parameters(PATIENT),
)
async def show_withdrawal(request: Request, ctx: Context, record: Record) -> Response:
    """How many entries of which organisation are removed, what stays where, and where her copy is."""
    accepted(request, JSON)
    copy = await get_copy(ctx, record)
    texts = consent_texts(preferred_language(request), scrub_days=ctx.settings.scrub_days)
    by_organisation = sorted(copy.by_organisation.items())
    return json_answer(
        {
            "document": text_version(),
            **{name: texts[name] for name in ("withdraw", "lost", "stays")},
            "entries": [{"organisation": name, "count": count} for name, count in by_organisation],
            "copy": {"address": "consent/copy", "mediaTypes": [JSON, PDF]},
        }
    )


@router.post(
    "/consent/withdrawal",
    summary="Withdraw consent",
    status_code=202,
    responses=errors(400, 404, 406, 409, 413, 415, 422),
    openapi_extra={**_DOCUMENT, **parameters(PATIENT)},
)
async def withdraw_consent(request: Request, ctx: Context, record: Record) -> Response:
    """The card is closed when this answers; its removal goes on, and its end is seen at `removal`.

    Where a card rests on a regulation she may say no before there is one: she gets a record that says so.
    """
    accepted(request, JSON)
    asked = await read_model(request, ctx, Confirmed)
    if record == NOBODY and ctx.settings.legal_basis is LegalBasis.REGULATION:
        record = await _own_record(request, ctx)
    job = await consents.withdraw_consent(ctx, record, document=asked.document)
    return json_answer({"removal": job, "address": f"consent/removals/{job}"}, status=202)


@router.get(
    "/consent/removals/{removal_id}",
    summary="How far a removal has come",
    responses=errors(400, 404, 406),
    openapi_extra=parameters(PATIENT),
)
async def get_removal(
    request: Request,
    ctx: Context,
    record: Record,
    removal_id: Annotated[str, Path(description="Id of the removal.")],
) -> Response:
    """`ended` is when all was gone; `tracesGone` when the database's own traces were rewritten."""
    accepted(request, JSON)
    return json_answer(_removal(await consents.get_removal(ctx, record, removal_id)))


@router.get(
    "/consent/copy",
    summary="Her copy of the card",
    responses=errors(400, 404, 406) | {200: {"content": {JSON: {}, PDF: {}}}},
    openapi_extra=parameters(PATIENT),
)
async def get_her_copy(
    request: Request,
    ctx: Context,
    record: Record,
    total: Annotated[bool, Query(description="With the number of all pregnancies.")] = False,
) -> Response:
    """All that is stored on the card, as JSON or PDF by `Accept`."""
    wanted = accepted(request, JSON, PDF)
    copy = await get_copy(ctx, record, with_total=total)
    if wanted == PDF:
        language = preferred_language(request)
        texts = consent_texts(language, scrub_days=ctx.settings.scrub_days)
        headers = {"Content-Disposition": 'attachment; filename="helsekort.pdf"'}
        return Response(copy_pdf(copy, texts, language), media_type=PDF, headers=headers)
    return json_answer(_copy(copy))


@router.get(
    "/blocks",
    summary="What she has blocked",
    responses=errors(400, 404, 406),
    openapi_extra=parameters(PATIENT),
)
async def get_blocks(request: Request, ctx: Context, record: Record) -> Response:
    """Her blocks, and the sections of the card that can be blocked."""
    accepted(request, JSON)
    found = await cards.get_blocks(ctx, record)
    language = preferred_language(request)
    sections = [{"key": key, "label": one.labels[language]} for key, one in card_sections().items()]
    return json_answer({"blocks": [_block(block) for block in found], "sections": sections})


@router.post(
    "/blocks",
    summary="Block the card, a section or an entry",
    status_code=201,
    responses=errors(400, 404, 406, 409, 413, 415),
    openapi_extra={
        **request_body(JSON, example={"scope": "section", "target": "levevaner", "against": "everyone"}),
        **parameters(PATIENT),
    },
)
async def add_block(request: Request, ctx: Context, record: Record) -> Response:
    """For everyone, an organisation (`name` is its number) or a person (`name` is an HPR number)."""
    accepted(request, JSON)
    asked = await read_model(request, ctx, NewBlock)
    block = await cards.add_block(
        ctx, record, scope=asked.scope, target=asked.target, against=asked.against, name=asked.name
    )
    return json_answer(_block(block), status=201)


@router.delete(
    "/blocks/{block_id}",
    summary="Open what a block kept",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404, 409),
    openapi_extra=parameters(PATIENT),
)
async def remove_block(
    ctx: Context, record: Record, block_id: Annotated[str, Path(description="Id of the block.")]
) -> Response:
    """It holds at the next call."""
    await cards.remove_block(ctx, record, block_id)
    return Response(status_code=204)


async def _own_record(request: Request, ctx: Ctx) -> str:
    """A record for a woman who has none, so that her decision can be kept."""
    return await consents.open_record(ctx, national_id_of(ctx, patient(request)))


def _consent(view: ConsentView) -> JsonObject:
    return {
        "hasGivenConsent": view.valid,
        "lastChangedDateTime": None if view.facts.changed is None else iso(view.facts.changed),
        "removal": view.facts.removal,
        "history": [_event(event) for event in view.history],
    }


def _event(event: ConsentEvent) -> JsonObject:
    return {
        "decision": event.decision.value,
        "time": iso(event.at),
        "by": event.by,
        "document": event.document,
    }


def _removal(found: Removal) -> JsonObject:
    return {
        "id": found.id,
        "started": iso(found.started),
        "total": found.total,
        "removed": found.removed,
        "ended": None if found.ended is None else iso(found.ended),
        "tracesGone": None if found.scrubbed is None else iso(found.scrubbed),
    }


def _block(block: Block) -> JsonObject:
    return {
        "id": block.id,
        "scope": block.scope.value,
        "target": block.target,
        "against": block.against.value,
        "name": block.name,
        "since": iso(block.since),
    }


def _copy(copy: HerCopy) -> JsonObject:
    return {
        "made": iso(copy.made),
        "consent": [_event(event) for event in copy.history],
        "cards": [
            {"recordId": card.id, "created": iso(card.created), "status": card.status.value}
            for card in copy.cards
        ],
        "entries": [
            {"uid": entry.uid, "committed": iso(entry.committed), "composition": entry.composition}
            for entry in copy.entries
        ],
    }
