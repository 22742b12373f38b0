"""Codes of the archetype, and the name of its concept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archetypes.aom.constraints import Terms
from archetypes.findings import Finding
from validators.archetype.subject import Subject, at, depth_of, finding

_CONCEPT = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:-[a-z0-9]+(?:_[a-z0-9]+)*)*")
_CODE = re.compile(r"\b(?:a[tc]|id)\d[\d.]*\b")


def check_unused_codes(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Each defined code is used (ADL 1.4, Ontology Section).

    In a specialised archetype codes of its parents are left alone: they belong to nodes that it leaves out.
    """
    archetype = subject.archetype
    terminology = archetype.terminology
    elsewhere = set(_CODE.findall(archetype.invariants)) | set(_CODE.findall(str(archetype.annotations)))
    elsewhere |= {member for members in terminology.value_sets.values() for member in members}
    elsewhere |= set(_CODE.findall(str(archetype.rm_overlay)))
    used = {*subject.used_terms, *subject.used_constraints, archetype.concept, *elsewhere}
    depth = depth_of(archetype.concept) if archetype.parent_id is not None else 0
    sections = (("term_definitions", terminology.terms), ("constraint_definitions", terminology.constraints))
    for section, definitions in sections:
        language = archetype.original_language
        for code in dict.fromkeys(code for codes in definitions.values() for code in codes):
            if code not in used and depth_of(code) >= depth:
                where = language if code in definitions.get(language, {}) else _holder(definitions, code)
                path = f"/ontology/{section}[{where}]/items[{code}]"
                params = {"section": section, "code": code}
                yield finding("lint.code_unused", path, found=code, params=params)


def check_reused_codes(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """A node code names one place; ADL 1.4 allows more, ADL 2 does not (AOM 2, VCOSU)."""
    first: dict[str, str] = {}
    for place in subject.places if not subject.archetype.is_adl2 else ():
        owner = place.path.rpartition("/")[0]
        code = place.node.node_id
        if code and first.setdefault(code, owner) != owner:
            yield at(place, "lint.code_reused", expected=first[code] or "/", found=code)


def check_concept_form(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """The concept of the id is lower case words joined by ``_`` (Archetype Identification, concept_id)."""
    concept = subject.archetype.archetype_id.partition(".")[2].rpartition(".v")[0]
    if _CONCEPT.fullmatch(concept) is None:
        yield finding("lint.concept_form", "/archetype_id", expected="blood_pressure", found=concept)


def _holder(definitions: Terms, code: str) -> str:
    return next((language for language, codes in definitions.items() if code in codes), "")
