"""Repairs of what the lint finds, where a machine can make them without asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import Bindings, TermDefinition, Terms
from archetypes.findings import Finding
from validators.archetype.lint.wording_repair import mended_punctuation, mended_spaces

Params = Mapping[str, str]


def repairs(archetype: Archetype, findings: Iterable[Finding]) -> Archetype:
    """The archetype with everything repaired that can be; findings without a repair change nothing.

    Repaired are blanks, punctuation, missing translations (``*text(en)``, which the lint then shows as not
    translated) and unused codes. Never touched are the definition, and what data are checked against.
    """
    # A code that is added in one language and unused is removed from all.
    ordered = sorted(findings, key=lambda found: found.code == "lint.code_unused")
    for found in ordered:
        repair = _REPAIRS.get(found.code)
        if repair is not None:
            archetype = repair(archetype, found.params)
    return archetype


def is_repairable(found: Finding) -> bool:
    """True if :func:`repairs` removes this finding."""
    return found.code in _REPAIRS and bool(found.params)


def _mend_spaces(archetype: Archetype, place: Params) -> Archetype:
    return _with_text(archetype, place, mended_spaces)


def _mend_punctuation(archetype: Archetype, place: Params) -> Archetype:
    return _with_text(archetype, place, mended_punctuation)


def _with_text(archetype: Archetype, place: Params, mend: Callable[[str], str]) -> Archetype:
    language, member = place["language"], place["member"]
    if place["section"] == "details":
        mended = _mended_tree(archetype.description, ("details", language, member), mend)
        return replace(archetype, description=mended)
    definitions = _definitions(archetype, place["section"])
    term = definitions.get(language, {}).get(place["code"])
    if term is None:
        return archetype
    return _with_term(archetype, place, _mended_term(term, member, mend))


def _mended_term(term: TermDefinition, member: str, mend: Callable[[str], str]) -> TermDefinition:
    match member:
        case "text":
            return replace(term, text=mend(term.text))
        case "description":
            return replace(term, description=mend(term.description))
    return replace(term, other={**term.other, member: mend(term.other.get(member, ""))})


def _mended_tree(tree: Any, keys: tuple[str, ...], mend: Callable[[str], str]) -> Any:
    """A copy of an ODIN tree with one text mended; trees are of two kinds, which stay what they are."""
    if not keys:
        return mend(tree) if isinstance(tree, str) else tree
    if not isinstance(tree, Mapping) or keys[0] not in tree:
        return tree
    members = {**tree, keys[0]: _mended_tree(tree[keys[0]], keys[1:], mend)}
    return type(tree)(members) if isinstance(tree, dict) else members


def _add_term(archetype: Archetype, place: Params) -> Archetype:
    """The text of the original language, marked as not translated."""
    original = archetype.original_language
    definitions = _definitions(archetype, place["section"])
    source = definitions.get(original, {}).get(place["code"])
    if source is None or not source.text or place["language"] == original:
        return archetype
    marked = TermDefinition(f"*{source.text}({original})", f"*{source.description}({original})")
    return _with_term(archetype, place, marked)


def _remove_code(archetype: Archetype, place: Params) -> Archetype:
    code = place["code"]
    terminology = archetype.terminology
    if place["section"] == "constraint_definitions":
        changed = replace(
            terminology,
            constraints=_without(terminology.constraints, code),
            constraint_bindings=_unbound(terminology.constraint_bindings, code),
        )
    else:
        changed = replace(
            terminology,
            terms=_without(terminology.terms, code),
            term_bindings=_unbound(terminology.term_bindings, code),
        )
    return replace(archetype, terminology=changed)


def _definitions(archetype: Archetype, section: str) -> Terms:
    terminology = archetype.terminology
    return terminology.constraints if section == "constraint_definitions" else terminology.terms


def _with_term(archetype: Archetype, place: Params, term: TermDefinition) -> Archetype:
    section, language = place["section"], place["language"]
    definitions = _definitions(archetype, section)
    new = {**definitions, language: {**definitions.get(language, {}), place["code"]: term}}
    terminology = archetype.terminology
    if section == "constraint_definitions":
        return replace(archetype, terminology=replace(terminology, constraints=new))
    return replace(archetype, terminology=replace(terminology, terms=new))


def _without(definitions: Terms, code: str) -> Terms:
    return {
        language: {each: term for each, term in codes.items() if each != code}
        for language, codes in definitions.items()
    }


def _unbound(bindings: Bindings, code: str) -> Bindings:
    """Without the code; a terminology that binds nothing is left out."""
    remaining = {
        name: {key: target for key, target in items.items() if key != code}
        for name, items in bindings.items()
    }
    return {name: items for name, items in remaining.items() if items or not bindings[name]}


_REPAIRS: Mapping[str, Callable[[Archetype, Params], Archetype]] = MappingProxyType(
    {
        "lint.spaces": _mend_spaces,
        "lint.punctuation": _mend_punctuation,
        "lint.text_missing": _add_term,
        "VTLC": _add_term,
        "lint.code_unused": _remove_code,
    }
)
