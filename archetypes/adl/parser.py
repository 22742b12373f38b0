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
from archetypes.aom.constraints import TermDefinition

MAX_BYTES = 4 * 1024 * 1024

_SECTIONS = re.compile(
    r'"(?:\\.|[^"\\])*(?:"|\Z)|--[^\n]*'
    r"|^[ \t]*(?P<section>archetype|speciali[sz]e|concept|language|description|definition|invariant|rules"
    r"|ontology|annotations|revision_history)[ \t]*(?=\r?$|\n|\(|--)",
    re.MULTILINE | re.DOTALL,
)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*(?:"|\Z))|--[^\n]*', re.DOTALL)
_HEADER = re.compile(r"\s*(?:\((?P<meta>[^)]*)\))?\s*(?P<id>\S+)\s*")
_ID = re.compile(r"(?:[\w.\-]+::)?[A-Za-z]\w*-\w+-\w+\.[\w\-]+\.v[\w.\-]+")
_CONCEPT = re.compile(r"\[\s*(at\d[\d.]*)\s*\]")

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
        concept=_concept(place, sections["concept"]),
        definition=parse_definition(TokenStream(place, *sections["definition"])),
        terminology=_terminology(place, sections),
        adl_version=str(header.get("adl_version", "1.4")),
        header=header,
        parent_id=_parent(place, sections),
        language=_odin(place, sections, "language"),
        description=_odin(place, sections, "description"),
        invariants=_text(place, sections["invariant"]) if "invariant" in sections else "",
        annotations=_odin(place, sections, "annotations"),
        revision_history=_odin(place, sections, "revision_history"),
    )


def _cut(place: SourceText) -> dict[str, Span]:
    """Where each section's content lies; keywords inside strings and comments do not count."""
    marks = []
    for found in _SECTIONS.finditer(place.text):
        if found["section"]:
            marks.append(found)
        elif found.group().startswith('"') and not _STRING.fullmatch(found.group()):
            raise place.error("the quoted text does not end", found.start())
    ends = [*(m.start() for m in marks), len(place.text)][1:]
    sections: dict[str, Span] = {}
    # What stands before the first section would be lost otherwise.
    _nothing_before(place, marks[0].start() if marks else len(place.text))
    for mark, end in zip(marks, ends, strict=True):
        name = {"specialize": "specialise", "rules": "invariant"}.get(mark["section"], mark["section"])
        if name in sections:
            raise place.error(f"a second section {name!r}", mark.start("section"))
        sections[name] = (mark.end(), end)
    return sections


def _nothing_before(place: SourceText, end: int) -> None:
    if _text(place, (0, end)):
        raise place.error("expected the section 'archetype'", 0)


def _text(place: SourceText, span: Span) -> str:
    text = _COMMENT.sub(lambda match: match[1] or "", place.text[slice(*span)])
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _header(place: SourceText, span: Span) -> tuple[dict[str, Any], str]:
    """['(' name ['=' value] (';' ...)* ')'] archetype id"""
    match = _HEADER.fullmatch(_text(place, span))
    if match is None or _ID.fullmatch(match["id"]) is None:
        raise place.error("expected an archetype id", span[0])
    header: dict[str, Any] = {}
    for item in (match["meta"] or "").split(";"):
        key, _, value = item.partition("=")
        if key.strip():
            header[key.strip()] = value.strip() or True
    if not str(header.get("adl_version", "1.4")).startswith("1."):
        raise place.error("only ADL 1.4 is supported", span[0])
    return header, match["id"]


def _parent(place: SourceText, sections: Mapping[str, Span]) -> str | None:
    if "specialise" not in sections:
        return None
    parent = _text(place, sections["specialise"])
    if _ID.fullmatch(parent) is None:
        raise place.error("expected an archetype id", sections["specialise"][0])
    return parent


def _concept(place: SourceText, span: Span) -> str:
    match = _CONCEPT.fullmatch(_text(place, span))
    if match is None:
        raise place.error("expected the code of the concept, such as [at0000]", span[0])
    return match[1]


def _odin(place: SourceText, sections: Mapping[str, Span], name: str) -> dict[str, Any]:
    return read_odin(TokenStream(place, *sections[name])) if name in sections else {}


_TERMINOLOGY = ("term_definitions", "constraint_definitions", "term_bindings", "constraint_bindings")


def _terminology(place: SourceText, sections: Mapping[str, Span]) -> ArchetypeTerminology:
    tree = _odin(place, sections, "ontology")
    terms, constraints, term_bindings, constraint_bindings = (tree.get(name, {}) for name in _TERMINOLOGY)
    try:
        return ArchetypeTerminology(
            terms={language: _codes(body) for language, body in terms.items()},
            constraints={language: _codes(body) for language, body in constraints.items()},
            term_bindings={name: _targets(body) for name, body in term_bindings.items()},
            constraint_bindings={name: _targets(body) for name, body in constraint_bindings.items()},
            other={name: value for name, value in tree.items() if name not in _TERMINOLOGY},
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise place.error(f"not a terminology: {error}", sections["ontology"][0]) from error


def _items(body: Any) -> Mapping[str, Any]:
    """The members of ``items = <...>``, which must be alone."""
    if not isinstance(body, dict) or set(body) - {"items"}:
        raise ValueError("each language and terminology holds items and nothing else")
    items = body.get("items", {})
    if not isinstance(items, dict):
        raise ValueError("items without keys")
    return items


def _codes(body: Any) -> dict[str, TermDefinition]:
    return {code: _term(code, item) for code, item in _items(body).items()}


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


def _targets(body: Any) -> dict[str, str]:
    return {code: _scalar(code, target) for code, target in _items(body).items()}
