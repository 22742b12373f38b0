"""Errors of templates.

HelsekortError
├── TemplateError           carries findings, each with file and line
│   ├── UnreadableTemplate  the bytes are not an OET or OPT that we can read
│   └── InvalidTemplate     readable, but it does not fit its archetypes or contradicts itself
└── CardValueError          a value of a card field that cannot be put into a template
    ├── FieldNotHeld        the template has no node for the field
    └── ValueRefused        its node does not allow the value
"""

from __future__ import annotations

from collections.abc import Iterable

from archetypes.errors import HelsekortError
from archetypes.findings import Finding


class TemplateError(HelsekortError):
    """Something is wrong with a template; ``findings`` say what and where."""

    code = "template.error"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(_line, self.findings)))


class UnreadableTemplate(TemplateError):
    """Bytes that are not a template: broken XML, a part missing, a kind unknown."""

    code = "template.unreadable"


class InvalidTemplate(TemplateError):
    """A template that asks for what its archetypes do not allow."""

    code = "template.invalid"


class CardValueError(HelsekortError):
    """A value of a card field cannot be put into a template; ``field`` is its id."""

    code = "card.error"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class FieldNotHeld(CardValueError):
    """The template has no node for the field."""

    code = "card.field_not_held"

    def __init__(self, field: str, template_id: str) -> None:
        super().__init__(field, f"{template_id} does not hold this field")
        self.template_id = template_id


class ValueRefused(CardValueError):
    """The node of the field does not allow the value."""

    code = "card.value_refused"


def _line(finding: Finding) -> str:
    place = f"{finding.span.file}:{finding.span.line}: " if finding.span else ""
    detail = ", ".join(
        text
        for text in (
            finding.path,
            finding.expected and f"expected {finding.expected}",
            finding.found and f"found {finding.found}",
        )
        if text
    )
    return f"{place}{finding.code} {detail}".rstrip()
