"""The one shape of every problem that we find in somebody's data.

A finding is a value, not text: texts for people are made at the edge from ``code`` and ``params``
(``validators/messages``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

NO_PARAMS: Mapping[str, str] = MappingProxyType({})


class Severity(StrEnum):
    """An error refuses the data; a warning is shown and the data is accepted; so is an info, more quietly."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A place in a text file; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem.

    ``path`` is the RM path in the data with zero-based list indexes, such as
    ``/content[0]/data/events[1]/data/items[0]/value/magnitude``; ``archetype_path`` is the path of
    the violated constraint in the template, such as
    ``/content[openEHR-EHR-OBSERVATION.height.v2]/data[at0001]``; ``expected`` and ``found`` are short
    texts without sentences (``|120..210| cm``, ``250 cm``).
    """

    code: str
    path: str
    expected: str = ""
    found: str = ""
    archetype_path: str = ""
    severity: Severity = Severity.ERROR
    params: Mapping[str, str] = field(default_factory=lambda: NO_PARAMS)
    span: SourceSpan | None = None
