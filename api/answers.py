"""Answers of the openEHR routes: what goes into status, headers and body after a read or a write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.negotiation import JSON, Preference, etag, preference
from api.representations import represent, represent_payload
from api.times import http_date
from cdr.versions import StoredVersion

BASE_PATH = "/openehr/v1"


def json_answer(content: Any, *, headers: Mapping[str, str] | None = None) -> Response:
    """200 with a JSON value."""
    return Response(orjson.dumps(content), media_type=JSON, headers=headers)


def object_answer(
    content: Mapping[str, Any], media_type: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """200 with an object of the reference model."""
    return Response(represent(content, media_type), media_type=media_type, headers=headers)


def version_answer(
    version: StoredVersion, media_type: str = JSON, representation: Callable[[], bytes] | None = None
) -> Response:
    """The data of a version, as JSON its stored bytes as they are; 204 for a deletion.

    ``representation`` makes the body of formats that need more than the version.
    """
    headers = version_headers(version)
    if version.payload is None:
        return Response(status_code=204, headers=headers)
    body = representation() if representation else represent_payload(version.payload, media_type)
    return Response(body, media_type=media_type, headers=headers)


def created_answer(
    request: Request,
    uid: str,
    path: str,
    representation: Callable[[], bytes],
    *,
    media_type: str = JSON,
    last_modified: datetime | None = None,
) -> Response:
    """201 with ``Location`` below the base path, and as much body as ``Prefer`` asks for."""
    headers = {"ETag": etag(uid), "Location": location(request, path)}
    if last_modified is not None:
        headers["Last-Modified"] = http_date(last_modified)
    return _written(request, 201, uid, headers, representation, media_type)


def updated_answer(
    request: Request,
    version: StoredVersion,
    media_type: str = JSON,
    representation: Callable[[], bytes] | None = None,
) -> Response:
    """200 with the body that ``Prefer`` asks for, 204 when it asks for none."""
    wants_body = preference(request) in (Preference.REPRESENTATION, Preference.IDENTIFIER)
    status = 200 if wants_body else 204
    headers = version_headers(version)
    body = representation or partial(represent_payload, version.payload, media_type)
    return _written(request, status, str(version.uid), headers, body, media_type)


def location(request: Request, path: str) -> str:
    """The absolute address of something below the base path, on the host that the client called."""
    # Not request.base_url: it parses the Host header, and fails on one that is no host.
    host = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    return f"{host}{BASE_PATH}{quote(path, safe='/:?=&%')}"


def _written(
    request: Request,
    status: int,
    uid: str,
    headers: dict[str, str],
    representation: Callable[[], bytes],
    media_type: str,
) -> Response:
    wanted = preference(request)
    if wanted is not None:
        headers["Preference-Applied"] = f"return={wanted}"
    if wanted is Preference.REPRESENTATION:
        return Response(representation(), status_code=status, media_type=media_type, headers=headers)
    if wanted is Preference.IDENTIFIER:
        return Response(orjson.dumps({"uid": uid}), status_code=status, media_type=JSON, headers=headers)
    return Response(status_code=status, headers=headers)


def version_headers(version: StoredVersion) -> dict[str, str]:
    """The headers of an answer that shows a version."""
    return {"ETag": etag(str(version.uid)), "Last-Modified": http_date(version.audit.time_committed)}
