"""An archetype as a value (AOM 1.4 and AOM 2, ARCHETYPE and its parts)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import Bindings, CComplexObject, Terms

_ID = re.compile(
    r"(?P<publisher>\w+)-(?P<model>\w+)-(?P<rm_class>\w+)\.(?P<concept>[\w-]+)\.(?P<version>v[\w.+\-]+)"
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
    """The ontology section (ADL 2: terminology): texts by language, constraint texts, and bindings.

    In ADL 2 ``terms`` hold all codes, ``term_bindings`` all bindings, and ``value_sets`` the members of each
    ac-code. ``other`` holds what else stands there (``terminologies_available``) as an ODIN tree.
    """

    terms: Terms = field(default_factory=lambda: MappingProxyType({}))
    constraints: Terms = field(default_factory=lambda: MappingProxyType({}))
    term_bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))
    constraint_bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))
    value_sets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    other: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class ArtefactKind(StrEnum):
    """What a file of ADL 2 says that it holds; ADL 1.4 knows archetypes only."""

    ARCHETYPE = "archetype"
    TEMPLATE = "template"
    TEMPLATE_OVERLAY = "template_overlay"
    OPERATIONAL_TEMPLATE = "operational_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """One archetype, or one of the forms that AOM 2 makes of it.

    ``language``, ``description``, ``annotations``, ``rm_overlay`` and ``revision_history`` are kept as ODIN
    trees (dicts, lists, scalars) so that printing loses nothing; ``invariants`` (ADL 2: rules) are kept as
    text. ``translations`` lie in ``language``. ``comments`` are those outside the definition, by section,
    those above the first one under an empty name. ``concept`` is the code of the root.
    A specialised archetype of ADL 2 holds what it changes only (``is_differential``), one of ADL 1.4 all.
    ``overlays`` belong to a template, ``component_terminologies`` (by archetype id) to an operational one.
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
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    kind: ArtefactKind = ArtefactKind.ARCHETYPE
    is_differential: bool = False
    rm_overlay: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    overlays: tuple[Archetype, ...] = ()
    component_terminologies: Mapping[str, ArchetypeTerminology] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @property
    def is_adl2(self) -> bool:
        """True for the second generation, whose archetypes have versions of three parts."""
        return not self.adl_version.startswith("1.")

    @property
    def original_language(self) -> str:
        """The language code that the archetype was written in, such as ``nb``."""
        return str(self.language.get("original_language", "en")).rsplit("::", 1)[-1].strip("[]")
