"""All rules of the card over one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archetypes.findings import Finding
from templates.fields import FIELD
from templates.operational import OperationalTemplate
from validators.card import answers, dates, identifiers, measures
from validators.card.fields import Card, read_card
from validators.card.not_on_card import Subsumed, not_on_card

RULES: tuple[Callable[[Card], Iterator[Finding]], ...] = (
    measures.bmi,
    measures.blood_pressure_order,
    measures.above_zero,
    dates.terms_apart,
    dates.term_by_period,
    dates.gestation_format,
    dates.gestational_age,
    answers.fetuses,
    answers.rhesus,
    answers.nothing_particular,
    answers.no_hereditary,
    identifiers.organisation_numbers,
    identifiers.national_ids,
)


def validate_card(
    opt: OperationalTemplate, composition: Any, *, subsumed: Subsumed | None = None
) -> list[Finding]:
    """Findings of the card's own rules; none for a template that holds no field of the card.

    Any data is judged, none raises. ``subsumed(system, code, ancestor)`` answers for code systems that
    are loaded, so that descendants of forbidden codes are found too.
    """
    if not isinstance(composition, dict) or not is_card_template(opt):
        return []
    card = read_card(opt, composition)
    findings = [finding for rule in RULES for finding in rule(card)]
    findings.extend(not_on_card(composition, subsumed))
    return findings


def is_card_template(opt: OperationalTemplate) -> bool:
    """True for a template that annotates fields of the card."""
    return any(FIELD in notes for notes in opt.annotations.values())
