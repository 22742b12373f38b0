"""Errors of templates.

HelsekortError
├── TemplateError           carries findings, each with file and line
│   ├── UnreadableTemplate  the bytes are not an OET or OPT that we can read
│   └── InvalidTemplate     readable, but it does not fit its archetypes or contradicts itself
├── NoExample               a template that contradicts itself in a mandatory place
├── SimplifiedFormatError   carries findings, each with a FLAT path
│   ├── FlatRefused         FLAT or STRUCTURED input that the template or the format does not allow
│   └── NotSayable          a composition that FLAT has no words for
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


class NoExample(HelsekortError):
    """No composition fits the template, as far as we can tell."""

    code = "template.no_example"

    def __init__(self, template_id: str, reason: str) -> None:
        super().__init__(f"no example of {template_id} can be made: {reason}")
        self.template_id = template_id
        self.reason = reason


class SimplifiedFormatError(HelsekortError):
    """FLAT or STRUCTURED could not be read or written; ``findings`` say all that is wrong.

    The ``path`` of a finding is a FLAT path (``NotSayable``: an RM path), ``params["suggestion"]`` the
    FLAT path that was probably meant.
    """

    code = "flat.error"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(_line, self.findings)))


class FlatRefused(SimplifiedFormatError):
    """Input with unknown paths, wrong suffixes, wrong types, gaps or contradictions."""

    code = "flat.refused"


class NotSayable(SimplifiedFormatError):
    """A composition that does not follow its template so far that FLAT cannot hold it."""

    code = "flat.not_sayable"


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
