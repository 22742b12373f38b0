"""ADL 1.4 text becomes the constraint tree that it says, or an error with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import (
    ONCE,
    OPTIONAL,
    ArchetypeInternalRef,
    ArchetypeSlot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
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
    Primitive,
    QuantityItem,
)
from archetypes.errors import AdlSyntaxError
from tests.archetypes.adl_texts import adl, adl_of_value

EVERYTHING = Path(__file__).parents[1] / "data" / "adl" / "valid" / "everything.adl"


def _values(text: str) -> tuple[CObject, ...]:
    """The children of the value of the one element of :func:`adl_of_value`."""
    items = parse_adl(adl_of_value(text)).definition.attributes[0]
    element = items.children[0]
    assert isinstance(element, CComplexObject)
    return element.attributes[0].children


def _item(text: str) -> Primitive | None:
    (leaf,) = _values(text)
    assert isinstance(leaf, CPrimitiveObject)
    return leaf.item


@pytest.fixture(scope="module")
def everything() -> Archetype:
    return parse_adl(EVERYTHING.read_text("utf-8"), EVERYTHING.name)


def test_the_head_of_an_archetype_is_read(everything: Archetype) -> None:
    assert everything.archetype_id == "openEHR-EHR-OBSERVATION.everything-special.v1"
    assert everything.parent_id == "openEHR-EHR-OBSERVATION.everything.v1"
    assert everything.concept == "at0000.1"
    assert everything.adl_version == "1.4"
    assert everything.header["controlled"] is True
    assert everything.original_language == "nb"
    assert everything.language["translations"]["en"]["author"]["name"] == 'A "quoted" name, a back\\slash'


def test_odin_values_keep_their_types(everything: Archetype) -> None:
    description = everything.description
    expected = {
        "lifecycle_state": "unmanaged",
        "published": "2024-05-06",
        "reviews": 2,
        "share": 0.5,
        "open": True,
        "range": "|0..5|",
        "home": "https://example.org/a?b=c",
        "other_contributors": ["Kari"],
        "others": ["Ola", "Per"],
    }
    assert {name: description[name] for name in expected} == expected
    details = description["details"]["nb"]
    assert details["purpose"] == "Å måle\n    alt mulig -- ikke en kommentar"
    assert details["keywords"] == {}


def test_the_last_sections_are_read(everything: Archetype) -> None:
    assert everything.invariants == 'size: /data[at0001]/events[at0002]/time > "2000" -- of our era'
    assert everything.annotations == {"items": {"/data[at0001]": {"note": "a note"}}}
    assert everything.revision_history == {"revisions": {"1": "first"}}
    terminology = everything.terminology
    term = terminology.terms["nb"]["at0000.1"]
    assert (term.text, term.description, term.other) == ("Alt", "Alt mulig", {"comment": "Og mer"})
    assert terminology.constraints["nb"]["ac0001"].text == "Utvalg"
    assert terminology.term_bindings == {"SNOMED-CT": {"at0000.1": "[SNOMED-CT(2003)::163020007]"}}
    assert terminology.constraint_bindings == {"SNOMED-CT": {"ac0001": "terminology://snomed.info/set?id=1"}}
    assert terminology.other == {"terminologies_available": ["SNOMED-CT"]}


PRIMITIVES: list[tuple[str, Primitive]] = [
    ('"a"', CString(values=("a",))),
    ('"a", "b"; "a"', CString(values=("a", "b"), assumed_value="a")),
    ('"a", ...', CString(values=("a",), list_open=True)),
    (r"/a\/b\d/", CString(pattern=r"a/b\d")),
    ('^a/b^; "x"', CString(pattern="a/b", assumed_value="x")),
    ("5", CInteger(values=(5,))),
    ("-1, 2", CInteger(values=(-1, 2))),
    ("|0..10|; 3", CInteger(range=Interval(0, 10), assumed_value=3)),
    ("|>=0|", CInteger(range=Interval(0, None))),
    ("|0..*|", CInteger(range=Interval(0, None))),
    ("|<5|", CInteger(range=Interval(None, 5, upper_included=False))),
    ("|3|", CInteger(range=Interval(3, 3))),
    ("|0.0..<1.5|", CReal(range=Interval(0.0, 1.5, upper_included=False))),
    ("|0..1.5|; 1", CReal(range=Interval(0.0, 1.5), assumed_value=1.0)),
    ("1.5, 2", CReal(values=(1.5, 2.0))),
    ("True", CBoolean(false_valid=False)),
    ("true, false; true", CBoolean(assumed_value=True)),
    ("yyyy-mm-dd", CTemporal(rm_type="DATE", pattern="yyyy-mm-dd")),
    ("yyyy-??-XX", CTemporal(rm_type="DATE", pattern="yyyy-??-XX")),
    ("hh:mm:ss", CTemporal(rm_type="TIME", pattern="hh:mm:ss")),
    ("yyyy-mm-ddTHH:MM:SS", CTemporal(rm_type="DATE_TIME", pattern="yyyy-mm-ddTHH:MM:SS")),
    ("|>=2024-01-01|", CTemporal(rm_type="DATE", range=Interval("2024-01-01", None))),
    ("2024-01-01", CTemporal(rm_type="DATE", range=Interval("2024-01-01", "2024-01-01"))),
    ("PYMWD", CDuration(pattern="PYMWD")),
    ("PTHMS/|<=PT5M|", CDuration(pattern="PTHMS", range=Interval(None, "PT5M"))),
    ("|PT1.5S..PT3S|; PT2S", CDuration(range=Interval("PT1.5S", "PT3S"), assumed_value="PT2S")),
]


@pytest.mark.parametrize(("text", "expected"), PRIMITIVES, ids=[text for text, _ in PRIMITIVES])
def test_primitive_constraints(text: str, expected: Primitive) -> None:
    assert _item(text) == expected


def test_an_open_quantity_and_one_with_units() -> None:
    open_, closed = _values(
        'C_DV_QUANTITY <>\nC_DV_QUANTITY < property = <[openehr::122]> list = < ["1"] = <'
        ' units = <"cm"> magnitude = <|>=0.0|> precision = <|0..1|> > > >'
    )
    assert open_ == CDvQuantity(rm_type_name="DV_QUANTITY")
    item = QuantityItem(units="cm", magnitude=Interval(0.0, None), precision=Interval(0, 1))
    assert closed == CDvQuantity(rm_type_name="DV_QUANTITY", property="openehr::122", items=(item,))


def test_codes_of_terminologies_and_of_value_sets() -> None:
    assert _values("[local::at1, at2; at1]") == (
        CCodePhrase(
            rm_type_name="CODE_PHRASE", terminology_id="local", codes=("at1", "at2"), assumed_value="at1"
        ),
    )
    assert _values("[openehr::]") == (CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id="openehr"),)
    assert _values("[ac0001]") == (ConstraintRef(rm_type_name="CODE_PHRASE", reference="ac0001"),)


def test_ordinals_and_scales() -> None:
    (ordinal,) = _values("0|[local::at1],\n1|[local::at2]; 1")
    items = tuple(
        OrdinalItem(value=value, terminology_id="local", code=code)
        for value, code in ((0, "at1"), (1, "at2"))
    )
    assert ordinal == CDvOrdinal(rm_type_name="DV_ORDINAL", items=items, assumed_value=1)
    (scale,) = _values("0.5|[local::at1]")
    assert scale.rm_type_name == "DV_SCALE"


def test_slots_hold_the_patterns_of_archetype_ids() -> None:
    (slot,) = _values(
        "allow_archetype CLUSTER[at0009] occurrences matches {0..*} matches { include"
        " archetype_id/value matches {/a\\.v1/} archetype_id/value matches {/b/}"
        " exclude archetype_id/value matches {/.*/} }"
    )
    assert slot == ArchetypeSlot(
        rm_type_name="CLUSTER",
        node_id="at0009",
        occurrences=Interval(0, None),
        includes=(r"a\.v1", "b"),
        excludes=(".*",),
    )


def test_a_reference_to_another_node() -> None:
    plain, stated = _values(
        "use_node ELEMENT /items[at0001]\n"
        "use_node ELEMENT[at0009] occurrences matches {0..1} /items[at0001]/value"
    )
    assert plain == ArchetypeInternalRef(rm_type_name="ELEMENT", target_path="/items[at0001]")
    assert stated == ArchetypeInternalRef(
        rm_type_name="ELEMENT",
        node_id="at0009",
        occurrences=OPTIONAL,
        inherits_occurrences=False,
        target_path="/items[at0001]/value",
    )


def test_what_the_text_leaves_unsaid_stays_open() -> None:
    root = parse_adl(
        adl(
            "CLUSTER[at0000] matches { items matches {*}"
            " name existence matches {0..1} cardinality matches {0..3; unordered} matches {*} }"
        )
    ).definition
    assert root.occurrences == ONCE
    assert root.attributes == (
        CAttribute(rm_attribute_name="items"),
        CAttribute(
            rm_attribute_name="name",
            existence=OPTIONAL,
            cardinality=Cardinality(Interval(0, 3), is_ordered=False),
        ),
    )


def test_nodes_know_their_place_in_the_text() -> None:
    (leaf,) = _values("   [local::at1]")
    assert leaf.span is not None
    lines = adl_of_value("   [local::at1]").splitlines()
    assert lines[leaf.span.line - 1][leaf.span.column - 1 :] == "[local::at1]"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    text = adl_of_value('"a"')
    windows = parse_adl("\ufeff" + text.replace("\n", "\r\n"))
    assert windows.definition == parse_adl(text).definition


def test_section_words_inside_texts_do_not_begin_a_section() -> None:
    archetype = parse_adl(adl("CLUSTER[at0000] matches {*}", description='\tuse = <"\ndefinition\n">'))
    assert archetype.description == {"use": "\ndefinition\n"}


# Each: text of a value constraint, and what the message says.
FAULTS = [
    ("DV_TEXT matches {", "expected an attribute name"),
    ("DV_TEXT[at0002 matches {*}", "expected a type"),
    ("use_archetype CLUSTER[at0002] matches {*}", "expected a type"),
    ("DV_TEXT matches { Value matches {*} }", "expected an attribute name"),
    ("C_DV_STATE < value = < state = <1> > >", "unknown member 'state'"),
    ("C_DV_SOMETHING <>", "C_DV_SOMETHING is not supported"),
    ("C_DV_QUANTITY < unit = <1> >", "unknown member 'unit'"),
    ('C_DV_QUANTITY < list = < ["1"] = < units = <"cm"> magnitude = <|a|> > > >', "could not convert"),
    ('C_DV_QUANTITY < list = < ["1"] = < magnitude = <|1|> > > >', "'units'"),
    ('C_DV_QUANTITY < list = <"cm"> >', "no attribute"),
    ("C_DV_ORDINAL < list = <1> >", "unknown member 'list'"),
    ("[at0002]", "expected a constraint code"),
    ("[local::at1,, at2", "expected"),
    ("0|[local::at1, at2]", "expected one code"),
    ("0|5", "not closed"),
    ("|1..|", "not an interval"),
    ("|a..b|", "is no integer"),
    ("|1..P1D|", "different types"),
    ("|*..*|", "needs a bound"),
    ("|1", "not closed"),
    ("/abc", "does not end"),
    ("True, maybe", "true or false"),
    ("1234567890123456789012", "not supported"),
    ("1.0e999", "not supported"),
    ('"abc', "does not end"),
    ("use_node ELEMENT items", "expected a path"),
    ("allow_archetype CLUSTER matches { including }", "include or exclude"),
    (
        "allow_archetype CLUSTER matches { include archetype_id/value matches {/[/} }",
        "not a regular expression",
    ),
    (
        "allow_archetype CLUSTER matches { include domain_concept matches {{{{{{{/x/}",
        "the assertion does not end",
    ),
]


@pytest.mark.parametrize(("text", "message"), FAULTS, ids=[text for text, _ in FAULTS])
def test_faults_in_a_definition_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(AdlSyntaxError, match=re.escape(message)) as caught:
        parse_adl(adl_of_value(text), "x.adl")
    error = caught.value
    assert error.line >= 10
    assert error.column >= 1
    assert str(error).startswith(f"x.adl:{error.line}:{error.column}: ")


def _without(section: str) -> str:
    return re.sub(rf"(?m)^{section}.*\n", "", adl("CLUSTER[at0000] matches {*}"))


HEAD_FAULTS = [
    ("", "section 'archetype' is missing"),
    ("adl\n" + adl("CLUSTER[at0000] matches {*}"), "expected the section 'archetype'"),
    (_without("ontology"), "section 'ontology' is missing"),
    (_without("concept"), "section 'concept' is missing"),
    (_without("definition"), "section 'definition' is missing"),
    (adl("CLUSTER[at0000] matches {*}").replace("1.4", "2.0.6"), "section 'terminology' is missing"),
    (adl("CLUSTER[at0000] matches {*}").replace("1.4", "3.0"), "only ADL 1.4 and ADL 2"),
    (adl("CLUSTER[at0000] matches {*}").replace("1.4", ".4"), "only ADL 1.4 and ADL 2"),
    (adl("CLUSTER[at0000] matches {*}").replace("[ISO_639-1", "[ISO_639--1"), "expected a value"),
    (adl("CLUSTER[at0000] matches {*}").replace("[at0000]\n", "test\n", 1), "code of the concept"),
    (adl("CLUSTER[at0000] matches {*}") + "ontology\n", "a second section"),
    (adl("CLUSTER[at0000] matches {*}", ontology="\ta = <1>\n\ta = <2>"), "a second attribute 'a'"),
    (adl("CLUSTER[at0000] matches {*}", ontology='\ta = <["k"] = <1> ["k"] = <2>>'), "a second key 'k'"),
    (adl("CLUSTER[at0000] matches {*}", ontology="\ta = (DV_TEXT) 1"), "expected '<'"),
    (
        adl("CLUSTER[at0000] matches {*}", ontology='\tterm_definitions = <["nb"] = <"a">>'),
        "not a terminology",
    ),
    (adl("DV_QUANTITY matches {*} }"), "end of the definition"),
    (adl("[local::at1]"), "a complex object"),
]


@pytest.mark.parametrize(("text", "message"), HEAD_FAULTS, ids=[message for _, message in HEAD_FAULTS])
def test_faults_in_the_frame_are_named(text: str, message: str) -> None:
    with pytest.raises(AdlSyntaxError, match=re.escape(message)):
        parse_adl(text)


def test_the_message_shows_the_line_with_a_caret() -> None:
    with pytest.raises(AdlSyntaxError) as caught:
        parse_adl(adl("\tCLUSTER[at0000] matches {?}"), "x.adl")
    message, line, caret = str(caught.value).split("\n")
    assert message == "x.adl:10:27: expected an attribute name, found '?'"
    assert line[caret.index("^")] == "?"


HOSTILE = {
    "deep definition": adl("CLUSTER matches { items matches { " * 50_000),
    "deep ODIN": adl("CLUSTER matches {*}", ontology="\ta = " + "<b = " * 50_000),
    "open quotes": "archetype\n" + '\\"' * 300_000,
    "long id": "archetype\n" + "a" * 300_000,
    "long header": "archetype " + "(" * 300_000,
    "open code": adl_of_value("[local::" + "-" * 200_000),
    "open pattern": adl_of_value("/" + "\\" * 200_000),
    "many bounds": adl_of_value("|" + ".." * 100_000 + "|"),
    "too large": "-" * 5_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_and_cost_little(name: str) -> None:
    with pytest.raises(AdlSyntaxError) as caught:
        parse_adl(HOSTILE[name])
    assert len(str(caught.value)) < 2_000
