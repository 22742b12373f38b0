"""Editorial lint of archetypes: what is allowed, and should not stay as it is."""

from validators.archetype.lint.lint import LINT_RULES, lint_archetype

__all__ = ["LINT_RULES", "lint_archetype"]
