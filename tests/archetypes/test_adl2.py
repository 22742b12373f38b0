"""ADL 2: what the reader understands, and that what is printed reads back as the same archetype."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype, ArtefactKind
from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CTerminologyCode,
    Interval,
    SiblingOrder,
)
from archetypes.errors import AdlSyntaxError
from tests.archetypes.adl_texts import adl2, adl2_of_value
from tests.shared_data import SHARED, needs_shared

VALID = Path(__file__).parents[1] / "data" / "adl" / "valid"
SAMPLES = sorted(path for path in VALID.iterdir() if path.suffix.startswith(".adl"))
CORPUS = SHARED / "testdata" / "archetypes"


def read(path: Path) -> Archetype:
    return parse_adl(path.read_text(encoding="utf-8-sig"), path.name)


@pytest.fixture(scope="module")
def everything() -> Archetype:
    return read(VALID / "everything.adls")


def items(archetype: Archetype) -> CAttribute:
    return archetype.definition.attributes[0]


def comments(archetype: Archetype) -> Counter[str]:
    """Every comment that an archetype keeps, line by line."""
    said = Counter(line for lines in archetype.comments.values() for line in lines)
    waiting: list[CObject] = [archetype.definition]
    while waiting:
        node = waiting.pop()
        said.update(node.comment.splitlines())
        if isinstance(node, CComplexObject):
            for attribute in node.attributes:
                said.update(attribute.comment.splitlines())
                waiting.extend(attribute.children)
    return said


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_is_printed_reads_back_with_its_comments(path: Path) -> None:
    archetype = read(path)
    printed = print_adl(archetype)
    again = parse_adl(printed, path.name)
    assert again == archetype
    assert comments(again) == comments(archetype)
    assert print_adl(again) == printed


@needs_shared
@pytest.mark.parametrize("generation", ["adl14", "adl2"])
def test_a_part_of_the_public_corpus_reads_back_with_its_comments(generation: str) -> None:
    paths = sorted(path for path in (CORPUS / generation).rglob("*.adl*"))
    for path in paths[:: len(paths) // 25]:
        archetype = read(path)
        again = parse_adl(print_adl(archetype), path.name)
        assert again == archetype, path.name
        assert comments(again) == comments(archetype), path.name


def test_the_frame_is_read(everything: Archetype) -> None:
    assert everything.is_adl2
    assert everything.is_differential
    assert everything.archetype_id == "openEHR-EHR-OBSERVATION.everything-special.v1.2.3-alpha.4"
    assert everything.parent_id == "openEHR-EHR-OBSERVATION.everything.v1"
    assert everything.concept == "id1.1"
    assert everything.header["generated"] is True
    assert everything.comments == {"": ("the whole of ADL 2 in one file",), "language": ("about languages",)}
    assert everything.rm_overlay["rm_visibility"]["/subject"]["visibility"] == "hide"
    assert everything.terminology.value_sets == {"ac1": ("at7", "at8")}
    assert everything.terminology.other == {"house_terms": "kept"}
    assert everything.invariants.splitlines()[0] == "-- the sum is what it should be"


def test_a_differential_path_and_the_order_of_siblings(everything: Archetype) -> None:
    attribute = items(everything)
    assert attribute.differential_path == "/data[id2]/events[id3]/data[id4]"
    assert attribute.rm_attribute_name == "items"
    orders = [child.sibling_order for child in attribute.children]
    assert orders[:3] == [SiblingOrder(True, "id5"), None, SiblingOrder(False, "id9")]


def test_archetypes_used_and_slots_closed(everything: Archetype) -> None:
    roots = [child for child in items(everything).children if isinstance(child, CArchetypeRoot)]
    assert [(root.node_id, root.archetype_id) for root in roots] == [
        ("id6.1", "openEHR-EHR-CLUSTER.device.v1"),
        ("id6.2", "org.example::openEHR-EHR-CLUSTER.device-special.v1.0.0"),
    ]
    slots = [child for child in items(everything).children if isinstance(child, ArchetypeSlot)]
    assert [slot.is_closed for slot in slots] == [True, False]


def test_unstated_occurrences_are_told_from_stated_ones(everything: Archetype) -> None:
    first, second = items(everything).children[:2]
    assert (first.occurrences_stated, second.occurrences_stated) == (True, False)


def leaf(value: str) -> CObject:
    element = parse_adl(adl2_of_value(value)).definition.attributes[0].children[0]
    assert isinstance(element, CComplexObject)
    holder = element.attributes[0].children[0]
    assert isinstance(holder, CComplexObject)
    return holder.attributes[0].children[0]


def test_terminology_codes_with_status_and_assumed_value() -> None:
    code = leaf("DV_CODED_TEXT[id3] matches { defining_code matches {preferred [ac1; at2]} }")
    assert code == CTerminologyCode(
        rm_type_name="CODE_PHRASE", code="ac1", status="preferred", assumed_value="at2"
    )


def test_several_intervals_are_kept() -> None:
    number = leaf("DV_COUNT[id3] matches { magnitude matches {|0..5|, |10..20|} }")
    assert isinstance(number, CPrimitiveObject)
    ranges = [getattr(each, "range", None) for each in (number.item, *number.others)]
    assert ranges == [Interval(0, 5), Interval(10, 20)]


def test_a_template_holds_its_overlays() -> None:
    template = read(VALID / "template.adlt")
    assert template.kind is ArtefactKind.TEMPLATE
    (overlay,) = template.overlays
    assert overlay.kind is ArtefactKind.TEMPLATE_OVERLAY
    assert overlay.parent_id == "openEHR-EHR-SECTION.part.v1"


FAULTS = [
    (adl2("CLUSTER matches {}"), "a node id"),
    (adl2("CLUSTER[id1] matches { items matches { ELEMENT } }"), "a node id"),
    (adl2("CLUSTER[id1] matches { [a, b] matches { [{1}] } }"), "one constraint for each member"),
    (adl2("CLUSTER[id1] matches { /items[id2] matches { ELEMENT[id3] } }"), "a path of an attribute"),
    (
        adl2("CLUSTER[id1] matches { items matches { use_archetype CLUSTER[id2] } }"),
        "id of an archetype",
    ),
    (adl2("CLUSTER[id1] matches { items matches { use_archetype CLUSTER[id2, x] } }"), "an archetype id"),
    (adl2("CLUSTER[id1] matches { items matches { before ELEMENT[id2] } }"), "a node id"),
    (adl2("CLUSTER[id1] matches { items matches { use_node CLUSTER[id2] items } }"), "a path"),
    (adl2_of_value('DV_COUNT[id3] matches { magnitude matches {1, "a"} }'), "of different types"),
    (adl2_of_value("DV_COUNT[id3] matches { _default = (json) <# {} > }"), "not closed"),
    (adl2_of_value("DV_CODED_TEXT[id3] matches { defining_code matches {[local::at1]} }"), "reference model"),
    (adl2("CLUSTER[id1]").replace("terminology\n", "ontology\n"), "section 'terminology' is missing"),
    (adl2("CLUSTER[id1]").replace("adl_version=2.0.6", "adl_version=3.0"), "only ADL 1.4 and ADL 2"),
    (adl2("CLUSTER[id1]") + "\nrevision_history\n", "has no section 'revision_history'"),
    (adl2("CLUSTER[id1]") + "\ntemplate_overlay\n    openEHR-EHR-CLUSTER.b.v1.0.0\n", "one archetype"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS, ids=range(len(FAULTS)))
def test_faults_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(AdlSyntaxError) as caught:
        parse_adl(text, "bad.adls")
    assert message in caught.value.message
    assert 1 <= caught.value.line <= text.count("\n") + 1


def test_an_attribute_with_the_name_of_a_section_is_none() -> None:
    archetype = parse_adl(adl2("CLUSTER[id1] matches { description language }"))
    assert parse_adl(print_adl(archetype)) == archetype


def test_every_truncation_is_refused_or_read() -> None:
    text = (VALID / "everything.adls").read_text(encoding="utf-8")
    for end in range(0, len(text), 97):
        try:
            parse_adl(text[:end])
        except AdlSyntaxError as error:
            assert error.line >= 1


def test_deep_nesting_is_an_error_with_a_place() -> None:
    opening = "CLUSTER[id2] matches { items matches {" * 5000
    with pytest.raises(AdlSyntaxError, match="nested too deep"):
        parse_adl(adl2(f"CLUSTER[id1] matches {{ items matches {{ {opening}"))
