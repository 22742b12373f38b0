"""Faults in compiled templates."""

from validators.template.validate import TEMPLATE_RULES, lint_template, validate_template

__all__ = ["TEMPLATE_RULES", "lint_template", "validate_template"]
