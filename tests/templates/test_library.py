"""The card's own templates: form of the source, slot trees of the content specification, prohibitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from archetypes.aom.constraints import CArchetypeRoot
from archetypes.repository import library
from templates.compile import template_findings
from templates.oet import NAMESPACE
from templates.operational import OperationalTemplate, fixed_name
from templates.repository import library_sources, library_templates
from tests.shared_data import SHARED, needs_shared

FOLDER = Path(__file__).parents[2] / "templates" / "library"
IDS = sorted(library_sources())

# Where we differ from the slot trees of the specification, and why.
DIFFERENT_OCCURRENCES = {
    # A postnatal visit has no birth of its own.
    ("helsekort_fodsel_barsel.v0", "Fødsel"): "0..1",
    ("helsekort_fodsel_barsel.v0", "Fødselsdetaljer"): "0..1",
    # The visit where anti-D is given brings no laboratory result.
    ("helsekort_rhd.v0", "Laboratoriesvar"): "0..*",
}
# EPDS stands in the restricted template alone: on the birth document everybody on the card would see it.
LEFT_OUT = {("helsekort_fodsel_barsel.v0", "EPDS")}
# One cluster for each analyte, named after it, takes the place of the repeated "Analyse".
SPLIT = {"Analyse"}


def roots(opt: OperationalTemplate) -> Iterator[tuple[tuple[str, ...], CArchetypeRoot]]:
    """Every archetype of a template with the names from the composition down to it."""
    for node in opt.nodes():
        if isinstance(node.constraint, CArchetypeRoot) and node.parents:
            above = [parent for parent in node.parents[1:] if isinstance(parent, CArchetypeRoot)]
            names = (*(fixed_name(parent) or "" for parent in above), fixed_name(node.constraint) or "")
            yield names, node.constraint


def test_the_templates_of_the_card_are_there() -> None:
    assert {template_id.removeprefix("helsekort_").removesuffix(".v0") for template_id in IDS} == {
        "egenregistrering",
        "fodsel_barsel",
        "forste_kontroll",
        "grunnopplysninger",
        "kontroll",
        "lab",
        "oversikt",
        "rhd",
        "samtykke",
        "skjermet",
        "tidligere_svangerskap",
        "ultralyd",
        "vaksine",
    }
    assert {template.language for template in library_templates().values()} == {"nb"}


@needs_shared
@pytest.mark.parametrize("template_id", IDS)
def test_a_source_has_the_form_of_the_oet_schema(template_id: str) -> None:
    schema = etree.XMLSchema(etree.parse(SHARED / "spec/its-xml/OET/Release-1.0.1/CompositionTemplate.xsd"))
    tree = etree.parse(FOLDER / f"{template_id}.oet")
    # Editors write annotations; the published schema does not know them.
    for notes in tree.getroot().findall(f"{{{NAMESPACE}}}annotations"):
        tree.getroot().remove(notes)
    assert schema.validate(tree), schema.error_log


@pytest.mark.parametrize("template_id", IDS)
def test_a_template_compiles_without_findings(template_id: str) -> None:
    assert template_findings(library_sources()[template_id], library()) == []


def slot_trees() -> list[Any]:
    if not SHARED.is_dir():
        return []
    trees = json.loads((SHARED / "card" / "templates.json").read_text(encoding="utf-8"))
    return [tree for tree in trees if tree["n"].partition(" | ")[0] in IDS]


def wanted(
    tree: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    for child in tree["c"]:
        if child["n"] not in SPLIT:
            names = (*above, child["n"])
            yield names, f"openEHR-EHR-{child['a']}", child["o"]
            yield from wanted(child, names)


@needs_shared
@pytest.mark.parametrize("tree", slot_trees(), ids=lambda tree: tree["n"].partition(" | ")[0])
def test_a_template_has_the_slot_tree_of_the_specification(tree: Mapping[str, Any]) -> None:
    template_id = tree["n"].partition(" | ")[0]
    found = dict(roots(library_templates()[template_id]))
    for names, archetype_id, occurrences in wanted(tree):
        if (template_id, names[-1]) in LEFT_OUT:
            assert names not in found
            continue
        there = found[names]
        assert there.archetype_id == archetype_id
        expected = DIFFERENT_OCCURRENCES.get((template_id, names[-1]), occurrences)
        assert str(there.occurrences) == expected, names


def test_no_induced_abortion_can_be_stored() -> None:
    for opt in library_templates().values():
        for node in opt.nodes():
            if node.root.archetype_id == "openEHR-EHR-EVALUATION.obstetric_summary.v1":
                assert node.constraint.node_id not in {"at0005", "at0017"}


def test_the_woman_has_no_identifier_in_compositions() -> None:
    for opt in library_templates().values():
        for names, root in roots(opt):
            if names[-1:] == ("Mor",):
                assert "at0003" not in {child.node_id for _, child in root.children()}


@pytest.mark.parametrize("template_id", IDS)
def test_entries_about_a_fetus_or_child_say_so(template_id: str) -> None:
    about_others = {
        "Fosterlyd",
        "Fosterets leie",
        "Fosterbevegelser",
        "Fosterbiometri",
        "Vekst",
        "Apgar",
        "Amming",
    }
    for names, root in roots(library_templates()[template_id]):
        if names[-1] in about_others:
            assert root.attribute("subject") is not None, names
