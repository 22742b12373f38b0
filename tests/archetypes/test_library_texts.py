"""Every archetype of the library is complete: texts in both languages, metadata, slots that can be filled."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import (
    ArchetypeSlot,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CObject,
)
from archetypes.repository import ArchetypeRepository, admits, library

LANGUAGES = ("nb", "en")
OWN = {
    "openEHR-EHR-ADMIN_ENTRY.parentage_declaration.v0",
    "openEHR-EHR-CLUSTER.pregnancy_context.v0",
    "openEHR-EHR-EVALUATION.birth_plan.v0",
    "openEHR-EHR-OBSERVATION.symphysis_fundal_height.v0",
}


@cache
def _repository() -> ArchetypeRepository:
    return library()


def _ids() -> list[str]:
    return sorted(_repository().ids())


def _objects(node: CObject) -> Iterator[CObject]:
    yield node
    if isinstance(node, CComplexObject):
        for _, child in node.children():
            yield from _objects(child)


def _codes(archetype: Archetype) -> set[str]:
    """All local codes that the definition uses."""
    codes: set[str] = set()
    for node in _objects(archetype.definition):
        if node.node_id:
            codes.add(node.node_id)
        if isinstance(node, CCodePhrase) and node.terminology_id == "local":
            codes.update(node.codes)
        if isinstance(node, CDvOrdinal):
            codes.update(item.code for item in node.items if item.terminology_id == "local")
    return codes


def test_the_library_holds_what_the_card_needs() -> None:
    assert len(_ids()) == 78
    assert set(_ids()) >= OWN


@pytest.mark.parametrize("archetype_id", _ids())
def test_every_code_has_text_and_description_in_both_languages(archetype_id: str) -> None:
    archetype = _repository().get(archetype_id)
    used = _codes(archetype)
    for language in LANGUAGES:
        terms = archetype.terminology.terms[language]
        assert set(terms) == used
        assert [code for code, term in terms.items() if not (term.text and term.description)] == []


@pytest.mark.parametrize("archetype_id", _ids())
def test_the_metadata_name_edition_source_and_licence(archetype_id: str) -> None:
    archetype = _repository().get(archetype_id)
    assert archetype.original_language == "nb"
    details = archetype.description["details"]
    assert all(details[language][part] for language in LANGUAGES for part in ("purpose", "use"))
    other = archetype.description["other_details"]
    assert other["edition"] == "Helsekort"
    assert other["custodian_organisation"] == "Helsekort CDR"
    assert other["licence"].startswith("CC-BY-SA-4.0")
    if archetype_id in OWN:
        assert other["original_namespace"] == "no.helsekort"
    else:
        assert other["based_on"].startswith(f"{archetype_id} revision ")


@pytest.mark.parametrize("archetype_id", _ids())
def test_every_slot_admits_an_archetype_of_the_library(archetype_id: str) -> None:
    slots = [
        node
        for node in _objects(_repository().get(archetype_id).definition)
        if isinstance(node, ArchetypeSlot)
    ]
    empty = [slot.node_id for slot in slots if not any(admits(slot, each) for each in _ids())]
    assert empty == []


@pytest.mark.parametrize("archetype_id", _ids())
def test_bindings_are_about_codes_that_are_used(archetype_id: str) -> None:
    archetype = _repository().get(archetype_id)
    bound = {code for codes in archetype.terminology.term_bindings.values() for code in codes}
    assert bound <= _codes(archetype)
