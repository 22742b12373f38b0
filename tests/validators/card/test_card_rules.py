"""X1 to X9, the 283 days and what is kept off the card: each rule on both sides of its limit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.demo.story import read_story
from archetypes.findings import Severity
from templates.repository import library_templates
from tests.validators.card.documents import FIRST, LAB, RHD, SCAN, VISIT, document, found
from tests.validators.guidelines.contacts import contact
from validators.card import SEVERITIES, across_contacts, validate_card
from validators.composition import validate_composition
from validators.guidelines import Pregnancy
from validators.messages import LANGUAGES, finding_text

REPOSITORY = Path(__file__).parents[3]
ILL = {"HK5.1": "at0032", "HK5.3": "at0023"}

CASES: list[tuple[str, str, dict[str, Any], dict[str, str], list[str]]] = [
    ("X1 fits", FIRST, {"HK8.1": "168 cm", "HK8.2": "76.0 kg", "HK8.3": "26.9 kg/m2"}, {}, []),
    ("X1 at the tolerance", FIRST, {"HK8.1": "200 cm", "HK8.2": "80.0 kg", "HK8.3": "20.1 kg/m2"}, {}, []),
    ("X1 beyond it", FIRST, {"HK8.1": "200 cm", "HK8.2": "80.0 kg", "HK8.3": "20.2 kg/m2"}, {}, ["card.bmi"]),
    ("X1 without height", FIRST, {"HK8.2": "80.0 kg", "HK8.3": "20.2 kg/m2"}, {}, []),
    ("X2 below", VISIT, {"HK13.4": "100 mm[Hg]", "HK13.5": "99 mm[Hg]"}, {}, []),
    ("X2 equal", VISIT, {"HK13.4": "100 mm[Hg]", "HK13.5": "100 mm[Hg]"}, {}, ["card.blood_pressure_order"]),
    ("X2 in the second", VISIT,
     {"HK13.4": ["120 mm[Hg]", "80 mm[Hg]"], "HK13.5": ["79 mm[Hg]", "90 mm[Hg]"]}, {},
     ["card.blood_pressure_order"]),
    ("X5 two of two", FIRST, {"HK9.10": 2}, {}, []),
    ("X6 negative fetus", RHD, {"HK12.2": "T008", "HK12.4": "J06BB01"}, {}, ["card.rhd_prophylaxis"]),
    ("X6 positive fetus", RHD, {"HK12.2": "T002", "HK12.4": "J06BB01"}, {}, []),
    ("X7 yes", FIRST, ILL, {}, ["card.nothing_particular"]),
    ("X7 no", FIRST, {"HK5.1": "at0032", "HK5.3": "at0024"}, {}, []),
    ("X7 something", FIRST, {"HK5.1": "at0031", "HK5.3": "at0023"}, {}, []),
    ("X8 6 days", VISIT, {}, {"gestational_age": "P24W6D"}, []),
    ("X8 7 days", VISIT, {}, {"gestational_age": "P24W7D"}, ["card.gestation_days"]),
    ("X8 no week", VISIT, {}, {"gestational_age": "P0W6D"}, ["card.gestation_weeks"]),
    ("X9 right number", FIRST, {"HK2.5": "983544622"}, {}, []),
    ("X9 wrong number", FIRST, {"HK2.5": "983544623"}, {}, ["card.organisation_number"]),
    ("X9 right national id", FIRST, {"HK1.20": "10915596784"}, {}, []),
    ("X9 wrong national id", FIRST, {"HK1.20": "10915596785"}, {}, ["card.national_id"]),
    ("X9 by the rule of 2032", FIRST, {"HK1.20": "30108299939"}, {}, []),
    ("283 days", FIRST, {"HK9.1": "2025-09-01", "HK9.4": "2026-06-11"}, {}, []),
    ("280 days", FIRST, {"HK9.1": "2025-09-01", "HK9.4": "2026-06-08"}, {}, []),
    ("279 days", FIRST, {"HK9.1": "2025-09-01", "HK9.4": "2026-06-07"}, {}, ["card.term_by_period"]),
    ("age of 283 days", SCAN, {"HK9.5": "2026-06-09"}, {"gestational_age": "P24W2D"}, []),
    ("age of 280 days", SCAN, {"HK9.5": "2026-06-09"}, {"gestational_age": "P23W6D"},
     ["card.gestational_age"]),
    ("ICD-10", VISIT, {"HK5.15": {"code": "O04.9", "system": "icd-10", "display": "x"}}, {},
     ["card.not_on_card"]),
    ("miscarriage", VISIT, {"HK5.15": {"code": "O03.9", "system": "icd-10", "display": "x"}}, {}, []),
    ("ICPC-2", VISIT, {"HK5.15": {"code": "W83", "system": "icpc-2", "display": "x"}}, {},
     ["card.not_on_card"]),
    ("spontaneous in ICPC-2", VISIT, {"HK5.15": {"code": "W82", "system": "icpc-2", "display": "x"}}, {}, []),
    ("ATC", FIRST, {"HK6.3": {"code": "G03XB01", "system": "atc", "display": "x"}}, {}, ["card.not_on_card"]),
    ("SNOMED CT", VISIT, {"HK5.15": {"code": "57797005", "system": "snomed", "display": "x"}}, {},
     ["card.not_on_card"]),
    ("another OID", VISIT,
     {"HK5.15": {"code": "O04", "system": "urn:oid:2.16.578.1.12.4.1.1.7110", "display": "x"}}, {},
     ["card.not_on_card"]),
    ("an earlier one", "helsekort_tidligere_svangerskap.v0",
     {"HK3.8": "1", "HK3.17": {"code": "O04.9", "system": "icd-10", "display": "x"}}, {},
     ["card.not_on_card"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("template_id", "values", "header", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_document(
    template_id: str, values: dict[str, Any], header: dict[str, str], expected: list[str]
) -> None:
    assert [finding.code for finding in found(template_id, values, **header)] == expected


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        ("Provosert abort 2019", True),
        ("Hun har gjennomgått to selvbestemte aborter.", True),
        ("Medikamentell abort uke 8", True),
        ("Svangerskapsavbrudd", True),
        ("svangerskapsavbrot 2015", True),
        ("Abortus provocatus", True),
        ("termination of pregnancy 2010", True),
        ("G2P1, ab. prov. 2018", True),
        ("Spontanabort 2020", False),
        ("Medikamentell behandling av spontanabort", False),
        ("Truende abort, blødning i uke 9", False),
        ("Habituell abort", False),
        ("Absolutt provokasjonsfri", False),
        ("Ingen anmerkninger", False),
    ],
)
def test_wording_in_text_is_a_warning_that_repeats_nothing(text: str, warns: bool) -> None:
    findings = found(VISIT, {"HK13.17": text})
    assert [finding.code for finding in findings] == (["card.not_on_card_wording"] if warns else [])
    for finding in findings:
        assert finding.severity is Severity.WARNING
        assert finding.path.endswith("/value/value")
        shown = [finding_text(finding, language) for language in LANGUAGES]
        assert all(text.casefold() not in part.casefold() for part in (*shown, repr(finding)))


def test_a_forbidden_code_hides_in_no_mapping() -> None:
    composition = document(VISIT, {"HK13.17": "tekst"})
    note = composition["content"][0]["items"][0]["data"]["items"][0]["value"]
    target = {
        "_type": "CODE_PHRASE",
        "terminology_id": {"_type": "TERMINOLOGY_ID", "value": "SNOMED-CT(2026-01)"},
        "code_string": "386639001",
    }
    note["mappings"] = [{"_type": "TERM_MAPPING", "match": "=", "target": target}]
    (finding,) = validate_card(library_templates()[VISIT], composition)
    assert (finding.code, finding.severity) == ("card.not_on_card", Severity.ERROR)
    assert finding.path.endswith("/value/mappings[0]/target")
    assert "386639001" not in repr(finding)


def test_descendants_are_found_where_a_code_system_answers() -> None:
    values = {"HK5.15": {"code": "1", "system": "snomed", "display": "x"}}
    composition, opt = document(VISIT, values), library_templates()[VISIT]
    assert validate_card(opt, composition) == []
    (finding,) = validate_card(
        opt, composition, subsumed=lambda system, code, ancestor: (code, ancestor) == ("1", "57797005")
    )
    assert finding.code == "card.not_on_card"


def test_no_identifier_is_repeated() -> None:
    findings = found(FIRST, {"HK1.20": "10915596785", "HK2.5": "983544623"})
    assert len(findings) == 2
    assert "10915596785" not in repr(findings) and "983544623" not in repr(findings)


@pytest.mark.parametrize("woman_contact", read_story()[0].contacts, ids=lambda c: c.id)
def test_the_story_keeps_the_rules(woman_contact: Any) -> None:
    templates = library_templates()
    composition = woman_contact.composition(templates)
    assert validate_card(templates[woman_contact.template_id], composition) == []


@pytest.mark.parametrize("data", [None, [], 7, {}, {"context": 3}, {"content": [{"value": 3}, None]}])
def test_any_data_is_judged(data: Any) -> None:
    for opt in library_templates().values():
        assert validate_card(opt, data) == []


# A consent may come before a pregnancy, earlier pregnancies are the woman's, the overview has a label.
WITHOUT_CONTEXT = {f"helsekort_{name}.v0" for name in ("samtykke", "tidligere_svangerskap", "oversikt")}


@pytest.mark.parametrize("name", sorted(set(library_templates()) - WITHOUT_CONTEXT))
def test_a_document_names_its_pregnancy(name: str) -> None:
    composition = document(name, {}, pregnancy_id="0b9f0a4e-5f6b-4f7e-9d55-3c2f3a8f2b11")
    context = composition["context"]["other_context"]["items"][0]
    context["items"] = [item for item in context["items"] if item["archetype_node_id"] != "at0001"]
    findings = validate_composition(library_templates()[name], composition)
    paths = [f.archetype_path for f in findings if f.severity is Severity.ERROR]
    assert any("CLUSTER.pregnancy_context.v0" in path for path in paths)


def test_an_overview_names_its_pregnancy() -> None:
    name = "helsekort_oversikt.v0"
    named = document(name, {"HK0.2": "active"}, pregnancy_id="0b9f0a4e-5f6b-4f7e-9d55-3c2f3a8f2b11")
    assert validate_composition(library_templates()[name], named) == []
    nameless = validate_composition(library_templates()[name], document(name, {"HK0.2": "active"}))
    assert [(f.code, f.archetype_path.rpartition("/")[2]) for f in nameless if f.severity is Severity.ERROR]


def test_more_fetuses_than_the_scan_counted() -> None:
    scan = contact(SCAN, 12, 0, {"HK15.3": 1})
    visit = contact(VISIT, 30, 0, {"HK13.9": ["140 1/min", "150 1/min"]})
    (finding,) = across_contacts(Pregnancy(contacts=(scan, visit)))
    assert (finding.code, finding.params["contact"]) == ("card.fetuses", visit.id)
    assert across_contacts(Pregnancy(contacts=(contact(SCAN, 12, 0, {"HK15.3": 2}), visit))) == []


def test_section_12_of_a_woman_who_is_not_rhd_negative() -> None:
    typed = contact(RHD, 24, 0, {"HK12.2": "T008"})
    positive, negative = (contact(LAB, 8, 0, {"HK10.9": code}) for code in ("at0011", "at0012"))
    (finding,) = across_contacts(Pregnancy(contacts=(positive, typed)))
    assert finding.code == "card.rhd_not_negative"
    assert across_contacts(Pregnancy(contacts=(negative, typed))) == []


# --- texts and docs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_text(language: str) -> None:
    source = REPOSITORY / "validators" / "messages" / f"card_{language}.toml"
    assert set(tomllib.loads(source.read_text(encoding="utf-8"))) == set(SEVERITIES)


def test_the_docs_list_each_code_with_its_severity() -> None:
    docs = (REPOSITORY / "docs" / "card-rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| (error|warning) \|", docs, re.MULTILINE)
    assert dict(rows) == {code: severity.value for code, severity in SEVERITIES.items()}


HOSTILE: tuple[Any, ...] = (None, "", 1e308, -1e308, 5e-324, 0, True, [], {}, "P" + "9" * 5000 + "W7D", "٣")


def leaves(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document, as its container and key."""
    for key in range(len(node)) if isinstance(node, list) else list(node):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from leaves(node[key])


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: repr(value)[:12])
def test_no_value_anywhere_makes_the_rules_fail(hostile: Any) -> None:
    values = {
        "HK8.1": "168 cm",
        "HK8.2": "76.0 kg",
        "HK8.3": "26.9 kg/m2",
        "HK13.4": "120 mm[Hg]",
        "HK13.5": "80 mm[Hg]",
        "HK9.1": "2025-09-01",
        "HK9.4": "2026-06-11",
        "HK1.20": "10915596784",
    }
    composition = document(FIRST, values, gestational_age="P24W2D", pregnancy_id="S1")
    for container, key in list(leaves(composition)):
        kept, container[key] = container[key], hostile
        assert isinstance(validate_card(library_templates()[FIRST], composition), list)
        container[key] = kept
