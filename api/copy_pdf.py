"""Her copy of the card as PDF: entry by entry, each value with its name, for reading on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from cdr.her_copy import Entry, HerCopy
from cdr.versions import text_at

PDF = "application/pdf"
FONT, BOLD = "Vera", "VeraBd"  # come with the library, so that no machine needs to have them
_FOLDER = Path(reportlab.__file__).parent / "fonts"
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9, leading=12)
_TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=15, leading=20)
_HEADING = ParagraphStyle("heading", fontName=BOLD, fontSize=11, leading=15, spaceBefore=10)
_SECTION = ParagraphStyle("section", fontName=BOLD, fontSize=9, leading=12, spaceBefore=4)

Line = tuple[int, str, str]  # depth, name, value; no value for what holds others


def copy_pdf(copy: HerCopy, texts: Mapping[str, str], language: str) -> bytes:
    """The PDF of a copy; ``texts`` are those of ``consent_texts`` in the language."""
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, _FOLDER / f"{name}.ttf"))
    written = BytesIO()
    page = SimpleDocTemplate(
        written,
        pagesize=A4,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=texts["copy_title"],
        lang=language,
        author="Helsekort CDR",
    )
    page.build(list(_story(copy, texts)))
    return written.getvalue()


def _story(copy: HerCopy, texts: Mapping[str, str]) -> Iterator[Paragraph | Spacer]:
    yield _paragraph(texts["copy_title"], _TITLE)
    yield _paragraph(texts["copy_made"].format(at=f"{copy.made:%d.%m.%Y %H:%M} UTC"), _TEXT)
    if not copy.with_total:
        yield _paragraph(texts["copy_unsaid"], _TEXT)
    if not copy.entries:
        yield _paragraph(texts["no_entries"], _TEXT)
    for entry in copy.entries:
        yield from _entry(entry, texts)


def _entry(entry: Entry, texts: Mapping[str, str]) -> Iterator[Paragraph]:
    data = entry.composition
    name = text_at(data, "name", "value") or ""
    start = text_at(data, "context", "start_time", "value") or ""
    yield _paragraph(f"{name} {start[:16].replace('T', ' ')}", _HEADING)
    who = [text_at(data, "composer", "name"), text_at(data, "context", "health_care_facility", "name")]
    said = texts["copy_version"].format(
        at=f"{entry.committed:%d.%m.%Y}", who=", ".join(filter(None, who)) or "-"
    )
    yield _paragraph(said, _TEXT)
    for depth, label, value in readable(data, texts):
        style = _TEXT if value else _SECTION
        shown = f"{label}: {value}" if value else label
        yield _paragraph(shown, style, indent=depth * 8)


def readable(node: Any, texts: Mapping[str, str], depth: int = 0) -> Iterator[Line]:
    """Names and values of a composition in their order, as lines."""
    if isinstance(node, list):
        for member in node:
            yield from readable(member, texts, depth)
    elif isinstance(node, dict):
        value = node.get("value")
        if node.get("_type") == "ELEMENT" and isinstance(value, dict):
            yield depth, str(text_at(node, "name", "value")), value_text(value, texts)
            return
        below = [member for key, member in node.items() if key not in ("name", "archetype_details")]
        named = node.get("_type") in (
            "SECTION",
            "OBSERVATION",
            "EVALUATION",
            "ACTION",
            "ADMIN_ENTRY",
            "CLUSTER",
        )
        lines = [line for member in below for line in readable(member, texts, depth + named)]
        if named and lines:
            yield depth, str(text_at(node, "name", "value")), ""
        yield from lines


def value_text(value: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """A data value as people write it."""
    kind = value.get("_type", "")
    if kind == "DV_BOOLEAN":
        return texts["yes" if value.get("value") else "no"]
    if kind == "DV_QUANTITY":
        return f"{value.get('magnitude')} {value.get('units', '')}"
    if kind == "DV_PROPORTION":
        return f"{value.get('numerator'):g} / {value.get('denominator'):g}"
    if kind in ("DV_ORDINAL", "DV_SCALE"):
        return str(text_at(value, "symbol", "value"))
    if kind.startswith("DV_INTERVAL"):
        ends = [value_text(value[end], texts) if end in value else "" for end in ("lower", "upper")]
        return " - ".join(ends)
    return next((str(value[name]) for name in ("value", "magnitude", "id", "uri") if name in value), "")


def _paragraph(text: str, style: ParagraphStyle, *, indent: int = 0) -> Paragraph:
    placed = ParagraphStyle(style.name, parent=style, leftIndent=indent) if indent else style
    return Paragraph("<br/>".join(escape(_printable(line)) for line in text.split("\n")), placed)


def _printable(text: str) -> str:
    """Signs that the font has not are named by their number, so that none is silently lost."""
    glyphs = pdfmetrics.getFont(FONT).face.charToGlyph
    return "".join(sign if ord(sign) in glyphs else f"[U+{ord(sign):04X}]" for sign in text)
