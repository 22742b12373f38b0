"""Every contact of the demo says in FLAT and STRUCTURED exactly what it says in canonical JSON."""

from __future__ import annotations

import json

import pytest

from api.demo.story import Contact, read_story
from templates.repository import library_templates
from templates.simplified import from_flat, from_structured, to_flat, to_structured
from tests.templates.differences import differences

CONTACTS = [contact for woman in read_story() for contact in woman.contacts]


@pytest.mark.parametrize("contact", CONTACTS, ids=lambda contact: contact.id)
def test_round_trip(contact: Contact) -> None:
    opt = library_templates()[contact.template_id]
    composition = contact.composition(library_templates())
    # As a client gets them: through JSON.
    flat = json.loads(json.dumps(to_flat(opt, composition)))
    structured = json.loads(json.dumps(to_structured(opt, composition)))
    assert list(differences(composition, from_flat(opt, flat))) == []
    assert list(differences(composition, from_structured(opt, structured))) == []
    assert [key for key in flat if key.endswith("|raw")] == []


def test_keys_in_any_order_mean_the_same_contact() -> None:
    contact = next(contact for contact in CONTACTS if contact.template_id == "helsekort_kontroll.v0")
    opt = library_templates()[contact.template_id]
    flat = to_flat(opt, contact.composition(library_templates()))
    back = to_flat(opt, from_flat(opt, dict(sorted(flat.items(), reverse=True))))
    assert back == flat


def test_what_a_client_writes_by_hand() -> None:
    opt = library_templates()["helsekort_kontroll.v0"]
    composition = from_flat(
        opt,
        {
            "ctx/language": "nb",
            "ctx/territory": "NO",
            "ctx/composer_name": "Jordmor Kari",
            "ctx/time": "2026-02-03T10:00:00+01:00",
            "ctx/setting": "231",
            "svangerskapskontroll/undersøkelse/blodtrykk/systolisk|magnitude": 118,
            "svangerskapskontroll/undersøkelse/blodtrykk/diastolisk|magnitude": "76",
            "svangerskapskontroll/undersøkelse/blodtrykk/kroppsstilling|code": "at1001",
            "svangerskapskontroll/undersøkelse/urinstix/protein": None,
        },
    )
    (section,) = composition["content"]
    (observation,) = section["items"]
    event = observation["data"]["events"][0]
    assert event["time"]["value"] == "2026-02-03T10:00:00+01:00"
    assert observation["data"]["origin"] == event["time"]
    values = [element["value"] for element in event["data"]["items"]]
    assert [(value["magnitude"], value["units"]) for value in values] == [(118, "mm[Hg]"), (76.0, "mm[Hg]")]
    position = event["state"]["items"][0]["value"]
    assert position["defining_code"]["terminology_id"]["value"] == "local"
    assert position["value"]
    assert composition["context"]["setting"]["defining_code"]["code_string"] == "231"
    assert observation["subject"] == {"_type": "PARTY_SELF"}
