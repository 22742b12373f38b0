"""The nodes of one composition that FROM asks for, in document order, with their subtrees.

Which attributes can lead to a wanted class is known from the reference model, so that a search for
observations never looks into their data.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from cdr.aql.rm_types import Types, attribute_types

JsonObject: TypeAlias = dict[str, Any]
# class -> attributes worth following, each with the class of a value that does not say its ``_type``
Reach: TypeAlias = Mapping[str, tuple[tuple[str, str], ...]]


class NodeTree:
    """Wanted nodes in pre-order: ``nodes[i]`` of class ``types[i]``; its subtree ends before ``ends[i]``."""

    __slots__ = ("ends", "nodes", "types")

    def __init__(self, root: JsonObject, root_type: str, wanted: Types) -> None:
        self.nodes: list[JsonObject] = []
        self.types: list[str] = []
        self.ends: list[int] = []
        self._visit(root, root.get("_type", root_type), wanted, reach(wanted))

    def _visit(self, node: JsonObject, rm_type: str, wanted: Types, ways: Reach) -> None:
        place = -1
        if rm_type in wanted:
            place = len(self.nodes)
            self.nodes.append(node)
            self.types.append(rm_type)
            self.ends.append(0)
        for attribute, default in ways.get(rm_type, ()):
            value = node.get(attribute)
            if type(value) is dict:
                self._visit(value, value.get("_type", default), wanted, ways)
            elif type(value) is list:
                for member in value:
                    if type(member) is dict:
                        self._visit(member, member.get("_type", default), wanted, ways)
        if place >= 0:
            self.ends[place] = len(self.nodes)


@cache
def reach(wanted: Types) -> Reach:
    """The attributes of each class below which a wanted class can stand."""
    schema = rm_schema()
    edges = {
        name: [
            (attribute, attribute_types(name, attribute)) for attribute in schema.attributes(name).values()
        ]
        for name, rm_class in schema.classes.items()
        if not rm_class.abstract
    }
    reaching: set[str] = set()
    grown = True
    while grown:
        found = {
            name
            for name, attributes in edges.items()
            if any(types & wanted or types & reaching for _, types in attributes)
        }
        grown = found != reaching
        reaching = found
    return {
        name: tuple(
            (attribute.name, default_type(attribute))
            for attribute, types in attributes
            if not attribute.computed and (types & wanted or types & reaching)
        )
        for name, attributes in edges.items()
        if name in reaching
    }


def default_type(attribute: RmAttribute) -> str:
    """The class of a value without ``_type``: the declared one, unless that is abstract."""
    declared = base_name(attribute.type_name)
    rm_class = rm_schema().get(declared)
    return "" if rm_class is None or rm_class.abstract else declared
