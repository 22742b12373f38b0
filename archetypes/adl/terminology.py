"""The ontology of ADL 1.4 and the terminology of ADL 2: their ODIN trees as :class:`ArchetypeTerminology`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import read_odin
from archetypes.adl.source import SourceText
from archetypes.aom.archetype import ArchetypeTerminology
from archetypes.aom.constraints import TermDefinition

Span = tuple[int, int]

_ONTOLOGY = ("term_definitions", "constraint_definitions", "term_bindings", "constraint_bindings")
_TERMINOLOGY = ("term_definitions", "term_bindings", "value_sets")


def read_ontology(place: SourceText, span: Span) -> ArchetypeTerminology:
    """The ontology section of ADL 1.4, where each language holds ``items``. Raises AdlSyntaxError."""
    tree = read_odin(TokenStream(place, *span))
    terms, constraints, term_bindings, constraint_bindings = (tree.get(name, {}) for name in _ONTOLOGY)
    try:
        return ArchetypeTerminology(
            terms={language: _codes(_items(body)) for language, body in terms.items()},
            constraints={language: _codes(_items(body)) for language, body in constraints.items()},
            term_bindings={name: _targets(_items(body)) for name, body in term_bindings.items()},
            constraint_bindings={name: _targets(_items(body)) for name, body in constraint_bindings.items()},
            other={name: value for name, value in tree.items() if name not in _ONTOLOGY},
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise place.error(f"not a terminology: {error}", span[0]) from error


def read_terminology(place: SourceText, span: Span) -> ArchetypeTerminology:
    """The terminology section of ADL 2. Raises AdlSyntaxError."""
    tree = read_odin(TokenStream(place, *span))
    try:
        return _terminology(tree)
    except (TypeError, ValueError, AttributeError) as error:
        raise place.error(f"not a terminology: {error}", span[0]) from error


def read_component_terminologies(place: SourceText, span: Span) -> dict[str, ArchetypeTerminology]:
    """The terminologies of the archetypes of an operational template, by id. Raises AdlSyntaxError."""
    tree = read_odin(TokenStream(place, *span))
    try:
        components = tree.get("component_terminologies", {})
        return {name: _terminology(body) for name, body in components.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise place.error(f"not a terminology: {error}", span[0]) from error


def _terminology(tree: Mapping[str, Any]) -> ArchetypeTerminology:
    terms, bindings, value_sets = (tree.get(name, {}) for name in _TERMINOLOGY)
    return ArchetypeTerminology(
        terms={language: _codes(body) for language, body in terms.items()},
        term_bindings={name: _targets(body) for name, body in bindings.items()},
        value_sets={code: _members(code, body) for code, body in value_sets.items()},
        other={name: value for name, value in tree.items() if name not in _TERMINOLOGY},
    )


def _members(code: str, body: Any) -> tuple[str, ...]:
    """``id = <"ac1"> members = <"at1", ...>``; the id repeats the key."""
    if set(body) - {"id", "members"} or body.get("id", code) != code:
        raise ValueError(f"the value set {code!r} holds its id and members and nothing else")
    members = body.get("members", [])
    return tuple(str(member) for member in (members if isinstance(members, list) else [members]))


def _items(body: Any) -> Mapping[str, Any]:
    """The members of ``items = <...>``, which must be alone."""
    if not isinstance(body, dict) or set(body) - {"items"}:
        raise ValueError("each language and terminology holds items and nothing else")
    items = body.get("items", {})
    if not isinstance(items, dict):
        raise ValueError("items without keys")
    return items


def _codes(items: Mapping[str, Any]) -> dict[str, TermDefinition]:
    return {code: _term(code, item) for code, item in items.items()}


def _term(code: str, item: Mapping[str, Any]) -> TermDefinition:
    texts = {name: _scalar(code, value) for name, value in item.items()}
    other = {name: value for name, value in texts.items() if name not in ("text", "description")}
    return TermDefinition(texts.get("text", ""), texts.get("description", ""), other)


def _scalar(code: str, value: Any) -> str:
    if value == {}:
        return ""
    if isinstance(value, dict | list):
        raise ValueError(f"what is said of {code!r} is not a single value")
    return str(value)


def _targets(items: Mapping[str, Any]) -> dict[str, str]:
    return {code: _scalar(code, target) for code, target in items.items()}
