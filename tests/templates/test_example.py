"""Examples: whatever the template asks for, our own validator accepts what was made."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archetypes.aom.constraints import (
    ONCE,
    ArchetypeSlot,
    CBoolean,
    CDuration,
    CDvQuantity,
    CInteger,
    CObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    QuantityItem,
)
from archetypes.findings import Severity
from templates.errors import NoExample, UnreadableTemplate
from templates.example import MOST_OBJECTS, Kind, example_composition
from templates.example_texts import matching_text
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from templates.simplified import from_flat, to_flat
from tests.shared_data import SHARED, needs_shared
from tests.validators import small
from validators.composition import validate_composition

KINDS: tuple[Kind, ...] = get_args(Kind)
# Operational templates that nothing can satisfy, and why.
CONTRADICTORY = {
    "cardinality_of_section": "content takes one member, and eight are mandatory",
    "dv_coded_text_default_error": "its only entry is no root of an archetype, as the model wants",
}


def check_example(opt: OperationalTemplate, kind: Kind, seed: int) -> dict[str, Any]:
    made = example_composition(opt, kind=kind, seed=seed)
    errors = [f for f in validate_composition(opt, made) if f.severity is Severity.ERROR]
    assert not errors, f"{opt.template_id} {kind} {seed}: {errors[:3]}"
    return made


def check_flat(opt: OperationalTemplate, kind: Kind, seed: int) -> None:
    """An example comes back from FLAT as it was."""
    made = check_example(opt, kind, seed)
    assert from_flat(opt, to_flat(opt, made)) == made, f"{opt.template_id} {kind} {seed}"


def elements(made: Any) -> Iterator[dict[str, Any]]:
    if isinstance(made, dict):
        if made.get("_type") == "ELEMENT":
            yield made
        for part in made.values():
            yield from elements(part)
    elif isinstance(made, list):
        for part in made:
            yield from elements(part)


def element_of(*elements_: CObject, seed: int = 0) -> dict[str, Any]:
    return next(elements(check_example(small.template(*elements_), "full", seed)))


# --- every template that we can find ----------------------------------------------------------------


@cache
def corpus() -> dict[str, bytes]:
    return {str(path.relative_to(SHARED)): path.read_bytes() for path in sorted(SHARED.rglob("*.opt"))}


def read_or_none(name: str, source: bytes) -> OperationalTemplate | None:
    """The template; None for the files that are broken on purpose."""
    try:
        return read_opt(source)
    except UnreadableTemplate:
        assert re.search("empty|removed", name), name
        return None


@pytest.mark.parametrize("template_id", sorted(library_templates()))
@pytest.mark.parametrize("kind", KINDS)
def test_our_own_templates(template_id: str, kind: Kind) -> None:
    for seed in range(5):
        check_flat(library_templates()[template_id], kind, seed)


@needs_shared
@pytest.mark.slow
def test_every_operational_template_of_the_corpora() -> None:
    judged = 0
    for name, source in corpus().items():
        opt = read_or_none(name, source)
        if opt is None:
            continue
        for kind in KINDS:
            for seed in range(4):
                if opt.template_id in CONTRADICTORY:
                    with pytest.raises(NoExample):
                        example_composition(opt, kind=kind, seed=seed)
                else:
                    check_flat(opt, kind, seed)
        judged += 1
    assert judged > 100


# --- what an example is -------------------------------------------------------------------------------


def test_a_full_example_has_every_element_once_and_a_minimal_one_the_mandatory() -> None:
    opt = small.template(*small.ELEMENTS)
    full = [element["archetype_node_id"] for element in elements(check_example(opt, "full", 0))]
    minimal = [element["archetype_node_id"] for element in elements(check_example(opt, "minimal", 0))]
    assert full == [*small.VALUES, "at0030", "at0030"]
    assert minimal == ["at0010"]


def test_one_seed_gives_one_composition_and_others_differ() -> None:
    opt = small.template(*small.ELEMENTS)
    assert example_composition(opt, seed=7) == example_composition(opt, seed=7)
    assert example_composition(opt, seed=7) != example_composition(opt, seed=8)
    with pytest.raises(ValueError, match="seed"):
        example_composition(opt, seed=-1)


def test_every_alternative_is_reached_by_some_seed() -> None:
    quantity = CDvQuantity(
        rm_type_name="DV_QUANTITY", items=(QuantityItem(units="cm"), QuantityItem(units="m"))
    )
    words = small.value_of("DV_TEXT", "value", "STRING", CString(values=("ja", "nei", "kanskje")))
    opt = small.template(small.element("at0010", quantity, words, small.coded("at0111", "at0112")))
    reached = set()
    for seed in range(3 * 3 * 3):
        value = next(elements(check_example(opt, "full", seed)))["value"]
        reached.add(value.get("units") or value.get("value"))
    assert reached == {"cm", "m", "ja", "nei", "kanskje", "Ja", "Nei"}


def test_nodes_beyond_the_cardinality_take_turns() -> None:
    nodes = [small.element(f"at001{n}", small.coded("at0111")) for n in range(3)]
    opt = small.template(*nodes, members=Interval(1, 2))
    chosen = [
        tuple(element["archetype_node_id"] for element in elements(check_example(opt, "full", seed)))
        for seed in range(3)
    ]
    assert all(len(ids) == 2 for ids in chosen)
    assert set().union(*chosen) == {"at0010", "at0011", "at0012"}


def test_names_come_from_the_template_and_the_language_may_be_chosen() -> None:
    names = [
        element["name"]["value"]
        for element in elements(check_example(small.template(*small.ELEMENTS), "full", 0))
    ]
    assert names[0] == "Høyde"
    assert names[-2:] == ["Mor", "Far"]
    english = example_composition(library_templates()["helsekort_kontroll.v0"], language="en")
    assert english["language"]["code_string"] == "en"
    assert english["category"]["value"] == "event"


def test_a_code_that_nobody_listed_is_marked_as_an_example() -> None:
    value = element_of(small.element("at0011", small.complex_object("DV_CODED_TEXT")))["value"]
    assert value["defining_code"]["code_string"] == "EXAMPLE-CODE"
    assert value["defining_code"]["terminology_id"]["value"] == "EXAMPLE-TERMINOLOGY"


def test_a_value_that_is_impossible_gives_way_to_a_null_flavour() -> None:
    nothing = small.value_of("DV_BOOLEAN", "value", "BOOLEAN", CBoolean(true_valid=False, false_valid=False))
    made = element_of(small.element("at0015", nothing))
    assert "value" not in made
    assert made["null_flavour"]["defining_code"]["code_string"] == "253"


def test_a_slot_is_left_out_unless_it_must_be_filled() -> None:
    optional = ArchetypeSlot(rm_type_name="CLUSTER", occurrences=Interval(0, 1), includes=(r".*\.other\.v1",))
    must = ArchetypeSlot(
        rm_type_name="CLUSTER",
        occurrences=ONCE,
        includes=(r"openEHR-EHR-CLUSTER\.(device|person)-\w{3}\.v[1-9]",),
    )
    made = check_example(small.template(optional, must), "full", 0)
    fillers = small.at(made, small.ITEMS)
    assert [filler["archetype_node_id"] for filler in fillers] == ["openEHR-EHR-CLUSTER.device-aaa.v1"]


def test_a_template_that_contradicts_itself_has_no_example() -> None:
    both = [small.element(f"at001{n}", small.coded("at0111"), occurrences=ONCE) for n in range(2)]
    with pytest.raises(NoExample, match="mandatory"):
        example_composition(small.template(*both, members=Interval(0, 1)))


@pytest.mark.parametrize("asked", [Interval(10**20, None), Interval(MOST_OBJECTS, 10**9)])
def test_a_template_that_asks_for_more_than_anybody_reads_has_no_example(asked: Interval[int]) -> None:
    many = small.element("at0010", small.coded("at0111"), occurrences=asked)
    with pytest.raises(NoExample, match="more than"):
        example_composition(small.template(many, members=Interval(0, None)))
    with pytest.raises(NoExample, match="more than"):
        example_composition(small.template(replace(many, occurrences=Interval(0, None)), members=asked))


# --- values -------------------------------------------------------------------------------------------

YEAR_1990 = Interval("1990-01-01", "1991-01-01")
NO_SECONDS = CTemporal(rm_type="TIME", pattern="HH:MM:XX", timezone_validity=1003)
PRIMITIVES = [
    ("DV_COUNT", "magnitude", "INTEGER", CInteger(range=Interval(5, 6, False, True)), 6),
    ("DV_COUNT", "magnitude", "INTEGER", CInteger(range=Interval(None, -3)), None),
    ("DV_COUNT", "magnitude", "INTEGER", CInteger(values=(3, 4)), 3),
    ("DV_TEXT", "value", "STRING", CString(pattern=r"[A-ZÆØÅ]{2}\d{3,5}(-x|-y)?"), "AA000"),
    ("DV_TEXT", "value", "STRING", CString(pattern=r"\d{4}"), "0123"),
    ("DV_DATE", "value", "DATE", CTemporal(rm_type="DATE", pattern="yyyy-mm-XX"), "2026-01"),
    ("DV_DATE", "value", "DATE", CTemporal(rm_type="DATE", pattern="yyyy-??-??"), "2026-01-15"),
    ("DV_DATE", "value", "DATE", CTemporal(rm_type="DATE", range=YEAR_1990), "1990-01-01"),
    ("DV_TIME", "value", "TIME", NO_SECONDS, "10:30"),
    (
        "DV_DATE_TIME",
        "value",
        "DATE_TIME",
        CTemporal(rm_type="DATE_TIME", range=Interval("2030-01-01T00:00:00", None, False)),
        "2030-01-02T00:00:00+01:00",
    ),
    ("DV_DURATION", "value", "DURATION", CDuration(pattern="PY", range=Interval("PT0S", None)), "P1Y"),
    ("DV_DURATION", "value", "DURATION", CDuration(pattern="PTMS", range=Interval("PT2H", "PT3H")), "PT120M"),
    ("DV_DURATION", "value", "DURATION", CDuration(range=Interval("PT24H", "PT24H")), "P1D"),
]  # fmt: skip


@pytest.mark.parametrize(("rm_type", "attribute", "kind", "item", "expected"), PRIMITIVES)
def test_a_value_within_its_constraint(
    rm_type: str, attribute: str, kind: str, item: Any, expected: Any
) -> None:
    for seed in range(6):
        value = element_of(small.element("at0010", small.value_of(rm_type, attribute, kind, item)), seed=seed)
        if seed == 0 and expected is not None:
            assert value["value"][attribute] == expected


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("denominator", [None, 1.0, 100.0, 7.0])
def test_the_numbers_of_a_proportion_agree_or_there_are_none(kind: int, denominator: float | None) -> None:
    parts = [small.single("type", small.leaf("INTEGER", CInteger(values=(kind,))))]
    if denominator is not None:
        limits = CReal(range=Interval(denominator, denominator))
        parts.append(small.single("denominator", small.leaf("REAL", limits)))
    made = element_of(small.element("at0018", small.complex_object("DV_PROPORTION", *parts)))
    impossible = (kind == 1 and denominator in (100.0, 7.0)) or (kind == 2 and denominator in (1.0, 7.0))
    assert ("null_flavour" in made) == impossible


@given(
    lower=st.floats(-1e6, 1e6), size=st.floats(0, 1e6), seed=st.integers(0, 1000), decimals=st.integers(0, 3)
)
def test_a_quantity_lies_in_its_range(lower: float, size: float, seed: int, decimals: int) -> None:
    limits = Interval(lower, lower + size)
    item = QuantityItem(units="cm", magnitude=limits, precision=Interval(decimals, decimals))
    made = element_of(
        small.element("at0010", CDvQuantity(rm_type_name="DV_QUANTITY", items=(item,))), seed=seed
    )
    if "value" in made:
        magnitude = made["value"]["magnitude"]
        assert limits.contains(magnitude)
        assert round(magnitude, decimals) == magnitude


PATTERNS = [
    r"\d{11}", r"[a-f]+", r"(a|b)\1", r"[^0-9]{3}", r"x*y?z+", r"(?:ab){2,3}", r"a.c", r"\w+@\w+\.no",
    r"ICD-10|ICPC-2", r"[\u0410-\u042f]{2}", r"^abc$", r"(?=a)a\S", r"[+-]?\d+(,\d+)?", r"(?i)HELSE",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_that_a_pattern_matches(pattern: str) -> None:
    made = matching_text(pattern)
    assert made is not None
    assert re.fullmatch(pattern, made)


@pytest.mark.parametrize("pattern", ["(", "a(?!)b", r"\d{20000}", "(?<!x)$a"])
def test_a_pattern_without_a_text(pattern: str) -> None:
    assert matching_text(pattern) is None


@settings(max_examples=30)
@given(st.integers(0, 10**9))
def test_any_seed_will_do(seed: int) -> None:
    check_example(small.template(*small.ELEMENTS), random.Random(seed).choice(KINDS), seed)
