"""Faults planted in compiled templates: each gives its code at its place; ours have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CComplexObject,
    CInteger,
    CObject,
    CPrimitiveObject,
    Interval,
    TermDefinition,
)
from archetypes.findings import Severity
from archetypes.repository import library
from templates.errors import UnreadableTemplate
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from tests.shared_data import SHARED, needs_shared
from validators.template import lint_template, validate_template

SOME: Interval[int] = Interval(1, None)
TWICE: Interval[int] = Interval(0, 2)
ROOT = "openEHR-EHR-CLUSTER.sample.v1"
# Two public templates: one asks for eight entries where one fits, one lost the terms of its codes.
KNOWN = {"VCOC": {"cardinality_of_section.opt"}, "VATDF": {"Apgar_1.opt"}}


def template(
    *children: CObject,
    cardinality: Interval[int] = SOME,
    annotations: Mapping[str, Mapping[str, str]] | None = None,
) -> OperationalTemplate:
    """A cluster with these members."""
    items = CAttribute(
        rm_attribute_name="items",
        existence=Interval(1, 1),
        cardinality=Cardinality(cardinality, is_ordered=False),
        children=children,
    )
    terms = {"nb": {code: TermDefinition("Felt") for code in ("at0000", "at0001", "at0002")}}
    root = CArchetypeRoot(
        rm_type_name="CLUSTER", node_id="at0000", archetype_id=ROOT, attributes=(items,), terms=terms
    )
    return OperationalTemplate(
        template_id="sample", concept="sample", language="nb", definition=root, annotations=annotations or {}
    )


def element(code: str = "at0001", *attributes: CAttribute, **changes: Interval[int]) -> CComplexObject:
    """An optional element."""
    node = CComplexObject(
        rm_type_name="ELEMENT", node_id=code, occurrences=Interval(0, 1), attributes=attributes
    )
    return replace(node, **changes)  # type: ignore[arg-type]  # occurrences only


def holding(name: str, child: CObject) -> CAttribute:
    return CAttribute(rm_attribute_name=name, existence=Interval(0, 1), children=(child,))


def count(assumed: int) -> CObject:
    """A count of at most 10 with an assumed value."""
    limit = CPrimitiveObject(
        rm_type_name="INTEGER", item=CInteger(range=Interval(0, 10), assumed_value=assumed)
    )
    return CComplexObject(rm_type_name="DV_COUNT", attributes=(holding("magnitude", limit),))


def slot(pattern: str) -> ArchetypeSlot:
    return ArchetypeSlot(
        rm_type_name="CLUSTER", node_id="at0002", occurrences=Interval(0, 1), includes=(pattern,)
    )


def text(type_name: str = "DV_TEXT") -> CObject:
    return CComplexObject(rm_type_name=type_name)


FIELD = {"helsekort.field": "HK1.2", "helsekort.certainty": "A"}
INSIDE = "/items[at0001]/value"

PLANTED = [
    ("VCARM", "/items[at0001]/null_flavor", template(element("at0001", holding("null_flavor", text())))),
    ("VCORM", INSIDE, template(element("at0001", holding("value", text("DV_WORD"))))),
    ("VCORMT", INSIDE, template(element("at0001", holding("value", text("CLUSTER"))))),
    ("VCATU", INSIDE, template(element("at0001", holding("value", text()), holding("value", text())))),
    ("VCOSU", "/items[at0001]", template(element(), element())),
    ("VCOCD", "/items[at0001]", template(element(occurrences=Interval(2, 1)))),
    ("VCOC", "/items", template(element(), cardinality=Interval(2, 2))),
    ("VACSO", INSIDE, template(element("at0001", holding("value", replace(text(), occurrences=TWICE))))),
    ("VOBAV", f"{INSIDE}/magnitude", template(element("at0001", holding("value", count(11))))),
    ("VATDF", "/items[at0009]", template(element("at0009"))),
    ("template.use_node", "/items[at0001]", template(ArchetypeInternalRef(
        rm_type_name="ELEMENT", node_id="at0001", target_path="/items[at0002]"))),
    ("template.slot_unfillable", "/items[at0002]", template(slot(r"openEHR-EHR-CLUSTER\.nowhere\.v1"))),
    ("template.annotation_path", "/items[at0002]", template(
        element(), annotations={"/items[at0002]": FIELD})),
    ("template.certainty", "/items[at0001]", template(
        element(), annotations={"/items[at0001]": {"helsekort.field": "HK1.2"}})),
    ("template.field_twice", "/items[at0001]", template(
        element(), annotations={"/items[at0001]": {**FIELD, "helsekort.field": "HK1.2 HK1.2"}})),
    ("template.field_twice", INSIDE, template(
        element("at0001", holding("value", text())), annotations={"/items[at0001]": FIELD, INSIDE: FIELD})),
]  # fmt: skip

SOUND = [
    template(element()),
    template(element("at0001", holding("value", count(10))), element("at0002")),
    template(slot(r"openEHR-EHR-CLUSTER\.person(-[a-z]+)*\.v1")),
    template(element("at0009", occurrences=Interval(0, 0)), element()),
    template(element(), annotations={"/items[at0001,'Name in the editor']": FIELD}),
]


@pytest.mark.parametrize(
    ("code", "path", "opt"), PLANTED, ids=[f"{code}{i}" for i, (code, _, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found_at_its_place(code: str, path: str, opt: OperationalTemplate) -> None:
    assert [(found.code, found.path) for found in lint_template(opt, library())] == [(code, path)]


@pytest.mark.parametrize("opt", SOUND)
def test_a_sound_template_has_no_finding(opt: OperationalTemplate) -> None:
    assert lint_template(opt, library()) == []


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_our_templates_have_no_finding(template_id: str) -> None:
    assert lint_template(library_templates()[template_id], library()) == []


def test_warnings_refuse_no_template() -> None:
    warned = template(element(), cardinality=Interval(2, 2))
    assert [found.severity for found in lint_template(warned)] == [Severity.WARNING]
    assert validate_template(warned) == []


@needs_shared
@pytest.mark.slow
def test_public_templates_have_the_known_faults_only() -> None:
    """Beside annotations of nodes that their authors removed."""
    found: dict[str, set[str]] = {}
    paths = [*Path(SHARED).rglob("*.opt"), *Path(SHARED).rglob("*.opt.xml")]
    assert len(paths) > 100
    for path in paths:
        if "invalid" in str(path.parent):
            continue
        try:
            opt = read_opt(path.read_bytes())
        except UnreadableTemplate:
            continue
        for finding in lint_template(opt):
            found.setdefault(finding.code, set()).add(path.name)
    found.pop("template.annotation_path", None)
    assert found == KNOWN
