"""All rules of the card over one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archetypes.findings import Finding
from templates.fields import FIELD
from templates.operational import OperationalTemplate
from validators.card import answers, dates, identifiers, measures
from validators.card.fields import Card, read_card
from validators.card.not_on_card import Subsumed, not_on_card

# Each rule with fields without any of which it has nothing to say.
RULES: Mapping[Callable[[Card], Iterator[Finding]], frozenset[str]] = {
    measures.bmi: frozenset({"HK8.3"}),
    measures.blood_pressure_order: frozenset({"HK13.5"}),
    measures.above_zero: frozenset(measures.ABOVE_ZERO),
    dates.terms_apart: frozenset({"HK9.5"}),
    dates.term_by_period: frozenset({"HK9.4"}),
    dates.gestation_format: frozenset(dates.AGES),
    dates.gestational_age: frozenset({"HK9.5", "HK9.8"}),
    answers.fetuses: frozenset({"HK9.10", "HK15.3"}),
    answers.rhesus: frozenset({"HK10.9", "HK12.2"}),
    answers.nothing_particular: frozenset({"HK5.1"}),
    answers.no_hereditary: frozenset({"HK4.1"}),
    identifiers.organisation_numbers: frozenset({"HK2.5"}),
    identifiers.national_ids: frozenset({"HK1.20"}),
}


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
    fields = card.values.keys()
    findings = [
        finding for rule, needed in RULES.items() if not needed.isdisjoint(fields) for finding in rule(card)
    ]
    findings.extend(not_on_card(composition, subsumed))
    return findings


def is_card_template(opt: OperationalTemplate) -> bool:
    """True for a template that annotates fields of the card."""
    return any(FIELD in notes for notes in opt.annotations.values())
