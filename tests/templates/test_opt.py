"""OPT 1.4 XML: what we write is valid and read back equal; what others wrote is read; the rest is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from archetypes.aom.constraints import (
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
)
from templates.compile import compile_template
from templates.errors import UnreadableTemplate
from templates.oet import read_oet
from templates.operational import OperationalTemplate
from templates.opt import content_hash, read_opt, write_opt
from templates.repository import library_templates
from tests.shared_data import SHARED, needs_shared
from tests.templates.sources import oet, repository

# --- our own -------------------------------------------------------------------------------------


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_library_is_written_and_read_back_equal(template_id: str) -> None:
    template = library_templates()[template_id]
    data = write_opt(template)
    assert read_opt(data) == template
    assert write_opt(read_opt(data)) == data


@cache
def _schema() -> etree.XMLSchema:
    folder = SHARED / "spec" / "its-xml" / "opt14-v1-working"
    return etree.XMLSchema(etree.parse(str(folder / "Template.xsd")))


@needs_shared
@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_library_is_valid_by_schema(template_id: str) -> None:
    document = etree.fromstring(write_opt(library_templates()[template_id]))
    assert _schema().validate(document), _schema().error_log


def test_order_of_mappings_does_not_change_the_bytes() -> None:
    template = next(iter(library_templates().values()))
    turned = replace(template, description=dict(reversed(template.description.items())))
    assert content_hash(turned) == template.content_hash


# --- every kind of constraint --------------------------------------------------------------------

numbers = st.integers(-1000, 1000)
reals = st.floats(-1e6, 1e6, allow_nan=False)
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
lists_of_texts = st.lists(texts, max_size=3, unique=True).map(tuple)


def intervals(limits: st.SearchStrategy[object]) -> st.SearchStrategy[Interval[int]]:
    """An included flag has no meaning on a side without limit, and is True there."""

    def made(lower: object, upper: object, low: bool, high: bool) -> Interval[object]:
        return Interval(lower, upper, lower is None or low, upper is None or high)  # type: ignore[type-var]

    sides = st.one_of(st.none(), limits)
    return st.builds(made, sides, sides, st.booleans(), st.booleans())  # type: ignore[arg-type]


optional_texts = st.one_of(st.none(), texts)
primitives = st.one_of(
    st.builds(CBoolean, true_valid=st.booleans(), false_valid=st.booleans()),
    st.builds(CString, pattern=optional_texts, values=lists_of_texts, list_open=st.booleans()),
    st.builds(CInteger, values=st.lists(numbers, max_size=3).map(tuple), range=intervals(numbers)),
    st.builds(CReal, values=st.lists(reals, max_size=3).map(tuple), range=intervals(reals)),
    st.builds(CDuration, pattern=optional_texts, range=st.one_of(st.none(), intervals(texts))),
    st.builds(
        CTemporal,
        rm_type=st.sampled_from(["DATE", "TIME", "DATE_TIME"]),
        pattern=optional_texts,
        timezone_validity=st.sampled_from([None, 1001, 1003]),
    ),
)
phrases = st.one_of(
    st.builds(CCodePhrase, rm_type_name=st.just("CODE_PHRASE"), terminology_id=texts, codes=lists_of_texts),
    st.builds(CCodeReference, rm_type_name=st.just("CODE_PHRASE"), reference_set_uri=texts),
    st.builds(ConstraintRef, rm_type_name=st.just("CODE_PHRASE"), reference=texts),
)
quantities = st.builds(
    CDvQuantity,
    rm_type_name=st.just("DV_QUANTITY"),
    property=st.sampled_from([None, "openehr::122"]),
    items=st.lists(
        st.builds(QuantityItem, units=texts, magnitude=intervals(reals), precision=intervals(numbers)),
        max_size=2,
    ).map(tuple),
)
ordinals = st.builds(
    CDvOrdinal,
    rm_type_name=st.sampled_from(["DV_ORDINAL", "DV_SCALE"]),
    items=st.lists(st.builds(OrdinalItem, value=reals, terminology_id=texts, code=texts), max_size=2).map(
        tuple
    ),
)


def _with_attribute(type_name: str, attribute: str, child: CObject) -> CComplexObject:
    constraint = CAttribute(rm_attribute_name=attribute, existence=Interval(1, 1), children=(child,))
    return CComplexObject(rm_type_name=type_name, attributes=(constraint,))


values = st.one_of(
    primitives.map(lambda item: CPrimitiveObject(rm_type_name="STRING", item=item)).map(
        lambda leaf: _with_attribute("DV_TEXT", "value", leaf)
    ),
    phrases.map(lambda phrase: _with_attribute("DV_CODED_TEXT", "defining_code", phrase)),
    quantities,
    ordinals,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=3), intervals(st.integers(0, 5)), st.booleans())
def test_any_constraint_is_written_and_read_back_equal(
    alternatives: list[CObject], occurrences: Interval[int], ordered: bool
) -> None:
    value = CAttribute(rm_attribute_name="value", existence=Interval(0, 1), children=tuple(alternatives))
    element = CComplexObject(
        rm_type_name="ELEMENT", node_id="at0001", occurrences=occurrences, attributes=(value,)
    )
    items = CAttribute(
        rm_attribute_name="items",
        existence=Interval(1, 1),
        cardinality=Cardinality(interval=occurrences, is_ordered=ordered),
        children=(element,),
    )
    root = CArchetypeRoot(
        rm_type_name="CLUSTER",
        node_id="at0000",
        archetype_id="openEHR-EHR-CLUSTER.any.v1",
        attributes=(items,),
    )
    template = OperationalTemplate(template_id="t", concept="c", language="nb", definition=root)
    assert read_opt(write_opt(template)).definition == root


# --- what others wrote ---------------------------------------------------------------------------

# File name -> what is wrong with it; all but the first two lack a mandatory part on purpose.
KNOWN_BAD = {
    "empty_file.opt": "template.xml",
    "empty_xml.opt": "template.xml",
    "empty_xml_template.opt": "template.missing_part",
    "minimal_action_removed_concept.opt": "template.missing_part",
    "minimal_action_removed_definition.opt": "template.missing_part",
    "minimal_action_removed_description_and_concept.opt": "template.missing_part",
    "minimal_action_removed_language.opt": "template.missing_part",
}


def _public_files() -> list[Path]:
    found = [path for path in SHARED.rglob("*") if path.name.endswith((".opt", ".opt.xml"))]
    return sorted([*found, *(SHARED / "testdata" / "templates" / "opt").glob("*.xml")])


@needs_shared
@pytest.mark.slow
def test_every_public_template_is_read_and_written_back_equal() -> None:
    files = _public_files()
    refused, valid_before, valid_after = {}, set(), set()
    for file in files:
        data = file.read_bytes()
        try:
            template = read_opt(data, file.name)
        except UnreadableTemplate as error:
            refused[file.name] = error.findings[0].code
            continue
        written = write_opt(template)
        assert read_opt(written) == template, file
        valid_before |= {file} if _schema().validate(etree.fromstring(data)) else set()
        valid_after |= {file} if _schema().validate(etree.fromstring(written)) else set()
    assert refused == KNOWN_BAD
    # What others wrote validly stays valid. Nine have default values that lack parts by the schema.
    assert valid_before <= valid_after
    assert (len(files), len(valid_before), len(valid_after)) == (132, 61, 116)


# --- one change at a time ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    archetypes = repository(tmp_path_factory.mktemp("archetypes"))
    return write_opt(compile_template(read_oet(oet()), archetypes)).decode()


AS_MEANT = [
    (r"<rm_attribute_name>items<", "<rm_attribute_name>items\n   <"),
    (r"<rm_type_name>ELEMENT<", "<rm_type_name> ELEMENT <"),
    (r'xsi:type="C_COMPLEX', 'xmlns:ns2="http://schemas.openehr.org/v1" xsi:type="ns2:C_COMPLEX'),
    (r"</existence>", "</existence><match_negated>false</match_negated>"),
    (r'xsi:type="ARCHETYPE_SLOT"', 'xsi:type="ARCHETYPE_SLOT" slot_node_id="at0010"'),
]


@pytest.mark.parametrize(("pattern", "replacement"), AS_MEANT)
def test_habits_of_other_tools_are_read_as_meant(written: str, pattern: str, replacement: str) -> None:
    changed, count = re.subn(pattern, replacement, written)
    assert count > 0
    assert read_opt(changed.encode()) == read_opt(written.encode())


def test_american_spelling_is_read_as_the_model_has_it(written: str) -> None:
    american = written.replace("<rm_attribute_name>value<", "<rm_attribute_name>null_flavor<", 1)
    assert "null_flavour" in str(read_opt(american.encode()).definition)


def test_terms_in_other_languages_are_shared_by_archetype(written: str) -> None:
    terms = read_opt(written.encode()).definition.terms
    assert (terms["en"]["at0004"].text, terms["nb"]["at0004"].text) == ("Status", "norsk Status")


REFUSED = [
    (r"(?s)<language>.*?</language>", "", "template.missing_part"),
    (r"(?s)<template_id>.*?</template_id>", "", "template.missing_part"),
    (r"<concept>.*?</concept>", "", "template.missing_part"),
    (r"(?s)<archetype_id>.*?</archetype_id>", "", "template.missing_part"),
    (r'xsi:type="C_DV_QUANTITY"', 'xsi:type="C_DV_STATE"', "template.unknown_kind"),
    (r'xsi:type="C_DV_QUANTITY"', "", "template.unknown_kind"),
    (r'xsi:type="C_DURATION"', 'xsi:type="C_COLOUR"', "template.unknown_kind"),
    (r"<rm_type_name>ELEMENT<", "<rm_type_name>ELEMENTT<", "template.unknown_rm_type"),
    (r"<rm_attribute_name>items<", "<rm_attribute_name>itemz<", "template.unknown_rm_attribute"),
    (r"<lower>0</lower>", "<lower>none</lower>", "template.malformed_value"),
    (r"<upper>300</upper>", "<upper>INF</upper>", "template.malformed_value"),
    (r"<operator>2007", "<operator>2010", "template.unsupported_assertion"),
]


@pytest.mark.parametrize(("pattern", "replacement", "code"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_line(
    written: str, pattern: str, replacement: str, code: str
) -> None:
    changed, count = re.subn(pattern, replacement, written)
    assert count > 0
    with pytest.raises(UnreadableTemplate) as caught:
        read_opt(changed.encode(), "a.opt")
    assert {finding.code for finding in caught.value.findings} == {code}
    assert all(f.span is not None and f.span.line > 1 for f in caught.value.findings)


NAMESPACE = b'<template xmlns="http://schemas.openehr.org/v1">'
UNREADABLE = [
    (b"", "template.xml"),
    (b"{}", "template.xml"),
    (NAMESPACE + b"<language>" * 10_000, "template.xml"),
    (NAMESPACE + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</template>", "template.xml"),
    (b'<!DOCTYPE t SYSTEM "http://localhost/x.dtd">' + NAMESPACE + b"</template>", "template.doctype"),
    (b"<!DOCTYPE t [<!ENTITY a 'b'>]><template>&a;</template>", "template.doctype"),
    (b'<template xmlns="http://schemas.openehr.org/v2"/>', "template.root"),
    (b" " * (33 * 1024 * 1024), "template.too_large"),
]


@pytest.mark.parametrize(
    ("data", "code"), UNREADABLE, ids=[f"{c}-{i}" for i, (_, c) in enumerate(UNREADABLE)]
)
def test_unreadable_bytes_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableTemplate) as caught:
        read_opt(data)
    assert [finding.code for finding in caught.value.findings] == [code]
