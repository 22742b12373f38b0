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

from api.item_tags import tag_headers
from api.negotiation import JSON, Preference, etag, preference
from api.representations import represent, represent_payload
from api.times import http_date
from cdr.versions import Kind, StoredVersion

BASE_PATH = "/openehr/v1"
ANALYSIS_PATH = "/analysis/v1"
_RESOURCES = {Kind.COMPOSITION: "composition", Kind.EHR_STATUS: "ehr_status", Kind.FOLDER: "directory"}


def json_answer(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON value."""
    return Response(orjson.dumps(content), status_code=status, media_type=JSON, headers=headers)


def object_answer(
    content: Mapping[str, Any], media_type: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """200 with an object of the reference model."""
    return Response(represent(content, media_type), media_type=media_type, headers=headers)


def version_answer(
    request: Request,
    version: StoredVersion,
    media_type: str = JSON,
    representation: Callable[[], bytes] | None = None,
) -> Response:
    """The data of a version, as JSON its stored bytes as they are; 204 for a deletion.

    ``representation`` makes the body of formats that need more than the version.
    """
    headers = version_headers(request, version)
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
    headers: Mapping[str, str] | None = None,
) -> Response:
    """201 with ``Location`` below the base path, and as much body as ``Prefer`` asks for."""
    shown = {"ETag": etag(uid), "Location": location(request, path), **(headers or {})}
    if last_modified is not None:
        shown["Last-Modified"] = http_date(last_modified)
    return _written(request, 201, uid, shown, representation, media_type)


def updated_answer(
    request: Request,
    version: StoredVersion,
    media_type: str = JSON,
    representation: Callable[[], bytes] | None = None,
) -> Response:
    """200 with the body that ``Prefer`` asks for, 204 when it asks for none."""
    headers = version_headers(request, version)
    body = representation or partial(represent_payload, version.payload, media_type)
    answer = _written(request, 200, str(version.uid), headers, body, media_type)
    if not answer.body:
        answer.status_code = 204
        del answer.headers["Content-Length"]
    return answer


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
    wanted, body = preference(request), b""
    if wanted is Preference.REPRESENTATION:
        body = representation()
    elif wanted is Preference.IDENTIFIER:
        body, media_type = orjson.dumps({"uid": uid}), JSON
    if wanted is not None:
        headers["Preference-Applied"] = f"return={wanted}"
    return Response(body, status_code=status, media_type=media_type if body else None, headers=headers)


def version_headers(request: Request, version: StoredVersion) -> dict[str, str]:
    """The headers of an answer that shows a version; ITS-REST 1.0.3 wants its address in all of them."""
    return {
        "ETag": etag(str(version.uid)),
        "Last-Modified": http_date(version.audit.time_committed),
        "Location": location(request, version_path(version)),
        **tag_headers(version),
    }


def version_path(version: StoredVersion) -> str:
    """Where a version is read, below the base path."""
    return f"/ehr/{version.ehr_id}/{_RESOURCES[version.kind]}/{version.uid}"
