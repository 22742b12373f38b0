"""What the rules write their findings into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from archetypes.findings import NO_PARAMS, Finding, Severity
from validators.codes import SEVERITIES
from validators.composition.place import Place

MAX_FINDINGS = 1000
_LONGEST_TEXT = 120  # characters of expected and found


class Report:
    """A list of findings that ends at ``limit`` with ``findings.truncated``."""

    __slots__ = ("_limit", "errors", "findings")

    def __init__(self, limit: int = MAX_FINDINGS) -> None:
        self.findings: list[Finding] = []
        self.errors = 0
        self._limit = limit

    def add(
        self,
        code: str,
        place: Place,
        expected: str = "",
        found: str = "",
        *,
        below: str = "",
        params: Mapping[str, str] = NO_PARAMS,
    ) -> None:
        """Add a finding at ``place``; ``below`` is a path further down, such as ``/name/value``."""
        if self.is_full:
            return
        self.findings.append(
            Finding(
                code=code,
                path=(place.path() + below) or "/",
                expected=shortened(expected),
                found=shortened(found),
                archetype_path=(place.archetype_path() + below) or "/",
                severity=SEVERITIES[code],
                params=params,
            )
        )
        self.errors += SEVERITIES[code] is Severity.ERROR
        if len(self.findings) == self._limit:
            self.findings.append(Finding(code="findings.truncated", path="/", expected=str(self._limit)))

    @property
    def is_full(self) -> bool:
        """True once the limit is reached; nothing more is added."""
        return len(self.findings) > self._limit

    def take(self, other: Report) -> None:
        """Add the findings of a trial run."""
        for finding in other.findings:
            self.take_one(finding)

    def take_one(self, finding: Finding) -> None:
        """Add a finding that is already made."""
        if not self.is_full:
            self.findings.append(finding)
            self.errors += finding.severity is Severity.ERROR


def shortened(text: str) -> str:
    """The text, cut to a length that a person reads."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def shown(value: Any) -> str:
    """A value of the data as ``found`` shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        rm_type = value.get("_type")
        return rm_type if isinstance(rm_type, str) else "object"
    if isinstance(value, list):
        return f"list of {len(value)}"
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # not JSON at all: a caller's own object, or an integer beyond 64 bits
        return shortened(str(value))
