"""Any archetype that can be read can be judged, repaired and shown: nothing is raised, nothing hangs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.errors import AdlSyntaxError, CannotFlatten, MalformedPath, UnknownArchetype
from archetypes.repository import ArchetypeRepository
from validators.archetype import lint_archetype, repairs, validate_archetype
from validators.archetype.places import with_places
from validators.messages import LANGUAGES, finding_text

DATA = Path(__file__).parents[1] / "data" / "adl"
REPOSITORY = ArchetypeRepository.from_folder(DATA / "invalid")
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(DATA.rglob("*.adl"))]
TEXTS2 = [path.read_text(encoding="utf-8") for path in sorted(DATA.rglob("*.adl?"))]
WORDS = [
    "at0000",
    "at0001",
    "at0000.1",
    "ac0001",
    "0..*",
    "0..1",
    "{1}",
    "{0}",
    "*",
    "ELEMENT",
    "CLUSTER",
    "DV_TEXT",
    "items",
    "value",
    "use_node",
    "nb",
    "en",
    "openEHR-EHR-CLUSTER.ring.v1",
    "openEHR-EHR-CLUSTER.parent.v1",
    "local",
    "SNOMED-CT",
    ".*",
    "P1D",
    "1.5",
    "|0..1|",
    "<>",
    "[a::]",
    "/",
    '""',
    '"*a(nb)"',
    "/items[at0001]",
]


WORDS2 = [
    "id1",
    "id2",
    "id5.1",
    "id0.1",
    "id0",
    "at1",
    "ac1",
    "after",
    "before",
    "closed",
    "use_archetype",
    "use_node",
    "allow_archetype",
    "occurrences",
    "existence",
    "{0}",
    "{0..*}",
    "[magnitude, units]",
    "/items[id2]/value",
    "/items",
    "_default",
    "(json) <# {} #>",
    "openEHR-EHR-CLUSTER.parent.v1",
    "openEHR-EHR-CLUSTER.ring.v1",
    "openEHR-EHR-CLUSTER.sample.v1",
    "template",
    "template_overlay",
    "operational_template",
    "∈",
    "rules",
]


@st.composite
def changed_text(draw: st.DrawFn, texts: list[str] = TEXTS, words: list[str] = WORDS) -> str:
    """A sample with up to four of its words replaced or left out."""
    parts = re.split(r"(\s+|[{}<>\[\];=])", draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(0, 4))):
        position = draw(st.integers(0, len(parts) - 1))
        parts[position] = draw(st.sampled_from(["", *words]))
    return "".join(parts)


@given(text=changed_text())
@settings(max_examples=150, deadline=None)
def test_whatever_can_be_read_can_be_judged(text: str) -> None:
    judge(text)


@given(text=changed_text(TEXTS2, WORDS + WORDS2))
@settings(max_examples=250, deadline=None)
def test_whatever_can_be_read_of_adl2_can_be_judged_and_flattened(text: str) -> None:
    archetype = judge(text)
    if archetype is None:
        return
    try:
        flat = REPOSITORY.flattened(archetype)
        REPOSITORY.operational_template(archetype)
    except (UnknownArchetype, AdlSyntaxError, CannotFlatten, MalformedPath):
        return
    assert parse_adl(print_adl(flat)).definition == flat.definition


def judge(text: str) -> Archetype | None:
    """Everything that can be done with a text; None if it is not ADL."""
    try:
        archetype = parse_adl(text)
    except AdlSyntaxError:
        return None
    findings = [*validate_archetype(archetype, REPOSITORY), *lint_archetype(archetype, REPOSITORY)]
    for found in with_places(findings, text, "a.adl"):
        assert found.span is not None and found.path
        assert all(finding_text(found, language) for language in LANGUAGES)
    assert parse_adl(print_adl(archetype)) == archetype
    print_adl(repairs(archetype, findings))
    return archetype


def nested(body: str) -> str:
    """A readable archetype with these members."""
    return f"""archetype
    openEHR-EHR-CLUSTER.a.v1
concept
    [at0000]
definition
    CLUSTER[at0000] matches {{
        items matches {{
            {body}
        }}
    }}
ontology
"""


def cluster(code: str, *targets: str) -> str:
    references = " ".join(f"use_node CLUSTER {target}" for target in targets)
    return f"CLUSTER[{code}] matches {{items matches {{{references}}}}}"


CYCLES = [
    [cluster("at0001", "/items[at0001]")],
    [cluster("at0001", "/items[at0002]"), cluster("at0002", "/items[at0001]")],
    [cluster(f"at000{i}", f"/items[at000{i % 3 + 1}]") for i in (1, 2, 3)],
]


@pytest.mark.parametrize("clusters", CYCLES, ids=len)
def test_a_ring_of_references_is_found(clusters: list[str]) -> None:
    codes = [found.code for found in validate_archetype(parse_adl(nested(" ".join(clusters))))]
    assert codes.count("archetype.use_node_cycle") == len(clusters)


def test_a_long_chain_of_references_is_no_ring() -> None:
    chain = [cluster(f"at{i:04}", f"/items[at{i + 1:04}]") for i in range(1, 400)]
    archetype = parse_adl(nested(" ".join([*chain, "CLUSTER[at0400] matches {*}"])))
    assert "archetype.use_node_cycle" not in [found.code for found in validate_archetype(archetype)]
