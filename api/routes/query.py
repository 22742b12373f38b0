"""AQL as a request (ITS-REST, Query API)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from api.openapi import EHR_ID_HEADER, errors, parameters, request_body
from api.version import VERSION
from archetypes.rm.canonical_json import read_canonical
from cdr import queries
from cdr.context import Ctx
from cdr.versions import iso

router = APIRouter(tags=["Query"])

_EXAMPLE = {
    "q": "SELECT c/uid/value AS uid, c/context/start_time/value AS time FROM EHR e CONTAINS COMPOSITION c "
    "WHERE e/ehr_id/value = $ehr_id ORDER BY time DESC LIMIT 10",
    "query_parameters": {"ehr_id": "7d44b88c-4199-4bad-97dc-d78268e01398"},
}
_RESERVED = ("q", "ehr_id", "offset", "fetch")


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query with its parameters, as either route reads it."""

    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    offset: int | None = None
    fetch: int | None = None
    ehr_id: str | None = None


@router.get(
    "/query/aql",
    summary="Run a query",
    responses=errors(400, 404, 406, 408, 501),
    openapi_extra=parameters(EHR_ID_HEADER),
)
async def query_by_get(
    request: Request,
    ctx: Context,
    q: Annotated[str, Query(description="AQL", examples=[_EXAMPLE["q"]])],
    offset: Annotated[int | None, Query(ge=0, description="Rows to leave out.")] = None,
    fetch: Annotated[int | None, Query(ge=0, description="Most rows to return.")] = None,
    ehr_id: Annotated[str | None, Query(description="Query this EHR only.")] = None,
) -> Response:
    """Every other parameter of the address is a query parameter: `&ehr=...` gives `$ehr`."""
    accepted(request, JSON)
    asked = QueryRequest(q, _address_parameters(request), offset, fetch, _one_ehr(request, ehr_id))
    return await _run(ctx, asked, {"_href": str(request.url)})


@router.post(
    "/query/aql",
    summary="Run a query",
    responses=errors(400, 404, 406, 408, 413, 415, 501),
    openapi_extra={**request_body(JSON, _EXAMPLE), **parameters(EHR_ID_HEADER)},
)
async def query_by_post(request: Request, ctx: Context) -> Response:
    """The body has `q`, and may have `query_parameters` (names without `$`), `offset` and `fetch`."""
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    return await _run(ctx, _query_of(body, _one_ehr(request, None)), {})


async def _run(ctx: Ctx, asked: QueryRequest, meta: Mapping[str, str]) -> Response:
    result = await queries.run_query(
        ctx, asked.text, asked.parameters, fetch=asked.fetch, offset=asked.offset, ehr_id=asked.ehr_id
    )
    return json_answer(
        {
            "meta": {
                **meta,
                "_type": "RESULTSET",
                "_schema_version": "1.0.0",
                "_created": iso(datetime.now(UTC)),
                "_generator": f"Helsekort CDR {VERSION}",
                "_executed_aql": result.query,
            },
            "q": result.query,
            "columns": [_column(column) for column in result.columns],
            "rows": result.rows,
        }
    )


def _column(column: queries.Column) -> dict[str, str]:
    return {"name": column.name} if column.path is None else {"name": column.name, "path": column.path}


def _address_parameters(request: Request) -> dict[str, Any]:
    """The query parameters of an address; a name given several times is a list."""
    given = request.query_params
    names = (name for name in given if name not in _RESERVED)
    return {
        name: values[0] if len(values) == 1 else values for name in names if (values := given.getlist(name))
    }


def _one_ehr(request: Request, ehr_id: str | None) -> str | None:
    """The EHR that the header or the parameter restricts the query to."""
    header = next(
        (request.headers[name] for name in ("openehr-ehr-id", "openehr_ehr_id") if name in request.headers),
        None,
    )
    if header and ehr_id and header != ehr_id:
        raise MalformedRequest("query.ehr_contradicts", "openehr-ehr-id and ehr_id name different EHRs")
    return ehr_id or header


def _query_of(body: Mapping[str, Any], ehr_id: str | None) -> QueryRequest:
    unknown = sorted(set(body) - {"q", "query_parameters", "offset", "fetch"})
    if unknown:
        raise _bad_member(unknown[0], "is not a member of a query")
    text, given = body.get("q"), body.get("query_parameters")
    if not isinstance(text, str) or not text.strip():
        raise _bad_member("q", "must be the text of a query")
    if not isinstance(given, dict | None):
        raise _bad_member("query_parameters", "must be an object of names and values")
    return QueryRequest(text, given or {}, _count(body, "offset"), _count(body, "fetch"), ehr_id)


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None or (type(value) is int and value >= 0):
        return value
    raise _bad_member(name, "must be a whole number from 0")


def _bad_member(name: str, reason: str) -> MalformedRequest:
    return MalformedRequest("query.malformed", f"/{name} {reason}")
