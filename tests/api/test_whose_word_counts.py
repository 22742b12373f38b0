"""Whose word counts: roles that a token vouches for, ids that make somebody the subject, names in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from cdr.settings import BUILTIN, Mode, Settings
from tests.api.answers import assert_error
from tests.api.her import GP, HOSPITAL, MIDWIFE, SHIELDED, Her
from tests.identity import ADDRESS, REST, People, proven, stated

BIRTH_NUMBER = "2.16.578.1.12.4.1.4.1"
LINE = "05819110079"
HPR_DETAILS = "helseid://claims/hpr/hpr_details"


@pytest.fixture(scope="module")
def people(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A server on which midwives see the shielded entries of all organisations."""
    settings = Settings(
        mode=Mode.DEV,
        issuer=BUILTIN,
        mongodb_uri=SecretStr(client.get("/health/ready").json()["mongodb_uri"]),
        database="api_word",
        data=tmp_path_factory.mktemp("word"),
        shielded_roles="JO",
    )
    with TestClient(create_app(settings), base_url=ADDRESS) as opened:
        yield People(opened)


@pytest.fixture(scope="module")
def her(people: People) -> Her:
    her = Her(people, "14839850078")
    her.consent()
    her.begin_card()
    return her


def test_a_role_that_is_only_stated_opens_nothing_shielded(her: Her) -> None:
    path = f"/ehr/{her.ehr_id}/composition/{her.write('Skjermet', SHIELDED, HOSPITAL, HK16_1=17)}"
    assert her.rest("jordmor", "GET", path, **MIDWIFE.said()).status_code == 200
    assert_error(her.rest("fastlege", "GET", path, **GP.said()), 404, "object.unknown")
    unspoken = her.people.forged("jordmor", lacking=HPR_DETAILS)
    headers = proven(unspoken, "GET", f"{REST}{path}") | stated(basis="SAMTYKKE", role="JO")
    assert_error(her.people.client.get(f"{REST}{path}", headers=headers), 404, "object.unknown")
    # Of what is not shielded, the word of the calling system is enough.
    path = f"/ehr/{her.ehr_id}/composition/{her.write('Kontroll', by=HOSPITAL)}"
    headers = proven(unspoken, "GET", f"{REST}{path}") | stated(basis="SAMTYKKE", role="JO")
    assert her.people.client.get(f"{REST}{path}", headers=headers).status_code == 200


def test_an_id_that_a_professional_adds_makes_nobody_the_subject(her: Her) -> None:
    her.write("Kontroll")
    added = {"namespace": BIRTH_NUMBER, "id": LINE}
    ids = f"/ehr/{her.ehr_id}/subject_ids"
    assert her.rest("jordmor", "POST", ids, json=added, **MIDWIFE.said()).status_code == 200
    try:
        for door in (f"/ehr/{her.ehr_id}", f"/ehr/{her.ehr_id}/ehr_status", f"/ehr/{her.ehr_id}/subject_ids"):
            assert_error(her.rest("line", "GET", door), 403, "access.not_own")
        subject = {"subject_id": LINE, "subject_namespace": BIRTH_NUMBER}
        assert_error(her.rest("line", "GET", "/ehr", params=subject), 403, "access.not_own")
        assert rows_of("line", her.people) == []
        assert rows_of("kvinnen", her.people) != []
        found = her.rest("jordmor", "GET", "/ehr", params=subject, **MIDWIFE.said())
        assert found.json()["ehr_id"]["value"] == her.ehr_id, "the record is found by it"
    finally:
        her.rest("jordmor", "POST", f"{ids}/withdraw", json=added, **MIDWIFE.said())


def test_a_record_is_not_handed_to_somebody_else(her: Her) -> None:
    path = f"/ehr/{her.ehr_id}/ehr_status"
    now = her.rest("jordmor", "GET", path, **MIDWIFE.said())
    status = now.json()
    match = {"If-Match": now.headers["ETag"]}
    other = status | {"subject": {"_type": "PARTY_SELF"}}
    for subject in (other, _about(status, LINE)):
        answer = her.rest("jordmor", "PUT", path, json=subject, headers=match, **MIDWIFE.said())
        assert_error(answer, 409, "subject.fixed")
    kept = her.rest("jordmor", "PUT", path, json=status, headers=match, **MIDWIFE.said())
    assert kept.status_code in (200, 204), kept.text


def _about(status: Any, national_id: str) -> Any:
    reference = status["subject"]["external_ref"]
    named = reference | {"id": reference["id"] | {"value": national_id}}
    return status | {"subject": status["subject"] | {"external_ref": named}}


def rows_of(who: str, people: People) -> list[Any]:
    answer = people.send(
        who, "POST", "/query/aql", json={"q": "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"}
    )
    assert answer.status_code == 200, answer.text
    rows: list[Any] = answer.json()["rows"]
    return rows


def test_two_people_are_never_one_in_the_audit(people: People) -> None:
    url = f"{REST}/definition/template/adl1.4"
    nameless = people.forged("jordmor", lacking="sub")
    assert people.client.get(url, headers=proven(nameless, "GET", url)).status_code == 200
    assert "hpr:999000002" in actors(people)
    staff = {"scope": ["nhn:maternity-record/staff"]}
    national = people.forged("redaktor", sub="14868610027", **staff)
    for held in (people.forged("redaktor", lacking="sub", **staff), national):
        answer = people.client.get(url, headers=proven(held, "GET", url))
        assert answer.status_code == 401 and answer.json()["code"] == "token.subject"
        assert "14868610027" not in answer.text


WEAK = (
    ("analytiker", "analyst", "POST", "/openehr/v1/query/aql"),
    ("driftsvakt", "operator", "GET", "/bulk/v1/ehrs/{ehr_id}"),
    ("driftsvakt", "operator", "DELETE", "/openehr/v1/admin/ehr/{ehr_id}"),
    ("personvernombud", "officer", "GET", "/access/v1/audit"),
)


@pytest.mark.parametrize(("who", "scope", "method", "path"), WEAK)
def test_a_weak_log_in_opens_no_health_data(her: Her, who: str, scope: str, method: str, path: str) -> None:
    """Also for those who work with many records: HelseID's security level 4 is needed."""
    url = f"{ADDRESS}{path.format(ehr_id=her.ehr_id)}"
    claims = {"helseid://claims/identity/security_level": "3"}
    held = her.people.forged(who, scope=[f"nhn:maternity-record/{scope}"], **claims)
    body = {"q": "SELECT COUNT(*) FROM EHR e"} if method == "POST" else None
    answer = her.people.client.request(method, url, headers=proven(held, method, url), json=body)
    assert_error(answer, 403, "access.level")


def actors(people: People) -> set[str]:
    async def read() -> set[str]:
        store = people.client.app.state.platform.store
        return {entry.actor async for batch in store.audit_batches() for entry in batch.entries}

    assert people.client.portal is not None
    return people.client.portal.call(read)
