"""Broken templates: a located error or finding in bounded time, never a traceback or half a template."""

from __future__ import annotations

from copy import deepcopy
from time import process_time

import pytest
from lxml import etree

from archetypes.findings import Severity
from archetypes.repository import ArchetypeRepository
from templates.compile import compile_template, template_findings
from templates.errors import NoExample, UnreadableTemplate
from templates.example import example_composition
from templates.json_schema import json_schema
from templates.oet import read_oet, write_oet
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.opt_writer import NAMESPACE
from templates.repository import library_sources, library_templates
from templates.web_template import to_web_template
from tests.templates.sources import OBSERVATION, oet, repository
from validators.composition import validate_composition
from validators.template import lint_template

VISIT = "helsekort_kontroll.v0"
SLOT = "/data[at0001]/events[at0002]/data[at0003]/items[at0010]"


@pytest.fixture(scope="module")
def archetypes(tmp_path_factory: pytest.TempPathFactory) -> ArchetypeRepository:
    return repository(tmp_path_factory.mktemp("archetypes"))


def refused(read: object, data: bytes) -> UnreadableTemplate:
    with pytest.raises(UnreadableTemplate) as caught:
        read(data, "a.xml")  # type: ignore[operator]
    assert all(f.span is not None and f.span.file == "a.xml" for f in caught.value.findings)
    return caught.value


@pytest.mark.parametrize("read", [read_oet, read_opt])
def test_a_template_that_was_cut_off_is_refused_wherever_it_ends(read: object) -> None:
    whole = write_oet(library_sources()[VISIT]) if read is read_oet else write_opt(library_templates()[VISIT])
    for end in range(0, len(whole) - 2, len(whole) // 40):
        (finding,) = refused(read, whole[:end]).findings
        assert finding.code == "template.xml"


@pytest.mark.parametrize("read", [read_oet, read_opt])
def test_another_encoding_is_read_if_it_is_declared_and_refused_if_not(read: object) -> None:
    whole = write_oet(library_sources()[VISIT]) if read is read_oet else write_opt(library_templates()[VISIT])
    text = whole.decode().partition("?>")[2]
    latin = text.encode("iso-8859-1", "xmlcharrefreplace")
    declared = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + latin
    assert read(declared) == read(whole)  # type: ignore[operator]
    assert refused(read, b'<?xml version="1.0" encoding="UTF-8"?>' + latin).findings[0].code == "template.xml"
    assert refused(read, text.encode("utf-16")[:-1]).findings[0].code == "template.xml"


LAUGHS = b'<!DOCTYPE t [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY a{level} "{"&a" + str(level - 1 or "") + ";"}{"&a" + str(level - 1 or "") + ";"}">'.encode()
    for level in range(1, 40)
)
ATTACKS = [
    LAUGHS + b"]><template>&a39;</template>",
    b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><template/>',
    b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><template>&x;</template>',
    b'<!DOCTYPE t [<!ENTITY % p SYSTEM "http://localhost:9/p.dtd"> %p;]><template/>',
]


@pytest.mark.parametrize("data", ATTACKS, ids=["laughs", "system", "file", "parameter"])
@pytest.mark.parametrize("read", [read_oet, read_opt])
def test_entities_are_neither_expanded_nor_fetched(read: object, data: bytes) -> None:
    started = process_time()
    # The parser gives up on entities that grow before we see that there are any.
    expected = "template.xml" if data.startswith(LAUGHS) else "template.doctype"
    assert refused(read, data).findings[0].code == expected
    assert process_time() - started < 1


# --- slots that nothing fits --------------------------------------------------------------------------


def unfillable(archetypes: ArchetypeRepository, minimum: int) -> OperationalTemplate:
    rule = f'<Rule path="{SLOT}" min="{minimum}"/>'
    written = write_opt(compile_template(read_oet(oet(rule)), archetypes))
    return read_opt(written.replace(rb"openEHR-EHR-CLUSTER\.detail\.v1", b"nothing"))


@pytest.mark.parametrize("minimum", [0, 1])
def test_a_slot_that_nothing_fits_is_told(archetypes: ArchetypeRepository, minimum: int) -> None:
    told = [each for each in lint_template(unfillable(archetypes, minimum), archetypes)]
    assert {each.path for each in told if each.code == "template.slot_unfillable"} >= {SLOT}


def test_an_example_leaves_out_what_nothing_fits() -> None:
    written = write_opt(library_templates()["helsekort_vaksine.v0"]).replace(b"medication.v2", b"none.v9")
    template = read_opt(written)
    made = example_composition(template)
    assert [f for f in validate_composition(template, made) if f.severity is Severity.ERROR] == []


def test_only_a_composition_has_an_example(archetypes: ArchetypeRepository) -> None:
    with pytest.raises(NoExample, match="OBSERVATION"):
        example_composition(compile_template(read_oet(oet()), archetypes))


def test_an_archetype_that_no_slot_takes_is_told_with_its_line(archetypes: ArchetypeRepository) -> None:
    item = f'<Items xsi:type="OBSERVATION" archetype_id="{OBSERVATION}" path="{SLOT}"/>'
    (finding,) = template_findings(read_oet(oet(items=item), "a.oet"), archetypes)
    assert (finding.code, finding.span and finding.span.line) == ("template.slot_refuses", 13)


# --- size ---------------------------------------------------------------------------------------------


def enlarged(megabytes: float) -> bytes:
    """The visit with its content again and again, each under another name."""
    root = etree.fromstring(write_opt(library_templates()[VISIT]))
    attribute, *_ = (
        each
        for each in root.iterfind(f"{{{NAMESPACE}}}definition/{{{NAMESPACE}}}attributes")
        if each.findtext(f"{{{NAMESPACE}}}rm_attribute_name") == "content"
    )
    sections = attribute.findall(f"{{{NAMESPACE}}}children")
    size = sum(len(etree.tostring(section)) for section in sections)
    for number in range(int(megabytes * 1e6 / size)):
        for section in sections:
            copied = deepcopy(section)
            name = next(copied.iter(f"{{{NAMESPACE}}}list"))
            name.text = f"{name.text} {number}"
            sections[-1].addnext(copied)
    return etree.tostring(root)


def work_on(data: bytes) -> None:
    """All that staff do with a template."""
    template = read_opt(data)
    write_opt(template)
    to_web_template(template)
    json_schema(template)
    list(lint_template(template))
    made = example_composition(template, kind="minimal")
    assert [f for f in validate_composition(template, made) if f.severity is Severity.ERROR] == []


def test_a_large_template_takes_less_than_a_second_for_each_megabyte() -> None:
    data = enlarged(4)
    assert len(data) > 4e6
    started = process_time()
    work_on(data)
    assert process_time() - started < 4


def test_a_source_with_too_many_rules_of_one_path_ends(archetypes: ArchetypeRepository) -> None:
    path = "/data[at0001]/events[at0002]/data[at0003]/items[at0008]"
    rules = "".join(f'<Rule path="{path}" name="N{i}" clone="true" max="1"/>' for i in range(2000))
    started = process_time()
    template = compile_template(read_oet(oet(rules)), archetypes)
    assert sum("at0008" in node.path and node.path.endswith("]") for node in template.nodes()) >= 2000
    assert process_time() - started < 10
