"""Documents made from field values, for tests of the card's rules."""

from __future__ import annotations

from typing import Any

from archetypes.findings import Finding
from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates
from validators.card import validate_card

FIRST, VISIT, LAB, RHD, SCAN = (
    f"helsekort_{name}.v0" for name in ("forste_kontroll", "kontroll", "lab", "rhd", "ultralyd")
)


def document(template_id: str, values: dict[str, Any], **header: str) -> dict[str, Any]:
    """A composition of 2026-02-16."""
    made = Header(start_time="2026-02-16T13:59:00+01:00", setting="231", **header)
    return compose(library_templates()[template_id], made, values)


def found(template_id: str, values: dict[str, Any], **header: str) -> list[Finding]:
    """What the card's rules find in it."""
    return validate_card(library_templates()[template_id], document(template_id, values, **header))
