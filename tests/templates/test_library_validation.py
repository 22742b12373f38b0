"""What is composed with the card's templates, the validator accepts; what a node refuses, it refuses."""

from __future__ import annotations

import re

import pytest

from api.demo.story import Contact, read_story
from archetypes.paths import RmPath
from templates.compose import compose
from templates.field_values import as_argument, generated_values
from templates.fields import field_nodes
from templates.header import Header
from templates.operational import Node
from templates.opt import read_opt, write_opt
from templates.repository import library_templates
from validators.composition import validate_composition

CONTACTS = [contact for woman in read_story() for contact in woman.contacts]
PUBLISHED = {name: read_opt(write_opt(opt)) for name, opt in library_templates().items()}
HEADER = Header(
    start_time="2026-02-16T13:59:00+01:00",
    setting="231",
    pregnancy_id="0b9f0a4e-5f6b-4f7e-9d55-3c2f3a8f2b11",
)
HELD = [
    pytest.param(template_id, field, position, node, id=f"{template_id}-{field}-{position}")
    for template_id, opt in sorted(library_templates().items())
    for field, nodes in field_nodes(opt).items()
    for position, node in enumerate(nodes)
]


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_a_contact_of_the_demo_is_valid(contact: Contact) -> None:
    opt = library_templates()[contact.template_id]
    composition = compose(opt, contact.header, contact.fields)
    assert validate_composition(opt, composition) == []


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_a_published_template_composes_and_accepts_the_same(contact: Contact) -> None:
    published = PUBLISHED[contact.template_id]
    composition = compose(published, contact.header, contact.fields)
    assert composition == compose(library_templates()[contact.template_id], contact.header, contact.fields)
    assert validate_composition(published, composition) == []


@pytest.mark.parametrize(("template_id", "field", "position", "node"), HELD)
def test_a_field_accepts_and_refuses(template_id: str, field: str, position: int, node: Node) -> None:
    opt = library_templates()[template_id]
    generated = generated_values(node)
    argument = as_argument(generated.value, node, field_nodes(opt)[field])
    composition = compose(opt, HEADER, {field: argument})
    # A careflow step is no LOCATABLE: data say which one it is by its code.
    path = RmPath.parse(re.sub(r"(/ism_transition)\[.*\]$", r"\1", node.path))
    ((place, held),) = path.matches(composition)
    assert held[generated.attribute] == generated.accepted

    def findings() -> list[str]:
        found = validate_composition(opt, composition, complete=False)
        return [finding.code for finding in found if finding.path.startswith(place)]

    assert findings() == []
    held[generated.attribute] = generated.refused
    assert findings()
