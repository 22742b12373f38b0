"""Texts for people, made from a finding's code and values; nothing here decides anything."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from archetypes.findings import Finding

LANGUAGES = ("nb", "en")

# Files of texts: compositions and archetypes, files that are neither, FLAT, card, guidelines, codes, AQL.
_FAMILIES = ("", "files_", "flat_", "card_", "guidelines_", "terminology_", "aql_")


def finding_text(finding: Finding, language: str = "nb") -> str:
    """One sentence about the finding in Norwegian or, for any other language, English.

    A code without a text of its own (archetype and template findings name their rule) is shown as it is.
    """
    text = _texts("nb" if language in ("nb", "nn", "no") else "en").get(finding.code)
    values = {"expected": finding.expected, "found": finding.found, "path": finding.path, **finding.params}
    if text is None:
        return " ".join(filter(None, (finding.code, finding.expected, finding.found)))
    return text.format_map(_Values(values))


def finding_hint(finding: Finding, language: str = "nb") -> str:
    """What to do about it, by code or else by family of codes; empty where nothing helpful can be said."""
    hints = _read("hints_", "nb" if language in ("nb", "nn", "no") else "en")
    return hints.get(finding.code) or hints.get(finding.code.partition(".")[0], "")


class _Values(dict[str, str]):
    """A parameter that the finding lacks is left out of the text."""

    def __missing__(self, key: str) -> str:
        return ""


@cache
def _texts(language: str) -> Mapping[str, str]:
    return {code: text for family in _FAMILIES for code, text in _read(family, language).items()}


@cache
def _read(family: str, language: str) -> Mapping[str, str]:
    source = files("validators.messages") / f"{family}{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
