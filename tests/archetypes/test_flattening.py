"""Specialised archetypes of ADL 2 laid over their parents: pairs, with what must come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype, ArtefactKind
from archetypes.aom.constraints import CComplexObject
from archetypes.aom.flattening import flatten
from archetypes.errors import CannotFlatten, UnknownArchetype
from archetypes.repository import ArchetypeRepository
from tests.archetypes.adl_texts import adl, adl2
from tests.shared_data import SHARED, needs_shared

CORPUS = SHARED / "testdata" / "archetypes" / "adl2"

PARENT = """
CLUSTER[id1] matches {
    items cardinality matches {0..*; ordered} matches {
        ELEMENT[id2] occurrences matches {0..1} matches {
            value matches {
                DV_TEXT[id3]
                DV_QUANTITY[id4] matches {
                    [magnitude, units] matches { [{|0.0..10.0|}, {"cm"}], [{|0.0..4.0|}, {"[in_i]"}] }
                }
            }
        }
        ELEMENT[id5] occurrences matches {0..*}
        CLUSTER[id6] occurrences matches {0..1} matches {
            items matches {
                ELEMENT[id7] occurrences matches {1} matches {
                    value matches { DV_COUNT[id8] matches { magnitude matches {|0..5|} } }
                }
            }
        }
        allow_archetype CLUSTER[id9] occurrences matches {0..*} matches {
            include archetype_id/value matches {/openEHR-EHR-CLUSTER\\.device\\.v1.*/}
        }
        use_node CLUSTER[id10] occurrences matches {0..1} /items[id6]
    }
}
"""
ITEMS = ["id2", "id5", "id6", "id9", "id10"]


def read(definition: str, **frame: str) -> Archetype:
    return parse_adl(adl2(definition, **frame))


def flat(child: str, parent: str = PARENT) -> CComplexObject:
    """The flat definition of a child whose root says this about its members."""
    specialised = read(
        f"CLUSTER[id1.1] matches {{ {child} }}",
        archetype_id="openEHR-EHR-CLUSTER.child.v1.0.0",
        parent="openEHR-EHR-CLUSTER.test.v1",
    )
    return flatten(specialised, flatten(read(parent))).definition


def codes(node: CComplexObject, attribute: str = "items") -> list[str]:
    held = node.attribute(attribute)
    return [child.node_id for child in held.children] if held else []


def child(node: CComplexObject, code: str, attribute: str = "items") -> CComplexObject:
    held = node.attribute(attribute)
    found = next(each for each in (held.children if held else ()) if each.node_id == code)
    assert isinstance(found, CComplexObject)
    return found


ORDERS = [
    ("", ITEMS),
    ("items matches { ELEMENT[id0.1] }", [*ITEMS, "id0.1"]),
    ("items matches { ELEMENT[id2.1] }", ["id2.1", "id5", "id6", "id9", "id10"]),
    ("items matches { ELEMENT[id5.1] }", ["id2", "id5.1", "id5", "id6", "id9", "id10"]),
    (
        "items matches { ELEMENT[id5.1] occurrences matches {0..1} ELEMENT[id5.2] occurrences matches {1} }",
        ["id2", "id5.1", "id5.2", "id5", "id6", "id9", "id10"],
    ),
    (
        "items matches { ELEMENT[id5.1] occurrences matches {1} ELEMENT[id5] occurrences matches {0} }",
        ["id2", "id5.1", "id5", "id6", "id9", "id10"],
    ),
    (
        "items matches { before [id5] ELEMENT[id2.1] ELEMENT[id0.1] "
        "after [id6] ELEMENT[id0.2] ELEMENT[id0.3] }",
        ["id2.1", "id0.1", "id5", "id6", "id0.2", "id0.3", "id9", "id10"],
    ),
    ("items matches { after [id10] ELEMENT[id2.1] }", ["id5", "id6", "id9", "id10", "id2.1"]),
    (
        "items matches { use_archetype CLUSTER[id9.1, openEHR-EHR-CLUSTER.device.v1] }",
        ["id2", "id5", "id6", "id9.1", "id9", "id10"],
    ),
    (
        "items matches { CLUSTER[id6.1] CLUSTER[id6.2] }",
        ["id2", "id5", "id6.1", "id6.2", "id9", "id10"],
    ),
]


@pytest.mark.parametrize(("said", "expected"), ORDERS, ids=[said for said, _ in ORDERS])
def test_the_order_of_siblings(said: str, expected: list[str]) -> None:
    assert codes(flat(said)) == expected


def test_what_the_child_does_not_mention_stays() -> None:
    root = flat("items matches { ELEMENT[id2.1] matches { name matches { DV_TEXT[id0.1] } } }")
    redefined = child(root, "id2.1")
    assert codes(redefined, "value") == ["id3", "id4"]
    assert codes(redefined, "name") == ["id0.1"]
    assert (redefined.occurrences.lower, redefined.occurrences.upper) == (0, 1)


def test_alternatives_are_excluded_by_prohibition_and_narrowed_in_place() -> None:
    root = flat("/items[id2]/value matches { DV_TEXT[id3] occurrences matches {0} }")
    text = child(child(root, "id2"), "id3", "value")
    assert (text.occurrences.lower, text.occurrences.upper) == (0, 0)


def test_a_differential_path_redefines_codes_on_its_way() -> None:
    root = flat(
        "/items[id6.1]/items[id7.1]/value matches { DV_COUNT[id8] matches { magnitude matches {1} } }"
    )
    assert codes(root) == ["id2", "id5", "id6.1", "id9", "id10"]
    assert codes(child(root, "id6.1")) == ["id7.1"]


def test_several_paths_through_one_node_meet_in_it() -> None:
    root = flat(
        "/items[id6.1]/items matches { ELEMENT[id0.1] } /items[id6.1]/items matches { ELEMENT[id0.2] }"
    )
    assert codes(child(root, "id6.1")) == ["id7", "id0.1", "id0.2"]


def test_tuples_replace_tuples() -> None:
    root = flat(
        "/items[id2]/value matches { DV_QUANTITY[id4] matches "
        '{ [magnitude, units] matches { [{|0.0..5.0|}, {"cm"}] } } }'
    )
    (kept,) = child(child(root, "id2"), "id4", "value").tuples
    assert len(kept.rows) == 1


def test_a_redefined_alternative_takes_the_place_of_its_parent() -> None:
    root = flat("/items[id2]/value matches { DV_CODED_TEXT[id3.1] DV_DATE[id0.1] }")
    assert codes(child(root, "id2"), "value") == ["id3.1", "id4", "id0.1"]


def test_references_are_expanded_and_may_be_redefined() -> None:
    root = flat("items matches { CLUSTER[id10] matches { items matches { ELEMENT[id0.1] } } }")
    assert codes(child(root, "id10")) == ["id7", "id0.1"]
    assert codes(child(root, "id6")) == ["id7"]


def test_texts_bindings_and_value_sets_of_both() -> None:
    def terms(*codes: str) -> str:
        texts = " ".join(f'["{code}"] = <text = <"{code}"> description = <"">>' for code in codes)
        sets = f'value_sets = <["ac{codes[0]}"] = <id = <"ac{codes[0]}">>>'
        return f'term_definitions = <["en"] = <{texts}>> {sets}'

    parent = read("CLUSTER[id1]", terminology=terms("id1", "id2"))
    child = read("CLUSTER[id1.1]", parent="openEHR-EHR-CLUSTER.test.v1", terminology=terms("id1.1", "id0.1"))
    merged = flatten(child, parent).terminology
    assert list(merged.terms["en"]) == ["id1", "id2", "id1.1", "id0.1"]
    assert list(merged.value_sets) == ["acid1", "acid1.1"]


FAULTS = [
    ("/items[id99]/items matches { ELEMENT[id0.1] }", "the parent has no such node"),
    ("items matches { after [id99] ELEMENT[id0.1] }", "no sibling id99"),
    ("items matches { use_node ELEMENT[id0.1] /items[id99] }", "nothing is at /items[id99]"),
    ("/items/value matches { DV_TEXT[id0.1] }", "which node it leads through"),
    (
        "items matches { CLUSTER[id0.1] matches { items matches "
        "{ use_node CLUSTER[id0.2] /items[id0.1] } } }",
        "contains itself",
    ),
]


@pytest.mark.parametrize(("said", "reason"), FAULTS, ids=[reason for _, reason in FAULTS])
def test_what_does_not_fit_is_named_with_its_path(said: str, reason: str) -> None:
    with pytest.raises(CannotFlatten) as caught:
        flat(said)
    assert reason in caught.value.reason
    assert caught.value.path.startswith("/items")


def test_references_that_multiply_are_refused() -> None:
    doubling = "".join(
        f"CLUSTER[id{n}] matches {{ items matches {{ use_node CLUSTER[id{n}.1] /items[id{n + 1}] "
        f"use_node CLUSTER[id{n}.2] /items[id{n + 1}] }} }} "
        for n in range(2, 60)
    )
    with pytest.raises(CannotFlatten, match="more than"):
        flatten(read(f"CLUSTER[id1] matches {{ items matches {{ {doubling} CLUSTER[id60] }} }}"))


# --- in a repository --------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> ArchetypeRepository:
    texts = {
        "openEHR-EHR-CLUSTER.test.v1.0.0": adl2(PARENT),
        "openEHR-EHR-CLUSTER.test.v1.2.0-alpha": adl2(
            PARENT, archetype_id="openEHR-EHR-CLUSTER.test.v1.2.0-alpha"
        ),
        "openEHR-EHR-CLUSTER.child.v1.0.0": adl2(
            "CLUSTER[id1.1] matches { items matches { ELEMENT[id2.1] } }",
            archetype_id="openEHR-EHR-CLUSTER.child.v1.0.0",
            parent="openEHR-EHR-CLUSTER.test.v1.0.0",
        ),
        "openEHR-EHR-CLUSTER.grandchild.v1.0.0": adl2(
            "CLUSTER[id1.1.1] matches { items matches { ELEMENT[id2.1.1] ELEMENT[id0.0.1] } }",
            archetype_id="openEHR-EHR-CLUSTER.grandchild.v1.0.0",
            parent="openEHR-EHR-CLUSTER.child.v1",
        ),
        "openEHR-EHR-CLUSTER.ring.v1.0.0": adl2(
            "CLUSTER[id1.1]",
            archetype_id="openEHR-EHR-CLUSTER.ring.v1.0.0",
            parent="openEHR-EHR-CLUSTER.ring_other.v1",
        ),
        "openEHR-EHR-CLUSTER.ring_other.v1.0.0": adl2(
            "CLUSTER[id1.1]",
            archetype_id="openEHR-EHR-CLUSTER.ring_other.v1.0.0",
            parent="openEHR-EHR-CLUSTER.ring.v1",
        ),
        "openEHR-EHR-CLUSTER.device.v1.0.1": adl2(
            "CLUSTER[id1] matches { items matches { "
            "ELEMENT[id2] occurrences matches {1} allow_archetype CLUSTER[id3] } }",
            archetype_id="openEHR-EHR-CLUSTER.device.v1.0.1",
        ),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.adls").write_text(text, encoding="utf-8")
    (tmp_path / "openEHR-EHR-CLUSTER.test.v1.adl").write_text(adl("CLUSTER[at0000]"), encoding="utf-8")
    return ArchetypeRepository.from_folder(tmp_path)


def test_both_generations_lie_in_one_repository(repository: ArchetypeRepository) -> None:
    old = repository.get("openEHR-EHR-CLUSTER.test.v1")
    assert not old.is_adl2
    assert repository.flat("openEHR-EHR-CLUSTER.test.v1") is old
    assert repository.resolve("openEHR-EHR-CLUSTER.test.v1").archetype_id.endswith(".v1.2.0-alpha")
    assert repository.resolve("openEHR-EHR-CLUSTER.test.v1.0").archetype_id.endswith(".v1.0.0")


def test_a_parent_of_the_other_generation_is_none(tmp_path: Path) -> None:
    child = read("CLUSTER[id1.1]", parent="openEHR-EHR-CLUSTER.old.v1")
    old = adl("CLUSTER[at0000]").replace("CLUSTER.test.v1", "CLUSTER.old.v1")
    (tmp_path / "openEHR-EHR-CLUSTER.old.v1.adl").write_text(old, encoding="utf-8")
    with pytest.raises(UnknownArchetype):
        ArchetypeRepository.from_folder(tmp_path).flattened(child)


def test_a_line_of_specialisations_is_flattened_from_its_top(repository: ArchetypeRepository) -> None:
    flat_form = repository.flat("openEHR-EHR-CLUSTER.grandchild.v1.0.0")
    assert codes(flat_form.definition) == ["id2.1.1", "id5", "id6", "id9", "id10", "id0.0.1"]
    assert not flat_form.is_differential


def test_a_ring_of_parents_is_refused(repository: ArchetypeRepository) -> None:
    with pytest.raises(CannotFlatten, match="its own parent"):
        repository.flat("openEHR-EHR-CLUSTER.ring.v1.0.0")


TEMPLATE = """template (adl_version=2.0.6; rm_release=1.1.0)
    openEHR-EHR-CLUSTER.t_test.v1.0.0

specialize
    openEHR-EHR-CLUSTER.child.v1

language
    original_language = <[ISO_639-1::en]>

definition
    CLUSTER[id1.1.1] matches {
        items matches {
            use_archetype CLUSTER[id9.0.1, USED]
            allow_archetype CLUSTER[id9] closed
            ELEMENT[id5] occurrences matches {0}
        }
    }

terminology
    term_definitions = <["en"] = <["id1.1.1"] = <text = <"T"> description = <"T">>>>

------------------------------------------------------------------------
template_overlay
    openEHR-EHR-CLUSTER.t_device.v1.0.0

specialize
    openEHR-EHR-CLUSTER.device.v1

definition
    CLUSTER[id1.1] matches {
        items matches { ELEMENT[id2.1] }
    }

terminology
    term_definitions = <["en"] = <["id1.1"] = <text = <"D"> description = <"D">>>>
"""


def test_an_operational_template_holds_what_it_uses(repository: ArchetypeRepository) -> None:
    template = parse_adl(TEMPLATE.replace("USED", "openEHR-EHR-CLUSTER.t_device.v1"))
    made = repository.operational_template(template)
    assert made.kind is ArtefactKind.OPERATIONAL_TEMPLATE
    assert made.parent_id is None
    assert codes(made.definition) == ["id2.1", "id6", "id9.0.1", "id10"]
    assert codes(child(made.definition, "id9.0.1")) == ["id2.1", "id3"]
    assert list(made.component_terminologies) == ["openEHR-EHR-CLUSTER.t_device.v1.0.0"]
    assert parse_adl(print_adl(made)) == made


def test_a_template_that_uses_something_unknown_is_refused(repository: ArchetypeRepository) -> None:
    with pytest.raises(UnknownArchetype, match="nowhere"):
        repository.operational_template(parse_adl(TEMPLATE.replace("USED", "openEHR-EHR-CLUSTER.nowhere.v1")))


@needs_shared
def test_the_public_specialisations_are_flattened() -> None:
    """All but those whose parents the corpus lacks; the flat form is printed and read again."""
    unknown = []
    for folder in sorted(CORPUS.iterdir()):
        held = ArchetypeRepository.from_folder(folder)
        for path in sorted(folder.glob("*.adls")):
            archetype = parse_adl(path.read_text(encoding="utf-8"), path.name)
            if archetype.parent_id is None:
                continue
            try:
                made = held.flattened(archetype)
            except UnknownArchetype as error:
                unknown.append(error.archetype_id)
                continue
            assert parse_adl(print_adl(made)).definition == made.definition
    assert unknown == ["openEHR-EHR-OBSERVATION.substance_use.v1"] * 2
