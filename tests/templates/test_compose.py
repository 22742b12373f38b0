"""Contacts composed from card field values: every value lies where its field is annotated."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api.demo.story import Contact, read_story
from archetypes.paths import RmPath
from templates.compose import compose
from templates.errors import FieldNotHeld, ValueRefused
from templates.fields import field_nodes
from templates.header import Header, Party
from templates.repository import library_templates

CONTACTS = [contact for woman in read_story() for contact in woman.contacts]
HEADER = Header(
    start_time="2026-02-16T13:59:00+01:00",
    setting="231",
    composer=Party(name="Jordmor", identifier="999000002", issuer="1.2.3"),
    pregnancy_id="0b9f0a4e-5f6b-4f7e-9d55-3c2f3a8f2b11",
    gestational_age="P24W2D",
    contact_type="at0009",
)


BARE = Header(start_time="2026-02-16T13:59:00+01:00", setting="231")


def composed(template_id: str, values: dict[str, Any], header: Header = HEADER) -> dict[str, Any]:
    return compose(library_templates()[template_id], header, values)


def at(composition: dict[str, Any], template_id: str, field: str) -> list[Any]:
    """All data values that the composition holds for a field, in document order."""
    nodes = field_nodes(library_templates()[template_id])[field]
    # A careflow step is no LOCATABLE: data say which one it is by its code.
    paths = dict.fromkeys(re.sub(r"(/ism_transition)\[.*\]$", r"\1", node.path) for node in nodes)
    return [found for path in paths for _, found in RmPath.parse(path).matches(composition)]


def plain(value: dict[str, Any]) -> list[Any]:
    """Every plain form that may have been written for a data value."""
    if value["_type"] == "ISM_TRANSITION":
        return [value["careflow_step"]["defining_code"]["code_string"]]
    held = value["value"]
    match held["_type"]:
        case "DV_TEXT":
            return [held["value"]]
        case "DV_CODED_TEXT":
            return [held["defining_code"]["code_string"]]
        case "DV_QUANTITY":
            return [f"{held['magnitude']} {held['units']}"]
        case "DV_PROPORTION":
            return [f"{held['numerator']} %"]
        case "DV_ORDINAL":
            return [held["symbol"]["defining_code"]["code_string"]]
        case "DV_COUNT":
            return [held["magnitude"]]
        case "DV_IDENTIFIER":
            return [held["id"]]
        case _:
            return [held["value"]]


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_every_value_of_a_contact_is_found_at_its_field(contact: Contact) -> None:
    composition = composed(contact.template_id, dict(contact.fields), contact.header)
    for key, given in contact.fields.items():
        field = key.partition("#")[0]
        found = [form for value in at(composition, contact.template_id, field) for form in plain(value)]
        wanted = given if isinstance(given, list) else [given]
        codes = [value["code"] if isinstance(value, dict) else value for value in wanted]
        assert set(codes) <= set(found), key


def test_all_contacts_are_there() -> None:
    assert len(CONTACTS) == 48
    # The other five documents are not part of the story.
    assert len({contact.template_id for contact in CONTACTS} & set(library_templates())) == 8


def test_composing_twice_gives_equal_compositions() -> None:
    contact = CONTACTS[2]
    first, second = (composed(contact.template_id, dict(contact.fields), contact.header) for _ in range(2))
    assert first == second


def test_the_header_fills_the_composition() -> None:
    composition = composed("helsekort_kontroll.v0", {"HK13.4": "112 mm[Hg]"})
    assert composition["archetype_details"]["template_id"]["value"] == "helsekort_kontroll.v0"
    assert composition["archetype_details"]["rm_version"] == "1.1.0"
    assert composition["composer"]["identifiers"][0]["id"] == "999000002"
    assert composition["context"]["setting"]["defining_code"]["code_string"] == "231"
    assert composition["category"]["defining_code"]["code_string"] == "433"
    assert plain(at(composition, "helsekort_kontroll.v0", "HK0.5")[0]) == ["P24W2D"]
    assert plain(at(composition, "helsekort_kontroll.v0", "HK0.6")[0]) == ["at0009"]


def test_the_woman_is_the_author_where_no_composer_is_named() -> None:
    header = Header(start_time="2026-02-16T13:59:00+01:00", setting="225")
    composition = composed("helsekort_samtykke.v0", {"HK20.2": "at0015"}, header)
    assert composition["composer"] == {"_type": "PARTY_SELF"}


def test_each_fetus_is_the_subject_of_its_own_entry() -> None:
    values = {"HK13.9#1": "148 1/min", "HK13.9#2": "139 1/min"}
    composition = composed("helsekort_kontroll.v0", values)
    entries = [
        entry
        for entry in composition["content"][0]["items"]
        if entry["archetype_node_id"] == "openEHR-EHR-OBSERVATION.fetal_heart.v0"
    ]
    assert [entry["subject"]["identifiers"][0]["id"] for entry in entries] == ["1", "2"]
    assert {entry["subject"]["relationship"]["defining_code"]["code_string"] for entry in entries} == {"3"}


def test_two_blood_pressures_stay_apart() -> None:
    values = {"HK13.4": ["148 mm[Hg]", "152 mm[Hg]"], "HK13.5": ["94 mm[Hg]", "98 mm[Hg]"]}
    composition = composed("helsekort_kontroll.v0", values)
    pressures = [
        [item["value"]["magnitude"] for item in entry["data"]["events"][0]["data"]["items"]]
        for entry in composition["content"][0]["items"]
    ]
    assert pressures == [[148, 94], [152, 98]]


def test_a_list_for_apgar_fills_the_minutes() -> None:
    values = {"HK0.3": "2026-06-04", "HK19.9": [7, 9, 10]}
    composition = composed("helsekort_fodsel_barsel.v0", values, BARE)
    apgar = composition["content"][1]
    assert [event["archetype_node_id"] for event in apgar["data"]["events"]] == ["at0003", "at0028", "at0031"]
    assert apgar["subject"]["relationship"]["defining_code"]["code_string"] == "28"


def test_lists_are_joined_by_position() -> None:
    values = {
        "HK2.1": ["fastlege", "jordmor", "fødested"],
        "HK2.2": ["Lege", "Jordmor"],
        "HK2.4": ["Legesenter", None, "Sykehus"],
    }
    composition = composed("helsekort_forste_kontroll.v0", values, BARE)
    providers = composition["content"][0]["items"][0]["data"]["items"]
    said = [
        [item["value"] if "value" in item else item["items"][0]["value"] for item in provider["items"]]
        for provider in providers
    ]
    assert [[value["value"] for value in provider] for provider in said] == [
        ["fastlege", "Lege", "Legesenter"],
        ["jordmor", "Jordmor"],
        ["fødested", "Sykehus"],
    ]


def test_a_referral_and_advice_go_to_their_own_entries() -> None:
    composition = composed("helsekort_kontroll.v0", {"HK13.19": ["fødepoliklinikk", "Hvile"]})
    referral, advice = composition["content"][0]["items"]
    assert (referral["_type"], referral["narrative"]["value"]) == ("INSTRUCTION", "Henvisning")
    assert advice["_type"] == "EVALUATION"


def test_mandatory_nodes_with_one_value_are_filled() -> None:
    composition = composed("helsekort_forste_kontroll.v0", {"HK1.2": "Eksempel, Testine"}, BARE)
    demographics = composition["content"][0]["items"][0]
    (mother,) = demographics["data"]["items"]
    assert [item["value"]["value"] for item in mother["items"]] == ["Eksempel, Testine", "mor"]


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"HK99.1": 1}, FieldNotHeld, "HK99.1"),
        ({"HK19.7": "3500 g"}, FieldNotHeld, "HK19.7"),
        ({"HK13.4": "20 mm[Hg]"}, ValueRefused, "HK13.4"),
        ({"HK13.4": "14 kPa"}, ValueRefused, "HK13.4"),
        ({"HK13.4": 112}, ValueRefused, "HK13.4"),
        ({"HK13.4": "høyt"}, ValueRefused, "HK13.4"),
        ({"HK13.4": ["112 mm[Hg]"] * 3}, ValueRefused, "HK13.4"),
        ({"HK13.4#0": "112 mm[Hg]"}, ValueRefused, "HK13.4"),
        ({"HK13.4#to": "112 mm[Hg]"}, ValueRefused, "HK13.4"),
        ({"HK13.4#1": ["112 mm[Hg]"]}, ValueRefused, "HK13.4"),
        ({"HK13.6": "at0009"}, ValueRefused, "HK13.6"),
        ({"HK13.8": "at0099"}, ValueRefused, "HK13.8"),
        ({"HK13.2": "P60W"}, ValueRefused, "HK13.2"),
        ({"HK13.2": "24 uker"}, ValueRefused, "HK13.2"),
        ({"HK13.16": "120 %"}, ValueRefused, "HK13.16"),
        ({"HK13.16": {"numerator": 50, "denominator": 50, "type": 2}}, ValueRefused, "HK13.16"),
        ({"HK13.17": ""}, ValueRefused, "HK13.17"),
        ({"HK13.17": 7}, ValueRefused, "HK13.17"),
        ({"HK5.15": {"code": "O14.9", "system": "icd-10"}}, ValueRefused, "HK5.15"),
        ({"HK13.15": "at0028", "HK6.1": "at0029"}, ValueRefused, "HK6.1"),
    ],
)
def test_what_a_template_cannot_hold_is_refused_by_field(
    values: dict[str, Any], error: type[ValueRefused | FieldNotHeld], field: str
) -> None:
    with pytest.raises(error) as refused:
        composed("helsekort_kontroll.v0", values)
    assert refused.value.field == field
    assert refused.value.reason
