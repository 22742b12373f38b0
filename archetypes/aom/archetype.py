"""An archetype as a value (AOM 1.4, ARCHETYPE and its parts)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import Bindings, CComplexObject, Terms

_ID = re.compile(
    r"(?P<publisher>\w+)-(?P<model>\w+)-(?P<rm_class>\w+)\.(?P<concept>[\w-]+)\.(?P<version>v[\w.\-]+)"
)


@dataclass(frozen=True, slots=True)
class ArchetypeId:
    """``openEHR-EHR-OBSERVATION.blood_pressure.v2`` in its parts."""

    publisher: str
    model: str
    rm_class: str
    concept: str
    version: str

    @classmethod
    def parse(cls, text: str) -> ArchetypeId:
        """Read an archetype id; raises ValueError."""
        match = _ID.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an archetype id")
        return cls(**match.groupdict())

    def __str__(self) -> str:
        return f"{self.publisher}-{self.model}-{self.rm_class}.{self.concept}.{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeTerminology:
    """The ontology section: texts by language, constraint texts, and bindings.

    ``other`` holds what else stands there (``terminologies_available``) as an ODIN tree.
    """

    terms: Terms = field(default_factory=lambda: MappingProxyType({}))
    constraints: Terms = field(default_factory=lambda: MappingProxyType({}))
    term_bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))
    constraint_bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))
    other: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """One archetype.

    ``language``, ``description``, ``annotations`` and ``revision_history`` are kept as ODIN trees (dicts,
    lists, scalars) so that printing loses nothing; ``invariants`` are kept as text. ``translations`` lie in
    ``language``.
    """

    archetype_id: str
    concept: str
    definition: CComplexObject
    terminology: ArchetypeTerminology
    adl_version: str = "1.4"
    header: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parent_id: str | None = None
    language: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    description: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    invariants: str = ""
    annotations: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    revision_history: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def original_language(self) -> str:
        """The language code that the archetype was written in, such as ``nb``."""
        return str(self.language.get("original_language", "en")).rsplit("::", 1)[-1].strip("[]")
