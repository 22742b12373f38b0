"""Errors of templates.

HelsekortError
└── TemplateError           carries findings, each with file and line
    ├── UnreadableTemplate  the bytes are not an OET or OPT that we can read
    └── InvalidTemplate     readable, but it does not fit its archetypes or contradicts itself
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
