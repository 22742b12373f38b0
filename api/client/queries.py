"""AQL, ad hoc and stored (ITS-REST Query)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import orjson

from api.client.formats import JsonObject
from api.client.operation import REST, Operation, Stream
from api.client.rows import Rows

Parameters = Mapping[str, Any]
T = TypeVar("T")
_SENDING = {"Content-Type": "application/json"}


def run(
    aql: str,
    parameters: Parameters | None = None,
    *,
    ehr_id: str | None = None,
    offset: int | None = None,
    fetch: int | None = None,
) -> Operation[Rows]:
    """The rows of a query; ``parameters`` by name without ``$``; ``ehr_id`` keeps it to one EHR.

    Refused: Refused with code ``aql...`` and the place in the text, NotSupported by name.
    """
    return _ask("aql", _body(aql, parameters, offset, fetch), ehr_id, _rows)


def run_stored(
    name: str,
    version: str | None = None,
    parameters: Parameters | None = None,
    *,
    ehr_id: str | None = None,
    offset: int | None = None,
    fetch: int | None = None,
) -> Operation[Rows]:
    """The rows of a stored query; ``version`` may be a beginning. Refused as :func:`run`, and NotFound."""
    place = quote(name, safe=":") + (f"/{quote(version)}" if version else "")
    return _ask(place, _body(None, parameters, offset, fetch), ehr_id, _rows)


def stream(
    aql: str, parameters: Parameters | None = None, *, ehr_id: str | None = None
) -> Stream[JsonObject]:
    """The rows one by one, as objects by column, while the query runs; for answers too large to hold."""
    return Stream(
        method="POST",
        path=f"{REST}/query/aql",
        headers={**_headers(ehr_id), "Accept": "application/x-ndjson"},
        content=_body(aql, parameters),
        decoder=_row_decoder,
    )


def explain(
    aql: str, parameters: Parameters | None = None, *, ehr_id: str | None = None, measure: bool = False
) -> Operation[JsonObject]:
    """How the query would be answered: its plan in words, index and counts; no rows.

    ``measure`` runs it too, and says how many rows it has and how long they took.
    """
    body = _body(aql, parameters, measure=measure or None)
    return _ask("explain", body, ehr_id, lambda answer: orjson.loads(answer.content))


def _ask(place: str, body: bytes, ehr_id: str | None, read: Callable[[httpx.Response], T]) -> Operation[T]:
    return Operation(
        method="POST",
        path=f"{REST}/query/{place}",
        headers=_headers(ehr_id),
        content=body,
        read=read,
        repeatable=True,
    )


def _headers(ehr_id: str | None) -> Mapping[str, str]:
    return _SENDING if ehr_id is None else {**_SENDING, "openehr-ehr-id": ehr_id}


def _body(
    aql: str | None,
    parameters: Parameters | None,
    offset: int | None = None,
    fetch: int | None = None,
    measure: bool | None = None,
) -> bytes:
    stated = {
        "q": aql,
        "query_parameters": parameters,
        "offset": offset,
        "fetch": fetch,
        "measure": measure,
    }
    return orjson.dumps({name: value for name, value in stated.items() if value is not None})


def _rows(response: httpx.Response) -> Rows:
    body = orjson.loads(response.content)
    columns = tuple(column["name"] for column in body["columns"])
    return Rows(columns, body["rows"], body.get("meta", {}))


def _row_decoder() -> Callable[[str], JsonObject | None]:
    return lambda line: orjson.loads(line) if line else None
