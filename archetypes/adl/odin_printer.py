"""ODIN trees as text, the inverse of :mod:`archetypes.adl.odin`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archetypes.adl.odin import Code, Embedded, Keyed, Literal, Typed, quote

INDENT = "    "


def print_odin(tree: Mapping[str, Any], depth: int) -> list[str]:
    """The lines of an object's members, indented by ``depth`` steps."""
    keyed = isinstance(tree, Keyed)
    lines: list[str] = []
    for name, value in tree.items():
        lines.extend(print_odin_member(f"[{quote(name)}]" if keyed else name, value, depth))
    return lines


def print_odin_member(name: str, value: Any, depth: int) -> list[str]:
    """The lines of one member, such as ``name = <...>``."""
    return print_odin_object(f"{name} =", value, depth)


def print_odin_object(mark: str, value: Any, depth: int) -> list[str]:
    """The lines of an object behind a mark, such as ``C_DV_STATE <...>``."""
    pad = INDENT * depth
    while isinstance(value, Typed):
        mark, value = f"{mark} ({value.type_name})", value.value
    if isinstance(value, Embedded):
        return [f"{pad}{mark} ({value.syntax}) <#{value.text}#>"]
    if isinstance(value, Mapping) and value:
        return [f"{pad}{mark} <", *print_odin(value, depth + 1), f"{pad}>"]
    return [f"{pad}{mark} <{print_odin_value(value)}>"]


def print_odin_value(value: Any) -> str:
    """A scalar, a list of scalars or an empty object, without its angle brackets. Raises TypeError."""
    match value:
        case bool():
            return str(value)
        case Code() | Literal() | int() | float():
            return str(value)
        case str():
            return quote(value)
        case list() | tuple():
            items = ", ".join(print_odin_value(item) for item in value)
            return f"{items}, ..." if len(value) == 1 else items
        case Mapping() if not value:
            return ""
    raise TypeError(f"{type(value).__name__} has no ODIN form here")
