"""A woman and her card over HTTP, on a server that enforces access: real tokens, real proofs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from api.card_errors import CARD_PATH
from cdr.consent_texts import text_version
from templates.compose import Header, compose
from templates.header import ORGANISATION_NUMBER, Party
from templates.repository import library_templates
from tests.identity import ADDRESS, People

DOCUMENT = {"document": text_version()}
FIRST, VISIT, SHIELDED = "helsekort_forste_kontroll.v0", "helsekort_kontroll.v0", "helsekort_skjermet.v0"


@dataclass(frozen=True)
class Somebody:
    """Who calls, through the system of which organisation, and why."""

    who: str
    through: str = ""
    basis: str = ""
    role: str = ""
    reason: str = ""

    def said(self) -> dict[str, Any]:
        """As options of ``People.send``."""
        named = {"through": self.through, "basis": self.basis, "role": self.role, "reason": self.reason}
        return {name: text for name, text in named.items() if text}


MIDWIFE = Somebody("jordmor", "helsestasjon", "SAMTYKKE", "JO")
GP = Somebody("fastlege", "legesenter", "SAMTYKKE", "LE")
HOSPITAL = Somebody("fastlege", "sykehus", "SAMTYKKE", "LE")
EMERGENCY = Somebody("fastlege", "sykehus", "AKUTT", "LE", "bevisstløs")


@dataclass
class Her:
    """One woman: her name at the issuer, her national id, and once it is there her EHR."""

    people: People
    nin: str
    name: str = "kvinnen"
    ehr_id: str = ""
    uids: dict[str, str] = field(default_factory=dict)  # planted word -> version

    def card(self, who: str, method: str, path: str, **options: Any) -> Any:
        """A call of the card API by somebody about her."""
        headers = {"nhn-patient-nin": self.nin} | options.pop("headers", {})
        return self.people.send(who, method, f"{ADDRESS}{CARD_PATH}{path}", headers=headers, **options)

    def hers(self, method: str, path: str, **options: Any) -> Any:
        """A call of the card API by herself."""
        return self.people.send(self.name, method, f"{ADDRESS}{CARD_PATH}{path}", **options)

    def rest(self, who: str, method: str, path: str, **options: Any) -> Any:
        """A call of the openEHR API by somebody."""
        return self.people.send(who, method, path, **options)

    def call(self, somebody: Somebody, method: str, path: str, **options: Any) -> Any:
        """A call of any address of the server; those of the card API carry her national id."""
        headers = {"nhn-patient-nin": self.nin} if path.startswith(CARD_PATH) else {}
        headers |= options.pop("headers", {})
        url = f"{ADDRESS}{path}"
        return self.people.send(somebody.who, method, url, headers=headers, **somebody.said(), **options)

    def consent(self) -> None:
        """She says yes; her EHR is there afterwards."""
        given = self.hers("POST", "/consent", json=DOCUMENT)
        assert given.status_code == 201, given.text
        subject = {"subject_id": self.nin, "subject_namespace": "2.16.578.1.12.4.1.4.1"}
        self.ehr_id = self.rest(self.name, "GET", "/ehr", params=subject).json()["ehr_id"]["value"]

    def begin_card(self) -> str:
        """The midwife begins a card; returns its id."""
        begun = self.card(MIDWIFE.who, "POST", "/record", **MIDWIFE.said())
        assert begun.status_code == 201, begun.text
        return str(begun.json()["recordId"])

    def write(self, word: str, template: str = VISIT, by: Somebody = MIDWIFE, **fields: Any) -> str:
        """An entry that holds a word; returns the uid of its version."""
        data = entry(word, template, **fields)
        path = f"/ehr/{self.ehr_id}/composition"
        stored = self.rest(by.who, "POST", path, json=data, **by.said())
        assert stored.status_code == 201, stored.text
        self.uids[word] = stored.headers["ETag"].strip('W/"')
        return self.uids[word]


def entry(word: str, template: str, **fields: Any) -> dict[str, Any]:
    """A composition with the word in the name of its facility, and the values of card fields."""
    header = Header(
        start_time="2026-03-02T10:15:00+01:00",
        setting="231",
        composer=Party(name="Jorunn Fiktiv"),
        role=("JO", "Jordmor"),
        facility=Party(name=word, identifier="999000029", issuer=ORGANISATION_NUMBER),
        pregnancy_id="S1",
        gestational_age="P24W1D",
        contact_type="at0008" if template == FIRST else "at0009",
    )
    examined = {} if template == SHIELDED else {"HK13.3": "68.5 kg"}
    values = examined | {name.replace("_", "."): value for name, value in fields.items()}
    return compose(library_templates()[template], header, values)
