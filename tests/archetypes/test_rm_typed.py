"""The typed classes are the reference model's, and canonical JSON survives a walk through them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archetypes.errors import NotRmData
from archetypes.rm.composition import Composition
from archetypes.rm.data_structures import Element
from archetypes.rm.data_types import DvCount, DvInterval, DvQuantity, DvText
from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from archetypes.rm.typed import class_name, from_canonical, rm_classes, to_canonical

DEMOGRAPHIC = {
    "ACTOR", "ADDRESS", "AGENT", "CAPABILITY", "CONTACT", "GROUP", "ORGANISATION", "PARTY", "PARTY_IDENTITY",
    "PARTY_RELATIONSHIP", "PERSON", "ROLE", "VERSIONED_PARTY",
}  # fmt: skip


def _data_attributes(rm_name: str) -> list[RmAttribute]:
    return [each for each in rm_schema().attributes(rm_name).values() if not each.computed]


def test_every_class_but_the_demographic_ones_is_there() -> None:
    assert set(rm_classes()) == set(rm_schema().classes) - DEMOGRAPHIC


@pytest.mark.parametrize("rm_name", sorted(rm_classes()))
def test_a_class_has_the_attributes_of_the_model(rm_name: str) -> None:
    python = rm_classes()[rm_name]
    assert python.__name__ == class_name(rm_name)
    fields = {field.name: field for field in dataclasses.fields(python)}
    attributes = {each.name: each for each in _data_attributes(rm_name)}
    assert set(fields) == set(attributes)
    for name, field in fields.items():
        is_mandatory = field.default is dataclasses.MISSING
        assert (name, is_mandatory) == (name, attributes[name].mandatory)
        assert str(field.type).startswith("tuple[") == attributes[name].container


@pytest.mark.parametrize("rm_name", sorted(rm_classes()))
def test_a_class_inherits_as_in_the_model(rm_name: str) -> None:
    bases = {base.__name__ for base in rm_classes()[rm_name].__bases__} - {"object", "Generic"}
    assert bases == {class_name(base_name(parent)) for parent in rm_schema().classes[rm_name].parents}


ELEMENT = {
    "_type": "ELEMENT",
    "archetype_node_id": "at0004",
    "name": {"_type": "DV_TEXT", "value": "Vekt"},
    "value": {"_type": "DV_QUANTITY", "magnitude": 71.5, "units": "kg", "precision": 1},
}


def test_reading_gives_typed_objects() -> None:
    element = from_canonical(ELEMENT)
    assert element == Element(
        archetype_node_id="at0004",
        name=DvText(value="Vekt"),
        value=DvQuantity(magnitude=71.5, units="kg", precision=1),
    )
    assert to_canonical(element) == ELEMENT


def test_a_type_that_is_declared_need_not_be_stated_and_is_written() -> None:
    plain = {**ELEMENT, "name": {"value": "Vekt"}, "links": [], "uid": None}
    assert to_canonical(from_canonical(plain)) == ELEMENT


def test_the_members_of_an_interval_are_typed() -> None:
    flags = {
        "lower_unbounded": False,
        "upper_unbounded": True,
        "lower_included": True,
        "upper_included": False,
    }
    data = {"_type": "DV_INTERVAL", "lower": {"_type": "DV_COUNT", "magnitude": 1}, **flags}
    interval = from_canonical(data)
    assert interval == DvInterval(lower=DvCount(magnitude=1), **flags)
    assert to_canonical(interval) == data


# Each: change to ELEMENT, path of the fault, and what the message says.
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"_type": "ELEPHANT"}, "", "unknown class 'ELEPHANT'"),
    ({"_type": 5}, "", "unknown class 5"),
    ({"_type": "ITEM"}, "", "abstract"),
    ({"_type": "PERSON"}, "", "unknown class 'PERSON'"),
    ({"color": "red"}, "/color", "no such attribute"),
    ({"name": None}, "/name", "missing"),
    ({"name": "Vekt"}, "/name", "expected an object of DV_TEXT"),
    ({"name": {"_type": "DV_COUNT", "magnitude": 1}}, "/name", "expected DV_TEXT, found DV_COUNT"),
    ({"value": {"value": "no type"}}, "/value", "abstract"),
    ({"value": {"_type": "DV_COUNT", "magnitude": "1"}}, "/value/magnitude", "expected INTEGER, found str"),
    ({"value": {"_type": "DV_COUNT", "magnitude": True}}, "/value/magnitude", "expected INTEGER, found bool"),
    ({"value": {"_type": "DV_COUNT", "magnitude": 1.0}}, "/value/magnitude", "expected INTEGER, found float"),
    ({"value": {"_type": "DV_QUANTITY", "property": {}}}, "/value/property", "no such attribute"),
    ({"links": {"a": 1}}, "/links", "expected a list"),
    ({"links": [{"meaning": {"value": "x"}}]}, "/links[0]/type", "missing"),
    ({"links": ["x"]}, "/links[0]", "expected an object of LINK"),
]


@pytest.mark.parametrize(("change", "path", "message"), FAULTS)
def test_what_is_not_of_the_model_is_refused_with_its_path(
    change: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(NotRmData, match=message) as caught:
        from_canonical({**ELEMENT, **change})
    assert caught.value.path == path


def test_deep_nesting_is_refused() -> None:
    data: dict[str, Any] = {**ELEMENT}
    for _ in range(5_000):
        data = {**ELEMENT, "_type": "CLUSTER", "items": [data], "value": None}
    with pytest.raises(NotRmData, match="too deep"):
        from_canonical(data)


def test_only_objects_of_the_model_are_written() -> None:
    with pytest.raises(TypeError):
        to_canonical(object())


# --- made-up data -------------------------------------------------------------------------------

_PRIMITIVES: dict[str, st.SearchStrategy[object]] = {
    "BOOLEAN": st.booleans(),
    "INTEGER": st.integers(-(2**53), 2**53),
    "REAL": st.floats(allow_nan=False, allow_infinity=False),
}


@st.composite
def canonical(draw: st.DrawFn, type_name: str, depth: int) -> dict[str, Any]:
    """Canonical JSON of any class below ``type_name``; optional attributes end at ``depth``."""
    choices = sorted(rm_schema().concrete_subtypes(type_name) & set(rm_classes()))
    leaves = [name for name in choices if _is_shallow(name)]
    chosen = draw(st.sampled_from(leaves if depth <= 0 and leaves else choices))
    generic = type_name if base_name(type_name) == chosen else chosen
    data: dict[str, Any] = {"_type": chosen}
    for attribute in rm_schema().attributes(generic).values():
        if attribute.computed or not (attribute.mandatory or (depth > 0 and draw(st.booleans()))):
            continue
        member = _member(attribute.type_name, depth - 1)
        data[attribute.name] = draw(
            st.lists(member, min_size=1, max_size=2) if attribute.container else member
        )
    return data


def _is_shallow(name: str) -> bool:
    return all(
        rm_schema().is_primitive(each.type_name) or each.type_name in ("DV_TEXT", "CODE_PHRASE")
        for each in _data_attributes(name)
        if each.mandatory
    )


def _member(type_name: str, depth: int) -> st.SearchStrategy[object]:
    if rm_schema().is_primitive(type_name):
        return _PRIMITIVES.get(type_name, st.text(max_size=5))
    return canonical("DV_COUNT" if type_name == "DV_ORDERED" else type_name, depth)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(
        ["COMPOSITION", "OBSERVATION", "EHR_STATUS", "ELEMENT", "FOLDER", "AUDIT_DETAILS"]
    ).flatmap(lambda name: canonical(name, 3))
)
def test_canonical_data_come_back_as_they_were(data: dict[str, Any]) -> None:
    obj = from_canonical(data)
    assert to_canonical(obj) == data
    assert from_canonical(to_canonical(obj)) == obj


def test_a_composition_is_a_composition() -> None:
    assert rm_classes()["COMPOSITION"] is Composition
