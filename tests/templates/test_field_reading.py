"""What was composed from field values is read back as the same field values."""

from __future__ import annotations

import time
from typing import Any

import pytest

from api.demo.story import Contact, read_story
from templates.compose import compose
from templates.field_reading import read_fields, read_values
from templates.fields import RM_FIELDS
from templates.header import Header
from templates.repository import library_templates

CONTACTS = [contact for woman in read_story() for contact in woman.contacts]
BARE = Header(start_time="2026-02-16T13:59:00+01:00", setting="231")


def normal(values: dict[str, Any]) -> dict[str, Any]:
    """``#1`` left out: a single instance is the first."""
    return {key.removesuffix("#1"): value for key, value in values.items()}


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_a_contact_is_read_back_with_every_value(contact: Contact) -> None:
    opt = library_templates()[contact.template_id]
    read = read_values(opt, compose(opt, contact.header, contact.fields))
    given = normal(contact.header.field_values() | dict(contact.fields))
    held = {
        key: value for key, value in given.items() if key in read or key not in contact.header.field_values()
    }
    assert {key: read.get(key) for key in held} == held


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_what_was_read_composes_the_same_contact(contact: Contact) -> None:
    opt = library_templates()[contact.template_id]
    composition = compose(opt, contact.header, contact.fields)
    assert compose(opt, contact.header, read_values(opt, composition)) == composition


def read_back(template_id: str, values: dict[str, Any]) -> dict[str, Any]:
    opt = library_templates()[template_id]
    return dict(read_values(opt, compose(opt, BARE, values)))


@pytest.mark.parametrize(
    ("template_id", "values"),
    [
        ("helsekort_kontroll.v0", {"HK13.9": ["148 1/min", "139 1/min"], "HK13.13": [None, "at0011"]}),
        (
            "helsekort_kontroll.v0",
            {"HK13.4": ["148 mm[Hg]", "152 mm[Hg]"], "HK13.5": ["94 mm[Hg]", "98 mm[Hg]"]},
        ),
        ("helsekort_kontroll.v0", {"HK13.19": ["fødepoliklinikk", "Hvile"]}),
        (
            "helsekort_forste_kontroll.v0",
            {"HK4.5": ["Mor", "Diabetes", "at0011"], "HK4.5#2": ["Søster", "Preeklampsi", "at0012"]},
        ),
        ("helsekort_forste_kontroll.v0", {"HK2.1": ["fastlege", "jordmor"], "HK2.2": ["Lege", "Jordmor"]}),
    ],
)
def test_several_instances_keep_their_places(template_id: str, values: dict[str, Any]) -> None:
    read = read_back(template_id, values)
    assert {key: read.get(key) for key in values} == values


def test_a_value_knows_its_place() -> None:
    opt = library_templates()["helsekort_kontroll.v0"]
    composition = compose(opt, BARE, {"HK13.4": "112 mm[Hg]", "HK13.9": ["148 1/min", "139 1/min"]})
    values = {(value.field, value.instance): value for value in read_fields(opt, composition)}
    second = values["HK13.9", 2]
    here: Any = composition
    for step in second.path.strip("/").split("/"):
        name, _, index = step.partition("[")
        here = here[name][int(index.rstrip("]"))] if index else here[name]
    assert here is second.value
    assert (second.number, second.plain) == (139, "139 1/min")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"content": 3},
        {"content": [None, {"archetype_node_id": 4}]},
        {"context": {"other_context": []}},
    ],
)
def test_any_data_is_read_without_failing(data: Any) -> None:
    for opt in library_templates().values():
        assert read_fields(opt, data) == ()


def test_fields_of_the_reference_model_are_not_among_them() -> None:
    opt = library_templates()["helsekort_kontroll.v0"]
    composition = compose(opt, BARE, {"HK13.4": "112 mm[Hg]"})
    assert not set(read_values(opt, composition)) & set(RM_FIELDS)


def test_reading_costs_little() -> None:
    opt = library_templates()["helsekort_forste_kontroll.v0"]
    contact = next(c for c in CONTACTS if c.template_id == opt.template_id)
    composition = compose(opt, contact.header, contact.fields)
    read_fields(opt, composition)
    started = time.perf_counter()
    for _ in range(20):
        read_fields(opt, composition)
    assert (time.perf_counter() - started) / 20 < 0.02
