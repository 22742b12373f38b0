"""An archetype laid out for checking: its nodes in their places, its codes, its line of parents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import (
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CObject,
    ConstraintRef,
    CTerminologyCode,
)
from archetypes.aom.flattening import flatten
from archetypes.aom.node_ids import redefined
from archetypes.errors import AdlSyntaxError, CannotFlatten, MalformedPath, UnknownArchetype
from archetypes.findings import NO_PARAMS, Finding, SourceSpan
from archetypes.paths import RmPath
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
        return tuple(_walk(Place("", self.archetype.definition), self._owner))

    @cached_property
    def attributes(self) -> tuple[tuple[str, CAttribute, CComplexObject], ...]:
        """Every attribute of the definition with its path and its owner.

        The owner of a differential path is an object of the flat parent; without it the attribute is left
        out.
        """
        return tuple(
            (f"{place.path}{attribute.differential_path}/{attribute.rm_attribute_name}", attribute, owner)
            for place in self.places
            if isinstance(place.node, CComplexObject)
            for attribute in place.node.attributes
            if (owner := self._owner(place.node, attribute, place.path)) is not None
        )

    def _owner(self, node: CComplexObject, attribute: CAttribute, path: str) -> CComplexObject | None:
        if not attribute.differential_path:
            return node
        return self._at_parent(f"{path}{attribute.differential_path}")

    def _at_parent(self, path: str) -> CComplexObject | None:
        """The object of the flat parent at a path of this archetype."""
        return None if self.flat_parent is None else object_of_parent(self.flat_parent.definition, path)

    @cached_property
    def paths_of_roots(self) -> tuple[str, ...]:
        """Where other archetypes are used, whose codes are not those of this one."""
        return tuple(p.path for p in self.places if isinstance(p.node, CArchetypeRoot) and p.path)

    @cached_property
    def flat_parent(self) -> Archetype | None:
        """The flat form of the parent; None if there is none, or it cannot be made."""
        if self.parent is None or self.repository is None:
            return None
        try:
            return self.repository.flattened(self.parent)
        except (UnknownArchetype, AdlSyntaxError, CannotFlatten, MalformedPath):
            return None

    @cached_property
    def flat(self) -> Archetype | None:
        """The flat form of the archetype; None if it cannot be made."""
        made = self._flattened
        return made if isinstance(made, Archetype) else None

    @cached_property
    def not_flattened(self) -> CannotFlatten | None:
        """Why the archetype does not fit its parent, or None."""
        made = self._flattened
        return made if isinstance(made, CannotFlatten) else None

    @cached_property
    def _flattened(self) -> Archetype | CannotFlatten | None:
        if self.archetype.parent_id is not None and self.flat_parent is None:
            return None
        try:
            return flatten(self.archetype, self.flat_parent)
        except CannotFlatten as error:
            return error
        except MalformedPath:
            return None

    @cached_property
    def flat_terms(self) -> frozenset[str]:
        """The codes with a text in the flat form; of the archetype alone if the parent is not known."""
        parent = self.flat_parent.terminology.terms if self.flat_parent else {}
        return self.defined_terms | {code for terms in parent.values() for code in terms}

    def lacks(self, code: str) -> bool:
        """True if the flat form has no text for a code; of codes of an unknown parent nothing is said."""
        if code in self.flat_terms:
            return False
        is_inherited = depth_of(code) < depth_of(self.archetype.concept)
        return not (is_inherited and self.flat_parent is None)

    @cached_property
    def flat_value_sets(self) -> Mapping[str, tuple[str, ...]]:
        """The value sets of the flat form."""
        parent = self.flat_parent.terminology.value_sets if self.flat_parent else {}
        return {**parent, **self.archetype.terminology.value_sets}

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
            parent = self.parent_of(each)
            line.append(self._id_of(each.parent_id, parent))
            if line[-1] in line[:-1] or line[-1] == self.archetype.archetype_id:
                break
            each = parent
        return tuple(line)

    def _id_of(self, reference: str, parent: Archetype | None) -> str:
        """The full id behind a reference; the archetype itself may not be in the repository."""
        if parent is not None:
            return parent.archetype_id
        own = self.archetype.archetype_id
        return own if own.startswith(f"{reference}.") else reference

    @cached_property
    def parent(self) -> Archetype | None:
        """The archetype that this one specialises, if the repository has it."""
        return self.parent_of(self.archetype)

    def parent_of(self, archetype: Archetype) -> Archetype | None:
        """What an archetype specialises; None if it is not there or cannot be read."""
        if self.repository is None:
            return None
        try:
            return self.repository.parent(archetype)
        except (UnknownArchetype, AdlSyntaxError):
            return None

    def used(self, reference: str) -> Archetype | None:
        """What ``use_archetype`` names; an overlay of a template counts first."""
        bare = reference.rpartition("::")[2]
        for overlay in self.archetype.overlays:
            if overlay.archetype_id == bare or overlay.archetype_id.startswith(f"{bare}."):
                return overlay
        if self.repository is None:
            return None
        try:
            return self.repository.resolve(reference)
        except (UnknownArchetype, AdlSyntaxError):
            return None

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
    elif isinstance(node, CTerminologyCode):
        yield from (code for code in (node.code, node.assumed_value) if code)
    elif isinstance(node, CComplexObject):
        for each in node.tuples:
            yield from (code for row in each.rows for cell in row for code in codes_of(cell))


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


def in_its_words(archetype: Archetype, findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the paths of the archetype's generation: ADL 2 has a terminology, without ``items``."""
    if not archetype.is_adl2:
        return list(findings)
    return [
        replace(found, path=path, archetype_path=path)
        for found in findings
        for path in [found.path.replace("/ontology/", "/terminology/", 1).replace("]/items", "]", 1)]
    ]


def shortened(text: str, length: int = 120) -> str:
    """A text on one line, cut where it is long."""
    line = re.sub(r"[\r\n\t]+", " ", text)
    return line if len(line) <= length else f"{line[: length - 1]}…"


_OwnerOf = Callable[[CComplexObject, CAttribute, str], CComplexObject | None]


def _walk(place: Place, owner_of: _OwnerOf) -> Iterator[Place]:
    # A stack of our own: the depth of a definition is somebody's data.
    waiting = [place]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each.node, CComplexObject):
            waiting.extend(reversed(list(_below(each.path, each.node, owner_of))))


def _below(path: str, node: CComplexObject, owner_of: _OwnerOf) -> Iterator[Place]:
    for attribute in node.attributes:
        owner = owner_of(node, attribute, path)
        for child in attribute.children:
            here = path + attribute.differential_path + step(attribute.rm_attribute_name, child)
            yield Place(here, child, attribute, owner)


def object_of_parent(node: CObject | None, path: str) -> CComplexObject | None:
    """The object of a flat parent at a path of its child, whose codes may be redefined; None without one."""
    try:
        segments = RmPath.parse(path).segments if path else ()
    except MalformedPath:
        return None
    for segment in segments:
        attribute = node.attribute(segment.attribute) if isinstance(node, CComplexObject) else None
        children = attribute.children if attribute else ()
        if segment.node_id is None:
            node = children[0] if len(children) == 1 else None
        else:
            node = redefined(segment.node_id, {child.node_id: child for child in children})
    return node if isinstance(node, CComplexObject) else None
