"""All that is said of one document: template, reference model, and the rules of the card."""

from __future__ import annotations

from typing import Any

from archetypes.findings import Finding
from templates.operational import OperationalTemplate
from validators.card import validate_card
from validators.card.not_on_card import Subsumed
from validators.compiled import compile_validator
from validators.composition.report import MAX_FINDINGS
from validators.mending import mend


def validate_document(
    opt: OperationalTemplate,
    composition: Any,
    *,
    complete: bool = True,
    subsumed: Subsumed | None = None,
    limit: int = MAX_FINDINGS,
) -> list[Finding]:
    """Findings in a fixed order: of the template first, then of the card (``subsumed`` as there).

    What ``validators.mending.mend`` mends is a warning, and all else is said of the mended composition.
    After ``limit`` findings of the template the list says ``findings.truncated``.
    """
    validate = compile_validator(opt)
    findings = validate(composition, complete, limit)
    composition, mended = mend(composition, findings)
    if mended:
        findings = mended + validate(composition, complete, limit)
    return findings + validate_card(opt, composition, subsumed=subsumed)
