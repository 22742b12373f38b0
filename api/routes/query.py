"""AQL as a request (ITS-REST, Query API)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.analysts import PROJECT, AnalystContext
from api.answers import json_answer, location
from api.bodies import read_body, read_optional_body
from api.cancelling import ClientGone, no_answer, unless_gone
from api.http_errors import MalformedRequest
from api.languages import preferred_language
from api.negotiation import JSON, accepted, etag
from api.openapi import EHR_ID_HEADER, bodies, errors, parameters, request_body
from api.tables import TABLES, answer_form, table_answer
from api.version import VERSION
from archetypes.findings import Finding
from archetypes.rm.canonical_json import read_canonical
from cdr import queries, stored_queries
from cdr.aql.values import AddressText
from cdr.context import Ctx
from cdr.query_parameters import bound, declared
from validators.shown import JsonFinding, shown

router = APIRouter(tags=["Query"])

_EXAMPLE = {
    "q": "SELECT c/uid/value AS uid, c/context/start_time/value AS time FROM EHR e CONTAINS COMPOSITION c "
    "WHERE e/ehr_id/value = $ehr_id ORDER BY time DESC LIMIT 10",
    "query_parameters": {"ehr_id": "7d44b88c-4199-4bad-97dc-d78268e01398"},
}
_STORED_BODY = request_body(JSON, example={"query_parameters": {"ehr_id": "7d44b88c-..."}}, required=False)
_FORMS = (JSON, *TABLES)
_RESERVED = ("q", "ehr_id", "offset", "fetch", "format")


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
    responses=errors(400, 404, 406, 408, 501) | bodies(*_FORMS),
    openapi_extra=parameters(EHR_ID_HEADER, PROJECT),
)
async def query_by_get(
    request: Request,
    ctx: AnalystContext,
    q: Annotated[str, Query(description="AQL", examples=[_EXAMPLE["q"]])],
    offset: Annotated[int | None, Query(ge=0, description="Rows to leave out.")] = None,
    fetch: Annotated[int | None, Query(ge=0, description="Most rows to return.")] = None,
    ehr_id: Annotated[str | None, Query(description="Query this EHR only.")] = None,
) -> Response:
    """Every other parameter of the address is a query parameter: `&ehr=...` gives `$ehr`."""
    media_type = answer_form(request, *_FORMS)
    asked = QueryRequest(q, _address_parameters(request), offset, fetch, _one_ehr(request, ehr_id))
    href = location(request, f"/query/aql?{request.scope['query_string'].decode('latin-1')}")
    return await _answer(request, ctx, asked, media_type, href)


@router.post(
    "/query/aql",
    summary="Run a query",
    responses=errors(400, 404, 406, 408, 413, 415, 501) | bodies(*_FORMS),
    openapi_extra={**request_body(JSON, example=_EXAMPLE), **parameters(EHR_ID_HEADER, PROJECT)},
)
async def query_by_post(request: Request, ctx: AnalystContext) -> Response:
    """The body has `q`, and may have `query_parameters` (names without `$`), `offset` and `fetch`."""
    media_type = answer_form(request, *_FORMS)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    asked = _query_of(body, _one_ehr(request, None))
    return await _answer(request, ctx, asked, media_type)


@router.post(
    "/query/explain",
    summary="Say how a query would be answered",
    responses=errors(400, 404, 406, 408, 413, 415, 501),
    openapi_extra={**request_body(JSON, example=_EXAMPLE), **parameters(EHR_ID_HEADER, PROJECT)},
)
async def explain(request: Request, ctx: AnalystContext) -> Response:
    """No part of openEHR's API: the plan in words, the index and the counts of the search. No rows.

    With `measure: true` in the body the query is run too, and `rows` and `milliseconds` say what it came to.
    """
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    measure = body.pop("measure", False)
    if not isinstance(measure, bool):
        raise _bad_member("measure", "must be true or false")
    asked = _query_of(body, _one_ehr(request, None))
    found = await queries.explain_query(
        ctx, asked.text, asked.parameters, ehr_id=asked.ehr_id, measure=measure
    )
    measured = {"rows": found.rows, "milliseconds": found.milliseconds} if measure else {}
    return json_answer(
        {
            "executed_aql": found.executed,
            "plan": found.plan,
            "reading": None if found.reading is None else asdict(found.reading),
            **measured,
            "warnings": _shown(request, found.warnings),
        }
    )


@router.post(
    "/query/check",
    summary="Say what is doubtful about a query",
    responses=errors(400, 406, 413, 415, 501),
    openapi_extra={**request_body(JSON, example=_EXAMPLE), **parameters(PROJECT)},
)
async def check(request: Request, ctx: AnalystContext) -> Response:
    """No part of openEHR's API: what the stored templates say about the query, which is not run."""
    accepted(request, JSON)
    asked = _query_of(read_canonical(await read_body(request, limit=ctx.settings.body_limit)), None)
    found = await queries.check_query(ctx, asked.text, asked.parameters)
    return json_answer({"warnings": _shown(request, found)})


_BEGUN = {"q": "SELECT c/cont FROM EHR e CONTAINS COMPOSITION c", "position": 13}


@router.post(
    "/query/complete",
    summary="Say how a query may go on",
    responses=errors(400, 406, 413, 415),
    openapi_extra=request_body(JSON, example=_BEGUN),
)
async def complete(request: Request, ctx: AnalystContext) -> Response:
    """No part of openEHR's API: what may stand at `position`, an offset in `q` (its end where left out)."""
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    text, position = body.get("q"), _count(body, "position")
    if not isinstance(text, str):
        raise _bad_member("q", "must be a text")
    found = await queries.complete_query(ctx, text, len(text) if position is None else position)
    return json_answer({"completions": [asdict(each) for each in found]})


Name = Annotated[str, Path(description="[namespace::]name", examples=["no.helsekort::visits"])]
Version = Annotated[str, Path(description="`1.2.3`, or `1` or `1.2` for the newest that begins so.")]
_STORED_ERRORS = (400, 404, 406, 408, 501)


@router.get(
    "/query/{qualified_query_name}",
    summary="Run the newest version of a stored query",
    responses=errors(*_STORED_ERRORS) | bodies(*_FORMS),
    openapi_extra=parameters(EHR_ID_HEADER, PROJECT),
)
async def run_newest_by_get(
    request: Request,
    ctx: AnalystContext,
    qualified_query_name: Name,
    offset: Annotated[int | None, Query(ge=0, description="Rows to leave out.")] = None,
    fetch: Annotated[int | None, Query(ge=0, description="Most rows to return.")] = None,
    ehr_id: Annotated[str | None, Query(description="Query this EHR only.")] = None,
) -> Response:
    """Every other parameter of the address is a query parameter."""
    asked = QueryRequest("", _address_parameters(request), offset, fetch, _one_ehr(request, ehr_id))
    return await _run_stored(request, ctx, qualified_query_name, "", asked)


@router.post(
    "/query/{qualified_query_name}",
    summary="Run the newest version of a stored query",
    responses=errors(*_STORED_ERRORS, 413, 415) | bodies(*_FORMS),
    openapi_extra={**_STORED_BODY, **parameters(EHR_ID_HEADER, PROJECT)},
)
async def run_newest_by_post(request: Request, ctx: AnalystContext, qualified_query_name: Name) -> Response:
    """The body, which may be absent, has `query_parameters`, `offset` and `fetch`."""
    return await _run_stored(request, ctx, qualified_query_name, "", None)


@router.get(
    "/query/{qualified_query_name}/{version}",
    summary="Run a version of a stored query",
    responses=errors(*_STORED_ERRORS) | bodies(*_FORMS),
    openapi_extra=parameters(EHR_ID_HEADER, PROJECT),
)
async def run_version_by_get(
    request: Request,
    ctx: AnalystContext,
    qualified_query_name: Name,
    version: Version,
    offset: Annotated[int | None, Query(ge=0, description="Rows to leave out.")] = None,
    fetch: Annotated[int | None, Query(ge=0, description="Most rows to return.")] = None,
    ehr_id: Annotated[str | None, Query(description="Query this EHR only.")] = None,
) -> Response:
    """Every other parameter of the address is a query parameter."""
    asked = QueryRequest("", _address_parameters(request), offset, fetch, _one_ehr(request, ehr_id))
    return await _run_stored(request, ctx, qualified_query_name, version, asked)


@router.post(
    "/query/{qualified_query_name}/{version}",
    summary="Run a version of a stored query",
    responses=errors(*_STORED_ERRORS, 413, 415) | bodies(*_FORMS),
    openapi_extra={**_STORED_BODY, **parameters(EHR_ID_HEADER, PROJECT)},
)
async def run_version_by_post(
    request: Request, ctx: AnalystContext, qualified_query_name: Name, version: Version
) -> Response:
    """The body, which may be absent, has `query_parameters`, `offset` and `fetch`."""
    return await _run_stored(request, ctx, qualified_query_name, version, None)


async def _run_stored(
    request: Request, ctx: Ctx, name: str, version: str, asked: QueryRequest | None
) -> Response:
    """Run a stored query; ``asked`` is what the address says, None when the body says it."""
    media_type = answer_form(request, *_FORMS)
    href = None
    if asked is None:
        body = await read_optional_body(request, limit=ctx.settings.body_limit)
        stated = read_canonical(body) if body.strip() else {}
        asked = _parameters_of(stated, _one_ehr(request, None))
    else:
        query = request.scope["query_string"].decode("latin-1")
        path = f"/query/{name}{'/' if version else ''}{version}"
        href = location(request, f"{path}?{query}" if query else path)
    stored = await stored_queries.get_query(ctx, name, version)
    named = f"{stored.name}/{stored.version}"
    values = bound(declared(list(stored.parameters)), asked.parameters)
    return await _answer(
        request, ctx, replace(asked, text=stored.text, parameters=values), media_type, href, named
    )


async def _answer(
    request: Request,
    ctx: Ctx,
    asked: QueryRequest,
    media_type: str,
    href: str | None = None,
    name: str | None = None,
) -> Response:
    """A RESULT_SET, or the rows while the query runs; when the client goes away, the query ends."""
    if media_type != JSON:
        stream = await queries.stream_query(
            ctx,
            asked.text,
            asked.parameters,
            fetch=asked.fetch,
            offset=asked.offset,
            ehr_id=asked.ehr_id,
            name=name,
        )
        return table_answer(stream, media_type, limit=ctx.settings.stream_bytes)
    running = queries.run_query(
        ctx,
        asked.text,
        asked.parameters,
        fetch=asked.fetch,
        offset=asked.offset,
        ehr_id=asked.ehr_id,
        name=name,
    )
    try:
        result = await unless_gone(request, running)
    except ClientGone:
        return no_answer()
    answer = result.to_json(generator=f"Helsekort CDR {VERSION}", href=href)
    if result.warnings:
        answer["meta"]["_warnings"] = _shown(request, result.warnings)
    return json_answer(answer, headers={"ETag": etag(result.uid)})


def _shown(request: Request, findings: Sequence[Finding]) -> list[JsonFinding]:
    """Findings with their texts in the language that the client prefers."""
    return [shown(finding, preferred_language(request)) for finding in findings]


def _address_parameters(request: Request) -> dict[str, Any]:
    """The query parameters of an address; a name given several times is a list."""
    found: dict[str, list[AddressText]] = {}
    for name, text in request.query_params.multi_items():
        if name not in _RESERVED:
            found.setdefault(name, []).append(AddressText(text))
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}


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
    text = body.get("q")
    if not isinstance(text, str) or not text.strip():
        raise _bad_member("q", "must be the text of a query")
    return _parameters_of({name: value for name, value in body.items() if name != "q"}, ehr_id, text)


def _parameters_of(body: Mapping[str, Any], ehr_id: str | None, text: str = "") -> QueryRequest:
    unknown = sorted(set(body) - {"query_parameters", "offset", "fetch"})
    if unknown:
        raise _bad_member(unknown[0], "is not a member of a query")
    given = body.get("query_parameters")
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
