"""Each planted change is told as what it is, and data agree with its level."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import orjson
import pytest

from archetypes.aom.constraints import (
    CAttribute,
    CComplexObject,
    CPrimitiveObject,
    CTemporal,
)
from archetypes.changes import KINDS, Level, overall_level
from archetypes.findings import Severity
from archetypes.intervals import ONCE
from bench.visits import visits
from templates.changes import classify_template_change
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.repository import library_templates
from tests.templates.edits import edited, having
from tests.templates.planted_changes import PLANTED, REMARK, TURNED_ROUND, VISIT, Planted
from validators.composition import validate_composition

MODELLING = (Path(__file__).parents[2] / "docs" / "modelling.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_change_is_told_as_what_it_is(planted: Planted) -> None:
    found = classify_template_change(planted.old, planted.new)
    assert Counter((each.code, each.path) for each in found) == Counter(planted.expected)
    assert overall_level(found) == max((KINDS[code] for code, _ in planted.expected), key=list(Level).index)
    assert all(each.level is KINDS[each.code] for each in found)


@pytest.mark.parametrize("name", TURNED_ROUND)
def test_the_opposite_change_is_another_kind(name: str) -> None:
    planted = PLANTED[name]
    found = classify_template_change(planted.new, planted.old)
    assert {each.code for each in found} == {TURNED_ROUND[name]}


@pytest.mark.parametrize("template_id", library_templates())
def test_a_template_that_was_written_and_read_is_unchanged(template_id: str) -> None:
    opt = library_templates()[template_id]
    assert classify_template_change(opt, opt) == []
    assert classify_template_change(opt, read_opt(write_opt(opt))) == []


def harmless() -> list[str]:
    return [
        name
        for name, planted in PLANTED.items()
        if planted.template == VISIT
        and overall_level(classify_template_change(planted.old, planted.new)) is not Level.MAJOR
    ]


def test_what_is_not_major_refuses_no_data() -> None:
    compositions = [orjson.loads(visit.body) for visit in visits(10, 1)]
    names = harmless()
    assert len(names) > 20
    for name in names:
        new = PLANTED[name].new
        for composition in compositions:
            errors = [
                finding
                for finding in validate_composition(new, composition)
                if finding.severity is Severity.ERROR
            ]
            assert errors == [], name


def timed(timezone_validity: int | None) -> OperationalTemplate:
    """A template whose remark is a time with a rule on its zone."""
    item = CPrimitiveObject(
        rm_type_name="TIME", item=CTemporal(rm_type="TIME", timezone_validity=timezone_validity)
    )
    value = CAttribute(rm_attribute_name="value", existence=ONCE, children=(item,))
    time = CComplexObject(rm_type_name="DV_TIME", attributes=(value,))
    element = CAttribute(rm_attribute_name="value", existence=ONCE, children=(time,))
    return edited(library_templates()[VISIT], REMARK, having(attributes=(element,)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(1002, 1001, ["timezone.changed"]), (None, 1001, ["timezone.changed"]), (1001, None, [])],
)
def test_another_rule_on_time_zones(old: int | None, new: int | None, expected: list[str]) -> None:
    assert [each.code for each in classify_template_change(timed(old), timed(new))] == expected


def test_every_kind_of_a_template_is_planted() -> None:
    planted = {code for case in PLANTED.values() for code, _ in case.expected} | set(TURNED_ROUND.values())
    # Kinds of archetypes, or of constraints that our templates do not use; tests/archetypes has those.
    elsewhere = {
        "archetype.id_changed", "archetype.parent_changed", "language.default_changed",
        "invariant.added", "invariant.changed", "invariant.removed",
        "binding.added", "binding.changed", "binding.removed",
        "cardinality.order_changed", "annotation.changed",
        # Below.
        "timezone.changed",
    }  # fmt: skip
    assert planted | elsewhere == set(KINDS)
    assert len(PLANTED) >= 40


def test_the_rules_of_the_docs_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (patch|minor|major) \|", MODELLING, re.MULTILINE)
    assert dict(rows) == {code: level.value for code, level in KINDS.items()}
    assert len(rows) == len(KINDS)
