"""Texts: there in each language, translated, and written with care."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archetypes.findings import Finding
from validators.archetype.lint.texts import INTERNAL, Text, details, texts
from validators.archetype.lint.wording_repair import mended_punctuation, mended_spaces
from validators.archetype.subject import Subject, finding

_UNTRANSLATED = re.compile(r"\s*\*.*\([a-z]{2,3}(?:-[A-Za-z]{2,4})?\)\s*", re.DOTALL)
_ABBREVIATION = re.compile(r"(?:\b\w{1,4}|\.\w+)\.$")


def check_languages(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Each wanted language has texts of codes and a description (AOM 1.4, ARCHETYPE_ONTOLOGY)."""
    archetype = subject.archetype
    for language in languages:
        if language not in archetype.terminology.terms:
            yield finding("lint.language_missing", "/ontology/term_definitions", expected=language)
        elif language not in details(archetype):
            yield finding("lint.language_missing", "/description/details", expected=language)


def check_texts_present(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Each code of the definition has a text (AOM 1.4, ARCHETYPE_TERM, keys text and description)."""
    for language in languages:
        terms = subject.archetype.terminology.terms.get(language)
        if terms is None:
            continue
        for code in subject.used_terms:
            if code not in subject.defined_terms:
                continue  # VATDF says so already
            if code not in terms or not terms[code].text.strip():
                path = f"/ontology/term_definitions[{language}]/items"
                params = {"section": "term_definitions", "language": language, "code": code}
                yield finding("lint.text_missing", path, expected=code, found=language, params=params)


def check_translated(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """No text is a mark of tools for "not yet translated", such as ``*Weight(en)``.

    Nobody reads the mark of structure nodes, so that it needs no translation.
    """
    for text in texts(subject.archetype):
        if text.language not in languages or INTERNAL in text.value:
            continue
        if _UNTRANSLATED.fullmatch(text.value):
            yield text.finding("lint.untranslated", expected=text.language)
    for language, detail in details(subject.archetype).items():
        for keyword in _list(detail.get("keywords")) if language in languages else ():
            if _UNTRANSLATED.fullmatch(keyword):
                path = f"/description/details[{language}]/keywords"
                yield finding("lint.untranslated", path, expected=language, found=keyword)


def check_spaces(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """No blanks at the ends of a text, and no two in a row."""
    for text in _of_people(subject, languages):
        mended = mended_spaces(text.value)
        if mended != text.value:
            yield text.finding("lint.spaces", expected=_first_difference(text.value, mended))


def check_punctuation(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """No blank before a comma or full stop, no full stop twice."""
    for text in _of_people(subject, languages):
        mended = mended_punctuation(text.value)
        if mended != text.value:
            yield text.finding("lint.punctuation", expected=_first_difference(text.value, mended))


def check_names(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """The name of a node is a name: one line, no full stop at its end."""
    nodes = {place.node.node_id for place in subject.places}
    for text in _of_people(subject, languages):
        if text.member != "text" or text.code not in nodes:
            continue
        name = text.value.strip()
        if "\n" in name or (name.endswith(".") and not _ABBREVIATION.search(name)):
            yield text.finding("lint.name_form")


def _of_people(subject: Subject, languages: tuple[str, ...]) -> Iterator[Text]:
    """The texts in these languages, without the mark of structure nodes."""
    return (
        text for text in texts(subject.archetype) if text.language in languages and text.value != INTERNAL
    )


def _list(value: Any) -> list[str]:
    """The keywords, of which ODIN may hold one, several or none."""
    members = value if isinstance(value, list | tuple) else [value]
    return [member for member in members if isinstance(member, str)]


def _first_difference(text: str, mended: str) -> str:
    """The mended text around the first place that differs."""
    position = next((i for i, (a, b) in enumerate(zip(text, mended, strict=False)) if a != b), len(mended))
    start = max(0, position - 20)
    return ("…" if start else "") + mended[start : position + 20].replace("\n", " ")
