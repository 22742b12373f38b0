"""Whatever is sent, the validator answers with findings: no exception, and the data are left alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from tests.validators.small import ELEMENTS, composition, template
from validators.codes import SEVERITIES
from validators.composition import validate_composition
from validators.messages import finding_text

OPT = template(*ELEMENTS)
RM = rm_schema()
ATTRIBUTES = sorted({name for rm_type in RM.classes for name in RM.attributes(rm_type)} | {"_type"})

TEXTS = st.sampled_from(
    [
        "",
        "at0010",
        "at0030",
        "openehr",
        "local",
        "2024-02",
        "P1D",
        "PT0S",
        "DV_INTERVAL<DV_COUNT>",
        "Mor",
        "\ud800",
        "x" * 200,
    ]
) | st.sampled_from([*RM.classes, "DV_INTERVAL<", "<>", "A<B<C>,D>"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 2**70, 10**400, 1e308])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ATTRIBUTES), inner, max_size=5)
    ),
    max_leaves=12,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in the data."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def judged(data: Any) -> list[Finding]:
    report = validate_composition(OPT, data)
    for finding in report:
        assert finding.code in SEVERITIES
        assert finding.path.startswith("/")
        assert len(finding.found) <= 120
        assert finding_text(finding, "nb")
    return report


@given(JSON)
def test_any_json_in_the_place_of_a_composition(data: Any) -> None:
    assert judged(data) != []


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_json_anywhere_in_a_composition(draw: st.DataObject) -> None:
    data = composition()
    for _ in range(draw.draw(st.integers(1, 3))):
        container, key = draw.draw(st.sampled_from(list(places(data))))
        container[key] = draw.draw(JSON)
    before = copy.deepcopy(data)
    judged(data)
    assert repr(before) == repr(data)


@given(st.data())
def test_attributes_moved_about(draw: st.DataObject) -> None:
    data = composition()
    objects = [member for member, _ in places(data) if isinstance(member, dict)]
    node = draw.draw(st.sampled_from(objects))
    other = draw.draw(st.sampled_from(objects))
    node[draw.draw(st.sampled_from(ATTRIBUTES))] = copy.deepcopy(other)
    judged(data)
