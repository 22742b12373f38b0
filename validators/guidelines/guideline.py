"""Thresholds, sources and version of the guideline rules, as staff write them in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from archetypes.errors import HelsekortError
from archetypes.findings import Severity


class GuidelineFault(HelsekortError):
    """A guideline file that says less than the rules need, or something else than they can read."""

    code = "guideline.malformed"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rule is told; asking for what the file does not say raises GuidelineFault."""

    rule: str
    severity: Severity
    certainty: str
    source: str
    said: Mapping[str, Any]
    groups: Mapping[str, tuple[str, ...]]

    def number(self, name: str) -> float:
        """A threshold."""
        value = self.said.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise GuidelineFault(f"{self.rule}.{name}", "a number is needed")
        return value

    def days(self, name: str) -> int:
        """A threshold in weeks, as days."""
        return int(self.number(name) * 7)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of codes, words or field ids."""
        value = self.said.get(name)
        if not isinstance(value, list) or not all(isinstance(member, str) for member in value):
            raise GuidelineFault(f"{self.rule}.{name}", "a list of texts is needed")
        return tuple(value)

    def text(self, name: str) -> str:
        """A text, such as the population of a curve."""
        value = self.said.get(name)
        if not isinstance(value, str):
            raise GuidelineFault(f"{self.rule}.{name}", "a text is needed")
        return value

    def weeks_by_field(self) -> Mapping[str, int]:
        """Field id -> week from which it belongs to every visit."""
        value = self.said.get("fields")
        if not isinstance(value, dict) or not all(isinstance(week, int) for week in value.values()):
            raise GuidelineFault(f"{self.rule}.fields", "a table of weeks by field is needed")
        return value

    def curve(self) -> tuple[tuple[float, float, float], ...]:
        """Rows of week, lower and upper limit; none unless source and population are named."""
        rows = self.said.get("curve")
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 3 for row in rows):
            raise GuidelineFault(f"{self.rule}.curve", "rows of week, lower and upper limit are needed")
        if rows and not (self.source and self.text("population")):
            raise GuidelineFault(f"{self.rule}.curve", "a curve needs its source and its population")
        return tuple((float(week), float(low), float(high)) for week, low, high in rows)

    def group(self, name: str) -> tuple[str, ...]:
        """A list that several rules share."""
        if name not in self.groups:
            raise GuidelineFault(f"groups.{name}", "is missing")
        return self.groups[name]


@dataclass(frozen=True, slots=True)
class Guideline:
    """One edition of the rules' data; ``approved_by`` empty: no decision of a medical device."""

    version: str
    approved_by: str
    rules: Mapping[str, Limits]


@cache
def bundled_guideline() -> Guideline:
    """The edition that comes with the product."""
    source = files("validators.guidelines") / "guideline.toml"
    return read_guideline(source.read_text(encoding="utf-8"))


def read_guideline(text: str) -> Guideline:
    """An edition from TOML. Raises GuidelineFault."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GuidelineFault("guideline", str(error)) from error
    version, rules, groups = said.get("version"), said.get("rules"), said.get("groups", {})
    if not isinstance(version, str) or not isinstance(rules, dict) or not isinstance(groups, dict):
        raise GuidelineFault("guideline", "version and rules are needed")
    shared = MappingProxyType({name: tuple(members) for name, members in groups.items()})
    made = {rule: _limits(rule, table, shared) for rule, table in rules.items()}
    return Guideline(version, str(said.get("approved_by", "")), MappingProxyType(made))


def _limits(rule: str, table: Any, groups: Mapping[str, tuple[str, ...]]) -> Limits:
    if not isinstance(table, dict):
        raise GuidelineFault(rule, "a table is needed")
    severity = table.get("severity")
    if severity not in (Severity.WARNING, Severity.INFO):
        raise GuidelineFault(f"{rule}.severity", "warning or info is needed; a remark never refuses")
    source, certainty = str(table.get("source", "")), str(table.get("certainty", ""))
    return Limits(rule, Severity(severity), certainty, source, MappingProxyType(table), groups)
