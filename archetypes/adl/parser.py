"""ADL text of either generation to :class:`Archetype`.

What the header says of ``adl_version`` decides; without it the sections do (``concept`` and ``ontology`` are
of ADL 1.4, ``terminology`` of ADL 2).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from archetypes.adl.cadl import parse_definition
from archetypes.adl.cadl2 import parse_definition2
from archetypes.adl.comments import text_of
from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import read_odin
from archetypes.adl.source import SourceText
from archetypes.adl.terminology import read_component_terminologies, read_ontology, read_terminology
from archetypes.aom.archetype import Archetype, ArtefactKind

MAX_BYTES = 4 * 1024 * 1024

_SECTIONS = re.compile(
    r'"(?:\\.|[^"\\])*(?:"|\Z)|--[^\n]*'
    r"|^[ \t]*(?P<section>archetype|template|template_overlay|operational_template|speciali[sz]e|concept"
    r"|language|description|definition|invariant|rules|rm_overlay|ontology|terminology|annotations"
    r"|component_terminologies|revision_history)[ \t]*(?=\r?$|\n|\(|--)",
    re.MULTILINE | re.DOTALL,
)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*(?:"|\Z))|--[^\n]*', re.DOTALL)
_DASHES = re.compile(r"\s*-{8,}\s*")
_HEADER = re.compile(r"\s*(?:\((?P<meta>[^)]*)\))?\s*(?P<id>\S+)\s*")
_ID = re.compile(r"(?:[\w.\-]+::)?[A-Za-z]\w*-\w+-\w+\.[\w\-]+\.v[\w.+\-]+")
_VERSION = re.compile(r"adl_version\s*=\s*(\d*)")
_KINDS = frozenset(kind.value for kind in ArtefactKind)
_OTHER_SPELLINGS = {"specialize": "specialise", "rules": "invariant"}
_NEEDED = ("concept", "definition", "ontology")
_NEEDED2 = ("definition", "terminology")
_OF_ADL2 = ("rm_overlay", "terminology", "component_terminologies")
_CONCEPT = re.compile(r"\[\s*(at\d[\d.]*)\s*\]")

Span = tuple[int, int]
Comments = list[tuple[int, str]]  # by offset


class _Part(NamedTuple):
    """One artefact of a file: what it is, where each section's content lies, and the comments by section."""

    kind: ArtefactKind
    sections: Mapping[str, Span]
    comments: Mapping[str, tuple[str, ...]]


def parse_adl(text: str, source: str = "") -> Archetype:
    """Read an archetype of ADL 1.4 or ADL 2; ``source`` is the file's name in errors.

    Raises AdlSyntaxError with line, column and caret.
    """
    place = SourceText(text.removeprefix("\ufeff"), source or "archetype")
    if len(text) > MAX_BYTES:
        raise place.error(f"more than {MAX_BYTES} characters", 0)
    first, *others = _parts(place)
    archetype = _archetype(place, first)
    for other in others:
        if first.kind is not ArtefactKind.TEMPLATE or other.kind is not ArtefactKind.TEMPLATE_OVERLAY:
            start = other.sections[other.kind][0]
            raise place.error("a file holds one archetype, or one template with its overlays", start)
    return replace(archetype, overlays=tuple(_archetype(place, other) for other in others))


def _archetype(place: SourceText, part: _Part) -> Archetype:
    is_second = _is_second_generation(place, part)
    _expect(place, part, _NEEDED2 if is_second else _NEEDED)
    header, archetype_id = _header(place, part.sections[part.kind])
    version = str(header.get("adl_version", "2" if is_second else "1.4"))
    read = _read2 if is_second else _read1
    return read(place, part, version, header, archetype_id)


def _is_second_generation(place: SourceText, part: _Part) -> bool:
    start, end = part.sections[part.kind]
    stated = _VERSION.search(place.text, start, end)
    if stated is None:
        return part.kind is not ArtefactKind.ARCHETYPE or "terminology" in part.sections
    if stated[1] not in ("1", "2"):
        raise place.error("only ADL 1.4 and ADL 2 are supported", stated.start())
    return stated[1] == "2"


def _read1(place: SourceText, part: _Part, version: str, header: Mapping[str, Any], name: str) -> Archetype:
    sections = part.sections
    for unknown in _OF_ADL2:
        if unknown in sections:
            raise place.error(f"ADL 1.4 has no section {unknown!r}", sections[unknown][0])
    return Archetype(
        archetype_id=name,
        concept=_concept(place, sections["concept"]),
        definition=parse_definition(TokenStream(place, *sections["definition"])),
        terminology=read_ontology(place, sections["ontology"]),
        adl_version=version,
        header=header,
        revision_history=_odin(place, sections, "revision_history"),
        **_common(place, part),
    )


def _read2(place: SourceText, part: _Part, version: str, header: Mapping[str, Any], name: str) -> Archetype:
    sections = part.sections
    for unknown in ("concept", "ontology", "revision_history"):
        if unknown in sections:
            raise place.error(f"ADL 2 has no section {unknown!r}", sections[unknown][0])
    definition = parse_definition2(TokenStream(place, *sections["definition"]))
    common = _common(place, part)
    return Archetype(
        archetype_id=name,
        concept=definition.node_id,
        definition=definition,
        terminology=read_terminology(place, sections["terminology"]),
        adl_version=version,
        header=header,
        kind=part.kind,
        is_differential=common["parent_id"] is not None,
        rm_overlay=_odin(place, sections, "rm_overlay"),
        component_terminologies=(
            read_component_terminologies(place, sections["component_terminologies"])
            if "component_terminologies" in sections
            else {}
        ),
        **common,
    )


def _common(place: SourceText, part: _Part) -> dict[str, Any]:
    """What both generations write alike."""
    sections = part.sections
    return {
        "parent_id": _parent(place, sections),
        "language": _odin(place, sections, "language"),
        "description": _odin(place, sections, "description"),
        "invariants": _lines(place.text[slice(*sections["invariant"])]) if "invariant" in sections else "",
        "annotations": _odin(place, sections, "annotations"),
        "comments": part.comments,
    }


def _expect(place: SourceText, part: _Part, needed: tuple[str, ...]) -> None:
    for name in needed:
        if name not in part.sections:
            end = max(end for _, end in part.sections.values())
            raise place.error(f"the section {name!r} is missing", max(0, end - 1))


def _parts(place: SourceText) -> list[_Part]:
    """The artefacts of a file; keywords inside strings and comments do not count."""
    marks, comments = _marks(place)
    # What stands before the first section would be lost otherwise.
    _nothing_before(place, marks[0].start() if marks else len(place.text))
    if not marks or marks[0]["section"] not in _KINDS:
        raise place.error("the section 'archetype' is missing", max(0, len(place.text) - 1))
    ends = [*(mark.start() for mark in marks), len(place.text)][1:]
    parts: list[tuple[ArtefactKind, dict[str, Span]]] = []
    for mark, end in zip(marks, ends, strict=True):
        name = _OTHER_SPELLINGS.get(mark["section"], mark["section"])
        if name == ArtefactKind.TEMPLATE_OVERLAY or not parts:
            parts.append((ArtefactKind(name), {}))
        sections = parts[-1][1]
        if name in sections:
            raise place.error(f"a second section {name!r}", mark.start("section"))
        sections[name] = (mark.end(), end)
    parts[0][1][""] = (0, marks[0].start())  # what stands above the first section
    return [_Part(kind, sections, _comments(sections, comments)) for kind, sections in parts]


def _marks(place: SourceText) -> tuple[list[re.Match[str]], Comments]:
    """The headings of the sections, and the comments by their offsets."""
    marks: list[re.Match[str]] = []
    comments: Comments = []
    for found in _SECTIONS.finditer(place.text):
        if found["section"]:
            marks.append(found)
        elif found.group().startswith("--"):
            comments.append((found.start(), found.group()))
        elif not _STRING.fullmatch(found.group()):
            raise place.error("the quoted text does not end", found.start())
    return marks, comments


def _comments(sections: Mapping[str, Span], comments: Comments) -> dict[str, tuple[str, ...]]:
    """Comments by section; those of a definition belong to its nodes, those of rules to their text."""
    told = {name: span for name, span in sections.items() if name not in ("definition", "invariant")}
    said = {name: tuple(_said(comments, span)) for name, span in told.items()}
    return {name: texts for name, texts in said.items() if texts}


def _said(comments: Comments, span: Span) -> Iterator[str]:
    first, end = (bisect_left(comments, (offset,)) for offset in span)
    return (said for _, comment in comments[first:end] if (said := text_of(comment)))


def _nothing_before(place: SourceText, end: int) -> None:
    if _text(place, (0, end)):
        raise place.error("expected the section 'archetype'", 0)


def _text(place: SourceText, span: Span) -> str:
    return _lines(_COMMENT.sub(lambda match: match[1] or "", place.text[slice(*span)]))


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if not _DASHES.fullmatch(line)).strip()


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
