"""An archetype as ADL 1.4 text: ``parse_adl(print_adl(archetype)) == archetype``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archetypes.adl.cadl_printer import print_definition
from archetypes.adl.lexer import kind_of
from archetypes.adl.odin import Code, Keyed, Literal
from archetypes.adl.odin_printer import INDENT, print_odin
from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.aom.constraints import Bindings, TermDefinition, Terms


def print_adl(archetype: Archetype) -> str:
    """The text of an archetype, four blanks a level, lines ended by a line feed.

    Raises TypeError if the archetype holds what ADL 1.4 cannot say (nodes of operational templates).
    """
    lines = [f"archetype{_meta(archetype.header)}", INDENT + archetype.archetype_id]
    if archetype.parent_id is not None:
        lines += ["", "specialise", INDENT + archetype.parent_id]
    lines += ["", "concept", f"{INDENT}[{archetype.concept}]"]
    lines += _odin_section("language", archetype.language)
    lines += _odin_section("description", archetype.description)
    lines += ["", "definition", *print_definition(archetype.definition, 1)]
    if archetype.invariants:
        lines += ["", "invariant", *(INDENT + line.strip() for line in archetype.invariants.splitlines())]
    lines += ["", "ontology", *print_odin(_ontology(archetype.terminology), 1)]
    lines += _odin_section("annotations", archetype.annotations)
    lines += _odin_section("revision_history", archetype.revision_history)
    return "\n".join(lines) + "\n"


def _meta(header: Mapping[str, Any]) -> str:
    if not header:
        return ""
    return f" ({'; '.join(key if value is True else f'{key}={value}' for key, value in header.items())})"


def _odin_section(name: str, tree: Mapping[str, Any]) -> list[str]:
    return ["", name, *print_odin(tree, 1)] if tree else []


def _ontology(terminology: ArchetypeTerminology) -> dict[str, Any]:
    tree = dict(terminology.other)
    parts = (
        ("term_definitions", _definitions(terminology.terms)),
        ("constraint_definitions", _definitions(terminology.constraints)),
        ("term_bindings", _bindings(terminology.term_bindings)),
        ("constraint_bindings", _bindings(terminology.constraint_bindings)),
    )
    return tree | {name: part for name, part in parts if part}


def _definitions(terms: Terms) -> Keyed:
    return Keyed(
        {
            language: {"items": Keyed({code: _definition(term) for code, term in items.items()})}
            for language, items in terms.items()
        }
    )


def _definition(term: TermDefinition) -> dict[str, str]:
    return {"text": term.text, "description": term.description, **term.other}


def _bindings(bindings: Bindings) -> Keyed:
    return Keyed(
        {
            name: {"items": Keyed({code: _target(target) for code, target in items.items()})}
            for name, items in bindings.items()
        }
    )


def _target(target: str) -> str:
    """Codes and URIs stand without quotes where they can be read again."""
    if kind_of(target) == "code":
        return Code(target)
    return Literal(target) if "://" in target and kind_of(target) == "uri" else target
