"""Reading plain canonical data without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from archetypes.rm.schema import RmClass, rm_schema

Node = Mapping[str, Any]
NOTHING: Node = MappingProxyType({})
_TOO_LARGE = 10**300  # whole numbers that no division of floats can take


def part(node: Node, *names: str) -> Node:
    """The object at the end of the attribute names, or an empty one."""
    for name in names:
        value = node.get(name)
        if not isinstance(value, dict):
            return NOTHING
        node = value
    return node


def text(node: Node, *names: str) -> str | None:
    """The text at the end of the attribute names, or None."""
    value = part(node, *names[:-1]).get(names[-1])
    return value if isinstance(value, str) else None


def number(node: Node, name: str) -> float | None:
    """The number in an attribute, or None (also for true and false)."""
    value = node.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, float) or abs(value) < _TOO_LARGE else None


def code_of(code_phrase: Node) -> tuple[str | None, str | None]:
    """Terminology id and code of a CODE_PHRASE."""
    return text(code_phrase, "terminology_id", "value"), text(code_phrase, "code_string")


def known_class(name: object) -> RmClass | None:
    """The class that ``_type`` names; arguments are accepted where the class takes some."""
    rm_class = rm_schema().get(name) if isinstance(name, str) else None
    return rm_class if rm_class is not None and (rm_class.parameters or rm_class.name == name) else None


def type_of(node: Node, declared: str) -> str | None:
    """The RM type of an object where ``declared`` is expected; None if it is not known.

    ``_type`` may be left out where the declared type is concrete. The argument of DV_INTERVAL is read
    from its bounds.
    """
    rm_class = known_class(node.get("_type", declared))
    if rm_class is None:
        return None
    if rm_class.name == "DV_INTERVAL":
        for bound in ("lower", "upper"):
            argument = known_class(part(node, bound).get("_type"))
            if argument is not None:
                return f"DV_INTERVAL<{argument.name}>"
    return rm_class.name
