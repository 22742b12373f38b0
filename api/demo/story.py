"""The demo data set: one synthetic woman, three pregnancies, 48 contacts by several organisations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from templates.compose import compose
from templates.header import HPR, ORGANISATION_NUMBER, Header, Party
from templates.operational import OperationalTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One contact: who registers which fields of the card under which template."""

    id: str
    pregnancy: str
    template_id: str
    header: Header
    fields: Mapping[str, Any]

    @property
    def organisation(self) -> str:
        """The organisation that sends the contact."""
        return self.header.facility.name if self.header.facility else ""

    @property
    def organisation_number(self) -> str:
        """Its number in the register of legal entities; Helsenorge is not in the data with one."""
        number = self.header.facility.identifier if self.header.facility else None
        return number or self.organisation

    @property
    def author(self) -> str:
        """Who wrote the contact; the woman herself has no name in it."""
        return self.header.composer.name if self.header.composer else "Kvinnen"

    def composition(self, templates: Mapping[str, OperationalTemplate]) -> dict[str, Any]:
        """The contact as a canonical composition."""
        return compose(templates[self.template_id], self.header, self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Woman:
    """A woman and her contacts in time order."""

    id: str
    national_id: str
    contacts: tuple[Contact, ...]


def read_story() -> tuple[Woman, ...]:
    """The women of the demo."""
    story = json.loads((files("api") / "demo" / "story.json").read_bytes())
    return tuple(_woman(story, woman) for woman in story["women"])


def _woman(story: Mapping[str, Any], woman: Mapping[str, Any]) -> Woman:
    contacts = sorted(_contacts(story, woman), key=lambda contact: contact.header.start_time)
    return Woman(id=woman["id"], national_id=woman["national_id"], contacts=tuple(contacts))


def _contacts(story: Mapping[str, Any], woman: Mapping[str, Any]) -> Iterator[Contact]:
    for pregnancy in woman["pregnancies"]:
        for contact in pregnancy["contacts"]:
            yield Contact(
                id=contact["id"],
                pregnancy=pregnancy["id"],
                template_id=contact["template"],
                header=_header(story, pregnancy, contact),
                fields=contact["fields"],
            )


def _header(story: Mapping[str, Any], pregnancy: Mapping[str, Any], contact: Mapping[str, Any]) -> Header:
    person = story["people"][contact["by"]]
    organisation = story["organisations"][person["organisation"]]
    return Header(
        start_time=contact["at"],
        setting=person["setting"],
        composer=_composer(person),
        role=tuple(person["role"]) if "role" in person else None,
        facility=Party(
            name=organisation["name"], identifier=organisation.get("number"), issuer=ORGANISATION_NUMBER
        ),
        pregnancy_id=pregnancy["card_id"],
        gestational_age=contact.get("gestational_age"),
        contact_type=contact.get("contact_type"),
    )


def _composer(person: Mapping[str, Any]) -> Party | None:
    if "name" not in person:
        return None
    return Party(name=person["name"], identifier=person.get("hpr"), issuer=HPR)
