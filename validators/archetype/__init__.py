"""Validity and editorial quality of archetypes."""

from validators.archetype.check import CheckedArchetype, check_file, check_folder
from validators.archetype.lint import LINT_RULES, is_repairable, lint_archetype, repairs
from validators.archetype.validate import RULES, validate_archetype

__all__ = [
    "LINT_RULES",
    "RULES",
    "CheckedArchetype",
    "check_file",
    "check_folder",
    "is_repairable",
    "lint_archetype",
    "repairs",
    "validate_archetype",
]
