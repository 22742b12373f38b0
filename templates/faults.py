"""Gathers what is wrong while a template is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field

from archetypes.findings import Finding, Severity, SourceSpan


@dataclass
class Faults:
    """Findings so far, and the place in the source that the next one belongs to."""

    findings: list[Finding] = field(default_factory=list)
    span: SourceSpan | None = None
    path: str = ""

    def error(self, code: str, *, expected: str = "", found: str = "") -> None:
        """Record a fault that makes the template invalid."""
        self.findings.append(Finding(code, self.path, expected, found, span=self.span))

    def warning(self, code: str, *, expected: str = "", found: str = "") -> None:
        """Record something that an author should look at."""
        self.findings.append(
            Finding(code, self.path, expected, found, severity=Severity.WARNING, span=self.span)
        )

    def at(self, span: SourceSpan, path: str) -> Faults:
        """The same collection, speaking about another place."""
        return Faults(self.findings, span, path)
