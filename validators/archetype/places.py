"""Line and column of findings outside the definition, found in the text of the file.

Constraints know their places; texts, bindings and the description do not. Their paths name the keys that lead
to them, and the keys stand in the text in this order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from archetypes.adl.source import SourceText
from archetypes.findings import Finding

_STEP = re.compile(r"/(?P<name>[a-z_]+)(?P<keys>(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])*)")
_KEY = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
_SECTIONS = frozenset(
    {
        "ontology",
        "terminology",
        "description",
        "language",
        "annotations",
        "concept",
        "specialise",
        "rules",
        "rm_overlay",
    }
)


def with_places(findings: Iterable[Finding], text: str, file: str) -> list[Finding]:
    """The findings, each with the nearest place that its path leads to; line 1 where it leads nowhere."""
    source = SourceText(text.removeprefix("\ufeff"), file)
    return [
        found if found.span else replace(found, span=source.span(_offset(source.text, found.path)))
        for found in findings
    ]


def _offset(text: str, path: str) -> int:
    """Where the deepest key of the path stands that can be found."""
    steps = list(_STEP.finditer(path))
    if not steps or steps[0]["name"] not in _SECTIONS:
        return 0
    section = re.search(rf"^[ \t]*{_heading(steps[0]['name'])}\b", text, re.MULTILINE)
    if section is None:
        return 0
    position = section.end()
    for wanted in _patterns(steps):
        found = wanted.search(text, position)
        if found is None:
            break
        position = found.end()
    return _line_start(text, position)


def _patterns(steps: list[re.Match[str]]) -> Iterator[re.Pattern[str]]:
    """What leads to the place: attribute names and keys in turn, after the heading of the section."""
    for depth, step in enumerate(steps):
        if depth:
            yield re.compile(rf"\b{step['name']}\s*=\s*<")
        for key in _KEY.findall(step["keys"]):
            yield re.compile(rf'\["{re.escape(key)}"\]\s*=\s*<')


def _heading(name: str) -> str:
    return "speciali[sz]e" if name == "specialise" else name


def _line_start(text: str, position: int) -> int:
    """The first character of the line that the match ends on."""
    start = text.rfind("\n", 0, position) + 1
    return start + len(text[start:position]) - len(text[start:position].lstrip())
