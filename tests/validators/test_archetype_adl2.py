"""ADL 2 beyond single rules: at-codes, templates with overlays, operational templates, hostile files."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.repository import ArchetypeRepository
from tests.archetypes.adl_texts import adl2
from tests.shared_data import SHARED, needs_shared
from validators.archetype import check_file, validate_archetype

SAMPLES = Path(__file__).parents[1] / "data" / "adl" / "invalid" / "adl2"
REPOSITORY = ArchetypeRepository.from_folder(SAMPLES / "repository")
CORPUS = SHARED / "testdata" / "archetypes" / "adl2"


def terms(*codes: str) -> str:
    items = " ".join(f'["{code}"] = <text = <"{code}"> description = <"{code}">>' for code in codes)
    return f'term_definitions = <["en"] = <{items}>>'


AT_CODED = adl2(
    """CLUSTER[at0000] matches {
    items matches {
        ELEMENT[at0001] occurrences matches {0..1} matches {
            value matches {
                DV_CODED_TEXT[at9000] matches {
                    defining_code matches {[ac1; at0010]}
                }
                DV_TEXT[at9001]
            }
        }
        use_node ELEMENT[at0002] /items[at0001]
    }
}""",
    archetype_id="openEHR-EHR-CLUSTER.at_coded.v1.0.0",
    terminology=terms("at0000", "at0001", "at0002", "ac1", "at0010")
    + ' value_sets = <["ac1"] = <id = <"ac1"> members = <"at0010", ...>>>',
)
AT_CHILD = adl2(
    """CLUSTER[at0000.1] matches {
    items matches {
        after [at0001]
        ELEMENT[at0.1] occurrences matches {0..1}
    }
    /items[at0001.1]/value matches {
        DV_TEXT[at9001] occurrences matches {0}
    }
}""",
    archetype_id="openEHR-EHR-CLUSTER.at_child.v1.0.0",
    parent="openEHR-EHR-CLUSTER.at_coded.v1",
    terminology=terms("at0000.1", "at0.1", "at0001.1"),
)


@pytest.fixture
def at_coded(tmp_path: Path) -> ArchetypeRepository:
    for text in (AT_CODED, AT_CHILD):
        archetype = parse_adl(text)
        (tmp_path / f"{archetype.archetype_id}.adls").write_text(text, encoding="utf-8")
    return ArchetypeRepository.from_folder(tmp_path)


def test_archetypes_with_at_codes_are_valid_and_flattened(at_coded: ArchetypeRepository) -> None:
    for archetype_id in at_coded.ids():
        assert validate_archetype(at_coded.get(archetype_id), at_coded) == []
    items = at_coded.flat("openEHR-EHR-CLUSTER.at_child.v1.0.0").definition.attributes[0]
    assert [node.node_id for node in items.children] == ["at0001.1", "at0.1", "at0002"]


TEMPLATE = adl2(
    """CLUSTER[id1.1] matches {
    items matches {
        use_archetype CLUSTER[id7.1, openEHR-EHR-CLUSTER.t_device.v1]
        allow_archetype CLUSTER[id7] closed
    }
}""",
    archetype_id="openEHR-EHR-CLUSTER.t_parent.v1.0.0",
    parent="openEHR-EHR-CLUSTER.parent.v1",
    terminology=terms("id1.1", "id7.1"),
).replace("archetype (", "template (", 1)
OVERLAY = f"""
------------------------------------------------------------------------
template_overlay
    openEHR-EHR-CLUSTER.t_device.v1.0.0

specialize
    openEHR-EHR-CLUSTER.device.v1

definition
    CLUSTER[id1.1] matches {{
        items matches {{
            ELEMENT[id2] occurrences matches {{0}}
        }}
    }}

terminology
    {terms("id1.1")}
"""


def test_a_template_with_its_overlay_is_valid() -> None:
    assert validate_archetype(parse_adl(TEMPLATE + OVERLAY), REPOSITORY) == []


def test_a_fault_of_an_overlay_is_found_in_it() -> None:
    wrong = OVERLAY.replace("ELEMENT[id2]", "ELEMENT[id0.2]").replace(terms("id1.1"), terms("id1.1", "id0.2"))
    template = parse_adl(TEMPLATE + wrong)
    (found,) = validate_archetype(template, REPOSITORY)
    assert (found.code, found.path) == (
        "VSONPO",
        "[openEHR-EHR-CLUSTER.t_device.v1.0.0]/items[id0.2]",
    )
    assert found.span is not None and found.span.line > TEMPLATE.count("\n")


def test_an_operational_template_is_valid_by_itself() -> None:
    made = REPOSITORY.operational_template(parse_adl(TEMPLATE + OVERLAY))
    assert validate_archetype(parse_adl(print_adl(made)), REPOSITORY) == []


@needs_shared
def test_the_public_archetypes_as_operational_templates() -> None:
    """Every archetype of one public folder, with all that it uses."""
    held = ArchetypeRepository.from_folder(CORPUS / "adl-archetypes-laboratory2")
    for archetype_id in held.ids():
        made = held.operational_template(held.get(archetype_id))
        assert parse_adl(print_adl(made)) == made
        assert {found.code for found in validate_archetype(made, held)} <= {"VCOSU"}


MANY = 2000
HOSTILE = {
    "siblings": "CLUSTER[id1] matches { items matches {"
    + " ".join(f"ELEMENT[id{n}] occurrences matches {{0..1}}" for n in range(2, MANY))
    + "} }",
    "references": "CLUSTER[id1] matches { items matches {"
    + " ".join(f"use_node CLUSTER[id{n}] /items[id{n + 1}]" for n in range(2, MANY))
    + "} }",
    "rows": "CLUSTER[id1] matches { [a] matches { " + ", ".join(["[{1}]"] * MANY) + " } }",
    "paths": "CLUSTER[id1] matches {"
    + " ".join(f"/items[id{n}]/items matches {{ ELEMENT[id0.{n}] }}" for n in range(2, MANY))
    + "}",
    "steps": "CLUSTER[id1] matches { " + "/items[id1]" * MANY + "/name matches { DV_TEXT[id2] } }",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_time_with_findings(name: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.adls"
    parent = "openEHR-EHR-CLUSTER.parent.v1" if name in ("paths", "steps") else ""
    file.write_text(adl2(HOSTILE[name], parent=parent), encoding="utf-8")
    checked = check_file(file, REPOSITORY)
    assert checked.findings
    assert all(found.span is not None for found in checked.findings)
