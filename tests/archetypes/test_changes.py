"""Changes of archetypes: what templates do not have, and the version that a change asks for."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.changes import Level, change, classify_archetype_change, overall_level, suggested_version
from archetypes.errors import MalformedPath
from archetypes.repository import library
from tests.archetypes.adl_texts import adl, adl_of_value

TERMS = """\tterm_definitions = <
\t\t["nb"] = <
\t\t\titems = <
\t\t\t\t["at0000"] = < text = <"Prøve"> description = <"En prøve."> >
\t\t\t\t["at0001"] = < text = <"Svar"> description = <"Svaret."> >
\t\t\t>
\t\t>
\t>
"""
BINDINGS = """\tterm_bindings = <
\t\t["SNOMED-CT"] = < items = < ["at0001"] = <[SNOMED-CT::{code}]> > >
\t>
"""


def of_value(value: str) -> Archetype:
    return parse_adl(adl_of_value(value))


def of_items(items: str, *, more: str = "", ontology: str = TERMS) -> Archetype:
    return parse_adl(
        adl(f"CLUSTER[at0000] matches {{ items {more} matches {{ {items} }} }}", ontology=ontology)
    )


DATE = "DV_DATE matches {{ value matches {{{}}} }}"
COUNT = "DV_COUNT matches {{ magnitude matches {{{}}} }}"
BOOLEAN = "DV_BOOLEAN matches {{ value matches {{{}}} }}"
TEXT = "DV_TEXT matches {{ value matches {{{}}} }}"
CODED = "DV_CODED_TEXT matches {{ defining_code matches {{{}}} }}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (DATE.format("yyyy-mm-??"), DATE.format("yyyy-??-??"), "pattern.widened"),
        (DATE.format("yyyy-??-??"), DATE.format("yyyy-mm-??"), "pattern.changed"),
        (DATE.format("yyyy-mm-dd"), "DV_DATE matches {*}", "constraint.removed"),
        (COUNT.format("|0..10|"), COUNT.format("|0..<10|"), "range.narrowed"),
        (COUNT.format("|0..10|"), COUNT.format("|>=0|"), "range.widened"),
        (COUNT.format("1, 2"), COUNT.format("1, 3"), "value.removed value.added"),
        (BOOLEAN.format("True, False"), BOOLEAN.format("True"), "value.removed"),
        ("DV_TEXT matches {*}", "DV_COUNT matches {*}", "type.changed"),
        ("DV_TEXT matches {*}\nDV_COUNT matches {*}", "DV_TEXT matches {*}", "type.removed"),
        (TEXT.format('"a"') + "\n" + TEXT.format('"b"'), TEXT.format('"b"'), "type.removed"),
        (CODED.format("[ac0001]"), CODED.format("[ac0002]"), "value_set.changed"),
    ],
)
def test_values(old: str, new: str, expected: str) -> None:
    found = classify_archetype_change(of_value(old), of_value(new))
    assert [each.code for each in found] == expected.split()
    assert all(each.path.startswith("/items[at0001]/value") for each in found)


def test_every_archetype_of_the_library_equals_itself() -> None:
    for archetype_id in library().ids():
        archetype = library().get(archetype_id)
        assert classify_archetype_change(archetype, archetype) == []


ELEMENT = "ELEMENT[at0001] occurrences matches {0..1} matches { value matches { DV_TEXT matches {*} } }"


def codes(old: Archetype, new: Archetype) -> list[str]:
    return [each.code for each in classify_archetype_change(old, new)]


def test_the_order_of_a_list() -> None:
    ordered = of_items(ELEMENT, more="cardinality matches {0..*; ordered}")
    unordered = of_items(ELEMENT, more="cardinality matches {0..*; unordered}")
    assert [each.code for each in classify_archetype_change(ordered, unordered)] == [
        "cardinality.order_changed"
    ]


def test_use_node_is_followed_where_it_leads_elsewhere() -> None:
    other = "ELEMENT[at0002] occurrences matches {0..1} matches { value matches { DV_COUNT matches {*} } }"
    inside = (
        "CLUSTER[at0003] occurrences matches {0..1} matches { items matches { use_node ELEMENT {path} } }"
    )
    old = of_items(f"{ELEMENT} {other} {inside.replace('{path}', '/items[at0001]')}")
    new = of_items(f"{ELEMENT} {other} {inside.replace('{path}', '/items[at0002]')}")
    found = {(each.code, each.path) for each in classify_archetype_change(old, new)}
    assert any(code in ("path.removed", "type.changed") for code, _ in found)
    assert classify_archetype_change(old, old) == []


def test_a_cycle_of_references_ends() -> None:
    one = of_items("CLUSTER[at0001] matches { items matches { use_node CLUSTER /items[at0001] } }")
    two = of_items(
        "CLUSTER[at0001] matches { items matches { use_node CLUSTER /items[at0002] } }"
        "CLUSTER[at0002] matches { items matches { use_node CLUSTER /items[at0001] } }"
    )
    assert classify_archetype_change(one, two)


def test_references_that_multiply_end_in_time() -> None:
    def nested(*targets: str) -> Archetype:
        clusters = [
            f"CLUSTER[at100{number}] matches {{ items matches {{ "
            + " ".join(f"use_node CLUSTER /items[{target}]" for _ in range(40))
            + " } }"
            for number, target in enumerate(targets)
        ]
        return of_items(" ".join(clusters))

    started = time.process_time()
    one = nested("at1001", "at1002", "at1003", "at1000")
    classify_archetype_change(one, nested("at1002", "at1003", "at1000", "at1001"))
    assert time.process_time() - started < 5


def test_an_unreadable_reference_is_an_error_with_its_text() -> None:
    good = of_items(f"{ELEMENT} use_node ELEMENT /items[at0001]")
    attribute = good.definition.attributes[0]
    reference = replace(attribute.children[1], target_path="items[[[")  # type: ignore[call-arg]
    broken = replace(attribute, children=(attribute.children[0], reference))
    bad = replace(good, definition=replace(good.definition, attributes=(broken,)))
    with pytest.raises(MalformedPath, match="items"):
        classify_archetype_change(good, bad)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"archetype_id": "openEHR-EHR-CLUSTER.other.v1"}, "archetype.id_changed"),
        ({"archetype_id": "openEHR-EHR-CLUSTER.test.v2"}, ""),
        ({"parent_id": "openEHR-EHR-CLUSTER.parent.v1"}, "archetype.parent_changed"),
        ({"invariants": "a > b"}, "invariant.added"),
        ({"description": {"lifecycle_state": "published"}}, "description.changed"),
        ({"revision_history": {"revision": "1"}}, "metadata.changed"),
        ({"annotations": {"items": {"nb": {"/x": "y"}}}}, "annotation.added"),
    ],
)
def test_what_stands_around_the_definition(changes: dict[str, object], expected: str) -> None:
    old = of_items(ELEMENT)
    new = replace(old, **changes)  # type: ignore[arg-type]
    assert " ".join(codes(old, new)) == expected


def test_invariants_and_annotations_that_change_or_go() -> None:
    old = replace(of_items(ELEMENT), invariants="a > b", annotations={"x": "1"})
    changed = replace(old, invariants="a  >  c", annotations={"x": "2"})
    gone = replace(old, invariants="")
    assert [each.code for each in classify_archetype_change(old, changed)] == [
        "invariant.changed",
        "annotation.changed",
    ]
    assert [each.code for each in classify_archetype_change(old, gone)] == ["invariant.removed"]
    assert classify_archetype_change(old, replace(old, invariants=" a > b ")) == []


def test_bindings() -> None:
    none, one, other = (
        of_items(ELEMENT, ontology=TERMS + extra)
        for extra in ("", BINDINGS.format(code="1"), BINDINGS.format(code="2"))
    )
    pairs = {"binding.added": (none, one), "binding.changed": (one, other), "binding.removed": (one, none)}
    for code, (old, new) in pairs.items():
        assert codes(old, new) == [code]


def test_another_default_language_makes_all_names_others() -> None:
    old = of_items(ELEMENT)
    new = replace(
        old,
        language={**old.language, "original_language": "[ISO_639-1::en]"},
        terminology=replace(old.terminology, terms={"nb": old.terminology.terms["nb"], "en": {}}),
    )
    assert codes(old, new)[0] == "language.default_changed"
    assert overall_level(classify_archetype_change(old, new)) is Level.MAJOR


@pytest.mark.parametrize(
    ("old", "level", "new"),
    [
        ("1.4.2", Level.MAJOR, "2.0.0"),
        ("1.4.2", Level.MINOR, "1.5.0"),
        ("1.4.2", Level.PATCH, "1.4.3"),
        ("1.4.2", None, "1.4.2"),
        ("v2", Level.MINOR, "2.1.0"),
        ("0.3.0", Level.MAJOR, "1.0.0"),
        ("2.0.0-rc.1", Level.PATCH, "2.0.1"),
        ("draft", Level.MAJOR, None),
    ],
)
def test_the_next_version(old: str, level: Level | None, new: str | None) -> None:
    assert suggested_version(old, level) == new


def test_the_highest_level_counts() -> None:
    changes = [change("metadata.changed", ""), change("path.added", "/x"), change("description.changed", "")]
    assert overall_level(changes) is Level.MINOR
    assert overall_level([]) is None
