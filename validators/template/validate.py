"""The rules of compiled templates, and their run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archetypes.findings import Finding, Severity
from archetypes.repository import ArchetypeRepository
from templates.operational import OperationalTemplate
from validators.template import annotation, definition
from validators.template.subject import TemplateSubject

TemplateRule = Callable[[TemplateSubject], Iterator[Finding]]

TEMPLATE_RULES: tuple[TemplateRule, ...] = (
    definition.check_as_archetype,
    definition.check_terms_defined,
    definition.check_references_resolved,
    definition.check_slots_fillable,
    annotation.check_annotation_paths,
    annotation.check_fields_once,
    annotation.check_certainties,
)


def lint_template(opt: OperationalTemplate, repository: ArchetypeRepository | None = None) -> list[Finding]:
    """Everything that is wrong with a compiled template, and what its author should look at.

    Without ``repository`` the rule about open slots stays silent. Paths are those of
    :meth:`OperationalTemplate.nodes`.
    """
    subject = TemplateSubject(opt, repository)
    return [found for rule in TEMPLATE_RULES for found in rule(subject)]


def validate_template(opt: OperationalTemplate) -> list[Finding]:
    """The errors alone: what makes a compiled template unfit to check data with."""
    return [found for found in lint_template(opt) if found.severity is Severity.ERROR]
