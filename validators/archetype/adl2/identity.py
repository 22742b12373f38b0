"""Rules about an ADL 2 archetype as a whole: identifier, versions, languages, parent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archetypes.aom.archetype import ArtefactKind
from archetypes.aom.node_ids import depth_of
from archetypes.findings import Finding
from validators.archetype import identity
from validators.archetype.subject import Subject, finding

_ID = re.compile(
    r"(?:[A-Za-z][\w.\-]*::)?[A-Za-z]\w*-[A-Za-z]\w*-[A-Z_]+\.[A-Za-z][\w\-]*"
    r"\.v\d+\.\d+\.\d+(?:-(?:rc|alpha|beta)(?:\.\d+)?)?(?:\+[\w.]+)?"
)
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[\-+][\w.\-]+)?")
_ROOT = re.compile(r"(?:id1|at0000)(?:\.1)*")


def check_identifier(subject: Subject) -> Iterator[Finding]:
    """VARID: the id has the form that openEHR gives it, with a version of three parts (AOM 2, VARID)."""
    archetype_id = subject.archetype.archetype_id
    if _ID.fullmatch(archetype_id) is None:
        expected = "openEHR-EHR-CLASS.concept.vN.N.N"
        yield finding("VARID", "/archetype_id", expected=expected, found=archetype_id)


def check_root_code(subject: Subject) -> Iterator[Finding]:
    """VARCN: the code of the root is id1 or at0000, with .1 for each level, and defined (AOM 2, VARCN)."""
    root = subject.archetype.definition
    if _ROOT.fullmatch(root.node_id) is None:
        yield finding("VARCN", "/", expected="id1", found=root.node_id, span=root.span)
    elif root.node_id not in subject.defined_terms:
        yield finding("VARCN", "/", expected="term_definitions", found=root.node_id, span=root.span)


def check_adl_version(subject: Subject) -> Iterator[Finding]:
    """VARAV: the version of ADL is stated in three parts (AOM 2, VARAV)."""
    yield from _stated_version(subject, "VARAV", "adl_version")


def check_rm_release(subject: Subject) -> Iterator[Finding]:
    """VARRV: the release of the reference model is stated in three parts (AOM 2, VARRV)."""
    yield from _stated_version(subject, "VARRV", "rm_release")


def check_description(subject: Subject) -> Iterator[Finding]:
    """VARD: there is a description, but for an overlay, which has that of its template (AOM 2, VARD)."""
    if not _is_overlay(subject):
        yield from identity.check_description(subject)


def check_original_language(subject: Subject) -> Iterator[Finding]:
    """VDEOL: the original language is stated and known (AOM 2, VDEOL)."""
    if not _is_overlay(subject):
        yield from identity.check_original_language(subject)


def check_original_language_defined(subject: Subject) -> Iterator[Finding]:
    """VOLT: the terminology has the original language (AOM 2, validation, phase 1, VOLT)."""
    archetype = subject.archetype
    if not _is_overlay(subject) and archetype.original_language not in archetype.terminology.terms:
        yield finding("VOLT", "/ontology/term_definitions", expected=archetype.original_language)


def check_translations_defined(subject: Subject) -> Iterator[Finding]:
    """VOTM: the terminology has each language of the translations (AOM 2, VOTM)."""
    for language in subject.archetype.language.get("translations") or {}:
        if language not in subject.archetype.terminology.terms:
            yield finding("VOTM", "/ontology/term_definitions", expected=language)


def check_languages_of_parent(subject: Subject) -> Iterator[Finding]:
    """VALC: the flat parent has each language of the archetype (AOM 2, VALC)."""
    if subject.flat_parent is None:
        return
    known = subject.flat_parent.terminology.terms
    for language in subject.archetype.terminology.terms:
        if language not in known:
            path = f"/ontology/term_definitions[{language}]"
            yield finding("VALC", path, expected=", ".join(known), found=language)


def check_depth(subject: Subject) -> Iterator[Finding]:
    """VACSD: the root is one level deeper than that of the parent (AOM 2, VACSD).

    An operational template names no parent and keeps the code of its template.
    """
    if subject.archetype.kind is ArtefactKind.OPERATIONAL_TEMPLATE:
        return
    root = subject.archetype.definition
    depth = depth_of(root.node_id)
    if subject.archetype.parent_id is None:
        expected = 0
    elif subject.parent is not None:
        expected = depth_of(subject.parent.definition.node_id) + 1
    else:
        expected = max(depth, 1)
    if depth != expected:
        code = root.node_id.partition(".")[0] + ".1" * expected
        yield finding("VACSD", "/", expected=code, found=root.node_id, span=root.span)


def _stated_version(subject: Subject, code: str, name: str) -> Iterator[Finding]:
    stated = subject.archetype.header.get(name)
    if not _is_overlay(subject) and (stated is None or _VERSION.fullmatch(str(stated)) is None):
        yield finding(code, "/archetype_id", expected="N.N.N", found=str(stated or ""))


def _is_overlay(subject: Subject) -> bool:
    return subject.archetype.kind is ArtefactKind.TEMPLATE_OVERLAY
