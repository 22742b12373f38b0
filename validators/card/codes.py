"""Every finding code of the card's own rules; texts in ``validators/messages/card_*.toml``."""

from __future__ import annotations

from types import MappingProxyType

from archetypes.findings import Severity

_ERRORS = (
    "card.bmi",
    "card.blood_pressure_order",
    "card.rhd_prophylaxis",
    "card.nothing_particular",
    "card.no_hereditary",
    "card.gestation_days",
    "card.gestation_weeks",
    "card.not_positive",
    "card.organisation_number",
    "card.national_id",
    "card.not_on_card",
)

_WARNINGS = (
    "card.terms_apart",
    "card.term_by_period",
    "card.gestational_age",
    "card.fetuses",
    "card.rhd_not_negative",
    "card.not_on_card_wording",
)

SEVERITIES = MappingProxyType(
    {code: Severity.ERROR for code in _ERRORS} | {code: Severity.WARNING for code in _WARNINGS}
)
