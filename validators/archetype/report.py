"""The lint of a whole library as a page for people (``docs/lint-report.md``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from archetypes.findings import Finding, Severity
from validators.archetype.check import CheckedArchetype, check_folder
from validators.codes import SEVERITIES
from validators.messages import finding_text

_INTRODUCTION = (
    "Made by `helsekort archetype report DIR...`; the rules are described in [lint.md](lint.md).\n"
    "Lines are those of the files as their library published them; their texts are not repeated here."
)
_EXAMPLES = 3
# Editorial codes whose every case is a fault of the file, few enough to be named one by one.
_NAMED = (
    "lint.code_unused",
    "lint.code_reused",
    "lint.units_not_ucum",
    "lint.binding_form",
    "lint.binding_check_digit",
    "lint.concept_form",
    "lint.name_form",
    "lint.reference_older",
)


def lint_report(libraries: Mapping[str, Path], language: str = "en") -> str:
    """A Markdown page: counts by code, every error, and samples of the rest. Raises OSError."""
    lines = ["# What the lint finds in public libraries", "", _INTRODUCTION, ""]
    for name, folder in libraries.items():
        lines.extend(_library(name, list(check_folder(folder)), language))
    return "\n".join(lines) + "\n"


def _library(name: str, checked: Sequence[CheckedArchetype], language: str) -> Iterator[str]:
    read = sum(each.archetype is not None for each in checked)
    clean = sum(not each.findings for each in checked)
    yield f"## {name}"
    yield ""
    yield f"{len(checked)} files, {read} read, {clean} without any finding."
    yield ""
    yield from _counts(checked)
    yield ""
    yield "### Errors, all of them"
    yield ""
    yield from _named(checked, language, lambda found: found.severity is Severity.ERROR)
    yield ""
    yield "### Editorial faults that need a decision, all of them"
    yield ""
    yield from _named(checked, language, lambda found: found.code in _NAMED)
    yield ""
    yield "### Samples of the rest"
    yield ""
    yield from _samples(checked)
    yield ""


def _counts(checked: Sequence[CheckedArchetype]) -> Iterator[str]:
    findings = Counter(found.code for each in checked for found in each.findings)
    files = Counter(code for each in checked for code in {found.code for found in each.findings})
    yield "| code | severity | findings | files |"
    yield "|---|---|---:|---:|"
    for code, count in sorted(findings.items(), key=lambda item: (-item[1], item[0])):
        yield f"| `{code}` | {_severity(code)} | {count} | {files[code]} |"


def _severity(code: str) -> str:
    """Codes of reading stand in no table of ours: they are errors."""
    return SEVERITIES.get(code, Severity.ERROR).value


def _named(
    checked: Iterable[CheckedArchetype], language: str, wanted: Callable[[Finding], bool]
) -> Iterator[str]:
    """One line for each file and text, with the lines of the file where it is found."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for each in checked:
        for found in filter(wanted, each.findings):
            key = (each.file.stem, found.code, finding_text(found, language))
            places.setdefault(key, []).append(str(found.span.line) if found.span else "?")
    for (archetype, code, text), lines in places.items():
        word = "line" if len(lines) == 1 else "lines"
        yield f"- `{archetype}`, {word} {', '.join(lines)}: `{code}` {text}"
    if not places:
        yield "None."


def _samples(checked: Iterable[CheckedArchetype]) -> Iterator[str]:
    shown: Counter[str] = Counter()
    yield "| code | archetype | line | place |"
    yield "|---|---|---:|---|"
    rest = [
        (found.code, each.file.stem, found)
        for each in checked
        for found in each.findings
        if found.severity is Severity.WARNING and found.code not in _NAMED
    ]
    seen: set[tuple[str, str]] = set()
    for code, archetype, found in sorted(rest, key=lambda row: row[:2]):
        if shown[code] == _EXAMPLES or (code, archetype) in seen:
            continue
        shown[code] += 1
        seen.add((code, archetype))
        line = found.span.line if found.span else ""
        yield f"| `{code}` | `{archetype}` | {line} | `{found.path}` |"
