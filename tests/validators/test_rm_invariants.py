"""Every invariant of RM 1.1.0 has a rule, or a reason why it has none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archetypes.findings import Severity
from archetypes.rm.schema import rm_schema
from archetypes.rm.value_domains import CODE_SETS, FILLED_TEXTS, GROUPS
from tests.shared_data import SHARED
from tests.validators.small import ELEMENTS, composition, put, template, text
from validators.codes import SEVERITIES
from validators.compiled import Validator
from validators.composition import validate_composition

TABLE = tomllib.loads(Path(__file__).with_name("rm_invariants.toml").read_text(encoding="utf-8"))
REASONS: dict[str, str] = TABLE.pop("reasons")
SPECIFICATION = SHARED / "spec" / "rm" / "1.1.0" / "UML_classes"
OPT = template(*ELEMENTS)


def test_each_has_a_code_or_a_reason() -> None:
    said = {answer for rules in TABLE.values() for answer in rules.values()}
    assert {answer.strip("()") for answer in said if answer.startswith("(")} == set(REASONS)
    assert {answer for answer in said if not answer.startswith("(")} <= set(SEVERITIES)


def test_the_tables_of_value_domains_hold_what_is_said() -> None:
    """A class with such an invariant is in the table that the rule is made of."""
    tables = {"rm.empty_text": FILLED_TEXTS, "terminology.not_in_group": GROUPS}
    tables["terminology.not_in_code_set"] = CODE_SETS
    for class_name, rules in TABLE.items():
        for code, table in tables.items():
            wanted = sum(answer == code for answer in rules.values())
            assert sum(_is_about(class_name, entry) for entry in table) >= wanted, (class_name, code)


def _is_about(class_name: str, entry: tuple[str, ...]) -> bool:
    return entry[0] == class_name or rm_schema().is_a(class_name, entry[0])


@pytest.mark.skipif(not SPECIFICATION.is_dir(), reason="the specification does not lie beside this checkout")
def test_the_table_holds_all_of_the_specification() -> None:
    said = {(class_name, name) for class_name, rules in TABLE.items() for name in rules}
    assert said == set(_specified())


def _specified() -> Iterator[tuple[str, str]]:
    for path in SPECIFICATION.glob("*.adoc"):
        _, _, invariants = path.read_text(encoding="utf-8").partition("h|*Invariants*")
        for name in re.findall(r"__([A-Za-z_]+)__: ", invariants):
            yield path.stem.upper(), name


# --- the rules that nothing else tries ----------------------------------------------------------------


def element(value: dict[str, Any]) -> dict[str, Any]:
    return {"_type": "ELEMENT", "name": text("x"), "archetype_node_id": "at0900", "value": value}


def tree(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": "ITEM_TREE",
        "name": text("x"),
        "archetype_node_id": "at0901",
        "items": [element(value)],
    }


def table(cell: dict[str, Any]) -> dict[str, Any]:
    row = {"_type": "CLUSTER", "name": text("1"), "archetype_node_id": "at0902", "items": [cell]}
    return {"_type": "ITEM_TABLE", "name": text("x"), "archetype_node_id": "at0901", "rows": [row]}


def quantity(**more: Any) -> dict[str, Any]:
    return {"_type": "DV_QUANTITY", "magnitude": 1.0, "units": "kg", **more}


def with_reference_range(**of_bound: Any) -> dict[str, Any]:
    within = {
        "_type": "DV_INTERVAL",
        "lower": quantity(**of_bound),
        "lower_unbounded": False,
        "upper_unbounded": True,
        "lower_included": True,
        "upper_included": False,
    }
    ranges = [{"_type": "REFERENCE_RANGE", "meaning": text("usual"), "range": within}]
    return quantity(other_reference_ranges=ranges)


def periodic(formalism: str) -> dict[str, Any]:
    value = {"_type": "DV_PARSABLE", "value": "[200004181100;200004181110]/(7d)@DW", "formalism": formalism}
    return {"_type": "DV_PERIODIC_TIME_SPECIFICATION", "value": value}


def fraction(precision: int) -> dict[str, Any]:
    return {
        "_type": "DV_PROPORTION",
        "numerator": 1.0,
        "denominator": 2.0,
        "type": 3,
        "precision": precision,
    }


OPEN = "/content[0]/data/events[0]/state"
HISTORY = "/content[0]/data"
CLUSTER_CELL = {
    "_type": "CLUSTER",
    "name": text("y"),
    "archetype_node_id": "at0903",
    "items": [element(text("z"))],
}
CASES = [
    (OPEN, table(element(text("a"))), ""),
    (OPEN, table(CLUSTER_CELL), "invariant.item_table"),
    (OPEN, tree(with_reference_range()), ""),
    (OPEN, tree(with_reference_range(other_reference_ranges=[])), "invariant.range_is_simple"),
    (OPEN, tree(periodic("HL7:PIVL")), ""),
    (OPEN, tree(periodic("HL7:GTS")), "invariant.time_specification"),
    (OPEN, tree(fraction(0)), ""),
    (OPEN, tree(fraction(-1)), ""),
    (OPEN, tree(fraction(1)), ""),
    (f"{HISTORY}/period", {"_type": "DV_DURATION", "value": "P1M"}, ""),
]


def errors(data: Any) -> list[str]:
    """The codes of the errors; the compiled form finds the same."""
    found = validate_composition(OPT, data)
    assert Validator(OPT)(data) == found
    return [finding.code for finding in found if finding.severity is Severity.ERROR]


@pytest.mark.parametrize(("path", "value", "code"), CASES)
def test_rules(path: str, value: dict[str, Any], code: str) -> None:
    data = composition()
    put(data, path, value)
    assert errors(data) == ([code] if code else [])


def test_events_lie_whole_periods_after_the_origin() -> None:
    data = composition()
    history = data["content"][0]["data"]
    history["period"] = {"_type": "DV_DURATION", "value": "PT10M"}
    history["origin"] = {"_type": "DV_DATE_TIME", "value": "2026-02-16T12:00:00Z"}
    moment = history["events"][0]["time"] = {"_type": "DV_DATE_TIME", "value": "2026-02-16T13:30:00+01:00"}
    assert errors(data) == []
    moment["value"] = "2026-02-16T12:35:00Z"
    assert errors(data) == ["invariant.history_period"]
