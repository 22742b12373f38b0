"""Stored queries (ITS-REST, Definition API)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.answers import json_answer, location
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, TEXT, accepted, content_type
from api.openapi import bodies, errors, request_body
from api.routes.query import Name, Version
from archetypes.rm.canonical_json import read_canonical
from cdr import stored_queries
from cdr.context import Ctx
from cdr.query_parameters import QueryParameter, declared
from cdr.query_parameters import description as described
from cdr.stored_queries import StoredQuery
from cdr.versions import iso

router = APIRouter(prefix="/definition/query", tags=["Definition"])

_BODY = request_body(
    TEXT, JSON, example="SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value = $name"
)
_STORED: dict[int | str, dict[str, Any]] = {200: {"description": "Stored; its address is in Location."}}
QueryType = Annotated[str, Query(description="The language: AQL.")]


@router.get("", summary="List the stored queries", responses=errors(406))
async def list_queries(request: Request, ctx: Context) -> Response:
    """All versions of all, by name."""
    return await _list(request, ctx, "")


@router.get(
    "/{qualified_query_name}", summary="List stored queries whose name begins so", responses=errors(406)
)
async def list_queries_by_name(request: Request, ctx: Context, qualified_query_name: Name) -> Response:
    """All versions, by name and newest version first; an empty list when there are none."""
    return await _list(request, ctx, qualified_query_name)


async def _list(request: Request, ctx: Ctx, start: str) -> Response:
    accepted(request, JSON)
    return json_answer([_shown(query) for query in await stored_queries.list_queries(ctx, start)])


@router.put(
    "/{qualified_query_name}",
    summary="Store a query as its next version",
    response_class=Response,
    responses=errors(400, 406, 413, 415, 501) | _STORED,
    openapi_extra=_BODY,
)
async def store_query(
    request: Request, ctx: Context, qualified_query_name: Name, query_type: QueryType = "AQL"
) -> Response:
    """Version 1.0.0, or the next patch version; Location names it."""
    return await _store(request, ctx, qualified_query_name, None, query_type)


@router.put(
    "/{qualified_query_name}/{version}",
    summary="Store a version of a query",
    response_class=Response,
    responses=errors(400, 406, 409, 413, 415, 501) | _STORED,
    openapi_extra=_BODY,
)
async def store_query_version(
    request: Request,
    ctx: Context,
    qualified_query_name: Name,
    version: Version,
    query_type: QueryType = "AQL",
) -> Response:
    """A version that is stored never changes: 409."""
    return await _store(request, ctx, qualified_query_name, version, query_type)


async def _store(request: Request, ctx: Ctx, name: str, version: str | None, query_type: str) -> Response:
    accepted(request, JSON)
    if query_type.upper() != "AQL":
        raise MalformedRequest("parameter.malformed", "query_type: queries are stored as AQL only")
    body = await read_body(request, TEXT, JSON, limit=ctx.settings.body_limit)
    text, description, parameters = _read(request, body)
    query = await stored_queries.store_query(
        ctx, name, text, version=version, description=description, parameters=parameters
    )
    address = location(request, f"/definition/query/{query.name}/{query.version}")
    return Response(status_code=200, headers={"Location": address})


@router.get(
    "/{qualified_query_name}/{version}",
    summary="Get a stored query",
    responses=errors(400, 404, 406) | bodies(JSON, TEXT),
)
async def get_query(request: Request, ctx: Context, qualified_query_name: Name, version: Version) -> Response:
    """Its text with name, version and time of storing; as `text/plain` the text alone."""
    media_type = accepted(request, JSON, TEXT)
    query = await stored_queries.get_query(ctx, qualified_query_name, version)
    if media_type == TEXT:
        return Response(query.text.encode(), media_type=TEXT)
    return json_answer(_shown(query))


@router.delete(
    "/{qualified_query_name}/{version}",
    summary="Delete a version of a stored query",
    status_code=204,
    response_class=Response,
    responses=errors(400, 404),
)
async def delete_query(ctx: Context, qualified_query_name: Name, version: Version) -> Response:
    """The version is named in full."""
    await stored_queries.delete_query(ctx, qualified_query_name, version)
    return Response(status_code=204)


def _shown(query: StoredQuery) -> dict[str, Any]:
    told = {"description": dict(query.description), "parameters": list(query.parameters)}
    return {
        "name": query.name,
        "type": "AQL",
        "version": query.version,
        "saved": iso(query.saved),
        "q": query.text,
        **{name: value for name, value in told.items() if value},
    }


def _read(request: Request, body: bytes) -> tuple[str, dict[str, str], tuple[QueryParameter, ...]]:
    """Text, description and parameters: AQL as it is has no more; JSON has `q` and may have the others."""
    if not content_type(request, JSON):
        return _decoded(body), {}, ()
    stated = read_canonical(body)
    text = stated.get("q")
    if not isinstance(text, str):
        raise MalformedRequest("query.malformed", "/q must be the text of a query")
    return text, described(stated), declared(stated.get("parameters", []))


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest("body.not_utf8", f"byte {error.start} of the body is not UTF-8") from error
