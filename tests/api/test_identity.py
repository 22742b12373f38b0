"""Tokens and proofs at the door: what is refused, by which code, and that it is in the audit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from api.tokens import HeldToken, TokenClient, new_key
from cdr.identity.mapping import Profile
from tests.identity import ADDRESS, REST, People, now, proven, stated, with_key

URL = f"{REST}/definition/template/adl1.4"
Headers = dict[str, str]


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def parts_of(held: HeldToken) -> tuple[dict[str, Any], str]:
    header, claims, _ = held.access_token.split(".")
    return orjson.loads(base64.urlsafe_b64decode(header + "==")), claims


def alg_none(people: People) -> Headers:
    held = people.held("jordmor")
    header, claims = parts_of(held)
    unsigned = f"{b64(orjson.dumps(header | {'alg': 'none'}))}.{claims}."
    return proven(replace(held, access_token=unsigned), "GET", URL)


def key_confusion(people: People) -> Headers:
    """The issuer's public key as the secret of an HMAC."""
    held = people.held("jordmor")
    header, claims = parts_of(held)
    signed = f"{b64(orjson.dumps(header | {'alg': 'HS256'}))}.{claims}"
    public = people.issuers[Profile.PROFESSIONAL].key.as_pem(private=False)
    signature = b64(hmac.new(public, signed.encode(), hashlib.sha256).digest())
    return proven(replace(held, access_token=f"{signed}.{signature}"), "GET", URL)


def other_signer(people: People) -> Headers:
    """The right key id, another key."""
    held = people.forged("jordmor")
    header, claims = parts_of(held)
    said = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    return proven(replace(held, access_token=jwt.encode(header, said, new_key())), "GET", URL)


def unknown_key(people: People) -> Headers:
    held = people.forged("jordmor")
    _, claims = parts_of(held)
    said = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    key = new_key()
    token = jwt.encode({"alg": "ES256", "kid": "another", "typ": "at+jwt"}, said, key)
    return proven(replace(held, access_token=token), "GET", URL)


def changed_claims(people: People) -> Headers:
    held = people.held("jordmor")
    header, claims, signature = held.access_token.split(".")
    said = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = b64(orjson.dumps(said | {"scope": ["nhn:maternity-record/operator"]}))
    return proven(replace(held, access_token=f"{header}.{forged}.{signature}"), "GET", URL)


def says(**claims: Any) -> Callable[[People], Headers]:
    """A token of the real issuer that says this."""
    return lambda people: proven(people.forged("jordmor", **claims), "GET", URL)


def proves(**claims: Any) -> Callable[[People], Headers]:
    """A proof of the right key that says this."""
    return lambda people: proven(people.held("jordmor"), "GET", URL, **claims)


def replayed(people: People) -> Headers:
    headers = proven(people.held("jordmor"), "GET", URL)
    assert people.client.get(URL, headers=headers).status_code == 200
    return headers


def two_proofs(people: People) -> Any:
    held = people.held("jordmor")
    proofs = [("DPoP", proven(held, "GET", URL)["DPoP"]) for _ in range(2)]
    return [("Authorization", f"DPoP {held.access_token}"), *proofs]


def private_key_in_proof(people: People) -> Headers:
    held = people.held("jordmor")
    claims = {"jti": "x", "htm": "GET", "htu": URL, "iat": now()}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": held.key.as_dict(private=True)}
    return {
        "Authorization": f"DPoP {held.access_token}",
        "DPoP": jwt.encode(header, claims, held.key, algorithms=["ES256"]),
    }


def hmac_proof(people: People) -> Headers:
    held = people.held("jordmor")
    secret = secrets.token_bytes(32)
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": b64(secret)}}
    claims = {"jti": "x", "htm": "GET", "htu": URL, "iat": now()}
    signed = f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}"
    made = f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
    return {"Authorization": f"DPoP {held.access_token}", "DPoP": made}


def bearer(people: People) -> Headers:
    return {"Authorization": f"Bearer {people.held('jordmor').access_token}"}


BAD: dict[str, tuple[Callable[[People], Any], str, str]] = {
    "no token": (lambda people: {}, "token.missing", ""),
    "another scheme": (lambda people: {"Authorization": "Basic YTpi"}, "token.missing", ""),
    "bearer": (bearer, "token.bearer", "invalid_token"),
    "rubbish": (lambda people: {"Authorization": "DPoP x.y"}, "token.malformed", "invalid_token"),
    "alg none": (alg_none, "token.algorithm", "invalid_token"),
    "key confusion": (key_confusion, "token.algorithm", "invalid_token"),
    "another signer": (other_signer, "token.signature", "invalid_token"),
    "a key that the issuer does not have": (unknown_key, "token.unknown_key", "invalid_token"),
    "changed claims": (changed_claims, "token.signature", "invalid_token"),
    "another issuer": (says(iss="https://evil.example"), "token.issuer", "invalid_token"),
    "the other issuer's name": (
        says(iss=f"{ADDRESS}/issuer/citizen"),
        "token.unknown_key",
        "invalid_token",
    ),
    "another audience": (says(aud="nhn:kjernejournal"), "token.audience", "invalid_token"),
    "two audiences": (says(aud=["nhn:maternity-record", "x"]), "token.audience", "invalid_token"),
    "no audience": (says(lacking="aud"), "token.audience", "invalid_token"),
    "expired": (says(exp=now() - 60), "token.expired", "invalid_token"),
    "no expiry": (says(lacking="exp"), "token.time", "invalid_token"),
    "not valid yet": (says(nbf=now() + 600), "token.time", "invalid_token"),
    "an ID token": (says(header={"type_": "id+jwt"}), "token.type", "invalid_token"),
    "no scope": (says(scope=[]), "token.scope", "invalid_token"),
    "a scope of nobody": (says(scope=["openid"]), "token.scope", "invalid_token"),
    "scopes of two kinds": (
        says(scope=["nhn:maternity-record/api", "nhn:maternity-record/staff"]),
        "token.scopes_contradict",
        "invalid_token",
    ),
    "the scope of citizens": (says(scope=["helsenorge:maternity-record"]), "token.scope", "invalid_token"),
    "for a child": (says(act={"sub": "mother"}), "token.representation", "invalid_token"),
    "by delegation": (says(on_behalf_of="x"), "token.representation", "invalid_token"),
    "no organisation number": (
        says(**{"helseid://claims/client/claims/orgnr_parent": "123"}),
        "token.organisation",
        "invalid_token",
    ),
    "bound to no key": (says(lacking="cnf"), "token.not_bound", "invalid_token"),
    "no proof": (
        lambda people: {"Authorization": f"DPoP {people.held('jordmor').access_token}"},
        "proof.missing",
        "invalid_dpop_proof",
    ),
    "two proofs": (two_proofs, "proof.missing", "invalid_dpop_proof"),
    "replayed": (replayed, "proof.replayed", "invalid_dpop_proof"),
    "stolen token": (
        lambda people: proven(with_key(people.held("jordmor")), "GET", URL),
        "proof.other_key",
        "invalid_dpop_proof",
    ),
    "wrong htu": (proves(htu=f"{REST}/ehr"), "proof.address", "invalid_dpop_proof"),
    "another server": (
        proves(htu=URL.replace(ADDRESS, "https://evil.example")),
        "proof.address",
        "invalid_dpop_proof",
    ),
    "wrong htm": (proves(htm="POST"), "proof.method", "invalid_dpop_proof"),
    "an old proof": (proves(iat=now() - 600), "proof.time", "invalid_dpop_proof"),
    "a proof of tomorrow": (proves(iat=now() + 86_400), "proof.time", "invalid_dpop_proof"),
    "a proof for another token": (proves(ath="x"), "proof.other_token", "invalid_dpop_proof"),
    "no jti": (proves(jti=""), "proof.jti", "invalid_dpop_proof"),
    "a private key in the proof": (private_key_in_proof, "proof.key", "invalid_dpop_proof"),
    "a proof by HMAC": (hmac_proof, "token.algorithm", "invalid_dpop_proof"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_fault_has_its_code_and_is_in_the_audit(secured: People, case: str) -> None:
    make, code, error = BAD[case]
    headers = make(secured)
    before = refusals(secured)
    answer = secured.client.get(URL, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith(f'DPoP error="{error}"' if error else "DPoP algs=")
    assert "21838010005" not in answer.text, "a national id is in the answer"
    after = refusals(secured)
    assert len(after) == len(before) + 1
    assert after[-1].startswith(code)


def refusals(people: People) -> list[str]:
    """What the audit says of refused tokens, oldest first."""

    async def read() -> list[str]:
        store = people.client.app.state.platform.store
        entries = [entry async for batch in store.audit_batches() for entry in batch.entries]
        found = sorted((entry.at, entry.detail) for entry in entries if entry.action == "token.check")
        return [detail for _, detail in found]

    portal = people.client.portal
    assert portal is not None
    return portal.call(read)


@pytest.fixture(autouse=True)
def _no_limit(secured: People) -> None:
    """Each case counts alone: the limit of entries in a second starts anew."""
    secured.client.app.state.platform.recognition._second = 0


def test_a_good_token_of_each_kind_opens_what_everybody_may_see(secured: People) -> None:
    for who in ("jordmor", "fastlege", "kvinnen", "analytiker", "redaktor", "driftsvakt", "fagsystem"):
        assert secured.send(who, "GET", URL).status_code == 200, who


def test_spelling_of_the_address_does_not_matter(secured: People) -> None:
    held = secured.held("jordmor")
    for htu in (URL.replace("http:", "HTTP:"), URL.replace("adl1.4", "adl1%2E4"), f"{URL}?x=1#y"):
        assert secured.client.get(URL, headers=proven(held, "GET", URL, htu=htu)).status_code == 200, htu
    for method, url in (("HEAD", URL), ("GET", f"{URL}/")):
        assert secured.client.request(method, url, headers=proven(held, method, url)).status_code == 200, (
            method
        )
    asked = f"{URL}?a=1"
    assert secured.client.get(asked, headers=proven(held, "GET", asked)).status_code == 200


def test_an_rsa_key_of_4096_bits_can_be_proven_too(secured: People) -> None:
    key = RSAKey.generate_key(4096, private=True)
    token = secured.forged("jordmor", cnf={"jkt": key.thumbprint()}).access_token
    header = {"typ": "dpop+jwt", "alg": "PS256", "jwk": key.as_dict(private=False)}
    digest = b64(hashlib.sha256(token.encode()).digest())
    claims = {"jti": secrets.token_hex(), "htm": "GET", "htu": URL, "iat": now(), "ath": digest}
    made = jwt.encode(header, claims, key, algorithms=["PS256"])
    answer = secured.client.get(URL, headers={"Authorization": f"DPoP {token}", "DPoP": made})
    assert answer.status_code == 200


def test_who_has_no_token_cannot_fill_the_audit(secured: People) -> None:
    before = len(refusals(secured))
    for _ in range(60):
        assert secured.client.get(URL).status_code == 401
    assert len(refusals(secured)) - before < 60
    assert refusals(secured)[-1].startswith("token.missing")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"nhn-user-role": "LE"}, "header.user_role"),
        ({"nhn-user-role": "%7B%22system%22%3A%22x%22%2C%22code%22%3A%22LE%22%7D"}, "header.user_role"),
        ({"nhn-source-system": "x" * 513}, "header.malformed"),
        ({"nhn-event-id": "x" * 129}, "header.malformed"),
        ({"helsekort-access-reason": "%00"}, "header.malformed"),
    ],
)
def test_headers_that_cannot_be_read(secured: People, headers: Headers, code: str) -> None:
    answer = secured.send("jordmor", "GET", URL, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_role_that_the_token_does_not_vouch_for(secured: People) -> None:
    answer = secured.send("jordmor", "GET", URL, role="LE")
    assert (answer.status_code, answer.json()["code"]) == (401, "token.role")


def test_the_audit_says_who_in_which_role_for_whom_and_from_where(secured: People) -> None:
    headers = secured.headers("jordmor", "POST", f"{REST}/ehr", basis="UNNTAK", role="JO")
    created = secured.client.post(f"{REST}/ehr", headers=headers)
    assert created.status_code == 201
    ehr_id = created.headers["Location"].rpartition("/")[2]
    portal = secured.client.portal
    assert portal is not None
    (entry,) = portal.call(secured.client.app.state.platform.store.audit_entries, ehr_id)
    assert (entry.name, entry.hpr, entry.role) == ("Jorunn Fiktiv", "999000002", "JO")
    assert (entry.organisation, entry.why) == ("999000010", "UNNTAK")
    assert (entry.source, entry.event) == ("Test-EPJ 1.0", headers["nhn-event-id"])
    assert "21838010005" not in repr(entry)


def test_a_refreshed_token_is_bound_to_the_same_key(secured: People) -> None:
    issuer = secured.issuers[Profile.PROFESSIONAL]
    tokens = TokenClient(issuer.address, "legesenter", issuer.client_keys["legesenter"], secured.client)
    held = tokens.log_in("fastlege", "nhn:maternity-record/api")
    again = tokens.refreshed(held)
    assert again.access_token != held.access_token
    assert secured.client.get(URL, headers=proven(again, "GET", URL)).status_code == 200


def test_vouching_for_a_treatment_relation(secured: People) -> None:
    attest = {
        "type": "nhn:tillitsrammeverk:parameters",
        "practitioner": {"authorization": {"code": "SP", "system": "urn:oid:2.16.578.1.12.4.1.1.9060"}},
        "care_relationship": {"purpose_of_use": {"code": "TREAT"}},
    }
    made = secured.send("fastlege", "POST", "/ehr", basis="UNNTAK", role="LE")
    place = made.headers["Location"]
    for purpose, status in (("TREAT", 200), ("HRESCH", 403)):
        attest["care_relationship"] = {"purpose_of_use": {"code": purpose}}
        held = secured.forged("sykepleier", authorization_details=[attest], **elsewhere())
        answer = secured.client.get(place, headers=proven(held, "GET", place) | stated(basis="UNNTAK"))
        assert answer.status_code == status, purpose


def elsewhere() -> dict[str, str]:
    return {"helseid://claims/client/claims/orgnr_parent": "999000061"}


def test_production_refuses_what_the_built_in_issuer_signed(secured: People, production: Any) -> None:
    answer = production.get(URL, headers=proven(secured.held("jordmor"), "GET", URL))
    assert (answer.status_code, answer.json()["code"]) == (401, "token.issuer")
    assert production.get(f"{ADDRESS}/issuer/professional/jwks").status_code == 404
