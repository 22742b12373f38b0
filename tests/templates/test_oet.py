"""Template sources are read as editors write them; faults are told with their lines."""

from __future__ import annotations

import pytest

from archetypes.aom.constraints import Interval
from templates.errors import UnreadableTemplate
from templates.oet import read_oet
from templates.source import (
    CountConstraint,
    DateConstraint,
    DurationConstraint,
    MultipleConstraint,
    OrdinalConstraint,
    QuantityConstraint,
    TextConstraint,
    UnitRange,
    ValueConstraint,
)
from tests.shared_data import SHARED, needs_shared
from tests.templates.sources import CLUSTER, COMPOSITION, constraint, limits, oet

CONSTRAINTS: list[tuple[str, ValueConstraint]] = [
    (
        constraint("text", "<includedValues>Ja</includedValues>", limitToList="false"),
        TextConstraint(included=("Ja",), limit_to_list=False),
    ),
    (
        constraint("text", '<termQueryId terminologyID="ICD10" queryName="x"/>'),
        TextConstraint(terminology="ICD10", query="x"),
    ),
    (
        constraint(
            "quantity",
            f"<excludedUnits>m</excludedUnits><unitMagnitude><unit>cm</unit>{limits(1, 2)}"
            "<precision>1</precision></unitMagnitude>",
        ),
        QuantityConstraint(
            excluded_units=("m",), unit_ranges=(UnitRange(unit="cm", magnitude=Interval(1, 2), precision=1),)
        ),
    ),
    (
        constraint("ordinal", "<excludedValues>5|Dead</excludedValues>"),
        OrdinalConstraint(excluded=("5|Dead",)),
    ),
    (
        constraint(
            "multiple", "<includedTypes>Coded_text</includedTypes><includedTypes>Text</includedTypes>"
        ),
        MultipleConstraint(types=("Coded_text", "Text")),
    ),
    (
        constraint(
            "count",
            "<minMagnitude>0</minMagnitude><includesMaximum>false</includesMaximum>"
            "<includesMinimum>true</includesMinimum>",
        ),
        CountConstraint(range=Interval(0, None)),
    ),
    (
        constraint("duration", f"<pattern>PWD</pattern>{limits('P4W', 'P43W6D')}"),
        DurationConstraint(pattern="PWD", range=Interval("P4W", "P43W6D")),
    ),
    (
        constraint("date", "<minDateTime>2020-01-01</minDateTime>"),
        DateConstraint(range=Interval("2020-01-01", None)),
    ),
]


@pytest.mark.parametrize(("xml", "expected"), CONSTRAINTS)
def test_constraint_is_read(xml: str, expected: ValueConstraint) -> None:
    template = read_oet(oet(f'<Rule path="/protocol[at0012]/items[at0013]">{xml}</Rule>'))
    assert template.definition.rules[0].constraint == expected


def test_rule_and_items_are_read() -> None:
    items = f'<Items xsi:type="tem:CLUSTER" archetype_id="{CLUSTER}" path="/x[at0001]" max="1" name="N"/>'
    rule = '<Rule path="/data" min="1" max="2" name="A" clone="true" default="d" hide_on_form="true"/>'
    template = read_oet(oet(rule, items=items), "a.oet")
    (rule_read,) = template.definition.rules
    assert (rule_read.path, rule_read.minimum, rule_read.maximum, rule_read.name) == ("/data", 1, 2, "A")
    assert (rule_read.clone, rule_read.default, rule_read.hide_on_form) == (True, "d", True)
    assert (rule_read.span.file, rule_read.span.line) == ("a.oet", 12)
    (item,) = template.definition.items
    assert (item.archetype_id, item.rm_type, item.maximum, item.name) == (CLUSTER, "CLUSTER", 1, "N")
    assert template.language == "en"
    assert template.description["purpose"] == "Testing."


def test_parts_of_the_context_belong_to_the_composition() -> None:
    context = (
        f'<Context><Items xsi:type="CLUSTER" archetype_id="{CLUSTER}" path="/context/x[at1]"/></Context>'
    )
    template = read_oet(oet(items=context, root=COMPOSITION))
    assert [item.path for item in template.definition.items] == ["/context/x[at1]"]


def test_annotations_are_read() -> None:
    xml = (
        '<annotations path="[root]/data"><items>'
        "<item><key>a</key><value>1</value></item><item><key>b</key><value>2</value></item>"
        "</items></annotations>"
    )
    (annotation,) = read_oet(oet(annotations=xml)).annotations
    assert (annotation.path, dict(annotation.items)) == ("[root]/data", {"a": "1", "b": "2"})


FAULTS = [
    ('<Rule max="1"/>', "oet.missing_part", 12),
    ('<Rule path="/a" max="many"/>', "oet.malformed_value", 12),
    (
        '<Rule path="/a">\n<constraint xsi:type="proportionConstraint"/></Rule>',
        "oet.unsupported_constraint",
        13,
    ),
    ("<Conditional/>", "oet.unsupported_element", 12),
    ('<Rule path="/a"><conditionalNode/></Rule>', "oet.unsupported_element", 12),
    (f'<Rule path="/a">{constraint("count", limits("x", 1))}</Rule>', "oet.malformed_value", 12),
    (f'<Rule path="/a">{constraint("count", limits(5, 1))}</Rule>', "oet.malformed_value", 12),
    (f'<Rule path="/a">{constraint("duration", limits("4W", "P5W"))}</Rule>', "oet.malformed_value", 12),
]


@pytest.mark.parametrize(("xml", "code", "line"), FAULTS)
def test_fault_is_told_with_its_line(xml: str, code: str, line: int) -> None:
    with pytest.raises(UnreadableTemplate) as caught:
        read_oet(oet(xml), "a.oet")
    assert [(f.code, f.span.line if f.span else 0) for f in caught.value.findings] == [(code, line)]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(UnreadableTemplate) as caught:
        read_oet(oet("".join(xml for xml, _, _ in FAULTS)))
    assert [finding.code for finding in caught.value.findings] == [code for _, code, _ in FAULTS]


DEEP = b"<template xmlns='openEHR/v1/Template'>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</template>"
UNREADABLE = [
    (b"", "template.xml"),
    (b"not xml", "template.xml"),
    (b"<template xmlns='openEHR/v1/Template'>", "template.xml"),
    (DEEP, "template.xml"),
    (b"<!DOCTYPE t [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><t>&e;</t>", "template.doctype"),
    (b"<template/>", "template.root"),
    (b"<template xmlns='openEHR/v1/Template'><id>1</id><name>n</name></template>", "oet.missing_part"),
]


@pytest.mark.parametrize(("data", "code"), UNREADABLE)
def test_unreadable_bytes_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableTemplate) as caught:
        read_oet(data)
    assert caught.value.findings[0].code == code


@needs_shared
def test_every_public_template_source_is_read() -> None:
    files = sorted((SHARED / "testdata" / "templates").glob("oet_*/*.oet"))
    assert len(files) == 64
    for file in files:
        assert read_oet(file.read_bytes(), file.name).definition.archetype_id
