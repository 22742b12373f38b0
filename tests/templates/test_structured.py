"""STRUCTURED is FLAT in another form: nothing but syntax lies between the two."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.errors import FlatRefused
from templates.simplified.structured import flatten, structure

BOTH: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"a/b": 1}, {"a": {"b": [1]}}),
    ({"a/b|code": "x", "a/b|value": "y"}, {"a": {"b": [{"|code": "x", "|value": "y"}]}}),
    ({"a/b": 0.5, "a/b|numerator": 1}, {"a": {"b": [{"": 0.5, "|numerator": 1}]}}),
    ({"a/b:0/c": 1, "a/b:1/c": 2}, {"a": {"b": [{"c": [1]}, {"c": [2]}]}}),
    ({"a/b/_name": "n", "a/b": "t"}, {"a": {"b": [{"": "t", "_name": ["n"]}]}}),
    ({"a|raw": {"_type": "X", "y": [1]}}, {"a": {"|raw": {"_type": "X", "y": [1]}}}),
    (
        {
            "ctx/language": "nb",
            "ctx/health_care_facility|name": "A",
            "ctx/participation_name:1": "B",
            "a/b": 1,
        },
        {
            "ctx": {"language": "nb", "health_care_facility|name": "A", "participation_name:1": "B"},
            "a": {"b": [1]},
        },
    ),
    ({}, {}),
]


@pytest.mark.parametrize(("flat", "structured"), BOTH)
def test_both_directions(flat: dict[str, Any], structured: dict[str, Any]) -> None:
    assert structure(flat) == structured
    assert flatten(structured) == flat


@pytest.mark.parametrize(
    ("structured", "flat"),
    [
        ({"a": {"b": 1}}, {"a/b": 1}),
        ({"a": [{"b": {"|code": "x"}}]}, {"a/b|code": "x"}),
        ({"a": {"b": []}}, {}),
        ({"a": {"b": [None, 2]}}, {"a/b:0": None, "a/b:1": 2}),
        ({"ctx": {"health_care_facility": {"|name": "A"}}}, {"ctx/health_care_facility|name": "A"}),
        (
            {"ctx": {"participation_name": ["A", "B"]}},
            {"ctx/participation_name:0": "A", "ctx/participation_name:1": "B"},
        ),
    ],
)
def test_objects_and_scalars_in_place_of_arrays_of_one(
    structured: dict[str, Any], flat: dict[str, Any]
) -> None:
    assert flatten(structured) == flat


def test_what_is_no_flat_cannot_be_structured() -> None:
    with pytest.raises(FlatRefused):
        structure({"a//b": 1})


def test_depth_is_limited() -> None:
    nested: Any = 1
    for _ in range(300):
        nested = {"a": nested}
    with pytest.raises(FlatRefused):
        flatten(nested)


NAMES = st.sampled_from(["a", "b", "_link", "c-d.e", "å"])
LEAVES = st.sampled_from([1, "x", {"|code": 1}, {"": 1, "|value": 2}, {"|raw": {"_type": "X"}}])
MEMBERS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(NAMES, st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=2),
    max_leaves=6,
)
ROOTS = st.dictionaries(NAMES, st.lists(MEMBERS, min_size=1, max_size=3), min_size=1, max_size=3)


@given(st.fixed_dictionaries({"root": ROOTS}))
def test_no_structure_is_lost(structured: dict[str, Any]) -> None:
    assert structure(flatten(structured)) == structured
