"""The story of the demo, the data of the rules, and their texts."""

from __future__ import annotations

import json
import re
import string
import tomllib
from datetime import date
from pathlib import Path

import pytest

from api.demo.story import read_story
from archetypes.findings import Severity
from templates.repository import library_templates
from tests.shared_data import SHARED, needs_shared
from tests.validators.guidelines.contacts import VISIT, contact
from validators.guidelines import (
    RULES,
    GuidelineFault,
    Pregnancy,
    bundled_guideline,
    contact_of,
    pregnancies_of,
    pregnancy_remarks,
    read_guideline,
    remarks_by_contact,
)
from validators.messages import LANGUAGES, finding_text

REPOSITORY = Path(__file__).parents[3]
STORY = REPOSITORY / "api" / "demo" / "story.json"
SOURCES = sorted((REPOSITORY / "validators" / "guidelines").glob("*.py"))
BORN = date(1998, 3, 14)


def expected_rules() -> dict[str, list[str]]:
    story = json.loads(STORY.read_bytes())
    return {
        contact["id"]: sorted(contact.get("rules", ()))
        for woman in story["women"]
        for pregnancy in woman["pregnancies"]
        for contact in pregnancy["contacts"]
    }


def story_pregnancies() -> tuple[Pregnancy, ...]:
    templates = library_templates()
    (woman,) = read_story()
    made = [contact_of(templates[c.template_id], c.composition(templates), c.id) for c in woman.contacts]
    return pregnancies_of([contact for contact in made if contact is not None], born=BORN)


def test_exactly_the_expected_rules_speak_on_every_contact_of_the_story() -> None:
    found = {
        contact_id: sorted(finding.params["rule"] for finding in remarks)
        for pregnancy in story_pregnancies()
        for contact_id, remarks in remarks_by_contact(pregnancy, bundled_guideline()).items()
    }
    consents = {contact.id for contact in read_story()[0].contacts if "samtykke" in contact.template_id}
    assert {contact_id: [] for contact_id in consents} | found == expected_rules()
    assert sum(map(len, found.values())) > 15


@needs_shared
def test_the_demo_expects_the_rules_of_the_shared_story() -> None:
    story = json.loads((SHARED / "card" / "story.json").read_bytes())
    shared = {
        contact["id"]: sorted(contact.get("expected_rule_hits") or ())
        for woman in story["women"]
        for pregnancy in woman["pregnancies"]
        for contact in pregnancy["contacts"]
    }
    assert shared == expected_rules()


def test_a_remark_sees_nothing_that_came_later() -> None:
    whole = story_pregnancies()[1]
    cut = Pregnancy(contacts=whole.contacts[:5], earlier=whole.earlier, born=whole.born)
    all_of_it = remarks_by_contact(whole, bundled_guideline())
    assert remarks_by_contact(cut, bundled_guideline()) == {c.id: all_of_it[c.id] for c in cut.contacts}


def test_a_remark_names_rule_source_version_and_place() -> None:
    raised = contact(VISIT, 20, 0, {"HK13.4": "150 mm[Hg]", "HK13.5": "95 mm[Hg]"})
    remarks = pregnancy_remarks(Pregnancy(contacts=(raised,)), bundled_guideline())
    remark = next(r for r in remarks if r.params["rule"] == "R-BP-140")
    assert (remark.severity, remark.found, remark.expected) == (
        Severity.WARNING,
        "150/95 mm[Hg]",
        "< 140/90 mm[Hg]",
    )
    assert remark.path.startswith("/content[0]/items[0]/data/events[0]/data/items[0]/value")
    assert "[openEHR-EHR-OBSERVATION.blood_pressure.v2" in remark.archetype_path
    assert remark.params["contact"] == raised.id
    for language in LANGUAGES:
        text = finding_text(remark, language)
        assert "R-BP-140" in text and "NGF" in text and bundled_guideline().version in text


def test_no_remark_ever_refuses() -> None:
    severities = {limits.severity for limits in bundled_guideline().rules.values()}
    assert severities == {Severity.WARNING, Severity.INFO}
    with pytest.raises(GuidelineFault):
        read_guideline('version = "1"\n[rules.R-BP-140]\nseverity = "error"\n')


def test_every_rule_has_its_data_and_every_datum_its_rule() -> None:
    assert set(RULES) == set(bundled_guideline().rules)
    assert bundled_guideline().approved_by == ""


def test_a_missing_threshold_is_named() -> None:
    edition = read_guideline('version = "1"\n[rules.R-BP-140]\nseverity = "warning"\nsystolic = 140\n')
    visit = contact(VISIT, 20, 0, {"HK13.4": "150 mm[Hg]"})
    with pytest.raises(GuidelineFault, match=r"R-BP-140\.diastolic"):
        pregnancy_remarks(Pregnancy(contacts=(visit,)), edition)


CURVE = """
version = "test"
[rules.R-SF-LIM]
severity = "warning"
source = "{source}"
population = "{population}"
curve = [[24, 20.6, 25.2], [30, 26.5, 31.1], [36, 31.0, 36.0]]
"""


@pytest.mark.parametrize(("height", "speaks"), [("26.4 cm", True), ("26.5 cm", False), ("31.2 cm", True)])
def test_a_curve_with_source_and_population_is_used(height: str, speaks: bool) -> None:
    edition = read_guideline(CURVE.format(source="a placeholder for tests", population="nobody"))
    visit = contact(VISIT, 30, 0, {"HK14.1": height})
    assert bool(pregnancy_remarks(Pregnancy(contacts=(visit,)), edition)) is speaks


@pytest.mark.parametrize(("source", "population"), [("", "Norwegian women"), ("FHI", "")])
def test_no_curve_without_source_and_population(source: str, population: str) -> None:
    edition = read_guideline(CURVE.format(source=source, population=population))
    visit = contact(VISIT, 30, 0, {"HK14.1": "20 cm"})
    with pytest.raises(GuidelineFault, match="population"):
        pregnancy_remarks(Pregnancy(contacts=(visit,)), edition)


def test_the_bundled_edition_has_no_curve() -> None:
    assert bundled_guideline().rules["R-SF-LIM"].curve() == ()


# --- texts and docs ---------------------------------------------------------------------------------


def texts(language: str) -> dict[str, str]:
    source = REPOSITORY / "validators" / "messages" / f"guidelines_{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def codes() -> set[str]:
    found = (re.findall(r'(?:Hit|_pressure|_glucose)\(\s*"([a-z0-9_]+)"', s.read_text()) for s in SOURCES)
    return {f"guideline.{code}" for group in found for code in group}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_remark_has_a_text(language: str) -> None:
    assert set(texts(language)) == codes()


def test_both_languages_show_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    nb, en = texts("nb"), texts("en")
    assert [code for code in nb if values(nb[code]) != values(en[code])] == []
    assert all("{basis}" in text for text in (*nb.values(), *en.values()))


def test_the_docs_list_every_rule_and_code() -> None:
    docs = (REPOSITORY / "docs" / "guidelines.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"`{rule}`" not in docs] == []
    assert sorted(code for code in codes() if f"`{code}`" not in docs) == []
