"""Each node that holds a field of the card takes a value inside its constraint and refuses one outside."""

from __future__ import annotations

import pytest

from templates.repository import library_templates
from validators.coverage import template_coverage


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_every_field_is_covered(template_id: str) -> None:
    rows = list(template_coverage(library_templates()[template_id]))
    assert rows
    assert [(row.field, row.path) for row in rows if not row.is_covered] == []
