"""What is printed reads back as the same archetype."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archetypes.adl.odin import Code, Keyed, Literal
from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.aom.constraints import (
    ANY_NUMBER,
    ONCE,
    OPTIONAL,
    PROHIBITED,
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    QuantityItem,
    TermDefinition,
)
from archetypes.errors import AdlSyntaxError
from tests.shared_data import SHARED, needs_shared

EVERYTHING = Path(__file__).parents[1] / "data" / "adl" / "valid" / "everything.adl"
CORPUS = SHARED / "testdata" / "archetypes" / "adl14"
FAULTY = {
    "openEHR-DEMOGRAPHIC-ITEM_TREE.person_details.v0": "one code is defined twice: a second key 'at0310'",
}


def _archetype(
    definition: CComplexObject | None = None,
    *,
    terminology: ArchetypeTerminology | None = None,
    description: dict[str, object] | None = None,
) -> Archetype:
    return Archetype(
        archetype_id="openEHR-EHR-CLUSTER.test.v1",
        concept="at0000",
        definition=definition or CComplexObject(rm_type_name="CLUSTER", node_id="at0000"),
        terminology=terminology or ArchetypeTerminology(),
        header={"adl_version": "1.4"},
        description=description or {},
    )


def check_round_trip(archetype: Archetype) -> None:
    printed = print_adl(archetype)
    again = parse_adl(printed)
    assert again == archetype
    assert print_adl(again) == printed


def test_an_archetype_with_everything_in_it() -> None:
    check_round_trip(parse_adl(EVERYTHING.read_text("utf-8")))


@pytest.mark.slow
@needs_shared
def test_every_public_archetype_reads_back_as_it_was_printed() -> None:
    refused = {}
    for path in sorted(CORPUS.rglob("*.adl")):
        try:
            archetype = parse_adl(path.read_text("utf-8-sig"), path.name)
        except AdlSyntaxError as error:
            refused[path.stem] = error.message
            continue
        check_round_trip(archetype)
    assert set(refused) == set(FAULTY)
    assert all(FAULTY[name].endswith(message) for name, message in refused.items())


# --- made-up trees ------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
_PATTERN = st.text("ab.*/[]+0", min_size=1, max_size=8)
_ID_PATTERN = st.lists(st.sampled_from(["a", "/", r"\.", r"\\", "[a-z]+", "(b|c)*", ".*"]), min_size=1).map(
    "".join
)
_CODE = st.integers(0, 9999).map("at{:04d}".format)
_INTEGERS = st.integers(-(10**9), 10**9)
_REALS = st.floats(-1e9, 1e9).map(lambda value: round(value, 6) + 0.0)
_MULTIPLICITY = st.sampled_from([ONCE, OPTIONAL, PROHIBITED, ANY_NUMBER, Interval(2, 7), Interval(1, None)])


def _ranges(values: st.SearchStrategy[object]) -> st.SearchStrategy[Interval[object]]:
    """Ranges with at least one bound, in order; an open side is always 'included'."""
    bounded = st.builds(
        lambda pair, low, high: Interval(*pair, low, high),
        st.tuples(values, values).map(sorted),
        st.booleans(),
        st.booleans(),
    ).filter(lambda span: span.lower != span.upper)
    return st.one_of(
        bounded,
        st.builds(lambda value: Interval(value, value), values),
        st.builds(
            lambda value, included: Interval(value, None, lower_included=included), values, st.booleans()
        ),
        st.builds(
            lambda value, included: Interval(None, value, upper_included=included), values, st.booleans()
        ),
    )


_OPTIONAL_TEXT = st.none() | _TEXT
_DATES = st.dates().map(str)
_DURATIONS = st.integers(0, 999).map("P{}D".format)
_PRIMITIVES = st.one_of(
    st.builds(
        CString,
        values=st.lists(_TEXT, min_size=1).map(tuple),
        list_open=st.booleans(),
        assumed_value=_OPTIONAL_TEXT,
    ),
    st.builds(CString, pattern=_PATTERN, assumed_value=_OPTIONAL_TEXT),
    st.builds(
        CInteger, values=st.lists(_INTEGERS, min_size=1).map(tuple), assumed_value=st.none() | _INTEGERS
    ),
    st.builds(CInteger, range=_ranges(_INTEGERS), assumed_value=st.none() | _INTEGERS),
    st.builds(CReal, values=st.lists(_REALS, min_size=1).map(tuple), assumed_value=st.none() | _REALS),
    st.builds(CReal, range=_ranges(_REALS), assumed_value=st.none() | _REALS),
    st.sampled_from([CBoolean(), CBoolean(true_valid=False), CBoolean(assumed_value=False)]),
    st.sampled_from(["yyyy-mm-dd", "yyyy-??-??", "yyyy-mm-XX"]).map(
        lambda p: CTemporal(rm_type="DATE", pattern=p)
    ),
    st.builds(CTemporal, rm_type=st.just("DATE"), range=_ranges(_DATES), assumed_value=st.none() | _DATES),
    st.builds(
        CDuration, pattern=st.sampled_from(["PWD", "PYMWDTHMS"]), range=st.none() | _ranges(_DURATIONS)
    ),
    st.builds(CDuration, range=_ranges(_DURATIONS), assumed_value=st.none() | _DURATIONS),
)
_RM_TYPE_OF = {
    CString: "STRING",
    CInteger: "INTEGER",
    CReal: "REAL",
    CBoolean: "BOOLEAN",
    CDuration: "DURATION",
}
_QUANTITY_ITEMS = st.builds(
    QuantityItem,
    units=_TEXT,
    magnitude=st.none() | _ranges(_REALS),
    precision=st.none() | _ranges(st.integers(0, 9)),
)
_ORDINALS = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=4).map(
    lambda values: tuple(
        OrdinalItem(value=v, terminology_id="local", code=f"at{i}") for i, v in enumerate(values)
    )
)
_LEAVES: st.SearchStrategy[CObject] = st.one_of(
    _PRIMITIVES.map(
        lambda item: CPrimitiveObject(rm_type_name=_RM_TYPE_OF.get(type(item), "DATE"), item=item)
    ),
    st.builds(
        CCodePhrase,
        rm_type_name=st.just("CODE_PHRASE"),
        terminology_id=st.sampled_from(["local", "openehr", "SNOMED-CT(2024)"]),
        codes=st.lists(_CODE, max_size=3).map(tuple),
        assumed_value=st.none() | _CODE,
    ),
    st.just(ConstraintRef(rm_type_name="CODE_PHRASE", reference="ac0001")),
    st.builds(
        CDvQuantity,
        rm_type_name=st.just("DV_QUANTITY"),
        property=st.none() | st.just("openehr::122"),
        items=st.lists(_QUANTITY_ITEMS, max_size=3).map(tuple),
        assumed_value=st.none() | st.tuples(_REALS, _TEXT),
    ),
    st.builds(
        CDvOrdinal,
        rm_type_name=st.sampled_from(["DV_ORDINAL", "DV_SCALE"]),
        items=_ORDINALS,
        assumed_value=st.none() | st.just(1.0),
    ),
    st.builds(
        ArchetypeSlot,
        rm_type_name=st.just("CLUSTER"),
        node_id=_CODE,
        occurrences=_MULTIPLICITY,
        includes=st.lists(_ID_PATTERN, max_size=2).map(tuple),
        excludes=st.lists(_ID_PATTERN, max_size=2).map(tuple),
    ),
    st.builds(
        ArchetypeInternalRef,
        rm_type_name=st.just("ELEMENT"),
        node_id=_CODE,
        occurrences=_MULTIPLICITY,
        inherits_occurrences=st.just(False),
        target_path=st.just("/items[at0001]/value"),
    ),
)


def _complex(children: st.SearchStrategy[CObject]) -> st.SearchStrategy[CComplexObject]:
    attribute = st.builds(
        CAttribute,
        rm_attribute_name=st.sampled_from(["items", "value", "name"]),
        existence=st.none() | _MULTIPLICITY,
        cardinality=st.none() | st.builds(Cardinality, _MULTIPLICITY, st.booleans(), st.booleans()),
        children=st.lists(children, max_size=3).map(tuple),
    )
    return st.builds(
        CComplexObject,
        rm_type_name=st.sampled_from(["CLUSTER", "ELEMENT", "DV_INTERVAL<DV_QUANTITY>"]),
        node_id=st.just("") | _CODE,
        occurrences=_MULTIPLICITY,
        attributes=st.lists(attribute, max_size=3).map(tuple),
    )


@settings(max_examples=150, deadline=None)
@given(_complex(st.recursive(_LEAVES, _complex, max_leaves=8)))
def test_any_constraint_tree(definition: CComplexObject) -> None:
    check_round_trip(_archetype(definition))


_NAMES = st.text("abcdefgh_", min_size=1, max_size=6).filter(lambda name: name[0] != "_")
_SCALARS = st.one_of(
    _TEXT,
    _INTEGERS,
    _REALS,
    st.booleans(),
    st.sampled_from(
        [Code("[ISO_639-1::nb]"), Literal("2024-05-06"), Literal("|0..5|"), Literal("https://a.no/b")]
    ),
)
_ODIN = st.recursive(
    _SCALARS | st.lists(_SCALARS, min_size=1, max_size=3),
    lambda inner: (
        st.dictionaries(_NAMES, inner, max_size=3)
        | st.dictionaries(_TEXT, inner, min_size=1, max_size=3).map(Keyed)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_NAMES, _ODIN, max_size=3))
def test_any_odin_tree(tree: dict[str, object]) -> None:
    check_round_trip(_archetype(description=tree))


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        _CODE,
        st.builds(
            TermDefinition,
            _TEXT,
            _TEXT,
            st.dictionaries(_NAMES, _TEXT).filter(lambda other: not {"text", "description"} & set(other)),
        ),
    )
)
def test_any_terms(terms: dict[str, TermDefinition]) -> None:
    bindings = {"SNOMED-CT": {code: f"[SNOMED-CT::{number}]" for number, code in enumerate(terms)}}
    check_round_trip(
        _archetype(terminology=ArchetypeTerminology(terms={"nb": terms}, term_bindings=bindings))
    )


UNPRINTABLE: list[CObject] = [
    CArchetypeRoot(rm_type_name="CLUSTER", archetype_id="openEHR-EHR-CLUSTER.test.v1"),
    CCodeReference(rm_type_name="CODE_PHRASE", reference_set_uri="terminology:x"),
    CPrimitiveObject(rm_type_name="STRING"),
    CPrimitiveObject(rm_type_name="STRING", item=CString()),
    CPrimitiveObject(rm_type_name="DATE_TIME", item=CTemporal(rm_type="DATE_TIME", timezone_validity=1001)),
    CCodePhrase(rm_type_name="CODE_PHRASE"),
]


@pytest.mark.parametrize("node", UNPRINTABLE, ids=lambda node: type(node).__name__)
def test_what_adl_cannot_say_is_refused(node: CObject) -> None:
    attribute = CAttribute(rm_attribute_name="items", children=(node,))
    root = CComplexObject(rm_type_name="CLUSTER", attributes=(attribute,))
    with pytest.raises(TypeError):
        print_adl(_archetype(root))
