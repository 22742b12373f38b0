"""An archetype laid out for checking: its nodes in their places, its codes, its line of parents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import (
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CObject,
    ConstraintRef,
)
from archetypes.errors import AdlSyntaxError, UnknownArchetype
from archetypes.findings import NO_PARAMS, Finding, SourceSpan
from archetypes.repository import ArchetypeRepository
from templates.operational import step
from validators.codes import SEVERITIES

MAX_LINEAGE = 20
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Place:
    """A constraint with its path and what it stands under; the root has no attribute."""

    path: str
    node: CObject
    attribute: CAttribute | None = None
    owner: CComplexObject | None = None


@dataclass(frozen=True)
class Subject:
    """The archetype under check. ``repository`` None: nothing is known of other archetypes."""

    archetype: Archetype
    repository: ArchetypeRepository | None = None

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every object of the definition, depth first, the root first."""
        return tuple(_walk(Place("", self.archetype.definition)))

    @cached_property
    def attributes(self) -> tuple[tuple[str, CAttribute, CComplexObject], ...]:
        """Every attribute of the definition with its path and its owner."""
        return tuple(
            (f"{place.path}/{attribute.rm_attribute_name}", attribute, place.node)
            for place in self.places
            if isinstance(place.node, CComplexObject)
            for attribute in place.node.attributes
        )

    @cached_property
    def used_terms(self) -> Mapping[str, Place]:
        """The at-codes of the definition (of nodes and of values), each with its first place."""
        used: dict[str, Place] = {}
        for place in self.places:
            for code in codes_of(place.node):
                used.setdefault(code, place)
        return used

    @cached_property
    def used_constraints(self) -> Mapping[str, Place]:
        """The ac-codes of the definition, each with its first place."""
        used: dict[str, Place] = {}
        for place in self.places:
            if isinstance(place.node, ConstraintRef):
                used.setdefault(place.node.reference, place)
        return used

    @cached_property
    def defined_terms(self) -> frozenset[str]:
        """The codes with a definition in at least one language."""
        return frozenset(code for terms in self.archetype.terminology.terms.values() for code in terms)

    @cached_property
    def lineage(self) -> tuple[str, ...]:
        """The ids of the parents that can be followed, the nearest first; ends where it meets itself."""
        line: list[str] = []
        each: Archetype | None = self.archetype
        while each is not None and each.parent_id is not None and len(line) < MAX_LINEAGE:
            line.append(each.parent_id)
            if each.parent_id in line[:-1] or each.parent_id == self.archetype.archetype_id:
                break
            each = self.other(each.parent_id)
        return tuple(line)

    @cached_property
    def parent(self) -> Archetype | None:
        """The archetype that this one specialises, if the repository has it."""
        parent_id = self.archetype.parent_id
        return None if parent_id is None else self.other(parent_id)

    def other(self, archetype_id: str) -> Archetype | None:
        """Another archetype of the repository; None if it is not there or cannot be read."""
        if self.repository is None:
            return None
        try:
            return self.repository.get(archetype_id)
        except (UnknownArchetype, AdlSyntaxError):
            return None


def codes_of(node: CObject) -> Iterator[str]:
    """The codes of the archetype itself that one constraint uses."""
    if node.node_id:
        yield node.node_id
    if isinstance(node, CCodePhrase) and node.terminology_id == LOCAL:
        yield from node.codes
    elif isinstance(node, CDvOrdinal):
        yield from (item.code for item in node.items if item.terminology_id == LOCAL)


def depth_of(code: str) -> int:
    """How often a code was specialised: 0 for ``at0004``, 2 for ``at0.0.1``."""
    return code.count(".")


def finding(
    code: str,
    path: str,
    *,
    expected: str = "",
    found: str = "",
    span: SourceSpan | None = None,
    params: Mapping[str, str] = NO_PARAMS,
) -> Finding:
    """A finding at a place of an archetype, with the severity of its code; ``params`` are for its repair."""
    return Finding(
        code,
        path,
        expected,
        shortened(found),
        archetype_path=path,
        severity=SEVERITIES[code],
        params=params,
        span=span,
    )


def at(place: Place, code: str, *, expected: str = "", found: str = "") -> Finding:
    """A finding about one constraint."""
    return finding(code, place.path or "/", expected=expected, found=found, span=place.node.span)


def shortened(text: str, length: int = 120) -> str:
    """A text on one line, cut where it is long."""
    line = re.sub(r"[\r\n\t]+", " ", text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _walk(place: Place) -> Iterator[Place]:
    # A stack of our own: the depth of a definition is somebody's data.
    waiting = [place]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each.node, CComplexObject):
            waiting.extend(reversed([_below(each, *pair) for pair in each.node.children()]))


def _below(place: Place, attribute: CAttribute, child: CObject) -> Place:
    owner = place.node if isinstance(place.node, CComplexObject) else None
    return Place(place.path + step(attribute.rm_attribute_name, child), child, attribute, owner)
