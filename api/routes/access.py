"""Who may see and who has seen: treatment relations, the woman's log, the audit.

No part of openEHR's API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import json_answer
from api.deps import Context
from api.languages import preferred_language
from api.negotiation import JSON, accepted
from api.openapi import bodies, errors
from api.routes.composition import EhrId
from api.times import version_time
from cdr import access_log, relations
from cdr.audit import AuditBatch, AuditEntry, AuditSearch, Outcome, batch_line
from cdr.facts import Relation
from cdr.log_words import log_line
from cdr.versions import iso

NDJSON = "application/x-ndjson"
router = APIRouter(prefix="/access/v1", tags=["Access"])

Offset = Annotated[int, Query(ge=0, description="Entries to leave out.")]
Fetch = Annotated[int, Query(ge=1, le=access_log.LONGEST_PAGE, description="Most entries to return.")]


@router.get(
    "/ehr/{ehr_id}/log",
    summary="Read who did what with an EHR",
    responses=errors(400, 404, 406, 408) | bodies(JSON),
)
async def get_log(
    request: Request, ctx: Context, ehr_id: EhrId, offset: Offset = 0, fetch: Fetch = 100
) -> Response:
    """For the woman herself, in plain words, newest first; Norwegian or English by `Accept-Language`."""
    accepted(request, JSON)
    language = preferred_language(request)
    found = await access_log.read_log(ctx, ehr_id, offset=offset, fetch=fetch)
    lines = [asdict(log_line(entry, language)) for entry in found]
    return json_answer({"entries": lines}, headers={"Content-Language": language})


@router.get(
    "/ehr/{ehr_id}/relations",
    summary="See who has her in treatment",
    responses=errors(400, 404, 406) | bodies(JSON),
)
async def get_relations(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Organisations or units by number, oldest first, also relations that have ended."""
    accepted(request, JSON)
    return json_answer(_relations(await relations.get_relations(ctx, ehr_id)))


@router.post(
    "/ehr/{ehr_id}/relations",
    summary="Register that one has her in treatment",
    responses=errors(400, 404, 406) | bodies(JSON),
)
async def open_relation(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """For the professional's own organisation, or its unit where the token names one; no body."""
    accepted(request, JSON)
    return json_answer(_relations(await relations.open_relation(ctx, ehr_id)))


@router.delete(
    "/ehr/{ehr_id}/relations/{organisation}",
    summary="End a treatment relation",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404),
)
async def end_relation(
    ctx: Context,
    ehr_id: EhrId,
    organisation: Annotated[str, Path(description="Organisation number.", examples=["999000010"])],
) -> Response:
    """The woman ends any; a professional that of the own organisation."""
    await relations.end_relation(ctx, ehr_id, organisation)
    return Response(status_code=204)


@router.get("/audit", summary="Search the audit", responses=errors(400, 406, 408) | bodies(JSON))
async def search_audit(
    request: Request,
    ctx: Context,
    ehr_id: Annotated[str | None, Query(description="Only about this EHR.")] = None,
    actor: Annotated[str | None, Query(description="Only by this actor id.")] = None,
    hpr: Annotated[str | None, Query(description="Only by this HPR number.")] = None,
    organisation: Annotated[str | None, Query(description="Only from this organisation number.")] = None,
    action: Annotated[str | None, Query(description="Only this action, such as composition.read.")] = None,
    outcome: Annotated[Outcome | None, Query(description="Only with this outcome.")] = None,
    since: Annotated[str | None, Query(description="ISO 8601: not before.")] = None,
    until: Annotated[str | None, Query(description="ISO 8601: before.")] = None,
    offset: Offset = 0,
    fetch: Fetch = 100,
) -> Response:
    """For the data-protection officer, newest first. The search itself is in the audit."""
    accepted(request, JSON)
    wanted = AuditSearch(
        ehr_id=ehr_id,
        actor=actor,
        hpr=hpr,
        organisation=organisation,
        action=action,
        outcome=outcome,
        since=version_time(since),
        until=version_time(until),
    )
    found = await access_log.search_audit(ctx, wanted, offset=offset, fetch=fetch)
    return json_answer({"entries": [entry_json(entry) for entry in found]})


@router.get("/audit/check", summary="Check the audit", responses=errors(400, 406) | bodies(JSON))
async def check_audit(request: Request, ctx: Context) -> Response:
    """Are the chains whole and unchanged, also with regard to the signed heads that were published?"""
    accepted(request, JSON)
    found = await access_log.check_audit(ctx)
    state = {"batches": found.state.batches, "entries": found.state.entries, "published": found.published}
    return json_answer({**state, "faults": list(found.faults)})


@router.get(
    "/audit/export",
    summary="Fetch the whole audit",
    responses=errors(400, 406) | bodies(NDJSON),
)
async def export_audit(request: Request, ctx: Context) -> Response:
    """One batch a line, with its hashes: `helsekort audit verify --file` checks it without the database."""
    accepted(request, NDJSON, JSON)
    return StreamingResponse(_lines(await access_log.export_audit(ctx)), media_type=NDJSON)


async def _lines(batches: AsyncIterator[AuditBatch]) -> AsyncIterator[bytes]:
    async for batch in batches:
        yield batch_line(batch)


def entry_json(entry: AuditEntry) -> dict[str, Any]:
    """An entry as JSON, without what it does not say."""
    said = {name: value for name, value in asdict(entry).items() if value not in (None, "")}
    return {**said, "at": iso(entry.at)}


def _relations(found: tuple[Relation, ...]) -> dict[str, Any]:
    shown = [
        {
            "organisation": one.organisation,
            "since": iso(one.since),
            **({"until": iso(one.until)} if one.until else {}),
        }
        for one in found
    ]
    return {"relations": shown}
