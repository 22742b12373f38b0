"""Validation of a composition: against the reference model, and against its operational template."""

from validators.composition.rules import RULES
from validators.composition.validate import validate_composition

__all__ = ["RULES", "validate_composition"]
