"""What the headers of a request say of its caller (those of NHN's interfaces, and ours)."""

from __future__ import annotations

import re
from urllib.parse import unquote

import orjson
from starlette.requests import Request

from api.http_errors import MalformedRequest
from cdr.identity.claims import Stated
from cdr.identity.proofs import Request as ProvenRequest
from cdr.identity.verifier import Presented

SENT_METHOD = "helsekort.method"  # in the scope: what the client sent, where it is handled as a GET
ROLES = "urn:oid:2.16.578.1.12.4.1.1.9060"  # Volven 9060
LONGEST_SOURCE, LONGEST_EVENT, LONGEST_REASON = 512, 128, 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def presented(request: Request, address: str | None) -> Presented:
    """Token, proofs and role of a request; ``address`` is how clients know the server, None: as they call it.

    Raises MalformedRequest.
    """
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    base = address or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return Presented(
        authorization=request.headers.get("authorization", ""),
        proofs=tuple(request.headers.getlist("dpop")),
        request=ProvenRequest(
            request.scope.get(SENT_METHOD, request.method), base + path.decode("latin-1").partition("?")[0]
        ),
        stated=stated(request),
    )


def stated(request: Request) -> Stated:
    """Role, calling system and event id. Raises MalformedRequest."""
    return Stated(
        role=_role(_header(request, "user-role", 500)),
        source_system=_header(request, "source-system", LONGEST_SOURCE),
        event_id=_header(request, "event-id", LONGEST_EVENT),
    )


def access_basis(request: Request) -> str:
    """Why the caller opens a record (``nhn-access-basis``). Raises MalformedRequest."""
    return _header(request, "access-basis", 40)


def access_reason(request: Request) -> str:
    """What the caller says of an emergency (``helsekort-access-reason``, %-encoded).

    Raises MalformedRequest.
    """
    text = unquote(request.headers.get("helsekort-access-reason", ""))
    return _checked("helsekort-access-reason", text, LONGEST_REASON)


def patient(request: Request) -> str:
    """The national id of the woman (``nhn-patient-nin``), as it was sent. Raises MalformedRequest."""
    return _header(request, "patient-nin", 20)


def event_id(request: Request) -> str:
    """The caller's id of the call, empty if it is none."""
    try:
        return _header(request, "event-id", LONGEST_EVENT)
    except MalformedRequest:
        return ""


def _header(request: Request, name: str, longest: int) -> str:
    """A header in its present spelling (``nhn-``) or the older one (``hit-``)."""
    for spelling in (f"nhn-{name}", f"hit-{name}"):
        if spelling in request.headers:
            return _checked(spelling, request.headers[spelling], longest)
    return ""


def _checked(name: str, text: str, longest: int) -> str:
    if len(text) > longest or _CONTROL.search(text):
        raise MalformedRequest("header.malformed", f"{name}: at most {longest} characters, none of control")
    return text.strip()


def _role(text: str) -> str:
    """The code in ``{"system": ..., "code": ...}``, which comes %-encoded."""
    if not text:
        return ""
    try:
        role = orjson.loads(unquote(text))
    except ValueError as error:
        raise _bad_role() from error
    code = role.get("code") if isinstance(role, dict) and role.get("system") == ROLES else None
    if not isinstance(code, str) or not re.fullmatch(r"[A-ZÆØÅ]{1,4}", code):
        raise _bad_role()
    return code


def _bad_role() -> MalformedRequest:
    shape = f'%-encoded {{"system": "{ROLES}", "code": "LE"}}'
    return MalformedRequest("header.user_role", f"nhn-user-role must be {shape}")
