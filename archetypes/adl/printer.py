"""An archetype as ADL text of its generation: ``parse_adl(print_adl(archetype)) == archetype``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archetypes.adl.cadl2_printer import print_definition2
from archetypes.adl.cadl_printer import print_definition
from archetypes.adl.lexer import kind_of
from archetypes.adl.odin import Code, Keyed, Literal
from archetypes.adl.odin_printer import INDENT, print_odin
from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.aom.constraints import Bindings, TermDefinition, Terms

_BETWEEN = "-" * 72


def print_adl(archetype: Archetype) -> str:
    """The text of an archetype, four blanks a level, lines ended by a line feed.

    Raises TypeError if the archetype holds what its generation cannot say (nodes of operational templates of
    ADL 1.4, domain types in ADL 2).
    """
    lines = list(_part(archetype))
    for overlay in archetype.overlays:
        lines += ["", _BETWEEN, *_part(overlay)]
    return "\n".join(lines) + "\n"


def _part(archetype: Archetype) -> Iterable[str]:
    said = archetype.comments
    yield from _remarks(said.get("", ()), "")
    yield f"{archetype.kind}{_meta(archetype.header)}"
    yield from _remarks(said.get(archetype.kind, ()))
    yield INDENT + archetype.archetype_id
    if archetype.parent_id is not None:
        word = "specialize" if archetype.is_adl2 else "specialise"
        yield from _section(word, [INDENT + archetype.parent_id], said)
    if not archetype.is_adl2:
        yield from _section("concept", [f"{INDENT}[{archetype.concept}]"], said)
    yield from _section("language", print_odin(archetype.language, 1), said)
    yield from _section("description", print_odin(archetype.description, 1), said)
    if archetype.is_adl2:
        yield from _rest2(archetype)
    else:
        yield from _rest1(archetype)


def _rest1(archetype: Archetype) -> Iterable[str]:
    said = archetype.comments
    yield from _section("definition", print_definition(archetype.definition, 1), said)
    yield from _section("invariant", [INDENT + line for line in archetype.invariants.splitlines()], said)
    yield from _section("ontology", print_odin(_ontology(archetype.terminology), 1), said, always=True)
    yield from _section("annotations", print_odin(archetype.annotations, 1), said)
    yield from _section("revision_history", print_odin(archetype.revision_history, 1), said)


def _rest2(archetype: Archetype) -> Iterable[str]:
    said = archetype.comments
    yield from _section("definition", print_definition2(archetype.definition, 1), said)
    yield from _section("rules", [INDENT + line for line in archetype.invariants.splitlines()], said)
    yield from _section("rm_overlay", print_odin(archetype.rm_overlay, 1), said)
    yield from _section("terminology", print_odin(_terminology(archetype.terminology), 1), said, always=True)
    yield from _section("annotations", print_odin(archetype.annotations, 1), said)
    if archetype.component_terminologies:
        components = Keyed(
            {name: _terminology(each) for name, each in archetype.component_terminologies.items()}
        )
        tree = {"component_terminologies": components}
        yield from _section("component_terminologies", print_odin(tree, 1), said)


def _section(
    name: str, lines: list[str], said: Mapping[str, tuple[str, ...]], *, always: bool = False
) -> list[str]:
    """A heading with its lines, the comments of the section first; nothing where there are neither."""
    remarks = _remarks(said.get({"specialize": "specialise"}.get(name, name), ()))
    return ["", name, *remarks, *lines] if lines or remarks or always else []


def _remarks(comments: tuple[str, ...], indent: str = INDENT) -> list[str]:
    return [f"{indent}-- {comment}" for comment in comments]


def _meta(header: Mapping[str, Any]) -> str:
    if not header:
        return ""
    return f" ({'; '.join(key if value is True else f'{key}={value}' for key, value in header.items())})"


def _ontology(terminology: ArchetypeTerminology) -> dict[str, Any]:
    tree = dict(terminology.other)
    parts = (
        ("term_definitions", _definitions(terminology.terms)),
        ("constraint_definitions", _definitions(terminology.constraints)),
        ("term_bindings", _bindings(terminology.term_bindings)),
        ("constraint_bindings", _bindings(terminology.constraint_bindings)),
    )
    return tree | {name: part for name, part in parts if part}


def _terminology(terminology: ArchetypeTerminology) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if terminology.terms:
        tree["term_definitions"] = Keyed(
            {language: _codes(items) for language, items in terminology.terms.items()}
        )
    if terminology.term_bindings:
        tree["term_bindings"] = Keyed(
            {name: _targets(items) for name, items in terminology.term_bindings.items()}
        )
    if terminology.value_sets:
        tree["value_sets"] = Keyed(
            {code: {"id": code, "members": list(each)} for code, each in terminology.value_sets.items()}
        )
    return tree | dict(terminology.other)


def _codes(items: Mapping[str, TermDefinition]) -> Keyed:
    return Keyed({code: _definition(term) for code, term in items.items()})


def _targets(items: Mapping[str, str]) -> Keyed:
    return Keyed({code: _target(target) for code, target in items.items()})


def _definitions(terms: Terms) -> Keyed:
    return Keyed({language: {"items": _codes(items)} for language, items in terms.items()})


def _definition(term: TermDefinition) -> dict[str, str]:
    return {"text": term.text, "description": term.description, **term.other}


def _bindings(bindings: Bindings) -> Keyed:
    return Keyed({name: {"items": _targets(items)} for name, items in bindings.items()})


def _target(target: str) -> str:
    """Codes and URIs stand without quotes where they can be read again."""
    if kind_of(target) == "code":
        return Code(target)
    return Literal(target) if "://" in target and kind_of(target) == "uri" else target
