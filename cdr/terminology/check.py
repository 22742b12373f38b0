"""The codes of a document held against a terminology service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from archetypes.findings import Finding, Severity
from cdr.terminology.service import Answer, Coding, TerminologyService, Unreachable, Verdict, system_uri

INTERNAL = ("local", "openehr")
QUEUED = "terminology.queued"  # accepted for now, and to be asked about when the server is back
_FOREIGN_SETS = ("ISO_", "IANA_", "openehr_")

SEVERITIES: Mapping[str, Severity] = {
    "terminology.unknown_code": Severity.ERROR,
    "terminology.retired": Severity.ERROR,
    "terminology.unreachable": Severity.ERROR,
    "terminology.unchecked": Severity.WARNING,
    QUEUED: Severity.WARNING,
    "terminology.not_loaded": Severity.WARNING,
    "terminology.provisional": Severity.INFO,
}

_ON_SILENCE = {
    Unreachable.REFUSE: "terminology.unreachable",
    Unreachable.ACCEPT: "terminology.unchecked",
    Unreachable.QUEUE: QUEUED,
}


@dataclass(frozen=True, slots=True)
class CodeUse:
    """A code in a document; ``value_set`` is what the template binds its place to, if it does."""

    coding: Coding
    path: str
    value_set: str | None = None
    archetype_path: str = ""


def code_uses(composition: Any, findings: Iterable[Finding] = ()) -> list[CodeUse]:
    """The codes of outside terminologies in a document.

    ``findings`` are the validator's: its ``code.not_checked`` name the value sets that the template binds.
    """
    bound = {f.path.removesuffix("/code_string"): f for f in findings if f.code == "code.not_checked"}
    return [_use(coding, path, bound.get(path)) for path, coding in _codings(composition, "")]


def _use(coding: Coding, path: str, bound: Finding | None) -> CodeUse:
    if bound is None:
        return CodeUse(coding, path)
    return CodeUse(coding, path, bound.expected, bound.archetype_path)


def day_of(composition: Any) -> date | None:
    """The day that a document is about (``context/start_time``); None where it does not say."""
    context = composition.get("context") if isinstance(composition, dict) else None
    start = context.get("start_time") if isinstance(context, dict) else None
    text = start.get("value") if isinstance(start, dict) else None
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


async def terminology_findings(
    service: TerminologyService, uses: Iterable[CodeUse], day: date, on_silence: Unreachable
) -> list[Finding]:
    """What the service says of codes in data about ``day``; silence is never a yes."""
    findings: list[Finding] = []
    for use in uses:
        answer = await service.validate_code(use.coding, use.value_set, day)
        findings.extend(_findings(use, answer, on_silence))
    return findings


def _findings(use: CodeUse, answer: Answer, on_silence: Unreachable) -> Iterator[Finding]:
    match answer.verdict:
        case Verdict.UNREACHABLE:
            yield _finding(_ON_SILENCE[on_silence], use, answer)
        case Verdict.INVALID:
            yield _finding("terminology.unknown_code", use, answer)
        case Verdict.RETIRED:
            yield _finding("terminology.retired", use, answer)
        case Verdict.UNKNOWN if use.value_set is not None:
            yield _finding("terminology.not_loaded", use, answer)
    if answer.provisional:
        yield _finding("terminology.provisional", use, answer)


def _finding(code: str, use: CodeUse, answer: Answer) -> Finding:
    return Finding(
        code=code,
        path=f"{use.path}/code_string",
        expected=answer.successor if code == "terminology.retired" else (use.value_set or use.coding.system),
        found=use.coding.code,
        archetype_path=use.archetype_path,
        severity=SEVERITIES[code],
        params={"release": answer.release, "system": use.coding.system},
    )


def _codings(node: Any, path: str) -> Iterator[tuple[str, Coding]]:
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from _codings(member, f"{path}[{index}]")
    elif isinstance(node, dict):
        coding = _coding(node)
        if coding is not None:
            yield path, coding
        for name, value in node.items():
            yield from _codings(value, f"{path}/{name}")


def _coding(node: Mapping[str, Any]) -> Coding | None:
    terminology, code = node.get("terminology_id"), node.get("code_string")
    name = terminology.get("value") if isinstance(terminology, dict) else None
    if not isinstance(name, str) or not isinstance(code, str):
        return None
    internal = name in INTERNAL or name.startswith(_FOREIGN_SETS)
    return None if internal else Coding(system_uri(name), code)
