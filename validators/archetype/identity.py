"""Rules about the archetype as a whole: identifier, concept, parent, language, description."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.archetype import ArchetypeId
from archetypes.findings import Finding
from archetypes.terminology import terminology
from validators.archetype.subject import Subject, depth_of, finding


def check_identifier(subject: Subject) -> Iterator[Finding]:
    """VARID: the id has the form that openEHR gives it (ADL 1.4, Global Archetype Identifier Validity)."""
    archetype_id = subject.archetype.archetype_id
    if _parsed(archetype_id) is None:
        yield finding("VARID", "/archetype_id", expected="openEHR-EHR-CLASS.concept.vN", found=archetype_id)


def check_concept(subject: Subject) -> Iterator[Finding]:
    """VARCN: the concept code is the root's and has a term (ADL 1.4, Archetype concept validity)."""
    concept = subject.archetype.concept
    root = subject.archetype.definition
    if concept not in subject.defined_terms:
        yield finding("VARCN", "/concept", expected="term_definitions", found=concept)
    elif root.node_id != concept:
        yield finding("VARCN", "/concept", expected=root.node_id, found=concept, span=root.span)


def check_root_type(subject: Subject) -> Iterator[Finding]:
    """VARDT: the root is of the class that the id names (ADL 1.4, definition typename validity)."""
    parsed = _parsed(subject.archetype.archetype_id)
    root = subject.archetype.definition
    if parsed is not None and parsed.rm_class != root.rm_type_name:
        yield finding("VARDT", "/", expected=parsed.rm_class, found=root.rm_type_name, span=root.span)


def check_description(subject: Subject) -> Iterator[Finding]:
    """VARD: there is a description (AOM 1.4, ARCHETYPE, Description_valid; AOM 2, VARD)."""
    if not subject.archetype.description:
        yield finding("VARD", "/description")


def check_original_language(subject: Subject) -> Iterator[Finding]:
    """VDEOL: the original language is stated and known (AOM 1.4, ARCHETYPE, Original_language_valid)."""
    archetype = subject.archetype
    if "original_language" not in archetype.language:
        yield finding("VDEOL", "/language/original_language", expected="ISO_639-1")
    elif not _is_language(archetype.original_language):
        found = archetype.original_language
        yield finding("VDEOL", "/language/original_language", expected="ISO_639-1", found=found)


def check_parent_id(subject: Subject) -> Iterator[Finding]:
    """VASID: the parent has an archetype id of another archetype and of the same class (AOM 2, VASID)."""
    parent_id = subject.archetype.parent_id
    if parent_id is None:
        return
    own, parent = _parsed(subject.archetype.archetype_id), _parsed(parent_id)
    if parent is None:
        yield finding("VASID", "/specialise", expected="openEHR-EHR-CLASS.concept.vN", found=parent_id)
    elif own is not None and (own.model, own.rm_class) != (parent.model, parent.rm_class):
        yield finding("VASID", "/specialise", expected=f"{own.model}-{own.rm_class}", found=parent_id)


def check_specialisation_cycle(subject: Subject) -> Iterator[Finding]:
    """No archetype is among its own parents (AOM 1.4, ARCHETYPE, parent_archetype_id)."""
    line = subject.lineage
    start = subject.archetype.archetype_id
    if line and (line[-1] == start or line[-1] in line[:-1]):
        yield finding("archetype.specialisation_cycle", "/specialise", found=" > ".join([start, *line]))


def check_specialisation_depth(subject: Subject) -> Iterator[Finding]:
    """VACSD: one level deeper than the parent (AOM 1.4, Specialisation_validity; AOM 2, VACSD)."""
    archetype = subject.archetype
    if archetype.parent_id is None:
        return
    depth = depth_of(archetype.concept)
    if subject.parent is None:
        if depth == 0:
            yield finding("VACSD", "/concept", expected="at0000.1", found=archetype.concept)
        return
    expected = depth_of(subject.parent.concept) + 1
    if depth != expected:
        code = "at0000" + ".1" * expected
        yield finding("VACSD", "/concept", expected=code, found=archetype.concept)


def _parsed(archetype_id: str) -> ArchetypeId | None:
    try:
        return ArchetypeId.parse(archetype_id)
    except ValueError:
        return None


def _is_language(code: str) -> bool:
    """ISO 639-1, with or without a country (``es-ar``)."""
    languages = terminology().code_sets["languages"]
    return code in languages or code.partition("-")[0] in languages
