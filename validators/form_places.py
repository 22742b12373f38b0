"""Where a finding stands in a form: the web template's id and the label that people see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FormPlace:
    """``id`` is the path of web-template ids from the root, ``label`` the name of the node in the form."""

    id: str
    label: str


class FormPlaces:
    """The places of one web template by template path."""

    def __init__(self, web_template: Mapping[str, Any]) -> None:
        tree = web_template.get("tree", {})
        self._root = FormPlace(tree.get("id", ""), _label(tree))
        self._places: dict[str, FormPlace] = {}
        for path, place in _walk(tree, ""):
            self._places.setdefault(path, place)

    def at(self, archetype_path: str) -> FormPlace:
        """The nearest node at or above a path of the template; the root where none is nearer."""
        path = archetype_path
        while path and path != "/":
            for candidate in (path, f"{path}/value"):
                if candidate in self._places:
                    return self._places[candidate]
            path = path[: _last_step(path)]
        return self._root


def _walk(node: Mapping[str, Any], above: str) -> Iterator[tuple[str, FormPlace]]:
    here = f"{above}/{node.get('id', '')}" if above else str(node.get("id", ""))
    if node.get("aqlPath"):
        yield node["aqlPath"], FormPlace(here, _label(node))
    for child in node.get("children", ()):
        yield from _walk(child, here)


def _label(node: Mapping[str, Any]) -> str:
    return str(node.get("localizedName") or node.get("name") or node.get("id", ""))


def _last_step(path: str) -> int:
    """The position of the last slash outside of names in quotes."""
    quoted, last = False, 0
    for position, sign in enumerate(path):
        if sign == "'" and path[position - 1] != "\\":
            quoted = not quoted
        elif sign == "/" and not quoted:
            last = position
    return last
