"""Every error as an HTTP answer: one table from class to status, one body shape for all that is not 2xx.

Body (UTF-8 JSON)::

    {"message": "...", "code": "composition.invalid",
     "validationErrors": ["/content[0]/...: ..."],
     "findings": [{"code", "severity", "path", ...}, ...]}

``message`` and ``validationErrors`` are what ITS-REST's error schema requires, ``code`` is what its overview
adds, ``findings`` is ours, each as ``validators.shown`` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from api.answers import BASE_PATH, location
from api.card_errors import card_error
from api.http_errors import (
    BodyTooLarge,
    MalformedRequest,
    NotAcceptable,
    RefusedContribution,
    UnsupportedMediaType,
)
from api.languages import preferred_language
from api.negotiation import JSON, etag
from archetypes.errors import HelsekortError, MalformedJson, MalformedXml
from archetypes.findings import Finding, SourceSpan
from cdr.aql.errors import AqlSemanticError, AqlSyntaxError
from cdr.errors import (
    BadRequest,
    CdrError,
    Conflict,
    Gone,
    InvalidComposition,
    InvalidDirectory,
    InvalidEhrStatus,
    KindNotSupported,
    NotAllowed,
    NotFound,
    NotLatest,
    PreconditionFailed,
    QueryNotSupported,
    QueryTimeout,
    StoreUnavailable,
    TooLarge,
    Unprocessable,
    VersionConflict,
)
from cdr.identity.errors import IssuerSilent, TokenRefused
from cdr.identity.tokens import ALGORITHMS
from cdr.join_errors import EhrJoined
from cdr.query_terminology import TerminologySilent
from templates.errors import (
    InvalidTemplate,
    NoExample,
    NotSayable,
    SimplifiedFormatError,
    TemplateError,
    UnreadableTemplate,
)
from validators.shown import JsonFinding, shown

_WITH_FINDINGS = (CdrError, TemplateError, SimplifiedFormatError, RefusedContribution)

STATUS: Mapping[type[HelsekortError], HTTPStatus] = {
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    RefusedContribution: HTTPStatus.BAD_REQUEST,
    MalformedJson: HTTPStatus.BAD_REQUEST,
    MalformedXml: HTTPStatus.BAD_REQUEST,
    UnreadableTemplate: HTTPStatus.BAD_REQUEST,
    BadRequest: HTTPStatus.BAD_REQUEST,
    TokenRefused: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    NotSayable: HTTPStatus.NOT_ACCEPTABLE,
    QueryTimeout: HTTPStatus.REQUEST_TIMEOUT,
    EhrJoined: HTTPStatus.GONE,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    BodyTooLarge: HTTPStatus(413),
    TooLarge: HTTPStatus(413),
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidEhrStatus: HTTPStatus.BAD_REQUEST,  # ITS-REST lists no 422 for these two
    InvalidDirectory: HTTPStatus.BAD_REQUEST,
    InvalidTemplate: HTTPStatus(422),
    NoExample: HTTPStatus(422),
    SimplifiedFormatError: HTTPStatus(422),
    Unprocessable: HTTPStatus(422),
    QueryNotSupported: HTTPStatus.NOT_IMPLEMENTED,
    KindNotSupported: HTTPStatus.NOT_IMPLEMENTED,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TerminologySilent: HTTPStatus.SERVICE_UNAVAILABLE,
    IssuerSilent: HTTPStatus.SERVICE_UNAVAILABLE,
}


def add_error_handlers(app: FastAPI) -> None:
    """Give every answer that is not 2xx the one body shape, those of the framework included."""
    app.add_exception_handler(HelsekortError, _answer_ours)
    app.add_exception_handler(HTTPException, _answer_framework)
    app.add_exception_handler(RequestValidationError, _answer_parameters)


def status_of(error: type[BaseException]) -> HTTPStatus | None:
    """The status of an error class: that of its nearest ancestor in the table; None when it has none."""
    return next((STATUS[base] for base in error.__mro__ if base in STATUS), None)


def error_response(
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    findings: Iterable[JsonFinding] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer in the one body shape; ``findings`` in the language that ``preferred_language`` gives."""
    more, numbered = card_error(request, code, message)
    return Response(
        orjson.dumps(_body(code, message, findings) | more),
        status_code=status,
        media_type=JSON,
        headers={"Content-Language": preferred_language(request), **numbered, **(headers or {})},
    )


def error_body(error: HelsekortError, language: str) -> dict[str, Any]:
    """The one body shape of an error of ours."""
    return _body(error.code, str(error), _findings_of(error, language))


def _body(code: str, message: str, findings: Iterable[JsonFinding]) -> dict[str, Any]:
    shown = list(findings)
    return {
        "message": message,
        "code": code,
        "validationErrors": [_one_line(finding) for finding in shown],
        "findings": shown,
    }


def _one_line(finding: Mapping[str, Any]) -> str:
    place = finding["path"] or (f"{finding['line']}:{finding['column']}" if "line" in finding else "")
    return f"{place}: {finding['message']}" if place else str(finding["message"])


async def _answer_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HelsekortError)
    status = status_of(type(error))
    if status is None:  # an error of ours that no request should meet: a bug, not the client's fault
        raise error
    return error_response(
        request,
        status,
        error.code,
        str(error),
        findings=_findings_of(error, preferred_language(request)),
        headers=_headers_of(request, error),
    )


def _findings_of(error: HelsekortError, language: str) -> list[JsonFinding]:
    """The findings that an error carries, or the one place in a text that it names."""
    if isinstance(error, _WITH_FINDINGS) and error.findings:
        places = error.places if isinstance(error, InvalidComposition | RefusedContribution) else None
        return [shown(finding, language, places=places) for finding in error.findings]
    if isinstance(error, AqlSyntaxError | AqlSemanticError | MalformedJson | MalformedXml) and error.line:
        place = Finding(error.code, "", span=SourceSpan("", error.line, error.column or 1))
        return [shown(place, language, message=error.message)]
    return []


def _headers_of(request: Request, error: HelsekortError) -> dict[str, str]:
    """The headers that go with an error: whoever is stale is told what is latest, and where it is."""
    if isinstance(error, VersionConflict | NotLatest):
        return {"ETag": etag(error.latest), **_address_of(request, error.latest)}
    if isinstance(error, EhrJoined):
        path = request.scope["path"].removeprefix(BASE_PATH).replace(error.ehr_id, error.into)
        return {"Location": location(request, path), "openehr-ehr-id": error.into}
    if isinstance(error, TokenRefused):
        return {"WWW-Authenticate": _challenge(error)}
    if isinstance(error, NotAllowed) and error.code == "access.scope":
        return {"WWW-Authenticate": 'DPoP error="insufficient_scope"'}
    if isinstance(error, StoreUnavailable | IssuerSilent):
        return {"Retry-After": "5"}
    return {}


def _address_of(request: Request, version_uid: str) -> dict[str, str]:
    """The address of a version beside the object that was asked for; a contribution has several."""
    _, ehr, ehr_id, resource, *_ = request.scope["path"].removeprefix(BASE_PATH).split("/")
    if resource == "contribution":
        return {}
    return {"Location": location(request, f"/{ehr}/{ehr_id}/{resource}/{version_uid}")}


def _challenge(error: TokenRefused) -> str:
    """RFC 9449, section 7.1; a request without any token gets no error code (RFC 6750, section 3.1)."""
    algorithms = f'algs="{" ".join(ALGORITHMS)}"'
    if error.code == "token.missing":
        return f"DPoP {algorithms}"
    return f'DPoP error="{error.error}", error_description="{error}", {algorithms}'


async def _answer_framework(request: Request, error: Exception) -> Response:
    """No such route, no such method on it, and what else the framework itself refuses."""
    assert isinstance(error, HTTPException)
    method, path = request.method, request.scope["path"]
    if error.status_code == HTTPStatus.NOT_FOUND:
        return error_response(request, 404, "route.unknown", f"there is no {path} here; see /docs")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allow = {"Allow": ", ".join(allowed_methods(request))}
        message = f"{method} is not a method of {path}; it has {allow['Allow']}"
        return error_response(request, 405, "route.method", message, headers=allow)
    return error_response(request, error.status_code, "http", str(error.detail), headers=error.headers)


def allowed_methods(request: Request) -> list[str]:
    """The methods of every route of this path; the framework names those of the first one only."""
    path = request.scope["path"]
    described = request.app.openapi()["paths"].items()
    matching = [operations for template, operations in described if compile_path(template)[0].match(path)]
    return sorted({method.upper() for operations in matching for method in operations}) or ["GET"]


async def _answer_parameters(request: Request, error: Exception) -> Response:
    """A path or query parameter of the wrong type, or one that is missing."""
    assert isinstance(error, RequestValidationError)
    findings = [_parameter_finding(fault) for fault in error.errors()]
    message = f"the request has {len(findings)} unreadable or missing parameters"
    return error_response(request, 400, "parameter.malformed", message, findings=findings)


def _parameter_finding(fault: Mapping[str, Any]) -> JsonFinding:
    """Where and why; the value itself is left out, for it may be a person's identifier."""
    *_, name = fault["loc"]
    return shown(Finding("parameter.malformed", str(name)), "en", message=str(fault["msg"]))


def internal_error(incident: str) -> Response:
    """The answer when something unforeseen broke: an id that the log knows, no details."""
    message = f"the server failed; tell its operators this id: {incident}"
    body = {"message": message, "code": "internal", "validationErrors": [], "findings": []}
    return Response(orjson.dumps(body), status_code=500, media_type=JSON)
