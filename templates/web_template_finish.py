"""What a web template says about siblings, once all are there: unique ids, cardinalities, dependencies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archetypes.aom.constraints import Cardinality, CAttribute
from templates.web_template_inputs import Json

# While the tree is built, every node remembers the container that it is a member of.
MEMBER_OF = "_member_of"

_CONTENT = ("/data", "/activities")
_STATE = re.compile(r"/state(\[[^]]*\])?(/|$)")


def finished(node: Json) -> Json:
    """The tree with what depends on siblings; what was noted while it was built is gone."""
    children: Sequence[Json] = node.get("children", ())
    _make_ids_unique(children)
    limits = _cardinalities(children)
    if limits:
        node["cardinalities"] = limits
    _set_dependencies(node, children)
    for child in children:
        child.pop(MEMBER_OF, None)
        finished(child)
    return node


def _make_ids_unique(children: Sequence[Json]) -> None:
    """The second sibling with an id becomes ``id2``, the third ``id3``."""
    seen: dict[str, int] = {}
    for child in children:
        count = seen[child["id"]] = seen.get(child["id"], 0) + 1
        if count > 1:
            child["id"] = f"{child['id']}{count}"


def _cardinalities(children: Sequence[Json]) -> list[Json]:
    """Of the containers that say more than the occurrences of their members do."""
    containers: dict[int, tuple[Cardinality, list[Json]]] = {}
    for child in children:
        attribute: CAttribute | None = child.get(MEMBER_OF)
        if attribute is not None and attribute.cardinality is not None:
            containers.setdefault(id(attribute), (attribute.cardinality, []))[1].append(child)
    limits = []
    for cardinality, members in containers.values():
        lower, upper = cardinality.interval.lower or 0, cardinality.interval.upper
        if lower > 1 or (upper is not None and upper < len(members)):
            ids = [member["id"] for member in members]
            limits.append({"min": lower, "max": -1 if upper is None else upper, "ids": ids})
    return limits


def _set_dependencies(node: Json, children: Sequence[Json]) -> None:
    """State is worth nothing without data, and protocol nothing without both."""
    below = {id(child): child["aqlPath"].removeprefix(node["aqlPath"]) for child in children}
    named = [child for child in children if not child.get("inContext")]
    protocol = [child for child in named if below[id(child)].startswith("/protocol")]
    state = [child for child in named if child not in protocol and _STATE.search(below[id(child)])]
    data = [
        child
        for child in named
        if child not in protocol and child not in state and below[id(child)].startswith(_CONTENT)
    ]
    for dependent, on in ((state, data), (protocol, [*data, *state])):
        for child in dependent:
            ids = [other["id"] for other in children if other in on]
            if ids and data:
                child["dependsOn"] = ids
