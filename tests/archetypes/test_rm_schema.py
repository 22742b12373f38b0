"""The table of the reference model: facts that other parts lean on."""

from __future__ import annotations

import pytest

from archetypes.intervals import Interval
from archetypes.rm.schema import base_name, rm_schema, type_arguments

RM = rm_schema()


@pytest.mark.parametrize(
    ("sub", "super_", "expected"),
    [
        ("OBSERVATION", "LOCATABLE", True),
        ("OBSERVATION", "CONTENT_ITEM", True),
        ("DV_CODED_TEXT", "DV_TEXT", True),
        ("DV_TEXT", "DV_CODED_TEXT", False),
        ("POINT_EVENT", "EVENT", True),
        ("POINT_EVENT", "EVENT<ITEM_STRUCTURE>", True),
        ("DV_INTERVAL<DV_QUANTITY>", "DV_INTERVAL<DV_ORDERED>", True),
        ("DV_INTERVAL<DV_QUANTITY>", "DV_INTERVAL<DV_COUNT>", False),
        ("DV_INTERVAL<DV_QUANTITY>", "DATA_VALUE", True),
        ("DV_INTERVAL", "DV_INTERVAL<DV_COUNT>", True),
        ("VERSIONED_COMPOSITION", "VERSIONED_OBJECT<COMPOSITION>", True),
        ("DV_QUANTITY", "DV_ORDERED", True),
        ("NO_SUCH_CLASS", "LOCATABLE", False),
        ("LOCATABLE", "NO_SUCH_CLASS", False),
        ("STRING", "STRING", True),
    ],
)
def test_is_a(sub: str, super_: str, expected: bool) -> None:
    assert RM.is_a(sub, super_) is expected


@pytest.mark.parametrize(
    ("class_name", "attribute", "type_name", "mandatory", "container"),
    [
        ("COMPOSITION", "content", "CONTENT_ITEM", False, True),
        ("COMPOSITION", "name", "DV_TEXT", True, False),
        ("OBSERVATION", "data", "HISTORY<ITEM_STRUCTURE>", True, False),
        ("HISTORY<ITEM_TREE>", "events", "EVENT<ITEM_TREE>", False, True),
        ("POINT_EVENT<ITEM_TREE>", "data", "ITEM_TREE", True, False),
        ("POINT_EVENT", "data", "ITEM_STRUCTURE", True, False),
        ("DV_INTERVAL", "lower", "DV_ORDERED", False, False),
        ("DV_INTERVAL<DV_QUANTITY>", "lower", "DV_QUANTITY", False, False),
        ("REFERENCE_RANGE<DV_COUNT>", "range", "DV_INTERVAL<DV_COUNT>", True, False),
        ("DV_QUANTITY", "normal_range", "DV_INTERVAL<DV_QUANTITY>", False, False),
        ("DV_DATE_TIME", "value", "DATE_TIME", True, False),
        ("DV_DURATION", "value", "DURATION", True, False),
        ("DV_MULTIMEDIA", "data", "STRING", False, False),
        ("CLUSTER", "items", "ITEM", True, True),
        ("EHR_STATUS", "subject", "PARTY_SELF", True, False),
        ("FOLDER", "items", "OBJECT_REF", False, True),
        ("ORIGINAL_VERSION<COMPOSITION>", "data", "COMPOSITION", False, False),
        ("PARTY_REF", "namespace", "STRING", True, False),
    ],
)
def test_attribute(class_name: str, attribute: str, type_name: str, mandatory: bool, container: bool) -> None:
    found = RM.attribute(class_name, attribute)
    assert found is not None
    assert (found.type_name, found.mandatory, found.container) == (type_name, mandatory, container)


def test_cardinality_and_existence() -> None:
    items = RM.attribute("CLUSTER", "items")
    assert items is not None
    assert items.cardinality == Interval(1, None)
    assert items.existence == Interval(1, 1)


def test_unknown_names_are_absent_not_errors() -> None:
    assert RM.get("NO_SUCH_CLASS") is None
    assert RM.attribute("NO_SUCH_CLASS", "x") is None
    assert RM.attribute("ELEMENT", "null_flavor") is None
    assert RM.attributes("STRING") == {}
    assert RM.concrete_subtypes("NO_SUCH_CLASS") == frozenset()


def test_every_type_in_the_table_is_known() -> None:
    unknown = set()
    for name in RM.classes:
        for attribute in RM.attributes(name).values():
            for part in (base_name(attribute.type_name), *type_arguments(attribute.type_name)):
                if part != "ANY" and RM.get(part) is None and not RM.is_primitive(part):
                    unknown.add((name, attribute.name, part))
    assert unknown == set()


def test_concrete_subtypes() -> None:
    assert RM.concrete_subtypes("EVENT") == {"POINT_EVENT", "INTERVAL_EVENT"}
    assert "ENTRY" not in RM.concrete_subtypes("ENTRY")
    assert {"OBSERVATION", "ADMIN_ENTRY"} <= RM.concrete_subtypes("ENTRY")


def test_type_arguments_of_nested_generics() -> None:
    assert type_arguments("A<B<C>,D>") == ("B<C>", "D")
    assert type_arguments("A") == ()
