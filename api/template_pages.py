"""Readable pages on templates, for people who connect a system: every field, and examples to copy.

Plain HTML that opens offline and needs no script. Labels are Norwegian or English; FLAT paths do not
change with the language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote

import orjson
from lxml import etree, html
from lxml.html.builder import E

from templates.errors import NoExample
from templates.example import example_composition
from templates.field_guide import Part, Row, field_guide
from templates.operational import OperationalTemplate
from templates.simplified import to_flat, to_structured

INDEX_PATH = "/docs/templates"

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a2b3c; background: #fff; }
a { color: #00538a; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccd5dc; }
th { position: sticky; top: 0; background: #eef2f5; }
tr.heading td { background: #f6f8f9; font-weight: 600; }
code { overflow-wrap: anywhere; }
.note { color: #45566a; font-size: .9rem; }
pre { background: #f6f8f9; padding: 1rem; overflow-x: auto; max-height: 30rem; }
ul.codes { margin: .2rem 0; padding-left: 1.1rem; }
@media print { th { position: static; } pre { max-height: none; } }
"""

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "nb": {
            "title": "Maler",
            "intro": "En side per mal: hvert felt med FLAT-sti, type, enheter, koder og antall, og et utfylt "
            "eksempel å kopiere.",
            "start": "Til forsiden",
            "api": "API-dokumentasjon",
            "other": "In English",
            "template": "Mal",
            "document": "Dokument",
            "archetype": "Arketype",
            "fields": "Felt",
            "field": "Felt",
            "path": "FLAT-sti",
            "type": "Type",
            "value": "Verdi",
            "times": "Antall",
            "card": "Kortfelt",
            "open": "eller en annen tekst",
            "provisional": "Foreløpig: egne koder står for {} til listen er lastet inn.",
            "default": "forslag",
            "duration": "ISO 8601-varighet, for eksempel P24W3D",
            "context": "Hvem, når og hvor sies med ctx/-nøklene øverst i eksemplet. "
            "Indekser (:0) teller fra 0.",
            "examples": "Utfylt eksempel",
            "meaningless": "Gyldig etter malen; verdiene betyr ingenting.",
            "no_example": "Det finnes ikke noe eksempel",
        },
        "en": {
            "title": "Templates",
            "intro": "One page a template: every field with FLAT path, type, units, codes and "
            "occurrences, and a filled example to copy.",
            "start": "Start page",
            "api": "API documentation",
            "other": "På norsk",
            "template": "Template",
            "document": "Document",
            "archetype": "Archetype",
            "fields": "Fields",
            "field": "Field",
            "path": "FLAT path",
            "type": "Type",
            "value": "Value",
            "times": "Times",
            "card": "Card field",
            "open": "or another text",
            "provisional": "Provisional: codes of our own stand for {} until that list is loaded.",
            "default": "suggested",
            "duration": "ISO 8601 duration, such as P24W3D",
            "context": "Who, when and where are said by the ctx/ keys at the top of the example. "
            "An index (:0) counts from 0.",
            "examples": "Filled example",
            "meaningless": "Valid by the template; the values mean nothing.",
            "no_example": "There is no example",
        },
    }
)
# What is filled in, in the reader's words; the rest is named as clients know it.
_TYPES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "nb": {
            "TEXT": "tekst",
            "CODED_TEXT": "kode",
            "INTEGER": "heltall",
            "DECIMAL": "tall",
            "BOOLEAN": "true eller false",
            "DATE": "dato",
            "TIME": "klokkeslett",
            "DATETIME": "tidspunkt",
        },
        "en": {
            "TEXT": "text",
            "CODED_TEXT": "code",
            "INTEGER": "whole number",
            "DECIMAL": "number",
            "BOOLEAN": "true or false",
            "DATE": "date",
            "TIME": "time of day",
            "DATETIME": "date and time",
        },
    }
)
_OTHER = {"nb": "en", "en": "nb"}


def index_page(templates: Iterable[OperationalTemplate], language: str) -> bytes:
    """The list of templates as HTML (UTF-8)."""
    words = _WORDS[language]
    rows = [
        E.tr(
            E.td(E.a(opt.concept, href=f"{_place(opt)}?language={language}")),
            E.td(E.code(opt.template_id)),
            E.td(E.code(opt.definition.archetype_id)),
            E.td(opt.description.get("purpose", "")),
        )
        for opt in templates
    ]
    head = E.tr(*(E.th(words[name]) for name in ("document", "template", "archetype")), E.th(""))
    table = E.table(E.thead(head), E.tbody(*rows))
    return _page(words["title"], language, INDEX_PATH, E.p(words["intro"]), table)


def template_page(opt: OperationalTemplate, language: str) -> bytes:
    """One template as HTML (UTF-8)."""
    words = _WORDS[language]
    about = [E.p(E.code(opt.template_id), f" ({opt.definition.archetype_id})")]
    about += [E.p(opt.description[name]) for name in ("purpose", "use") if opt.description.get(name)]
    head = E.tr(*(E.th(words[name]) for name in ("field", "path", "type", "times", "value", "card")))
    rows = [_row(row, words, _TYPES[language]) for row in field_guide(opt, language)]
    return _page(
        opt.concept,
        language,
        _place(opt),
        *about,
        E.h2(words["fields"]),
        E.p(words["context"], {"class": "note"}),
        E.table(E.thead(head), E.tbody(*rows)),
        E.h2(words["examples"]),
        *_examples(opt, words),
    )


# --- parts of a page ------------------------------------------------------------------------------------


def _page(title: str, language: str, path: str, *content: etree._Element) -> bytes:
    words = _WORDS[language]
    ways = [
        E.a(words["start"], href="/"),
        E.a(words["title"], href=f"{INDEX_PATH}?language={language}"),
        E.a(words["api"], href="/docs"),
        E.a(words["other"], href=f"{path}?language={_OTHER[language]}"),
    ]
    nav = E.nav()
    for way in ways:
        way.tail = " · "
        nav.append(way)
    ways[-1].tail = None
    document = E.html(
        E.head(
            E.meta(charset="utf-8"),
            E.meta(name="viewport", content="width=device-width, initial-scale=1"),
            E.title(f"{title} – Helsekort CDR"),
            E.link(rel="icon", href="/static/icon.svg", type="image/svg+xml"),
            E.style(_STYLE),
        ),
        E.body(nav, E.main(E.h1(title), *content)),
        lang=language,
    )
    page: bytes = html.tostring(document, encoding="utf-8", doctype="<!doctype html>")
    return page


def _place(opt: OperationalTemplate) -> str:
    return f"{INDEX_PATH}/{quote(opt.template_id, safe='')}"


def _row(row: Row, words: Mapping[str, str], types: Mapping[str, str]) -> etree._Element:
    label = E.td(row.label, style=f"padding-left: {0.5 + row.depth}rem")
    if row.description:
        label.append(E.div(row.description, {"class": "note"}))
    if row.provisional:
        label.append(E.div(words["provisional"].format(row.provisional), {"class": "note"}))
    cells = [label, E.td(E.code(row.path)), E.td(row.rm_type), E.td(row.occurrences)]
    cells += [E.td(*(_part(part, words, types) for part in row.parts)), E.td(row.card_fields)]
    line: etree._Element = E.tr(*cells)
    if not row.parts:
        line.set("class", "heading")
    return line


def _part(part: Part, words: Mapping[str, str], types: Mapping[str, str]) -> etree._Element:
    """Suffix, what it takes, and its codes."""
    said = [words["duration"] if part.type == "DURATION" else types[part.type], part.limits]
    if part.default:
        said.append(f"{words['default']}: {part.default}")
    if part.is_open:
        said.append(words["open"])
    division: etree._Element = E.div(
        E.code(f"|{part.suffix}" if part.suffix else "="), " ", ", ".join(filter(None, said))
    )
    if part.codes:
        codes = (E.li(E.code(value), f" {label}" if label != value else "") for value, label in part.codes)
        division.append(E.ul(*codes, {"class": "codes"}))
    return division


def _examples(opt: OperationalTemplate, words: Mapping[str, str]) -> list[etree._Element]:
    try:
        made = example_composition(opt)
    except NoExample as error:
        return [E.p(f"{words['no_example']}: {error.reason}")]
    forms = {"FLAT": to_flat(opt, made), "STRUCTURED": to_structured(opt, made), "JSON": made}
    shown = [E.p(words["meaningless"], {"class": "note"})]
    for position, (name, form) in enumerate(forms.items()):
        text = orjson.dumps(form, option=orjson.OPT_INDENT_2).decode()
        details = E.details(E.summary(name), E.pre(E.code(text)))
        if position == 0:
            details.set("open", "open")
        shown.append(details)
    return shown
