"""Her decisions over HTTP, from the first yes to an empty card after the last no."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from cdr.consent import LegalBasis
from cdr.settings import BUILTIN, Mode, Settings
from tests.api.her import DOCUMENT, Her
from tests.api.visits import visit
from tests.cdr.test_access import person
from tests.identity import ADDRESS, People

MIDWIFE: dict[str, Any] = {"basis": "UNNTAK", "role": "JO"}


def numbered(response: Any, status: int, number: str, code: str) -> None:
    body = response.json()
    assert (response.status_code, body["errorCode"], body["code"]) == (status, number, code), body
    assert response.headers["nhn-error-code"] == number
    assert body["eventId"] == "kall-1"


EVENT = {"nhn-event-id": "kall-1"}


def test_from_the_first_yes_to_an_empty_card(consenting: People) -> None:
    her = Her(consenting, "14839850078")

    # Nothing before she has said yes
    present = MIDWIFE | {"basis": "SAMTYKKE"}
    assert her.card("jordmor", "GET", "/status", **present).json() == {
        "hasGivenConsent": False,
        "hasActiveMaternityRecord": False,
        "latestRecordId": None,
        "deceased": False,
    }
    shown = her.hers("GET", "/consent", headers={"Accept-Language": "nb"}).json()
    assert (shown["hasGivenConsent"], shown["history"]) == (False, [])
    assert shown["ifYouConsent"]["title"] == "Samtykke til digitalt helsekort for gravide"
    numbered(
        her.hers("POST", "/consent", json={"document": "2019-01"}, headers=EVENT),
        400,
        "DHG-0012",
        "consent.not_confirmed",
    )

    given = her.hers("POST", "/consent", json=DOCUMENT)
    assert given.status_code == 201, given.text
    numbered(her.hers("POST", "/consent", json=DOCUMENT, headers=EVENT), 409, "DHG-0009", "consent.given")
    subject = {"subject_id": her.nin, "subject_namespace": "2.16.578.1.12.4.1.4.1"}
    found = her.rest("kvinnen", "GET", "/ehr", params=subject).json()
    ehr_id = found["ehr_id"]["value"]

    # The midwife vouches that she is present, begins a card and writes on it
    numbered(
        her.card("jordmor", "POST", "/record", headers=EVENT, **MIDWIFE), 403, "DHG-0005", "access.relation"
    )
    card = her.card("jordmor", "POST", "/record", **present)
    assert card.status_code == 201, card.text
    numbered(her.card("jordmor", "POST", "/record", headers=EVENT, **present), 409, "DHG-0009", "card.exists")
    written = her.rest("jordmor", "POST", f"/ehr/{ehr_id}/composition", json=visit(), **present)
    assert written.status_code == 201, written.text
    status = her.card("jordmor", "GET", "/status", **present).json()
    assert status["latestRecordId"] == card.json()["recordId"]
    assert her.card("fagsystem", "GET", "/status").json()["code"] == "access.relation"

    # Told what she loses, with a copy to take home
    loses = her.hers("GET", "/consent/withdrawal", headers={"Accept-Language": "nb"}).json()
    assert loses["entries"] == [{"organisation": "Eksempelby helsestasjon", "count": 1}]
    assert "7 dager" in loses["lost"] and "egen journal" in loses["stays"]
    copy = her.hers("GET", "/consent/copy")
    assert [entry["composition"]["name"]["value"] for entry in copy.json()["entries"]] == [
        "Svangerskapskontroll"
    ]
    paper = her.hers("GET", "/consent/copy", headers={"Accept": "application/pdf"})
    assert paper.headers["content-type"] == "application/pdf" and paper.content.startswith(b"%PDF")
    numbered(
        her.card("jordmor", "GET", "/consent/copy", headers=EVENT, **present), 403, "DHG-0005", "access.role"
    )

    # Withdrawn: closed at once, removed soon, and seen to be
    answer = her.hers("POST", "/consent/withdrawal", json=DOCUMENT)
    assert answer.status_code == 202, answer.text
    address = written.headers["Location"].removeprefix(f"{ADDRESS}/openehr/v1")
    refused = her.rest("jordmor", "GET", address, **present)
    assert (refused.status_code, refused.json()["code"]) == (403, "consent.missing")
    numbered(
        her.card("jordmor", "GET", "/history", headers=EVENT, **present), 403, "DHG-0003", "consent.missing"
    )
    numbered(her.hers("GET", "/consent/copy", headers=EVENT), 403, "DHG-0003", "consent.missing")
    removal = ended(her, answer.json()["removal"])
    assert (removal["total"], removal["removed"], removal["tracesGone"]) == (1, 1, None)
    history = her.hers("GET", "/consent").json()["history"]
    assert [event["decision"] for event in history] == ["given", "withdrawn"]
    numbered(
        her.hers("POST", "/consent/withdrawal", json=DOCUMENT, headers=EVENT),
        403,
        "DHG-0003",
        "consent.missing",
    )

    # A new yes starts an empty card
    assert her.hers("POST", "/consent", json=DOCUMENT).status_code == 201
    assert her.card("jordmor", "POST", "/record", **present).status_code == 201
    assert her.hers("GET", "/consent/copy").json()["entries"] == []


def ended(her: Her, job: str) -> Any:
    """The removal when it has ended, as she sees it."""
    for _ in range(200):
        removal = her.hers("GET", f"/consent/removals/{job}").json()
        if removal["ended"]:
            return removal
        time.sleep(0.05)
    raise AssertionError("the removal does not end")


def test_what_cannot_be_read_is_refused_and_not_repeated(consenting: People) -> None:
    her = Her(consenting, "12345678901")
    numbered(
        her.card("jordmor", "GET", "/status", headers=EVENT, **MIDWIFE), 400, "DHG-0013", "person.malformed"
    )
    assert "12345678901" not in her.card("jordmor", "GET", "/status", **MIDWIFE).text
    numbered(
        her.hers("POST", "/blocks", json={"scope": "allt"}, headers=EVENT), 400, "DHG-0011", "body.member"
    )
    numbered(
        her.hers("POST", "/consent", json={"document": "x", "more": 1}, headers=EVENT),
        400,
        "DHG-0011",
        "body.member",
    )


def test_dead_or_hidden(consenting: People) -> None:
    her = Her(consenting, "05819110079")

    def hers(method: str, path: str, **options: Any) -> Any:
        return consenting.send("line", method, f"{ADDRESS}/api/maternity-record/v1{path}", **options)

    assert hers("POST", "/consent", json=DOCUMENT).status_code == 201
    for bar, number, code in (
        ("deceased", "DHG-0002", "consent.deceased"),
        ("confidential_address", "DHG-0004", "consent.confidential_address"),
    ):
        assert her.card("folkeregister", "POST", "/person", json={"bar": bar}).status_code == 204
        refused = her.card("jordmor", "POST", "/record", headers=EVENT, basis="SAMTYKKE", role="JO")
        numbered(refused, 403, number, code)
    assert her.card("folkeregister", "POST", "/person", json={"bar": None}).status_code == 204
    assert her.card("jordmor", "POST", "/record", basis="SAMTYKKE", role="JO").status_code == 201


def test_who_is_hidden_before_she_has_a_record_is_hidden_in_it(consenting: People) -> None:
    """The register of persons tells of everybody: of a woman whom nobody here knows yet, too."""
    her = Her(consenting, "21838010196", "nora")
    assert (
        her.card("folkeregister", "POST", "/person", json={"bar": "confidential_address"}).status_code == 204
    )
    made = her.rest("jordmor", "POST", "/ehr", json=person(her.nin), basis="SAMTYKKE", role="JO")
    assert made.status_code == 201, made.text
    numbered(
        her.hers("POST", "/consent", json=DOCUMENT, headers=EVENT),
        403,
        "DHG-0004",
        "consent.confidential_address",
    )
    assert her.card("folkeregister", "POST", "/person", json={"bar": None}).status_code == 204
    assert her.hers("POST", "/consent", json=DOCUMENT).status_code == 201


def test_a_stranger_is_told_the_same_of_whoever_has_a_record_or_not(consenting: People) -> None:
    stranger = {"basis": "UNNTAK", "role": "JO", "through": "sykehus"}
    answers = [
        Her(consenting, nin).card("jordmor", "GET", "/status", headers=EVENT, **stranger)
        for nin in ("14839850078", "09847910086")  # with a record of the tests above, and without
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


def test_under_a_regulation_she_may_say_no_before_there_is_a_card(client: TestClient, tmp_path: Path) -> None:
    settings = Settings(
        mode=Mode.DEV,
        issuer=BUILTIN,
        legal_basis=LegalBasis.REGULATION,
        mongodb_uri=SecretStr(client.get("/health/ready").json()["mongodb_uri"]),
        database="api_regulation",
        data=tmp_path,
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        her = Her(People(opened), "14839850078")
        said = her.hers("POST", "/consent/withdrawal", json=DOCUMENT)
        assert said.status_code == 202, said.text
        assert ended(her, said.json()["removal"])["removed"] == 0
        present = MIDWIFE | {"basis": "SAMTYKKE"}
        refused = her.card("jordmor", "POST", "/record", headers=EVENT, **present)
        numbered(refused, 403, "DHG-0003", "consent.missing")
        assert her.hers("POST", "/consent", json=DOCUMENT).status_code == 201
        assert her.card("jordmor", "POST", "/record", **present).status_code == 201
