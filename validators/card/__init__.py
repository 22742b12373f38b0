"""Rules of the maternity card that no archetype can say: what must fit, identifiers, what is kept off."""

from validators.card.across import across_contacts
from validators.card.codes import SEVERITIES
from validators.card.validate import RULES, is_card_template, validate_card

__all__ = ["RULES", "SEVERITIES", "across_contacts", "is_card_template", "validate_card"]
