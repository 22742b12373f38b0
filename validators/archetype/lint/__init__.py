"""Editorial lint of archetypes: what is allowed, and should not stay as it is."""

from validators.archetype.lint.lint import LINT_RULES, lint_archetype
from validators.archetype.lint.repair import is_repairable, repairs

__all__ = ["LINT_RULES", "is_repairable", "lint_archetype", "repairs"]
