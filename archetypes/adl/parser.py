"""ADL 1.4 text to :class:`Archetype`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archetypes.adl.cadl import parse_definition
from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import read_odin
from archetypes.adl.source import SourceText
from archetypes.aom.archetype import Archetype, ArchetypeTerminology
from archetypes.aom.constraints import Bindings, TermDefinition, Terms
from archetypes.errors import AdlSyntaxError

MAX_BYTES = 4 * 1024 * 1024

_SECTIONS = re.compile(
    r'"(?:\\.|[^"\\])*"|--[^\n]*'
    r"|^[ \t]*(?P<section>archetype|speciali[sz]e|concept|language|description|definition|invariant|rules"
    r"|ontology|annotations|revision_history)[ \t]*(?=\r?$|\n|\(|--)",
    re.MULTILINE,
)
_META = re.compile(r"\(([^)]*)\)")
_ID = re.compile(r"[A-Za-z]\w*(?:::)?[\w.]*-\w+-\w+\.[\w\-]+\.v[\w.\-]+")

Span = tuple[int, int]


def parse_adl(text: str, source: str = "") -> Archetype:
    """Read an ADL 1.4 archetype; ``source`` is the file's name in errors.

    Raises AdlSyntaxError with line, column and caret.
    """
    place = SourceText(text.removeprefix("\ufeff"), source or "archetype")
    if len(text) > MAX_BYTES:
        raise place.error(f"more than {MAX_BYTES} characters", 0)
    sections = _cut(place)
    for needed in ("archetype", "concept", "definition", "ontology"):
        if needed not in sections:
            raise place.error(f"the section {needed!r} is missing", max(0, len(place.text) - 1))
    header, archetype_id = _header(place, sections["archetype"])
    return Archetype(
        archetype_id=archetype_id,
        concept=_text(place, sections["concept"]).strip("[] \t\r\n"),
        definition=parse_definition(TokenStream(place, *sections["definition"])),
        terminology=_terminology(_odin(place, sections, "ontology")),
        adl_version=str(header.get("adl_version", "1.4")),
        header=header,
        parent_id=_text(place, sections["specialise"]) or None if "specialise" in sections else None,
        language=_odin(place, sections, "language"),
        description=_odin(place, sections, "description"),
        invariants=_text(place, sections["invariant"]) if "invariant" in sections else "",
        annotations=_odin(place, sections, "annotations"),
    )


def _cut(place: SourceText) -> dict[str, Span]:
    """Where each section's content lies; keywords inside strings and comments do not count."""
    marks = [m for m in _SECTIONS.finditer(place.text) if m["section"]]
    ends = [m.start() for m in marks[1:]] + [len(place.text)]
    sections: dict[str, Span] = {}
    for mark, end in zip(marks, ends, strict=True):
        name = {"specialize": "specialise", "rules": "invariant"}.get(mark["section"], mark["section"])
        if name in sections:
            raise place.error(f"a second section {name!r}", mark.start("section"))
        sections[name] = (mark.end(), end)
    return sections


def _text(place: SourceText, span: Span) -> str:
    lines = place.text[slice(*span)].splitlines()
    return "\n".join(re.sub(r"--.*", "", line).rstrip() for line in lines).strip()


def _header(place: SourceText, span: Span) -> tuple[dict[str, Any], str]:
    text = place.text[slice(*span)]
    meta = _META.match(text.lstrip())
    archetype_id = _ID.search(text)
    if archetype_id is None:
        raise place.error("the archetype id is missing", span[0])
    header: dict[str, Any] = {}
    for item in meta[1].split(";") if meta else ():
        key, _, value = item.partition("=")
        header[key.strip()] = value.strip() or True
    return header, archetype_id.group()


def _odin(place: SourceText, sections: Mapping[str, Span], name: str) -> dict[str, Any]:
    return read_odin(TokenStream(place, *sections[name])) if name in sections else {}


def _terminology(tree: Mapping[str, Any]) -> ArchetypeTerminology:
    return ArchetypeTerminology(
        terms=_terms(tree.get("term_definitions") or tree.get("terminologies_available") or {}),
        constraints=_terms(tree.get("constraint_definitions") or {}),
        term_bindings=_bindings(tree.get("term_bindings") or {}),
        constraint_bindings=_bindings(tree.get("constraint_bindings") or {}),
    )


def _terms(tree: Any) -> Terms:
    if not isinstance(tree, dict):
        return {}
    return {language: _codes(body) for language, body in tree.items()}


def _codes(body: Mapping[str, Any]) -> dict[str, TermDefinition]:
    return {code: _term(item) for code, item in (body.get("items") or {}).items()}


def _term(item: Mapping[str, Any]) -> TermDefinition:
    other = {name: str(value) for name, value in item.items() if name not in ("text", "description")}
    return TermDefinition(str(item.get("text", "")), str(item.get("description", "")), other)


def _bindings(tree: Any) -> Bindings:
    if not isinstance(tree, dict):
        return {}
    return {
        name: {code: str(target) for code, target in (body.get("items") or {}).items()}
        for name, body in tree.items()
    }


__all__ = ["AdlSyntaxError", "parse_adl"]
