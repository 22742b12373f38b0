"""STRUCTURED: FLAT as nested objects. The conversion is one of syntax and needs no template.

``a/b:1/c|code`` is ``{"a": {"b": [.., {"c": [{"|code": ..}]}]}}``: every step but the root is an array,
the index is the place in it. A bare value is itself, or stands under ``""`` where suffixes stand beside
it. ``ctx`` is one object whose keys are those of FLAT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archetypes.findings import Finding
from templates.errors import FlatRefused
from templates.simplified.entries import CONTEXT, Entry, read_keys

Json = dict[str, Any]

_LEVELS = 200  # as deep as canonical JSON is read


def structure(flat: Mapping[str, Any]) -> Json:
    """The STRUCTURED form of a FLAT object; raises FlatRefused for keys that are no FLAT paths."""
    findings: list[Finding] = []
    body = {key: value for key, value in flat.items() if not key.startswith(f"{CONTEXT}/")}
    tree = read_keys(body, findings)
    if findings:
        raise FlatRefused(findings)
    context = {key.partition("/")[2]: value for key, value in flat.items() if key not in body}
    roots = {step: _object(entries[0]) for step, entries in tree.below.items()}
    return {CONTEXT: context, **roots} if context else roots


def flatten(structured: Mapping[str, Any]) -> Json:
    """The FLAT form of a STRUCTURED object; an array of one has no index.

    Accepts an object or scalar in place of an array of one. Raises FlatRefused for arrays within arrays.
    """
    flat: Json = {}
    for name, value in structured.items():
        if name == CONTEXT and isinstance(value, Mapping):
            flat.update(_flat_context(value))
        else:
            flat.update(_flat(name, value, 0))
    return flat


def _object(entry: Entry) -> Any:
    """One member: its values and what is below."""
    below = {
        step: [_object(entries[index]) for index in sorted(entries)] for step, entries in entry.below.items()
    }
    if not below and set(entry.values) == {""}:
        return entry.values[""]
    values = {f"|{suffix}" if suffix else "": value for suffix, value in entry.values.items()}
    return {**values, **below}


def _flat_context(context: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in context.items():
        if isinstance(value, Mapping | list):
            yield from _flat(f"{CONTEXT}/{name}", value, 0)
        else:
            yield f"{CONTEXT}/{name}", value


def _flat(path: str, value: Any, level: int) -> Iterator[tuple[str, Any]]:
    if level > _LEVELS:
        raise FlatRefused([Finding("flat.too_deep", path[:200], f"{_LEVELS} levels", "more")])
    if isinstance(value, list):
        for index, member in enumerate(value):
            if isinstance(member, list):
                found = "an array in an array"
                raise FlatRefused([Finding("flat.type", path, "a value or an object", found)])
            yield from _flat(path if len(value) == 1 else f"{path}:{index}", member, level)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "" or name.startswith("|"):
                yield f"{path}{name}", inner
            else:
                yield from _flat(f"{path}/{name}", inner, level + 1)
    else:
        yield path, value
