"""Every contact of the demo is valid; broken at any constrained node it is refused there and only there."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest

from api.demo.story import Contact, read_story
from archetypes.rm.canonical_json import write_canonical
from templates.example import example_composition
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.validators.mutations import Mutation, applied, mutations
from tests.validators.small import ELEMENTS, composition, template
from validators.composition import validate_composition

CONTACTS = [contact for woman in read_story() for contact in woman.contacts]
ONE_OF_EACH_TEMPLATE = {contact.template_id: contact.id for contact in reversed(CONTACTS)}
ALL = [
    pytest.param(
        contact,
        id=contact.id,
        # One contact of each template is broken in the fast part of the gate, the others in the whole of it.
        marks=() if ONE_OF_EACH_TEMPLATE[contact.template_id] == contact.id else pytest.mark.slow,
    )
    for contact in CONTACTS
]


def broken_promises(opt: OperationalTemplate, data: Any) -> tuple[list[str], Counter[str]]:
    """What did not follow as it should, and how many mutations of each kind there were."""
    before = write_canonical(data)
    known = set(findings(opt, data))
    failures, kinds = [], Counter[str]()
    for mutation in mutations(opt, data):
        kinds[mutation.kind] += 1
        with applied(mutation, data):
            found = [finding for finding in findings(opt, data) if finding not in known]
        failures.extend(f"{mutation}: {fault}" for fault in faults(mutation, found))
    assert write_canonical(data) == before
    return failures, kinds


def findings(opt: OperationalTemplate, data: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in validate_composition(opt, data)]


def faults(mutation: Mutation, found: list[tuple[str, str]]) -> list[str]:
    faults = []
    if (mutation.code, mutation.where) not in found:
        faults.append(f"instead {found[:5]}")
    outside = [f for f in found if f[1] != mutation.parent and not f[1].startswith(f"{mutation.parent}/")]
    return [*faults, *(f"outside {mutation.parent}: {finding}" for finding in outside[:5])]


@cache
def composed(contact_id: str) -> dict[str, Any]:
    contact = next(contact for contact in CONTACTS if contact.id == contact_id)
    return contact.composition(library_templates())


@pytest.mark.parametrize("contact", CONTACTS, ids=[contact.id for contact in CONTACTS])
def test_every_contact_is_valid_without_a_warning(contact: Contact) -> None:
    assert validate_composition(library_templates()[contact.template_id], composed(contact.id)) == []


@pytest.mark.parametrize("contact", ALL)
def test_every_broken_constraint_of_a_contact_is_found_in_its_place(contact: Contact) -> None:
    failures, kinds = broken_promises(library_templates()[contact.template_id], composed(contact.id))
    assert failures == []
    assert kinds.total() > 150


@pytest.mark.parametrize("template_id", sorted(set(library_templates()) - set(ONE_OF_EACH_TEMPLATE)))
def test_every_broken_constraint_of_an_example_is_found_where_the_story_has_no_contact(
    template_id: str,
) -> None:
    opt = library_templates()[template_id]
    example = example_composition(opt)
    assert validate_composition(opt, example) == []
    # Sections are those of the first visit, whose contacts break them.
    example["content"] = [entry for entry in example["content"] if entry["_type"] != "SECTION"]
    failures, kinds = broken_promises(opt, example)
    assert failures == []
    assert kinds.total() > 100


def test_the_engine_breaks_each_kind_of_constraint() -> None:
    failures, kinds = broken_promises(template(*ELEMENTS), composition())
    assert failures == []
    assert set(kinds) >= {
        "other template",
        "mandatory attribute removed",
        "required node removed",
        "node too many",
        "node outside the template",
        "wrong node id",
        "wrong fixed name",
        "type not in the template",
        "wrong unit",
        "magnitude too small",
        "precision too high",
        "code outside the list",
        "other terminology",
        "symbol of another value",
        "CString broken",
        "CInteger broken",
        "CReal broken",
        "CBoolean broken",
        "CTemporal broken",
        "CDuration broken",
        "archetype outside the slots",
    }
