"""What stands beside the constraints of a compiled template: annotations, default values, hints for forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import CArchetypeRoot, CObject
from archetypes.errors import MalformedPath
from archetypes.paths import PathSegment, RmPath
from archetypes.rm.schema import rm_schema
from templates.data_values import PERCENT, DataValue, Unfit, data_value
from templates.faults import Faults
from templates.nesting import Place
from templates.operational import Annotations, Defaults, nodes_of
from templates.rubrics import Rubrics
from templates.tree import find

_IDENTIFIER = ("issuer", "assigner", "id", "type")
_CODE = ("system", "code", "display")
RATIO = 0  # PROPORTION_KIND
_WHOLE = re.compile(r"-?[0-9]{1,9}")


def notes(placed: Sequence[Place], definition: CArchetypeRoot, faults: Faults) -> Annotations:
    """Annotations by the template path of their nodes; a path that leads nowhere is a fault."""
    made: dict[str, dict[str, str]] = {}
    for place in placed:
        for note in place.template.annotations if place.template else ():
            here = faults.at(note.span, note.path)
            found = _paths(place.segments, note.path, definition, here)
            if found == []:
                here.error("template.unknown_path", found=note.path)
            for path in found or ():
                made.setdefault(path, {}).update(note.items)
    return _frozen(made)


def view(placed: Sequence[Place], definition: CArchetypeRoot, faults: Faults) -> Annotations:
    """Hints for forms by template path, also for what only the reference model has (``/composer``).

    A path that leads nowhere is left out with a warning.
    """
    hints: dict[str, dict[str, str]] = {}
    for place in placed:
        for hint in place.template.view if place.template else ():
            here = faults.at(place.item.span, hint.path)
            found = _paths(place.segments, hint.path, definition, here)
            if found == []:
                found = _attributes(place.segments, hint.path, definition)
            if found == []:
                here.warning("template.hint_without_node", found=hint.path)
            for path in found or ():
                hints.setdefault(path, {}).update(hint.items)
    return _frozen(hints)


def defaults(placed: Sequence[Place], definition: CArchetypeRoot, language: str, faults: Faults) -> Defaults:
    """Default values by the path of the value; what a node does not allow is left out, with a warning."""
    stated = [(place, rule) for place in placed for rule in place.item.rules if rule.default is not None]
    nodes = {node.path: node for node in nodes_of(definition)} if stated else {}
    values: dict[str, Mapping[str, Any]] = {}
    for place, rule in stated:
        here = faults.at(rule.span, rule.path)
        for path in _paths(place.segments, rule.path, definition, here, rule.name) or ():
            node = nodes[path]
            try:
                value = _value(rule.default or "", node.constraint, Rubrics(node.root, language))
            except Unfit as error:
                here.warning("template.default_unfit", expected=str(error), found=rule.default or "")
            else:
                values[f"{path}/value"] = value
    return MappingProxyType(values)


def _paths(
    above: Sequence[PathSegment],
    text: str,
    definition: CArchetypeRoot,
    faults: Faults,
    name: str | None = None,
) -> list[str] | None:
    """The template paths that a path below a place means; None, and a fault, if it is none."""
    try:
        segments = [*above, *RmPath.parse(text).segments]
    except MalformedPath as error:
        faults.error("template.malformed_path", found=error.reason)
        return None
    if name is not None and segments:
        segments[-1] = replace(segments[-1], name=name)
    return [path for path, _ in find(definition, segments, definition.terms)]


def _attributes(above: Sequence[PathSegment], text: str, definition: CArchetypeRoot) -> list[str]:
    """The same for an attribute that the model has and the template does not mention."""
    *owner, last = (*above, *RmPath.parse(text).segments)
    owners = find(definition, owner, definition.terms)
    return [
        f"{path}/{last.attribute}"
        for path, node in owners
        if rm_schema().attribute(node.rm_type_name, last.attribute) and last.node_id is None
    ]


def _frozen(notes: Mapping[str, Mapping[str, str]]) -> Annotations:
    return MappingProxyType({path: MappingProxyType(dict(items)) for path, items in notes.items()})


def _value(text: str, node: CObject, rubrics: Rubrics) -> DataValue:
    """The text of an editor as a data value of the node. Raises Unfit with the first reason."""
    first: Unfit | None = None
    for meaning in _meanings(text):
        try:
            return data_value(meaning, node, rubrics)
        except Unfit as error:
            first = first or error
    raise first or Unfit("an empty text")


def _meanings(text: str) -> Iterator[Any]:
    """A code with terminology and rubric, an identifier, a text, a truth, a number, a proportion."""
    parts = text.split("::")
    if len(parts) == len(_IDENTIFIER):
        yield dict(zip(_IDENTIFIER, parts, strict=True))
    elif len(parts) == len(_CODE):
        yield dict(zip(_CODE, parts, strict=True))
    elif parts[0] == "local":
        yield parts[-1]
    yield text
    if text.lower() in ("true", "false"):
        yield text.lower() == "true"
    if _WHOLE.fullmatch(text):
        yield int(text)
    numerator, slash, denominator = text.partition("/")
    if slash and _WHOLE.fullmatch(numerator) and _WHOLE.fullmatch(denominator):
        kind = PERCENT if int(denominator) == 100 else RATIO
        yield {"numerator": int(numerator), "denominator": int(denominator), "type": kind}
