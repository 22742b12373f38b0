"""X9: Norwegian identifiers. No finding repeats one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archetypes.findings import Finding
from archetypes.norwegian_ids import classify, is_organisation_number
from templates.field_reading import FieldValue
from validators.card.fields import Card, finding

ORGANISATION_OID = "2.16.578.1.12.4.1.4.101"


def organisation_numbers(card: Card) -> Iterator[Finding]:
    """X9: nine digits with a right check digit; a HER id has another length and another issuer."""
    for value in card.all("HK2.5"):
        text = _id(value)
        stated = ORGANISATION_OID in (value.value.get("issuer"), value.value.get("type"))
        if (stated or re.fullmatch(r"[0-9 ]{9,11}", text)) and not is_organisation_number(text):
            yield finding("card.organisation_number", value, "9 digits, mod 11")


def national_ids(card: Card) -> Iterator[Finding]:
    """X9: eleven digits with right check digits and a date."""
    for value in card.all("HK1.20"):
        if classify(_id(value)) is None:
            yield finding("card.national_id", value, "11 digits, mod 11")


def _id(value: FieldValue) -> str:
    text = value.value.get("id")
    return text if isinstance(text, str) else ""
