"""An archetype that only narrows another has no findings; each way to widen has its code."""

from __future__ import annotations

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.conformance import conformance_findings
from tests.archetypes.adl_texts import adl

_CODES = ("at0000", "at0001", "at0002", "at0010", "at0011")
_TERMS = "".join(f'["{code}"] = <text = <"t"> description = <"d">>' for code in _CODES)
_ONTOLOGY = f'term_definitions = <["nb"] = <items = <{_TERMS}>>>'


def _archetype(definition: str) -> Archetype:
    return parse_adl(adl(definition, ontology=_ONTOLOGY))


def _items(text: str, cardinality: str = "") -> Archetype:
    """A cluster with these items."""
    return _archetype(f"CLUSTER[at0000] matches {{ items {cardinality} matches {{ {text} }} }}")


def _value(text: str) -> Archetype:
    """A cluster with an element that has this value."""
    return _items(f"ELEMENT[at0001] matches {{ value matches {{ {text} }} }}")


def _leaf(rm_type: str, attribute: str, text: str) -> str:
    return f"{rm_type} matches {{ {attribute} matches {{ {text} }} }}"


def _coded(text: str) -> str:
    return _leaf("DV_CODED_TEXT", "defining_code", text)


def _date(text: str) -> str:
    return _leaf("DV_DATE", "value", text)


def _codes(child: Archetype, parent: Archetype) -> list[str]:
    return [finding.code.removeprefix("conformance.") for finding in conformance_findings(child, parent)]


def _units(*units: str) -> str:
    items = " ".join(f'["{n}"] = < {unit} >' for n, unit in enumerate(units, 1))
    return f"C_DV_QUANTITY < property = <[openehr::122]> list = < {items} > >"


def _slot(*includes: str, excludes: tuple[str, ...] = ()) -> str:
    def lines(word: str, patterns: tuple[str, ...]) -> str:
        return (word if patterns else "") + "".join(
            f" archetype_id/value matches {{/{p}/}}" for p in patterns
        )

    body = f"{lines('include', includes)} {lines('exclude', excludes)}"
    return f"allow_archetype CLUSTER[at0002] occurrences matches {{0..*}} matches {{ {body} }}"


CM = 'units = <"cm"> magnitude = <|0.0..100.0|>'
LOCAL = "[local::at0010, at0011]"

# Each: parent's value, child's value, and whether the child is as narrow.
VALUES = [
    ("DV_TEXT matches {*}", "DV_TEXT matches {*}", True),
    ("DV_TEXT matches {*}", "DV_CODED_TEXT matches {*}", True),
    ("DV_TEXT matches {*} DV_QUANTITY matches {*}", "DV_QUANTITY matches {*}", True),
    ("*", "DV_COUNT matches {*}", True),
    ("*", "CLUSTER matches {*}", "type"),
    ("DV_CODED_TEXT matches {*}", "DV_TEXT matches {*}", "type"),
    ("DV_QUANTITY matches {*}", _units(CM), True),
    (_units(CM), "DV_QUANTITY matches {*}", "values"),
    (_units(CM), "C_DV_QUANTITY < property = <[openehr::122]> >", "values"),
    (_units(CM), "C_DV_QUANTITY < property = <[openehr::124]> >", "values"),
    (_units(CM, 'units = <"m">'), _units(CM), True),
    (_units(CM), _units(CM, 'units = <"m">'), "values"),
    (_units(CM), _units('units = <"cm"> magnitude = <|1.0..99.0|>'), True),
    (_units(CM), _units('units = <"cm"> magnitude = <|1.0..101.0|>'), "values"),
    (_units(CM), _units('units = <"cm">'), "values"),
    (_units('units = <"cm"> precision = <|0|>'), _units('units = <"cm"> precision = <|1|>'), "values"),
    ("0|[local::at0010], 1|[local::at0011]", "0|[local::at0010]", True),
    ("0|[local::at0010], 1|[local::at0011]", "0|[local::at0011]", "values"),
    (
        _coded(LOCAL),
        _coded("[local::at0011]"),
        True,
    ),
    (
        _coded("[local::at0011]"),
        _coded(LOCAL),
        "values",
    ),
    (
        _coded("[openehr::1]"),
        _coded("[x::1]"),
        "values",
    ),
    (
        _coded("[openehr::1]"),
        _coded("[openehr::]"),
        "values",
    ),
    (
        _coded("[ac0001]"),
        _coded("[openehr::1]"),
        True,
    ),
    (
        _coded("[ac0001]"),
        _coded("[ac0002]"),
        "values",
    ),
    (_leaf("DV_TEXT", "value", '"a", "b"'), _leaf("DV_TEXT", "value", '"b"'), True),
    (_leaf("DV_TEXT", "value", '"a", "b"'), _leaf("DV_TEXT", "value", '"c"'), "values"),
    (_leaf("DV_TEXT", "value", '"a", "b"'), _leaf("DV_TEXT", "value", '"a", ...'), "values"),
    (_leaf("DV_TEXT", "value", '"a", ...'), _leaf("DV_TEXT", "value", '"c"'), True),
    (_leaf("DV_TEXT", "value", "/[ab]+/"), _leaf("DV_TEXT", "value", '"abba"'), True),
    (_leaf("DV_TEXT", "value", "/[ab]+/"), _leaf("DV_TEXT", "value", '"c"'), "values"),
    (_leaf("DV_TEXT", "value", "/[ab]+/"), _leaf("DV_TEXT", "value", "/a+/"), "values"),
    (_leaf("DV_COUNT", "magnitude", "|0..10|"), _leaf("DV_COUNT", "magnitude", "|1..10|"), True),
    (_leaf("DV_COUNT", "magnitude", "|0..10|"), _leaf("DV_COUNT", "magnitude", "|0..11|"), "values"),
    (_leaf("DV_COUNT", "magnitude", "|0..<10|"), _leaf("DV_COUNT", "magnitude", "|0..10|"), "values"),
    (_leaf("DV_COUNT", "magnitude", "|0..10|"), _leaf("DV_COUNT", "magnitude", "3, 4"), True),
    (_leaf("DV_COUNT", "magnitude", "|0..10|"), _leaf("DV_COUNT", "magnitude", "3, 14"), "values"),
    (_leaf("DV_COUNT", "magnitude", "3, 4"), _leaf("DV_COUNT", "magnitude", "|3..4|"), "values"),
    (_leaf("DV_BOOLEAN", "value", "True, False"), _leaf("DV_BOOLEAN", "value", "True"), True),
    (_leaf("DV_BOOLEAN", "value", "True"), _leaf("DV_BOOLEAN", "value", "True, False"), "values"),
    (_date("yyyy-??-??"), _date("yyyy-mm-dd"), "values"),
    (
        _date("|>=2000-01-01|"),
        _date("|2000-01-02..2001-01-01|"),
        True,
    ),
    (_date("|>=2000-01-01|"), _date("|>=1999-12-31|"), "values"),
    (_leaf("DV_DURATION", "value", "PYMWD"), _leaf("DV_DURATION", "value", "PWD"), True),
    (_leaf("DV_DURATION", "value", "PTM"), _leaf("DV_DURATION", "value", "PM"), "values"),
    (_leaf("DV_DURATION", "value", "|P0W..P42W|"), _leaf("DV_DURATION", "value", "|P1D..P40W|"), True),
    (_leaf("DV_DURATION", "value", "|P0W..P42W|"), _leaf("DV_DURATION", "value", "|P1D..P43W|"), "values"),
    (_leaf("DV_TEXT", "value", "*"), _leaf("DV_TEXT", "nonsense", "*"), "attribute_unknown"),
]


@pytest.mark.parametrize(("parent", "child", "outcome"), VALUES)
def test_values(parent: str, child: str, outcome: str | bool) -> None:
    assert _codes(_value(child), _value(parent)) == ([] if outcome is True else [outcome])


ELEMENT = "ELEMENT[at0001] occurrences matches {0..2} matches {*}"
MUST = "ELEMENT[at0002] matches {*}"

# Each: parent's items, child's items, codes of the findings.
ITEMS: list[tuple[str, str, list[str]]] = [
    (ELEMENT, "ELEMENT[at0001] matches {*}", []),
    (ELEMENT, "ELEMENT[at0001] occurrences matches {0} matches {*}", []),
    (ELEMENT, "ELEMENT[at0001] occurrences matches {0..*} matches {*}", ["occurrences"]),
    (ELEMENT, f"{ELEMENT} ELEMENT[at0010] matches {{*}}", ["node_unknown"]),
    (f"{ELEMENT} {MUST}", ELEMENT, ["mandatory_missing"]),
    (f"{ELEMENT} {MUST}", MUST, []),
    (ELEMENT, "ELEMENT[at0001] matches { value existence matches {1} matches {*} }", []),
    (
        "ELEMENT[at0001] matches { value existence matches {1} matches {*} }",
        "ELEMENT[at0001] matches { value existence matches {0..1} matches {*} }",
        ["existence"],
    ),
    (_slot(r"a\.v1|b\.v1"), _slot(r"b\.v1"), []),
    (_slot(r"a\.v1", r"b\.v1"), _slot(r"a\.v1|b\.v1"), []),
    (_slot(r"a\.v1"), _slot(r"a\.v1", r"b\.v1"), ["slot"]),
    (_slot(r"a\.v1"), _slot(), ["slot"]),
    (_slot(".*"), _slot(r"b\.v1"), []),
    (_slot(), _slot(r"b\.v1"), []),
    (_slot(excludes=(r"a\.v1",)), _slot(), ["slot"]),
    (_slot(excludes=(r"a\.v1",)), _slot(excludes=(r"a\.v1", "b")), []),
    (
        "ELEMENT[at0001] matches { value matches { DV_TEXT matches {*} } }"
        " use_node ELEMENT[at0002] /items[at0001]",
        "ELEMENT[at0001] matches { value matches { DV_TEXT matches {*} } }"
        " ELEMENT[at0002] matches { value matches { DV_TEXT matches {*} } }",
        [],
    ),
    (
        "ELEMENT[at0001] matches { value matches { DV_TEXT matches {*} } }"
        " use_node ELEMENT[at0002] /items[at0001]",
        "ELEMENT[at0001] matches { value matches { DV_TEXT matches {*} } }"
        " ELEMENT[at0002] matches { value matches { DV_COUNT matches {*} } }",
        ["type"],
    ),
]


@pytest.mark.parametrize(("parent", "child", "codes"), ITEMS)
def test_items(parent: str, child: str, codes: list[str]) -> None:
    assert _codes(_items(child), _items(parent)) == codes


@pytest.mark.parametrize(
    ("parent", "child", "codes"),
    [
        ("cardinality matches {1..5}", "cardinality matches {2..3}", []),
        ("cardinality matches {1..5}", "cardinality matches {1..*}", ["cardinality"]),
        ("", "cardinality matches {1..*}", []),
        ("", "cardinality matches {0..*}", ["cardinality"]),  # RM: CLUSTER.items holds one at least
    ],
)
def test_cardinality(parent: str, child: str, codes: list[str]) -> None:
    assert _codes(_items(ELEMENT, child), _items(ELEMENT, parent)) == codes


def _composition(category: str) -> Archetype:
    code = f"DV_CODED_TEXT matches {{ defining_code matches {{ [openehr::{category}] }} }}"
    return _archetype(f"COMPOSITION[at0000] matches {{ category matches {{ {code} }} }}")


@pytest.mark.parametrize(
    ("parent", "child", "codes"),
    [
        ("433", "433", []),
        ("433", "451", []),
        ("435", "451", []),
        ("431", "451", ["values"]),
        ("433", "431", ["values"]),
        ("433", "433, 451", ["values"]),
    ],
)
def test_a_composition_may_be_episodic_where_the_parent_knows_no_such_code(
    parent: str, child: str, codes: list[str]
) -> None:
    assert _codes(_composition(child), _composition(parent)) == codes


def test_codes_need_a_text_in_every_language_and_must_be_known_to_the_parent() -> None:
    ontology = (
        'term_definitions = <["nb"] = <items = <["at0000"] = <text = <"t"> description = <"d">>>>'
        ' ["en"] = <items = <["at0000"] = <text = <"t"> description = <"d">>'
        ' ["at0009"] = <text = <"t"> description = <"d">>>>>'
    )
    definition = "CLUSTER[at0000] matches { items matches { ELEMENT[at0009] matches {*} } }"
    child = parse_adl(adl(definition, ontology=ontology))
    parent = _archetype("CLUSTER[at0000] matches { items matches {*} }")
    found = [(f.code, f.expected, f.found) for f in conformance_findings(child, parent)]
    assert found == [("conformance.code_unknown", "", "at0009"), ("conformance.term_missing", "nb", "at0009")]


def test_a_finding_names_path_and_place() -> None:
    (finding,) = conformance_findings(_items("ELEMENT[at0010] matches {*}"), _items(ELEMENT))
    assert finding.path == "/items[at0010]"
    assert finding.span is not None
    assert finding.span.line == 10
