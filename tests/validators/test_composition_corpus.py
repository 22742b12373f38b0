"""Compositions of other projects, judged by another implementation: we agree, or say why not.

The corpus lists each file as valid or invalid in the eyes of EHRbase 2.31. Where we differ, the reason
stands here, per file and code.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from archetypes.findings import Severity
from archetypes.rm.canonical_json import read_canonical
from templates.errors import UnreadableTemplate
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from tests.shared_data import SHARED, needs_shared
from validators.composition import validate_composition

CORPUS = SHARED / "testdata" / "compositions"

NO_DETAILS = "clusters and sections are archetype roots too: LOCATABLE's invariant asks for archetype_details"
NUMBER_AS_TEXT = "a number is written as a text"
ZERO_DURATION = "PT0S uses seconds, and the template allows years only"
FREE_PATTERN = "the template names one action archetype; /.*/ is not within it"

# Valid there, refused here.
STRICTER = {
    "Befund_der_Blutgasanalyse/dvquantity_choice.json": {"invariant.archetype_details_missing": NO_DETAILS},
    "Minimal_action_2/minimal_action2_1.json": {
        "invariant.archetype_id": "archetype_details of the entry names the composition's archetype"
    },
    "Test_dv_ordinal_open_constraint.v0/Test_dv_ordinal_open_constraint.v0__.json": {
        "rm.unknown_attribute": "the symbol writes its type as `type`",
        "rm.wrong_value": NUMBER_AS_TEXT,
    },
    "Test_dv_ordinal_with_constraints.v0/Test_dv_ordinal_with_constraints.v0__.json": {
        "rm.wrong_value": NUMBER_AS_TEXT
    },
    "Test_dv_parsable_open_constraint.v0/Test_dv_parsable_open_constraint.v0__.json": {
        "string.not_in_list": "the template lists one formalism"
    },
    **{
        f"Test_dv_quantity_{name}.v0/Test_dv_quantity_{name}.v0__.json": {"rm.wrong_value": NUMBER_AS_TEXT}
        for name in (
            "open_constraint",
            "property_constrained",
            "property_units_constrained",
            "property_units_constrained_with_magnitude_range",
        )
    },
    "cardinality_of_section/cardinality_of_section__full.json": {
        "cardinality.too_many": "the template says that content has one member"
    },
    "family_history/family_history__.json": {"duration.pattern": ZERO_DURATION},
    "family_history/family_history__with_uid.json": {"duration.pattern": ZERO_DURATION},
    "family_history.v.1.2.3/family_history.v.1.2.3__.json": {
        "duration.pattern": ZERO_DURATION,
        "rm.unknown_attribute": "EVALUATION has no time_asserted",
    },
    "minimal_instruction.en.v1/minimal_instruction_1.composition.json": {
        "string.pattern": FREE_PATTERN,
        "duration.pattern": "P1Y uses years, and the template allows minutes only",
    },
    "minimal_instruction.en.v2/minimal_instruction_2.composition.json": {"string.pattern": FREE_PATTERN},
    "test_all_types.en.v1/all_types_no_multimedia.json": {
        "rm.missing": "the included marks of an interval are mandatory",
        "invariant.archetype_details_missing": NO_DETAILS,
        "temporal.pattern": "the template prohibits the day",
        "format.uri": "www.iana.org has no scheme: RFC 3986 knows it as a relative reference, not as a URI",
    },
}

# Refused there, valid here.
MILDER = {
    "my_spanish_template_v0/my_spanish_template_v0_COMPOSITION_EXAMPLE.json": (
        "the code decides, not its Spanish text"
    ),
    "Test_quantity_dv_interval_dv_date_time_open_constraint.v0/interval_partial_date.json": (
        "partial dates compare by their lower bounds; the other implementation failed on them"
    ),
}


def listed(verdict: str) -> list[str]:
    if not CORPUS.is_dir():
        return []
    family, names = "", []
    for line in (CORPUS / "INDEX.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            family = line[3:].strip()
        match = re.match(rf"\| canonical_json/(\S.*?) \| {verdict} \|", line)
        if match:
            names.append(f"{family}/{match[1]}")
    return names


@cache
def template_of(family: str, template_id: str) -> OperationalTemplate:
    found = {}
    for path in sorted((CORPUS / family / "opt").glob("*.opt")):
        opt = readable(path)
        if opt is not None:
            found.setdefault(opt.template_id, opt)
    return found.get(template_id) or next(iter(found.values()))


def readable(path: Path) -> OperationalTemplate | None:
    try:
        return read_opt(path.read_bytes(), path.name)
    except UnreadableTemplate:
        return None


def error_codes(name: str) -> set[str]:
    family, file = name.split("/")
    data = read_canonical((CORPUS / family / "canonical_json" / file).read_bytes())
    stated = data["archetype_details"].get("template_id") or {}
    opt = template_of(family, stated.get("value", ""))
    return {f.code for f in validate_composition(opt, data) if f.severity == Severity.ERROR}


@needs_shared
@pytest.mark.parametrize("name", listed("valid"))
def test_valid_there(name: str) -> None:
    assert error_codes(name) == set(STRICTER.get(name, ()))


@needs_shared
@pytest.mark.parametrize("name", listed("invalid"))
def test_invalid_there(name: str) -> None:
    assert (error_codes(name) == set()) == (name in MILDER)


@needs_shared
def test_the_corpus_is_what_we_think() -> None:
    assert len(listed("valid")) >= 40
    assert len(listed("invalid")) >= 30
    assert set(STRICTER) <= set(listed("valid"))
    assert set(MILDER) <= set(listed("invalid"))
