"""Every field of the card that the templates hold has a node, and the node can tell values apart."""

from __future__ import annotations

import json

import pytest

from templates.compose import compose
from templates.data_values import Unfit, data_value
from templates.field_values import generated_values
from templates.fields import RM_FIELDS, certainties, field_nodes
from templates.header import Header
from templates.operational import Node
from templates.repository import library_templates
from templates.rubrics import Rubrics
from tests.shared_data import SHARED, needs_shared

HELD = [
    pytest.param(template_id, field, node, id=f"{template_id}-{field}-{position}")
    for template_id, opt in sorted(library_templates().items())
    for field, nodes in field_nodes(opt).items()
    for position, node in enumerate(nodes)
]


@needs_shared
def test_every_row_of_the_card_is_held() -> None:
    sections = json.loads((SHARED / "card" / "fields.json").read_text(encoding="utf-8"))
    rows = {row["id"]: row["cert"] for section in sections for row in section["rows"]}
    held = {field for opt in library_templates().values() for field in field_nodes(opt)}
    assert held | set(RM_FIELDS) == set(rows)
    said = {
        field: letter for opt in library_templates().values() for field, letter in certainties(opt).items()
    }
    assert said == {field: rows[field] for field in held}


@pytest.mark.parametrize(("template_id", "field", "node"), HELD)
def test_a_generated_value_fits_and_the_other_is_told_apart(template_id: str, field: str, node: Node) -> None:
    generated = generated_values(node)
    assert generated.accepted != generated.refused
    if generated.attribute == "value":
        assert data_value(generated.value, node.constraint, Rubrics(node.root, "nb")) == generated.accepted


def test_a_refused_plain_value_raises() -> None:
    opt = library_templates()["helsekort_kontroll.v0"]
    (node,) = field_nodes(opt)["HK13.4"]
    with pytest.raises(Unfit, match="outside"):
        data_value({"magnitude": 261, "units": "mm[Hg]"}, node.constraint, Rubrics(node.root, "nb"))


@pytest.mark.parametrize(("template_id", "field", "node"), HELD)
def test_a_generated_value_can_be_composed(template_id: str, field: str, node: Node) -> None:
    header = Header(start_time="2026-02-16T13:59:00+01:00", setting="231")
    value = generated_values(node).value
    composition = compose(library_templates()[template_id], header, {field: value})
    assert composition["_type"] == "COMPOSITION"
