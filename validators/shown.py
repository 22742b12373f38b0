"""A finding as it is shown: the one structure of REST, command line and Python."""

from __future__ import annotations

from typing import Any

from archetypes.findings import Finding
from validators.form_places import FormPlaces
from validators.messages import LANGUAGES, finding_hint, finding_text

JsonFinding = dict[str, Any]


def shown(
    finding: Finding, language: str, *, places: FormPlaces | None = None, message: str = ""
) -> JsonFinding:
    """Code, severity, where it is, what was expected and found, and words for people.

    ``places`` are those of the template's form; without them the finding has no ``webTemplateId`` and
    ``label``. ``message`` replaces the text that the code has. Places in a text have line and column.
    """
    made: JsonFinding = {
        "code": finding.code,
        "severity": finding.severity.value,
        "path": finding.path,
        "archetypePath": finding.archetype_path,
        "expected": finding.expected,
        "found": finding.found,
        "message": message or finding_text(finding, language),
        "texts": {name: message or finding_text(finding, name) for name in LANGUAGES},
        "hint": finding_hint(finding, language),
    }
    if places is not None:
        place = places.at(finding.archetype_path)
        made |= {"webTemplateId": place.id, "label": place.label}
    if finding.span is not None:
        made |= {"line": finding.span.line, "column": finding.span.column}
    return made
