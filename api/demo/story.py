"""The demo data set: one synthetic woman, three pregnancies, 48 contacts (``story.json``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from templates.header import HPR, ORGANISATION_NUMBER, Header, Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One registration: compose ``fields`` with ``template_id`` and ``header``.

    ``organisation`` is who sends it; ``rules`` are the guideline rules that its values must hit.
    """

    id: str
    woman: str
    pregnancy: str
    template_id: str
    organisation: str
    header: Header
    delay_minutes: int
    fields: Mapping[str, Any]
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Woman:
    """A synthetic woman and her contacts, in time order."""

    id: str
    national_id: str
    contacts: tuple[Contact, ...]


def load_story() -> tuple[Woman, ...]:
    """The women of the demo."""
    story = json.loads((files("api.demo") / "story.json").read_text(encoding="utf-8"))
    return tuple(
        Woman(id=woman["id"], national_id=woman["national_id"], contacts=tuple(_contacts(story, woman)))
        for woman in story["women"]
    )


def _contacts(story: Mapping[str, Any], woman: Mapping[str, Any]) -> Iterator[Contact]:
    for pregnancy in woman["pregnancies"]:
        for contact in pregnancy["contacts"]:
            yield Contact(
                id=contact["id"],
                woman=woman["id"],
                pregnancy=pregnancy["id"],
                template_id=contact["template"],
                organisation=story["people"][contact["by"]]["organisation"],
                header=_header(story, pregnancy, contact),
                delay_minutes=contact["delay_minutes"],
                fields=contact["fields"],
                rules=tuple(contact.get("rules", ())),
            )


def _header(story: Mapping[str, Any], pregnancy: Mapping[str, Any], contact: Mapping[str, Any]) -> Header:
    person = story["people"][contact["by"]]
    organisation = story["organisations"][person["organisation"]]
    return Header(
        start_time=contact["at"],
        setting=person["setting"],
        composer=_composer(person),
        role=tuple(person["role"]) if "role" in person else None,
        facility=_party(organisation["name"], organisation.get("number"), ORGANISATION_NUMBER),
        pregnancy_id=pregnancy["card_id"],
        gestational_age=contact.get("gestational_age"),
        contact_type=contact.get("contact_type"),
    )


def _composer(person: Mapping[str, Any]) -> Party | None:
    """None: the woman herself."""
    return _party(person["name"], person.get("hpr"), HPR) if "name" in person else None


def _party(name: str, identifier: str | None, register: str) -> Party:
    return Party(name=name, identifier=identifier, issuer=register if identifier else "")
