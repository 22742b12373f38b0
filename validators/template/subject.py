"""A compiled template laid out for checking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.errors import MalformedPath
from archetypes.paths import RmPath
from archetypes.repository import ArchetypeRepository
from templates.operational import Node, OperationalTemplate
from validators.archetype.subject import Subject


@dataclass(frozen=True)
class TemplateSubject:
    """The template under check. ``repository`` None: nothing is known of archetypes for its slots."""

    opt: OperationalTemplate
    repository: ArchetypeRepository | None = None

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, depth first."""
        return tuple(self.opt.nodes())

    @cached_property
    def node_paths(self) -> Mapping[str, Node]:
        """The nodes by path; of several at one path (alternatives) the first."""
        found: dict[str, Node] = {}
        for node in self.nodes:
            found.setdefault(node.path, node)
        return found

    @cached_property
    def unnamed_paths(self) -> frozenset[str]:
        """The paths without the names of nodes."""
        return frozenset(without_names(node.path) for node in self.nodes)

    @cached_property
    def definition(self) -> Subject:
        """The definition as that of an archetype, for the rules that both obey."""
        return Subject(
            Archetype(
                archetype_id=self.opt.definition.archetype_id,
                concept=self.opt.definition.node_id,
                definition=self.opt.definition,
                terminology=ArchetypeTerminology(),
            )
        )


def without_names(path: str) -> str:
    """A path by node ids alone; unreadable ones as they are."""
    try:
        segments = RmPath.parse(path).segments
    except MalformedPath:
        return path
    return str(RmPath(tuple(replace(segment, name=None) for segment in segments)))
