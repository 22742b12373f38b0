"""Findings and changes as SARIF 2.1.0, the form that code hosts show beside the lines of a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from api.version import VERSION
from archetypes.changes import Change, Level
from archetypes.findings import Finding, Severity
from validators.messages import finding_text
from validators.messages.changes import change_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(findings: Sequence[Finding], language: str) -> dict[str, Any]:
    """One run with one result for each finding; a finding without a place in a file has its path only."""
    rules = list(dict.fromkeys(finding.code for finding in findings))
    return _run(rules, [_result(finding, rules.index(finding.code), language) for finding in findings])


def changes_to_sarif(changes: Sequence[Change], file: str, language: str) -> dict[str, Any]:
    """One result for each change of ``file`` against the version before: an error if it is major."""
    rules = list(dict.fromkeys(change.code for change in changes))
    artifact = {"uri": quote(file.replace("\\", "/"))}
    results = [
        {
            "ruleId": change.code,
            "ruleIndex": rules.index(change.code),
            "level": _LEVELS[change.level],
            "message": {"text": change_text(change, language)},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": artifact},
                    "logicalLocations": [{"fullyQualifiedName": change.path or "/"}],
                }
            ],
        }
        for change in changes
    ]
    return _run(rules, results)


_LEVELS = {Level.MAJOR: "error", Level.MINOR: "note", Level.PATCH: "note"}


def _run(rules: Sequence[str], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    driver = {
        "name": "helsekort",
        "version": VERSION,
        "rules": [{"id": code} for code in rules],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, rule: int, language: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": finding_text(finding, language) or finding.code},
    }
    location: dict[str, Any] = {}
    if finding.span is not None:
        region = {"startLine": max(1, finding.span.line), "startColumn": max(1, finding.span.column)}
        artifact = {"uri": quote(finding.span.file.replace("\\", "/"))}
        location["physicalLocation"] = {"artifactLocation": artifact, "region": region}
    path = finding.path or finding.archetype_path
    if path:
        location["logicalLocations"] = [{"fullyQualifiedName": path}]
    if location:
        result["locations"] = [location]
    return result
