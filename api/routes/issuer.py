"""The built-in issuer over HTTP: OAuth 2 and OpenID Connect for development, never in production."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import read_body
from api.deps import platform_of, require_local
from api.http_errors import MalformedRequest
from cdr.identity.builtin import BuiltinIssuer, OAuthError
from cdr.identity.mapping import Profile

FORM = "application/x-www-form-urlencoded"
_LONGEST_FORM = 65_536
_UNAUTHORISED = frozenset({"invalid_client"})


async def _local(request: Request) -> None:
    require_local(request)


router = APIRouter(prefix="/issuer/{profile}", include_in_schema=False, dependencies=[Depends(_local)])


def issuer_of(request: Request, profile: Profile) -> BuiltinIssuer:
    """The issuer of this profile; the routes exist only where there is one."""
    recognition = platform_of(request).recognition
    assert recognition is not None
    return recognition.issuers[profile]


@router.get("/.well-known/openid-configuration")
async def description(request: Request, profile: Profile) -> Response:
    """OpenID Connect Discovery 1.0, section 4."""
    return _json(issuer_of(request, profile).description())


@router.get("/jwks")
async def keys(request: Request, profile: Profile) -> Response:
    """RFC 7517, section 5."""
    return _json(issuer_of(request, profile).keys())


@router.post("/par")
async def push(request: Request, profile: Profile) -> Response:
    """RFC 9126."""
    issuer = issuer_of(request, profile)
    try:
        return _json(issuer.push(await _form(request), request.headers.get("dpop")), 201)
    except OAuthError as error:
        return _oauth_error(error)


@router.get("/authorize")
async def choose(request: Request, profile: Profile) -> Response:
    """The log-in: one chooses whom to be."""
    issuer = issuer_of(request, profile)
    request_uri = request.query_params.get("request_uri", "")
    try:
        grant, people = issuer.choices(request_uri)
    except OAuthError as error:
        return _oauth_error(error)
    options = "\n".join(
        f'<p><button name="person" value="{escape(one.id)}">{escape(f"{one.name} ({one.id})")}</button></p>'
        for one in people
    )
    return HTMLResponse(
        f'<!doctype html><html lang="nb"><meta charset="utf-8"><title>Velg hvem du er</title>'
        f"<h1>Velg hvem du er</h1><p>{escape(grant.client.name)} ber om innlogging. "
        f"Ingen av disse personene finnes. / Choose whom to be; nobody here exists.</p>"
        f'<form method="post"><input type="hidden" name="request_uri" value="{escape(request_uri)}">'
        f"{options}</form></html>"
    )


@router.post("/authorize")
async def log_in(request: Request, profile: Profile) -> Response:
    """RFC 6749, section 4.1.2: back to the client with a code."""
    form = await _form(request)
    try:
        place = issuer_of(request, profile).log_in(form.get("request_uri", ""), form.get("person", ""))
    except OAuthError as error:
        return _oauth_error(error)
    return RedirectResponse(place, status_code=303)


@router.post("/token")
async def token(request: Request, profile: Profile) -> Response:
    """RFC 6749, section 3.2, with DPoP (RFC 9449)."""
    proofs = request.headers.getlist("dpop")
    issuer = issuer_of(request, profile)
    try:
        return _json(issuer.token(await _form(request), proofs[0] if len(proofs) == 1 else None))
    except OAuthError as error:
        return _oauth_error(error)


async def _form(request: Request) -> dict[str, str]:
    body = await read_body(request, FORM, limit=_LONGEST_FORM)
    try:
        return dict(parse_qsl(body.decode("utf-8"), strict_parsing=True, max_num_fields=100))
    except ValueError as error:
        raise MalformedRequest("body.form", "the body is no form") from error


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _oauth_error(error: OAuthError) -> Response:
    body = {"error": error.code, "error_description": str(error)}
    return _json(body, 401 if error.code in _UNAUTHORISED else 400)
