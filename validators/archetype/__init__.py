"""Validity and editorial quality of archetypes."""

from validators.archetype.lint import LINT_RULES, lint_archetype
from validators.archetype.validate import RULES, validate_archetype

__all__ = ["LINT_RULES", "RULES", "lint_archetype", "validate_archetype"]
