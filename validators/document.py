"""All that is said of one document: template, reference model, and the rules of the card."""

from __future__ import annotations

from typing import Any

from archetypes.findings import Finding
from templates.operational import OperationalTemplate
from validators.card import validate_card
from validators.compiled import compile_validator


def validate_document(opt: OperationalTemplate, composition: Any, *, complete: bool = True) -> list[Finding]:
    """Findings in a fixed order: those of the template first, then those of the card."""
    return compile_validator(opt)(composition, complete) + validate_card(opt, composition)
