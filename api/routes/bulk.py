"""Many compositions at once, in and out, as NDJSON. No part of openEHR's API."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import created_answer
from api.bodies import read_body
from api.bulk_lines import read_lines, result_line, summary_line
from api.deps import Context
from api.languages import preferred_language
from api.negotiation import JSON, accepted
from api.openapi import IDEMPOTENCY_KEY, bodies, errors, parameters, request_body
from api.repeats import repeat_key
from api.representations import represent
from api.routes.composition import EhrId
from api.tables import NDJSON
from cdr import archives, bulk
from cdr.bulk import BulkResult

router = APIRouter(prefix="/bulk/v1", tags=["Bulk"])

MOST_BYTES = 64 * 2**20  # in one request; send a longer file in pieces
_EXAMPLE = (
    '{"ehr_id": "7d44b88c-4199-4bad-97dc-d78268e01398", "composition": {"_type": "COMPOSITION"}}\n'
    '{"ehr_id": "7d44b88c-4199-4bad-97dc-d78268e01398", "format": "FLAT", "template_id": '
    '"helsekort_kontroll.v0", "composition": {"ctx/language": "nb"}}\n'
)


class Mode(StrEnum):
    """What is stored when a line is refused."""

    EACH = "each"
    ALL = "all"


@router.post(
    "/compositions",
    summary="Store many compositions",
    responses=errors(400, 406, 413, 415, 422) | bodies(NDJSON),
    openapi_extra={**request_body(NDJSON, example=_EXAMPLE), **parameters(IDEMPOTENCY_KEY)},
)
async def store_compositions(
    request: Request,
    ctx: Context,
    mode: Annotated[
        Mode, Query(description="each: what can be stored is; all: all lines in one transaction, or none.")
    ] = Mode.EACH,
    dry_run: Annotated[bool, Query(description="Say what would become of each line; store nothing.")] = False,
) -> Response:
    """A line has `ehr_id` and `composition`, and may have `format` (JSON, FLAT, STRUCTURED), `template_id`,
    `incomplete` and `key`.

    The answer has a line for each, with `line`, `status`, and `uid` or `error`, and last a `summary`. With an
    Idempotency-Key, or a `key` in each line, the same request may be sent again: what is stored is not stored
    twice. In mode all a refusal is 422 with all findings, and nothing is stored.
    """
    accepted(request, NDJSON)
    body = await read_body(request, NDJSON, limit=MOST_BYTES)
    items = await read_lines(ctx, body, repeat_key(request))
    language = preferred_language(request)
    if mode is Mode.EACH:
        results = bulk.store_each(ctx, items, dry_run=dry_run)
    else:
        results = _those(await bulk.store_together(ctx, items, dry_run=dry_run))
    answer = _answer(results, language, stored=200 if dry_run else 201)
    return StreamingResponse(answer, media_type=NDJSON)


@router.get(
    "/ehrs/{ehr_id}", summary="Export an EHR as an archive", responses=errors(403, 404, 406) | bodies(NDJSON)
)
async def export_ehr(request: Request, ctx: Context, ehr_id: EhrId) -> Response:
    """Every version of everything in the EHR, as NDJSON that another repository can import."""
    accepted(request, NDJSON)
    lines = await archives.export_ehr(ctx, ehr_id)
    return StreamingResponse(lines, media_type=NDJSON)


@router.post(
    "/ehrs",
    summary="Import the archive of an EHR",
    status_code=201,
    response_class=Response,
    responses=errors(400, 403, 406, 409, 413, 415, 422),
    openapi_extra=request_body(NDJSON, example='{"archive": "helsekort.ehr", "format": 1}'),
)
async def import_ehr(request: Request, ctx: Context) -> Response:
    """All or nothing: the EHR with the id that it had, and each version with its uid and original audit."""
    accepted(request, JSON)
    ehr = await archives.import_ehr(ctx, await read_body(request, NDJSON, limit=MOST_BYTES))
    return created_answer(
        request,
        ehr.ehr_id,
        f"/ehr/{ehr.ehr_id}",
        lambda: represent(ehr.to_canonical(), JSON),
        last_modified=ehr.time_created,
    )


async def _answer(results: AsyncIterator[BulkResult], language: str, *, stored: int) -> AsyncIterator[bytes]:
    counts: Counter[str] = Counter(lines=0, stored=0, refused=0)
    async for result in results:
        counts.update(lines=1, **{"refused" if result.error else "stored": 1})
        yield result_line(result, language, stored=stored)
    yield summary_line(counts)


async def _those(results: Sequence[BulkResult]) -> AsyncIterator[BulkResult]:
    for result in results:
        yield result
