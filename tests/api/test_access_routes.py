"""Treatment relations, the woman's log in plain words, and what the data-protection officer sees."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cdr.audit import chain_faults, read_batch
from tests.identity import ADDRESS, People

WOMEN = {
    "kvinnen": "14839850078",
    "line": "05819110079",
    "mona": "12918510026",
    "nora": "21838010196",
}
ACCESS = f"{ADDRESS}/access/v1"


def record_of(people: People, who: str) -> str:
    """The EHR of one of the women, made by her GP if it is not there."""
    status = {
        "_type": "EHR_STATUS",
        "archetype_node_id": "openEHR-EHR-EHR_STATUS.generic.v1",
        "name": {"_type": "DV_TEXT", "value": "EHR status"},
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": "openEHR-EHR-EHR_STATUS.generic.v1"},
            "rm_version": "1.1.0",
        },
        "subject": {
            "_type": "PARTY_SELF",
            "external_ref": {
                "_type": "PARTY_REF",
                "namespace": "2.16.578.1.12.4.1.4.1",
                "type": "PERSON",
                "id": {"_type": "GENERIC_ID", "value": WOMEN[who], "scheme": "fnr"},
            },
        },
        "is_queryable": True,
        "is_modifiable": True,
    }
    made = people.send("fastlege", "POST", "/ehr", basis="UNNTAK", role="LE", json=status)
    if made.status_code == 201:
        return str(made.headers["Location"]).rpartition("/")[2]
    assert made.status_code == 409, made.text
    address = f"/ehr?subject_id={WOMEN[who]}&subject_namespace=2.16.578.1.12.4.1.4.1"
    found = people.send("fastlege", "GET", address, basis="UNNTAK", role="LE")
    return str(found.json()["ehr_id"]["value"])


def gp(people: People, method: str, path: str, **options: Any) -> Any:
    return people.send("fastlege", method, path, **{"basis": "UNNTAK", "role": "LE", **options})


def hospital(people: People, method: str, path: str, **options: Any) -> Any:
    return people.send(
        "jordmor", method, path, **{"basis": "UNNTAK", "role": "JO", "through": "sykehus", **options}
    )


def test_a_relation_begins_with_her_consent_and_ends_by_her_word(secured: People) -> None:
    ehr_id = record_of(secured, "kvinnen")
    path = f"{ACCESS}/ehr/{ehr_id}/relations"
    assert hospital(secured, "GET", f"/ehr/{ehr_id}").json()["code"] == "access.relation"
    assert hospital(secured, "POST", path).json()["code"] == "access.relation"
    opened = hospital(secured, "POST", path, basis="SAMTYKKE")
    assert opened.status_code == 200
    assert [one["organisation"] for one in opened.json()["relations"]] == ["999000010", "999000045"]
    assert hospital(secured, "GET", f"/ehr/{ehr_id}").status_code == 200
    assert hospital(secured, "DELETE", f"{path}/999000010").json()["code"] == "access.organisation"
    assert secured.send("line", "DELETE", f"{path}/999000045").json()["code"] == "access.not_own"
    assert secured.send("kvinnen", "DELETE", f"{path}/999000045").status_code == 204
    assert secured.send("kvinnen", "DELETE", f"{path}/999000045").json()["code"] == "relation.unknown"
    assert hospital(secured, "GET", f"/ehr/{ehr_id}").status_code == 403
    ended = secured.send("kvinnen", "GET", path).json()["relations"][-1]
    assert ended["until"] > ended["since"]


def test_an_emergency_needs_a_reason_and_is_told_to_her(secured: People) -> None:
    ehr_id = record_of(secured, "line")
    assert hospital(secured, "GET", f"/ehr/{ehr_id}", basis="AKUTT").json()["code"] == "access.reason"
    seen = hospital(secured, "GET", f"/ehr/{ehr_id}", basis="AKUTT", reason="bevisstløs, blør")
    assert seen.status_code == 200
    log = secured.send("line", "GET", f"{ACCESS}/ehr/{ehr_id}/log", headers={"Accept-Language": "nb"})
    texts = [line["text"] for line in log.json()["entries"]]
    assert any("akutt helsehjelp. Begrunnelse: bevisstløs, blør." in text for text in texts)
    assert any(text.startswith("Jorunn Fiktiv, jordmor, HPR-nummer 999000002") for text in texts)


def test_her_log_names_who_what_and_why_in_her_language(secured: People) -> None:
    ehr_id = record_of(secured, "mona")
    gp(secured, "GET", f"/ehr/{ehr_id}")
    hospital(secured, "GET", f"/ehr/{ehr_id}")
    secured.send("kvinnen", "GET", f"/ehr/{ehr_id}")
    secured.send("mona", "GET", f"/ehr/{ehr_id}")
    log = secured.send("mona", "GET", f"{ACCESS}/ehr/{ehr_id}/log", headers={"Accept-Language": "en"})
    assert log.headers["Content-Language"] == "en"
    texts = [line["text"] for line in log.json()["entries"] if line["did"] != "read this log"]
    assert texts[0] == "You opened your record."
    assert texts[1] == "Somebody opened your record. Access was refused."
    assert texts[2].startswith("Jorunn Fiktiv, midwife, HPR number 999000002, organisation 999000037,")
    assert texts[2].endswith("Access was refused.")
    assert texts[3].startswith("Finn Fiktiv, doctor, HPR number 999000001, organisation 999000010, opened")
    assert "14839850078" not in log.text


def test_another_womans_log_is_not_there_for_anybody_else(secured: People) -> None:
    ehr_id = record_of(secured, "mona")
    missing = "7d44b88c-4199-4bad-97dc-d78268e01398"
    answers = [secured.send("line", "GET", f"{ACCESS}/ehr/{one}/log") for one in (ehr_id, missing)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert gp(secured, "GET", f"{ACCESS}/ehr/{ehr_id}/log").json()["code"] == "access.role"


@pytest.mark.parametrize("who", ["kvinnen", "fastlege", "analytiker", "redaktor", "fagsystem"])
def test_the_audit_is_the_officers(secured: People, who: str) -> None:
    for path in ("audit", "audit/check", "audit/export"):
        answer = secured.send(who, "GET", f"{ACCESS}/{path}", basis="UNNTAK")
        assert (answer.status_code, answer.json()["code"]) == (403, "access.role")


def test_the_officer_finds_checks_and_takes_a_copy(secured: People) -> None:
    ehr_id = record_of(secured, "kvinnen")
    gp(secured, "GET", f"/ehr/{ehr_id}")

    def officer(path: str) -> Any:
        return secured.send("personvernombud", "GET", f"{ACCESS}/{path}")

    found = officer(f"audit?ehr_id={ehr_id}&hpr=999000001&action=ehr.read&fetch=1").json()["entries"]
    assert [entry["name"] for entry in found] == ["Finn Fiktiv"]
    assert (found[0]["source"], found[0]["client"]) == ("Test-EPJ 1.0", "legesenter")
    assert officer("audit?since=2199-01-01T00:00:00Z").json() == {"entries": []}
    searches = officer("audit?action=audit.read&fetch=1").json()["entries"]
    assert searches[0]["name"] == "Pia Fiktiv"
    state = officer("audit/check").json()
    assert state["faults"] == []
    assert state["entries"] >= state["batches"] > 0
    assert state["published"] >= 1
    lines = officer("audit/export").content.splitlines()
    batches = sorted(map(read_batch, lines), key=lambda batch: (batch.chain, batch.sequence))
    assert chain_faults(batches) == []
    assert orjson.loads(lines[0])["digest"]


def test_looking_somebody_up_tells_nothing_to_who_may_not_know(secured: People) -> None:
    record_of(secured, "line")
    address = "/ehr?subject_namespace=2.16.578.1.12.4.1.4.1&subject_id="
    answers = [hospital(secured, "GET", address + one) for one in (WOMEN["line"], "03827710201")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
