"""The rows of a composition, made in one pass over its canonical form.

A row is opened for every archetype root, every SECTION, ENTRY, EVENT and ACTIVITY, and every other node that
shares attribute and node id with a sibling; everything else folds into the nearest row above it. Rows stand
in document order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from archetypes.rm.iso8601 import duration_seconds
from archetypes.rm.schema import base_name, rm_schema
from cdr.stored_rows.codes import chain, root_code, slot_segment
from cdr.temporal import instant, time_of_day

# c: class, m: name (of rows that FROM can bind), a: archetype id (of archetype roots), p: index of the row
# above (-1), q: code of the place in the archetype above, v: {code: value, code + "~": comparison key}.
# The key of a date is in microseconds, of a duration in seconds (float), of a time a text.
Row: TypeAlias = dict[str, Any]

FORMAT = 1  # of rows; those of another format decide nothing until they are made again
MAX_ROWS = 4096
MAX_BYTES = 1_000_000
LONG_TEXT = 200

# What rows do not hold (and AQL decides on the composition): lists of data values, and these.
UNROWED_OF_NODES = frozenset(
    {"name", "archetype_node_id", "archetype_details", "_type"}
    | {"feeder_audit", "links", "language", "encoding", "territory"}
)
UNROWED_OF_VALUES = frozenset({"_type", "feeder_audit", "data", "thumbnail", "integrity_check"})
# Their ``value`` is an object, where that of all others is a value; a composition with one has no rows.
UNROWED_CLASSES = frozenset({"DV_STATE", "DV_GENERAL_TIME_SPECIFICATION", "DV_PERIODIC_TIME_SPECIFICATION"})
_INT64 = 2**63


class _Unfit(Exception):
    """This composition has no rows."""


class Place:
    """A place of an archetype, with the places below it as they are met; made once a process."""

    __slots__ = ("code", "keys", "nodes", "parts")

    def __init__(self, code: str) -> None:
        self.code = code
        self.keys: dict[str, str] = {}
        self.parts: dict[str, Place] = {}
        self.nodes: dict[tuple[str, str], NodePlace] = {}

    def key(self, attribute: str) -> str:
        """The code of a value."""
        found = self.keys.get(attribute)
        if found is None:
            found = self.keys[attribute] = chain(self.code, slot_segment(attribute))
        return found

    def part(self, attribute: str) -> Place:
        """The place of an object without node id."""
        found = self.parts.get(attribute)
        if found is None:
            found = self.parts[attribute] = Place(self.key(attribute))
        return found

    def node(self, attribute: str, node_id: str) -> NodePlace:
        """The place of a node."""
        found = self.nodes.get((attribute, node_id))
        if found is None:
            code = chain(self.code, slot_segment(attribute, node_id))
            is_root = is_archetype_id(node_id)
            below = root_place(node_id) if is_root else Place(code)
            found = self.nodes[attribute, node_id] = (code, below, node_id if is_root else "")
        return found


# The code of a node's place, the place that its own codes go on from, and its archetype id if it is a root.
NodePlace: TypeAlias = tuple[str, Place, str]


_roots: dict[str, Place] = {}


def root_place(archetype_id: str) -> Place:
    """The root of an archetype."""
    found = _roots.get(archetype_id)
    if found is None:
        found = _roots[archetype_id] = Place(root_code(archetype_id))
    return found


def is_archetype_id(node_id: str) -> bool:
    """Does a node with this id begin an archetype?"""
    return "-" in node_id


def make_rows(composition: Mapping[str, Any]) -> list[Row] | None:
    """The rows of a canonical composition that was validated; None for one that rows cannot hold.

    That is one with more than MAX_ROWS rows, more than MAX_BYTES of them, a number beyond 64 bits, or a value
    of UNROWED_CLASSES.
    """
    archetype_id = composition.get("archetype_node_id", "")
    maker = _Maker()
    try:
        row = maker.open("COMPOSITION", composition, "", -1, archetype_id)
        place = root_place(archetype_id)
        template = (composition.get("archetype_details") or {}).get("template_id") or {}
        if "value" in template:
            row["v"][place.part("archetype_details").part("template_id").key("value")] = template["value"]
        without_uid = {name: value for name, value in composition.items() if name != "uid"}
        maker.fill(without_uid, "COMPOSITION", place, row["v"], 0)
        return maker.fitting()
    except _Unfit:
        return None


class _Maker:
    __slots__ = ("bound", "long_texts", "rows")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.bound = bound_classes()
        self.long_texts = 0  # characters in long texts

    def open(self, rm_class: str, node: Mapping[str, Any], code: str, above: int, archetype_id: str) -> Row:
        """A row for an archetype root or for what FROM can bind."""
        row: Row = {"c": rm_class, "q": code, "p": above, "m": (node.get("name") or {}).get("value"), "v": {}}
        if archetype_id:
            row["a"] = archetype_id
        self.rows.append(row)
        return row

    def fitting(self) -> list[Row] | None:
        """The rows, unless they are too many."""
        if len(self.rows) > MAX_ROWS:
            return None
        suspect = len(self.rows) > 500 or self.long_texts > MAX_BYTES // 4
        large = suspect and len(orjson.dumps(self.rows)) > MAX_BYTES
        return None if large else self.rows

    def fill(
        self, node: Mapping[str, Any], rm_class: str, place: Place, values: dict[str, Any], row: int
    ) -> None:
        """Add the values of a node, and the rows below it.

        Most of a commit's time in Python is spent here: what is looked up for each value stands in the place.
        """
        unrowed = UNROWED_OF_NODES if "archetype_node_id" in node else UNROWED_OF_VALUES
        temporal = _TEMPORAL.get(rm_class)
        for name, value in node.items():
            if name in unrowed or value is None:
                continue
            kind = type(value)
            if kind is dict:
                own = value.get("_type") or _default(rm_class, name)
                node_id = value.get("archetype_node_id")
                if node_id is not None:
                    self._node(value, own, place.node(name, node_id), values, row, True)
                elif own in UNROWED_CLASSES:
                    raise _Unfit
                else:
                    self.fill(value, own, place.parts.get(name) or place.part(name), values, row)
            elif kind is list:
                self._members(value, rm_class, name, place, values, row)
            else:
                if kind is int and not -_INT64 <= value < _INT64:
                    raise _Unfit
                key = place.keys.get(name) or place.key(name)
                values[key] = value
                if kind is str:
                    if temporal is not None and name == "value":
                        values[key + "~"] = temporal(value)
                    elif len(value) > LONG_TEXT:
                        self.long_texts += len(value)

    def _members(
        self,
        members: list[Any],
        rm_class: str,
        name: str,
        place: Place,
        values: dict[str, Any],
        row: int,
    ) -> None:
        ids = [member.get("archetype_node_id") if type(member) is dict else None for member in members]
        several = len(ids) > 1
        for member, node_id in zip(members, ids, strict=True):
            if node_id is not None:
                alone = not several or ids.count(node_id) == 1
                own = member.get("_type") or _default(rm_class, name)
                self._node(member, own, place.node(name, node_id), values, row, alone)

    def _node(
        self,
        node: dict[str, Any],
        rm_class: str,
        where: NodePlace,
        values: dict[str, Any],
        row: int,
        alone: bool,
    ) -> None:
        code, below, archetype_id = where
        if archetype_id or rm_class in self.bound:
            values = self.open(rm_class, node, code, row, archetype_id)["v"]
        elif not alone:
            values = {}
            self.rows.append({"q": code, "p": row, "v": values})
        else:
            self.fill(node, rm_class, below, values, row)
            return
        if len(self.rows) > MAX_ROWS:
            raise _Unfit
        self.fill(node, rm_class, below, values, len(self.rows) - 1)


@lru_cache(maxsize=4096)
def _default(owner: str, attribute: str) -> str:
    """The class of a value that does not say it."""
    found = rm_schema().attribute(owner, attribute)
    return "" if found is None else base_name(found.type_name)


@lru_cache(maxsize=1)
def bound_classes() -> frozenset[str]:
    """Classes of nodes that have a row wherever they stand, archetype root or not."""
    schema = rm_schema()
    return schema.concrete_subtypes("CONTENT_ITEM") | schema.concrete_subtypes("EVENT") | {"ACTIVITY"}


def _instant_key(text: str) -> int:
    interval = instant(text, 0)
    if interval is None:
        raise _Unfit
    return interval[0]


def _time_key(text: str) -> str:
    interval = time_of_day(text, 0)
    if interval is None:
        raise _Unfit
    return f"{interval[0] + 86_400_000_000:015}"


def _duration_key(text: str) -> float:
    seconds = duration_seconds(text)
    if seconds is None:
        raise _Unfit
    return float(seconds)


_TEMPORAL = {
    "DV_DATE": _instant_key,
    "DV_DATE_TIME": _instant_key,
    "DV_TIME": _time_key,
    "DV_DURATION": _duration_key,
}
