"""The built-in issuer: what it refuses, as a real one would."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from api.tokens import ASSERTION_TYPE, new_key, proof
from cdr.identity.builtin import BuiltinIssuer, OAuthError
from cdr.identity.mapping import Profile
from cdr.identity.registry import builtin_registry
from cdr.identity.tokens import digest, unverified
from tests.identity import now

ADDRESS = "http://127.0.0.1:8080/issuer/professional"
SCOPE = "nhn:maternity-record/api"
REDIRECT = "http://127.0.0.1/done"
Form = dict[str, str]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> BuiltinIssuer:
    folder = tmp_path_factory.mktemp("issuer")
    return BuiltinIssuer(ADDRESS, Profile.PROFESSIONAL, "aud", builtin_registry(), folder)


def signed(
    issuer: BuiltinIssuer, *, client: str = "legesenter", key: ECKey | None = None, **claims: Any
) -> Form:
    said = {"iss": client, "sub": client, "aud": ADDRESS, "exp": now() + 50, "jti": uuid.uuid4().hex} | claims
    assertion = jwt.encode({"alg": "ES256"}, said, key or issuer.client_keys[client])
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def token(issuer: BuiltinIssuer, form: Form, key: ECKey | None = None, **claims: Any) -> dict[str, Any]:
    return issuer.token(form, proof(key or new_key(), "POST", f"{ADDRESS}/token", **claims))


def pushed(issuer: BuiltinIssuer, **changes: str) -> str:
    asked = {
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "code_challenge": digest("verifier"),
        "code_challenge_method": "S256",
        "state": "s",
    }
    answer = issuer.push({**asked, **changes, **signed(issuer)}, None)
    return str(answer["request_uri"])


def code_of(issuer: BuiltinIssuer, request_uri: str, person: str = "fastlege") -> str:
    return parse_qs(urlsplit(issuer.log_in(request_uri, person)).query)["code"][0]


def by_code(issuer: BuiltinIssuer, code: str, **changes: str) -> Form:
    grant = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": "verifier",
    }
    return {**grant, **changes, **signed(issuer)}


CREDENTIALS = {"grant_type": "client_credentials", "scope": SCOPE}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (lambda issuer: CREDENTIALS, "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, key=new_key()), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, aud="https://other.example"), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, exp=now() - 60), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, exp=now() + 3600), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, iss="sykehus"), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer, sub="nobody"), "invalid_client"),
        (lambda issuer: CREDENTIALS | signed(issuer) | {"scope": "nhn:other/api"}, "invalid_scope"),
        (lambda issuer: CREDENTIALS | signed(issuer) | {"grant_type": "password"}, "unsupported_grant_type"),
        (lambda issuer: by_code(issuer, "invented"), "invalid_grant"),
        (lambda issuer: by_code(issuer, code_of(issuer, pushed(issuer)), code_verifier="x"), "invalid_grant"),
        (lambda issuer: by_code(issuer, code_of(issuer, pushed(issuer)), redirect_uri="x"), "invalid_grant"),
        (
            lambda issuer: signed(issuer) | {"grant_type": "refresh_token", "refresh_token": "x"},
            "invalid_grant",
        ),
        (
            lambda issuer: CREDENTIALS | signed(issuer) | {"authorization_details": "{"},
            "invalid_authorization_details",
        ),
    ],
)
def test_what_gets_no_token(issuer: BuiltinIssuer, form: Callable[[BuiltinIssuer], Form], code: str) -> None:
    with pytest.raises(OAuthError) as refused:
        token(issuer, form(issuer))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
    ],
)
def test_requests_that_are_not_pushed(issuer: BuiltinIssuer, changes: Form) -> None:
    with pytest.raises(OAuthError) as refused:
        pushed(issuer, **changes)
    assert refused.value.code == "invalid_request"


def test_an_assertion_a_proof_and_a_code_are_used_once(issuer: BuiltinIssuer) -> None:
    key, form = new_key(), CREDENTIALS | signed(issuer)
    made = proof(key, "POST", f"{ADDRESS}/token")
    assert issuer.token(form, made)["token_type"] == "DPoP"
    for again, proven in (
        (form, proof(key, "POST", f"{ADDRESS}/token")),
        (CREDENTIALS | signed(issuer), made),
    ):
        with pytest.raises(OAuthError, match="used before"):
            issuer.token(again, proven)
    code = code_of(issuer, pushed(issuer))
    token(issuer, by_code(issuer, code))
    with pytest.raises(OAuthError, match="no such code"):
        token(issuer, by_code(issuer, code))


def test_a_token_without_a_proof_is_not_given(issuer: BuiltinIssuer) -> None:
    for proven in (None, "x", proof(new_key(), "GET", f"{ADDRESS}/token")):
        with pytest.raises(OAuthError) as refused:
            issuer.token(CREDENTIALS | signed(issuer), proven)
        assert refused.value.code == "invalid_dpop_proof"


def test_only_those_whom_a_client_may_serve_can_log_in(issuer: BuiltinIssuer) -> None:
    request_uri = pushed(issuer)
    _, people = issuer.choices(request_uri)
    assert {"fastlege", "jordmor"} <= {person.id for person in people}
    for person in ("analytiker", "kvinnen", "nobody"):
        with pytest.raises(OAuthError, match="nobody"):
            issuer.log_in(request_uri, person)


def test_a_request_ends_after_a_minute(tmp_path: Path) -> None:
    time = [float(now())]
    issuer = BuiltinIssuer(
        ADDRESS, Profile.PROFESSIONAL, "aud", builtin_registry(), tmp_path, clock=lambda: time[0]
    )
    request_uri = pushed(issuer)
    time[0] += 61
    with pytest.raises(OAuthError, match="ended"):
        issuer.log_in(request_uri, "fastlege")


def test_a_token_says_what_helseid_says(issuer: BuiltinIssuer) -> None:
    _, claims = unverified(token(issuer, by_code(issuer, code_of(issuer, pushed(issuer))))["access_token"])
    assert claims["helseid://claims/identity/security_level"] == "4"
    assert claims["helseid://claims/hpr/hpr_number"] == "999000001"
    assert claims["helseid://claims/client/claims/orgnr_parent"] == "999000010"
    assert claims["scope"] == [SCOPE]
    assert claims["cnf"]["jkt"]
    _, machine = unverified(token(issuer, CREDENTIALS | signed(issuer))["access_token"])
    assert "sub" not in machine
