"""``helsekort archetype impact``: which templates of ours a changed archetype would change or break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import (
    FAULTY,
    JsonOption,
    LanguageOption,
    change_json,
    change_line,
    finding_json,
    finding_line,
    output,
    print_json,
    summary,
)
from api.cli.sources import overlay
from api.cli.words import Language, say
from archetypes.changes import Change, Level, overall_level
from archetypes.findings import Finding
from archetypes.importing import read_archetype
from archetypes.repository import ArchetypeRepository
from templates.changes import classify_template_change
from templates.compile import compile_template
from templates.errors import TemplateError
from templates.nesting import lookup_in, places
from templates.repository import library_sources, library_templates


@dataclass(frozen=True, slots=True)
class TemplateImpact:
    """What becomes of one template: its changes, or why it no longer compiles."""

    template_id: str
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def breaks(self) -> bool:
        """Does the template no longer compile, or change in a way that breaks data or clients?"""
        return bool(self.findings) or overall_level(self.changes) is Level.MAJOR


def archetype_impact(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The changed archetype.", metavar="FILE")
    ],
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Compile every template of our library that uses the archetype with its changed form, and compare.

    Exit status 1 if one no longer compiles or has a major change. What that does to stored data and
    queries, template impact tells for each template.
    """
    archetype = read_archetype(file.read_bytes(), str(file))
    repository = overlay({archetype.archetype_id: file})
    impacts = list(template_impacts(archetype.archetype_id, repository))
    if as_json:
        print_json([_as_json(impact, language) for impact in impacts])
    else:
        _print(impacts, language)
    if any(impact.breaks for impact in impacts):
        raise typer.Exit(FAULTY)


def template_impacts(archetype_id: str, repository: ArchetypeRepository) -> Iterator[TemplateImpact]:
    """One for each template of the library that uses the archetype."""
    nested = lookup_in(library_sources().values())
    for template_id, source in sorted(library_sources().items()):
        if archetype_id not in {place.item.archetype_id for place in places(source, nested)}:
            continue
        try:
            new = compile_template(source, repository, nested)
        except TemplateError as error:
            yield TemplateImpact(template_id, findings=error.findings)
        else:
            changes = classify_template_change(library_templates()[template_id], new)
            yield TemplateImpact(template_id, changes=tuple(changes))


def _as_json(impact: TemplateImpact, language: str) -> dict[str, object]:
    return {
        "template": impact.template_id,
        "compiles": not impact.findings,
        "level": overall_level(impact.changes),
        "changes": [change_json(change, language) for change in impact.changes],
        "findings": [finding_json(finding, language) for finding in impact.findings],
    }


def _print(impacts: list[TemplateImpact], language: Language) -> None:
    console = output()
    if not impacts:
        console.print(say("not_used", language))
    for impact in impacts:
        verdict = (
            say("no_longer_compiles", language) if impact.findings else summary(impact.changes, language)
        )
        console.print(f"[bold]{impact.template_id}[/bold]: {verdict}")
        for change in impact.changes:
            console.print(change_line(change, language))
        for finding in impact.findings:
            console.print(finding_line(finding, language))
