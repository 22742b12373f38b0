"""A compiled template says what the source asks for, and refuses what its archetypes do not allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CCodePhrase,
    CComplexObject,
    CDuration,
    CDvQuantity,
    CInteger,
    CObject,
    CString,
    Interval,
)
from archetypes.findings import Severity
from archetypes.repository import ArchetypeRepository
from templates.compile import compile_template, template_findings
from templates.errors import InvalidTemplate
from templates.narrowing import code_phrase, primitive
from templates.oet import read_oet
from templates.operational import OperationalTemplate
from templates.opt import content_hash
from tests.archetypes.adl_texts import adl
from tests.shared_data import SHARED, needs_shared
from tests.templates.sources import CLUSTER, COMPOSITION, OBSERVATION, constraint, limits, oet, repository

TREE = "/data[at0001]/events[at0002]/data[at0003]"
STATUS, LEVEL, SCORE, AGE, SLOT = (
    f"{TREE}/items[{code}]" for code in ("at0004", "at0007", "at0008", "at0009", "at0010")
)
PROTOCOL = "/protocol[at0012]"
NOTE = f"{PROTOCOL}/items[at0013]"


@pytest.fixture(scope="module")
def archetypes(tmp_path_factory: pytest.TempPathFactory) -> ArchetypeRepository:
    return repository(tmp_path_factory.mktemp("archetypes"))


def compiled(source: bytes, archetypes: ArchetypeRepository) -> OperationalTemplate:
    return compile_template(read_oet(source, "a.oet"), archetypes)


def rule(path: str, inner: str = "", **attributes: object) -> str:
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Rule path="{path}"{stated}>{inner}</Rule>'


def at(template: OperationalTemplate, path: str) -> CObject:
    return next(node.constraint for node in template.nodes() if node.path == path)


def values(template: OperationalTemplate, path: str) -> tuple[CObject, ...]:
    element = at(template, path)
    attribute = element.attribute("value") if isinstance(element, CComplexObject) else None
    return attribute.children if attribute else ()


# --- what is there without any rule --------------------------------------------------------------


def test_internal_reference_is_written_out(archetypes: ArchetypeRepository) -> None:
    template = compiled(oet(), archetypes)
    assert at(template, "/data[at0001]/events[at0011]/data[at0003]/items[at0007]").occurrences == Interval(
        1, 1
    )


def test_existence_and_cardinality_are_stated_everywhere(archetypes: ArchetypeRepository) -> None:
    for node in compiled(oet(), archetypes).nodes():
        for attribute in getattr(node.constraint, "attributes", ()):
            assert attribute.existence is not None
            is_container = attribute.rm_attribute_name in ("events", "items")
            assert (attribute.cardinality is not None) == is_container


def test_terms_of_all_languages_come_along(archetypes: ArchetypeRepository) -> None:
    root = compiled(oet(), archetypes).definition
    assert {language: terms["at0004"].text for language, terms in root.terms.items()} == {
        "en": "Status",
        "nb": "norsk Status",
    }


def test_open_slot_stays(archetypes: ArchetypeRepository) -> None:
    assert isinstance(at(compiled(oet(), archetypes), SLOT), ArchetypeSlot)


def test_template_has_a_stable_hash(archetypes: ArchetypeRepository) -> None:
    template = compiled(oet(), archetypes)
    assert template.content_hash == content_hash(compiled(oet(), archetypes))
    assert template.content_hash != compiled(oet(rule(NOTE, max=0)), archetypes).content_hash


# --- rules that narrow ---------------------------------------------------------------------------


def test_prohibited_node_leaves_and_the_rest_is_closed(archetypes: ArchetypeRepository) -> None:
    template = compiled(oet(rule(STATUS, max=0) + rule(NOTE, max=0)), archetypes)
    paths = {node.path for node in template.nodes()}
    assert STATUS not in paths and LEVEL in paths
    items = at(template, PROTOCOL)
    assert isinstance(items, CComplexObject)
    assert items.attributes[0].existence == Interval(0, 0)


def test_prohibited_single_object_prohibits_its_attribute(archetypes: ArchetypeRepository) -> None:
    template = compiled(oet(rule(PROTOCOL, max=0) + rule(NOTE, max=1)), archetypes)
    protocol = template.definition.attribute("protocol")
    assert protocol is not None
    assert (protocol.existence, protocol.children) == (Interval(0, 0), ())


def test_minimum_makes_a_single_attribute_mandatory(archetypes: ArchetypeRepository) -> None:
    protocol = compiled(oet(rule(PROTOCOL, min=1)), archetypes).definition.attribute("protocol")
    assert protocol is not None and protocol.existence == Interval(1, 1)


OCCURRENCES = [
    (STATUS, {"min": 1}, Interval(1, 1)),
    (SCORE, {"max": 3}, Interval(0, 3)),
    (SCORE, {"min": 1, "max": 2}, Interval(1, 2)),
    (SLOT, {"max": 1}, Interval(0, 1)),
]


@pytest.mark.parametrize(("path", "stated", "expected"), OCCURRENCES)
def test_occurrences(
    archetypes: ArchetypeRepository, path: str, stated: dict[str, int], expected: Interval[int]
) -> None:
    assert at(compiled(oet(rule(path, **stated)), archetypes), path).occurrences == expected


def test_clones_are_told_apart_by_name(archetypes: ArchetypeRepository) -> None:
    source = oet(
        rule(SCORE, name="First", max=1)
        + rule(SCORE, name="It's second", clone="true", max=2)
        + rule(f"{TREE}/items[at0008, 'First']", constraint("count", limits(1, 5)))
    )
    template = compiled(source, archetypes)
    first, second = f"{TREE}/items[at0008,'First']", f"{TREE}/items[at0008,'It\\'s second']"
    assert at(template, first).occurrences == Interval(0, 1)
    assert at(template, second).occurrences == Interval(0, 2)
    assert [primitive(values(template, path)[0], "magnitude") for path in (first, second)] == [
        CInteger(range=Interval(1, 5)),
        CInteger(range=Interval(0, 10)),
    ]


def test_original_stays_beside_named_clones(archetypes: ArchetypeRepository) -> None:
    source = oet(rule(SCORE, max=1) + rule(SCORE, name="Other", clone="true"))
    paths = [node.path for node in compiled(source, archetypes).nodes() if "at0008" in node.path]
    assert paths[:1] == [SCORE]
    assert f"{TREE}/items[at0008,'Other']" in paths


def test_renamed_node_is_found_by_a_path_without_name(archetypes: ArchetypeRepository) -> None:
    event = "/data[at0001]/events[at0002]"
    template = compiled(oet(rule(event, name="Visit", max=1) + rule(STATUS, max=0)), archetypes)
    assert not any(node.path.endswith("items[at0004]") and "at0002" in node.path for node in template.nodes())


TEXTS = [
    (constraint("multiple", "<includedTypes>Coded_text</includedTypes>"), [("local", ("at0005", "at0006"))]),
    (constraint("text", "<includedValues>local::at0006</includedValues>"), [("local", ("at0006",)), None]),
    (constraint("text", "<excludedValues>local::at0006</excludedValues>"), [("local", ("at0005",)), None]),
    (
        constraint("text", "<includedValues>x::1::One</includedValues><includedValues>x::2</includedValues>"),
        [("local", ("at0005", "at0006")), ("x", ("1", "2"))],
    ),
    (
        constraint("text", "<includedValues>x::1::One</includedValues>", limitToList="false"),
        [("local", ("at0005", "at0006")), ("x", ("1",)), None],
    ),
    (
        constraint("text", '<termQueryId terminologyID="ATC"/>'),
        [("local", ("at0005", "at0006")), ("ATC", ())],
    ),
]


@pytest.mark.parametrize(("xml", "expected"), TEXTS)
def test_codes(archetypes: ArchetypeRepository, xml: str, expected: list[object]) -> None:
    template = compiled(oet(rule(STATUS, xml)), archetypes)
    phrases = [code_phrase(value) for value in values(template, STATUS)]
    assert [phrase and (phrase.terminology_id, phrase.codes) for phrase in phrases] == expected


def test_plain_text_becomes_coded(archetypes: ArchetypeRepository) -> None:
    xml = constraint("text", "<includedValues>x::1::One</includedValues>")
    template = compiled(oet(rule(NOTE, xml)), archetypes)
    assert [value.rm_type_name for value in values(template, NOTE)] == ["DV_CODED_TEXT"]
    assert template.definition.terms["en"]["x::1"].text == "One"


@pytest.mark.parametrize("limit", [True, False])
def test_list_of_texts(archetypes: ArchetypeRepository, limit: bool) -> None:
    inner = "<includedValues>a</includedValues><includedValues>b</includedValues>"
    xml = constraint("text", inner, limitToList=str(limit).lower())
    (text,) = values(compiled(oet(rule(NOTE, xml)), archetypes), NOTE)
    assert primitive(text, "value") == CString(values=("a", "b"), list_open=not limit)


def test_quantity(archetypes: ArchetypeRepository) -> None:
    inner = f"<includedUnits>cm</includedUnits><unitMagnitude><unit>cm</unit>{limits(40, 70)}</unitMagnitude>"
    (quantity,) = values(compiled(oet(rule(LEVEL, constraint("quantity", inner))), archetypes), LEVEL)
    assert isinstance(quantity, CDvQuantity)
    assert [(item.units, item.magnitude) for item in quantity.items] == [("cm", Interval(40.0, 70.0))]


def test_duration(archetypes: ArchetypeRepository) -> None:
    xml = constraint("duration", f"<pattern>PW</pattern>{limits('P4W', 'P43W')}")
    (duration,) = values(compiled(oet(rule(AGE, xml)), archetypes), AGE)
    assert primitive(duration, "value") == CDuration(pattern="PW", range=Interval("P4W", "P43W"))


def test_attribute_that_the_archetype_is_silent_about(archetypes: ArchetypeRepository) -> None:
    xml = constraint("text", "<includedValues>openehr::231</includedValues>")
    template = compiled(oet(rule("/context/setting", xml), root=COMPOSITION), archetypes)
    setting = at(template, "/context/setting")
    phrase = code_phrase(setting)
    assert phrase is not None and (phrase.terminology_id, phrase.codes) == ("openehr", ("231",))


def test_subject(archetypes: ArchetypeRepository) -> None:
    xml = "<SubjectOfCare><includedValues>openehr::3::foetus</includedValues></SubjectOfCare>"
    template = compiled(oet(xml), archetypes)
    subject = template.definition.attribute("subject")
    assert subject is not None and [c.rm_type_name for c in subject.children] == ["PARTY_RELATED"]
    leaves = [
        node.constraint for node in template.nodes() if node.path.endswith("relationship/defining_code")
    ]
    assert [leaf.codes for leaf in leaves if isinstance(leaf, CCodePhrase)] == [("3",)]


# --- slots ---------------------------------------------------------------------------------------


def filler(path: str = SLOT, archetype_id: str = CLUSTER, inner: str = "", **attributes: object) -> str:
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    kind = archetype_id.split("-")[2].split(".")[0]
    element = f'<Items xsi:type="{kind}" archetype_id="{archetype_id}" path="{path}"{stated}>'
    return f"{element}{inner}</Items>"


def test_filled_slot_is_closed(archetypes: ArchetypeRepository) -> None:
    source = oet(
        items=filler(name="One", min=1, max=1) + filler(name="Two", inner=rule("/items[at0001]", max=1))
    )
    template = compiled(source, archetypes)
    one, two = (f"{TREE}/items[{CLUSTER},'{name}']" for name in ("One", "Two"))
    assert isinstance(at(template, one), CArchetypeRoot)
    assert [at(template, path).occurrences for path in (one, two)] == [Interval(1, 1), Interval(0, 2)]
    assert at(template, f"{two}/items[at0001]").occurrences == Interval(1, 1)
    assert SLOT not in {node.path for node in template.nodes()}


def test_open_attribute_takes_what_the_model_allows(archetypes: ArchetypeRepository) -> None:
    template = compiled(oet(items=filler("/content", OBSERVATION), root=COMPOSITION), archetypes)
    assert at(template, f"/content[{OBSERVATION}]").occurrences == Interval(0, None)


def test_annotations_are_keyed_by_template_path(archetypes: ArchetypeRepository) -> None:
    note = "<items><item><key>k</key><value>v</value></item></items>"
    path = f"[{OBSERVATION}]{TREE}/items[{CLUSTER} and name/value='One']/items[at0001]"
    xml = f'<annotations path="{path}">{note}</annotations>'
    template = compiled(oet(items=filler(name="One"), annotations=xml), archetypes)
    assert {p: dict(items) for p, items in template.annotations.items()} == {
        f"{TREE}/items[{CLUSTER},'One']/items[at0001]": {"k": "v"}
    }


# --- refusals ------------------------------------------------------------------------------------

REFUSED = [
    (rule("/data[at0001]/items[at0099]", max=0), "template.unknown_path"),
    (rule("/data[at0001", max=0), "template.malformed_path"),
    (rule(SCORE, min=0, max=0) + rule(LEVEL, max=0), "template.mandatory_removed"),
    (rule("/data[at0001]", max=0), "template.mandatory_removed"),
    (rule(STATUS, max=2), "template.occurrences_widened"),
    (rule(LEVEL, min=0), "template.occurrences_widened"),
    (rule(SCORE, min=3, max=2), "template.occurrences_empty"),
    (rule(LEVEL, name="a") + rule(LEVEL, name="b"), "template.clone_of_single"),
    (rule(TREE, constraint("count", limits(0, 1))), "template.no_value"),
    (rule(LEVEL, constraint("count", limits(0, 1))), "template.wrong_type"),
    (rule(SCORE, constraint("count", limits(0, 11))), "template.range_widened"),
    (rule(AGE, constraint("duration", "<pattern>PYWD</pattern>")), "template.pattern_widened"),
    (
        rule(STATUS, constraint("text", "<includedValues>local::at0099</includedValues>")),
        "template.unknown_code",
    ),
    (rule(LEVEL, constraint("quantity", "<includedUnits>km</includedUnits>")), "template.unknown_unit"),
    (
        rule(
            LEVEL, constraint("quantity", f"<unitMagnitude><unit>cm</unit>{limits(0, 301)}</unitMagnitude>")
        ),
        "template.range_widened",
    ),
    (rule(LEVEL, constraint("multiple", "<includedTypes>Text</includedTypes>")), "template.wrong_type"),
    (rule(LEVEL, constraint("multiple", "<includedTypes>Colour</includedTypes>")), "template.unknown_type"),
    (filler(archetype_id="openEHR-EHR-CLUSTER.unheard_of.v1"), "template.unknown_archetype"),
    (filler(archetype_id=OBSERVATION), "template.slot_refuses"),
    (filler(path=PROTOCOL), "template.no_slot"),
    (filler(path="/nowhere[at0001]/items"), "template.unknown_path"),
    (filler(max=3), "template.occurrences_widened"),
    (rule(SLOT, max=0) + filler(), "template.slot_closed"),
    (rule("/data[at0001]/events[at0002]", max=0) + filler(), "template.slot_closed"),
]


@pytest.mark.parametrize(("xml", "code"), REFUSED, ids=[f"{code}-{i}" for i, (_, code) in enumerate(REFUSED)])
def test_what_the_archetypes_do_not_allow_is_refused(
    archetypes: ArchetypeRepository, xml: str, code: str
) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        compiled(oet(xml), archetypes)
    assert code in {finding.code for finding in caught.value.findings}
    assert all(f.span is not None and f.span.file == "a.oet" for f in caught.value.findings)


def test_annotation_that_leads_nowhere_is_refused(archetypes: ArchetypeRepository) -> None:
    note = "<items><item><key>k</key><value>v</value></item></items>"
    xml = f'<annotations path="[{OBSERVATION}]/data[at0099]">{note}</annotations>'
    with pytest.raises(InvalidTemplate, match=r"a\.oet:\d+: template\.unknown_path"):
        compiled(oet(annotations=xml), archetypes)


def test_rules_below_a_removed_node_are_left_alone(archetypes: ArchetypeRepository) -> None:
    removed = rule("/data[at0001]/events[at0011]", max=0)
    debris = rule("/data[at0001]/events[at0011]/data[at0003]/items[at0099]", max=7)
    assert compiled(oet(removed + debris), archetypes).definition


def test_minimum_that_no_clone_keeps_is_told(archetypes: ArchetypeRepository) -> None:
    comment = "/items[at0001]"
    kept = filler(inner=rule(comment, name="a", min=1) + rule(comment, name="b"))
    lost = filler(inner=rule(comment, name="a") + rule(comment, name="b"))
    codes = [[f.code for f in template_findings(read_oet(oet(items=i)), archetypes)] for i in (kept, lost)]
    assert codes == [[], ["template.minimum_lost"]]


# --- real sources --------------------------------------------------------------------------------

# Sources that were made for other versions of their archetypes.
DRIFTED = {
    "COVID-19 - konsept - Diagnose utelukkelse.oet": "template.name_not_allowed",
    "COVID-19 - konsept - Livssituasjon.oet": "template.unknown_path",
    "test kostregistrering.oet": "template.slot_refuses",
}


@needs_shared
@pytest.mark.slow
def test_public_templates_compile_where_their_archetypes_are_at_hand() -> None:
    public = ArchetypeRepository.from_folder(Path(SHARED) / "testdata" / "archetypes" / "adl14")
    results: dict[str, set[str]] = {}
    for file in sorted((SHARED / "testdata" / "templates").glob("oet_*/*.oet")):
        findings = template_findings(read_oet(file.read_bytes(), file.name), public)
        results[file.name] = {f.code for f in findings if f.severity is Severity.ERROR}
    at_hand = {name: codes for name, codes in results.items() if "template.unknown_archetype" not in codes}
    assert len(at_hand) == 29
    assert {name: codes.pop() for name, codes in at_hand.items() if codes} == DRIFTED


UNCOMPILED = [
    (
        "allow_archetype CLUSTER[at0001] matches { include domain_concept matches {/x/} }",
        "template.unsupported_assertion",
    ),
    ("ELEMENT[at0001] matches { value matches { C_DV_STATE <> } }", "oet.unsupported_constraint"),
]


@pytest.mark.parametrize(("member", "code"), UNCOMPILED, ids=[code for _, code in UNCOMPILED])
def test_what_an_operational_template_cannot_say_is_refused_by_name(
    member: str, code: str, tmp_path: Path
) -> None:
    held = repository(tmp_path)
    text = adl(f"CLUSTER[at0000] matches {{ items matches {{ {member} }} }}")
    path = next(tmp_path.rglob(f"{CLUSTER}.adl"))
    path.write_text(text.replace("openEHR-EHR-CLUSTER.test.v1", CLUSTER), encoding="utf-8")
    source = read_oet(oet(items=filler()), "a.oet")
    assert code in {finding.code for finding in template_findings(source, held)}
