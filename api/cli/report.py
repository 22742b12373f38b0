"""How the commands for archetypes and templates answer: text, JSON or SARIF, and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from api.cli.sarif import changes_to_sarif, to_sarif
from api.cli.words import Language, say
from archetypes.changes import Change, Level, overall_level, suggested_version
from archetypes.findings import Finding, Severity
from validators.messages import finding_text
from validators.messages.changes import change_text

FAULTY = 1  # exit status where something is wrong with what was looked at
PIPED_WIDTH = 160


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


LanguageOption = Annotated[Language, typer.Option("--language", help="Language of the texts.")]
FormatOption = Annotated[
    Format, typer.Option("--format", help="text for people, json for programs, sarif for code hosts.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]

_COLOURS = {"error": "red", "warning": "yellow", "major": "red", "minor": "green", "patch": "cyan"}


def output() -> Console:
    """Standard output with colours on a terminal; lines are never broken."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def is_error(finding: Finding) -> bool:
    """Does it make the command fail?"""
    return finding.severity is Severity.ERROR


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def end_with(findings: Sequence[Finding]) -> None:
    """Exit status 1 if there is an error among the findings."""
    if any(map(is_error, findings)):
        raise typer.Exit(FAULTY)


# --- findings -----------------------------------------------------------------------------------------


def report_findings(findings: Sequence[Finding], count: int, form: Format, language: Language) -> None:
    """Write all findings about ``count`` files."""
    match form:
        case Format.SARIF:
            print_json(to_sarif(findings, language))
        case Format.JSON:
            print_json({"files": count, "findings": [finding_json(f, language) for f in findings]})
        case Format.TEXT:
            _print_findings(findings, count, language)


def finding_json(finding: Finding, language: str) -> dict[str, Any]:
    """A finding for programs; ``file``, ``line`` and ``column`` are null where there is no place."""
    span = finding.span
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "file": span and span.file,
        "line": span and span.line,
        "column": span and span.column,
        "path": finding.path or finding.archetype_path,
        "expected": finding.expected,
        "found": finding.found,
        "message": finding_text(finding, language),
    }


def _print_findings(findings: Sequence[Finding], count: int, language: Language) -> None:
    console = output()
    for finding in findings:
        console.print(finding_line(finding, language))
    if not findings:
        console.print(say("no_findings", language, count=count), style="green")
        return
    errors = sum(map(is_error, findings))
    console.print(
        say("findings", language, count=count, errors=errors, warnings=len(findings) - errors), style="bold"
    )


def finding_line(finding: Finding, language: Language) -> str:
    """``file:3:5: error CODE at path: text``, with markup for colours."""
    span = finding.span
    place = f"[bold]{escape(span.file)}[/bold]:{span.line}:{span.column}: " if span else ""
    severity = finding.severity.value
    level = f"[{_COLOURS[severity]}]{say(severity, language)}[/]"
    path = finding.path or finding.archetype_path
    where = f" [dim]{escape(path)}[/dim]" if path else ""
    return f"{place}{level} {escape(finding.code)}{where}: {escape(finding_text(finding, language))}"


# --- changes ------------------------------------------------------------------------------------------


def report_changes(
    changes: Sequence[Change], version: str | None, file: str, *, form: Format, language: Language
) -> None:
    """Write all changes, the level of the whole and the version after it; ``file`` is what changed."""
    if form is Format.SARIF:
        print_json(changes_to_sarif(changes, file, language))
        return
    level = overall_level(changes)
    following = suggested_version(version, level) if version else None
    if form is Format.JSON:
        print_json(
            {
                "level": level,
                "version": version,
                "next_version": following,
                "changes": [change_json(change, language) for change in changes],
            }
        )
        return
    console = output()
    for change in changes:
        console.print(change_line(change, language))
    console.print(summary(changes, language), style="bold")
    if version and following and level:
        console.print(say("next_version", language, new=following, old=version))


def summary(changes: Sequence[Change], language: Language) -> str:
    """How many changes of which level."""
    level = overall_level(changes)
    if level is None:
        return say("no_changes", language)
    counts: Mapping[str, int] = {each: sum(c.level is each for c in changes) for each in Level}
    return say("changes", language, count=len(changes), level=say(level, language), **counts)


def change_json(change: Change, language: str) -> dict[str, Any]:
    """A change for programs."""
    return {
        "level": change.level.value,
        "code": change.code,
        "path": change.path,
        "what": change.what,
        "old": change.old,
        "new": change.new,
        "message": change_text(change, language),
    }


def change_line(change: Change, language: Language) -> str:
    """``major code.removed /path: text``, with markup for colours."""
    level = f"[{_COLOURS[change.level]}]{say(change.level, language):<7}[/]"
    path = escape(change.path or "/")
    return f"{level} {escape(change.code)} [dim]{path}[/dim]\n        {escape(change_text(change, language))}"
