"""Rules about codes: used and defined, well formed, in every language, bound."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archetypes.aom.constraints import ArchetypeInternalRef, Bindings, CArchetypeRoot, CObject
from archetypes.errors import MalformedPath
from archetypes.findings import Finding
from archetypes.paths import RmPath
from archetypes.rm.schema import rm_schema
from templates.operational import fixed_name
from validators.archetype.subject import Subject, at, codes_of, depth_of, finding
from validators.archetype.targets import resolve

_TERM = re.compile(r"at(?:\d{4,}|0)(?:\.\d{1,4})*")
_CONSTRAINT = re.compile(r"ac(?:\d{4,}|0)(?:\.\d{1,4})*")
_RM_PATH = re.compile(r"(?:/[a-z_]+)+(?:\|[a-z_]+\|)?")


def check_terms_defined(subject: Subject) -> Iterator[Finding]:
    """VATDF: each at-code of the definition has a term (ADL 1.4, Coded Term Validity)."""
    for code, place in subject.used_terms.items():
        if code not in subject.defined_terms:
            yield at(place, "VATDF", expected="term_definitions", found=code)


def check_constraints_defined(subject: Subject) -> Iterator[Finding]:
    """VACDF: each ac-code of the definition is defined (ADL 1.4, Coded Term Validity)."""
    constraints = subject.archetype.terminology.constraints
    defined = {code for codes in constraints.values() for code in codes}
    for code, place in subject.used_constraints.items():
        if code not in defined:
            yield at(place, "VACDF", expected="constraint_definitions", found=code)


def check_code_form(subject: Subject) -> Iterator[Finding]:
    """VATCV: codes of terms and constraints are well formed (ADL 1.4, Local Term Codes; AOM 2, VATCV)."""
    terminology = subject.archetype.terminology
    for section, definitions, form in (
        ("term_definitions", terminology.terms, _TERM),
        ("constraint_definitions", terminology.constraints, _CONSTRAINT),
    ):
        for language, codes in definitions.items():
            for code in codes:
                if form.fullmatch(code) is None:
                    path = f"/ontology/{section}[{language}]/items[{code}]"
                    yield finding("VATCV", path, expected=form.pattern[:2] + "NNNN", found=code)


def check_code_depth(subject: Subject) -> Iterator[Finding]:
    """VATCD: no code is more specialised than the archetype (AOM 2, VATCD)."""
    depth = depth_of(subject.archetype.concept)
    for code, place in subject.used_terms.items():
        if depth_of(code) > depth:
            yield at(place, "VATCD", expected=f"<= {depth}", found=code)


def check_node_ids_present(subject: Subject) -> Iterator[Finding]:
    """VCOID: what stands among others in a container has a code (ADL 1.4, Node Identifiers; AOM 2, VCOID)."""
    schema = rm_schema()
    for path, attribute, owner in subject.attributes:
        known = schema.attribute(owner.rm_type_name, attribute.rm_attribute_name)
        if known is None or not known.container or len(attribute.children) < 2:
            continue
        for child in attribute.children:
            if isinstance(child, ArchetypeInternalRef):
                continue  # has the code of its target
            if not child.node_id and schema.is_a(child.rm_type_name, "LOCATABLE"):
                yield finding("VCOID", path, expected="[atNNNN]", found=child.rm_type_name, span=child.span)


def check_node_ids_unique(subject: Subject) -> Iterator[Finding]:
    """VCOSU: siblings have different codes, or different names (ADL 1.4, Node Identifiers; AOM 2, VCOSU).

    That a code stands again in another place is allowed by ADL 1.4, and a matter of the lint.
    """
    for path, attribute, _ in subject.attributes:
        seen: set[tuple[str, str | None]] = set()
        for child in attribute.children:
            ident = child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id
            key = (ident, fixed_name(child))
            if ident and key in seen:
                yield finding("VCOSU", f"{path}[{ident}]", found=ident, span=child.span)
            seen.add(key)


def check_translations(subject: Subject) -> Iterator[Finding]:
    """VOTM: each stated language has definitions (AOM 1.4, ARCHETYPE_ONTOLOGY; AOM 2, VOTM)."""
    archetype = subject.archetype
    translations = archetype.language.get("translations") or {}
    stated = dict.fromkeys([archetype.original_language, *translations])
    for language in stated:
        if language not in archetype.terminology.terms:
            yield finding("VOTM", "/ontology/term_definitions", expected=language)


def check_codes_in_all_languages(subject: Subject) -> Iterator[Finding]:
    """VTLC: a code that one language defines, all define (AOM 1.4, ARCHETYPE_ONTOLOGY; AOM 2, VTLC)."""
    terminology = subject.archetype.terminology
    sections = (("term_definitions", terminology.terms), ("constraint_definitions", terminology.constraints))
    for section, definitions in sections:
        known = dict.fromkeys(code for codes in definitions.values() for code in codes)
        for language, codes in definitions.items():
            for code in known:
                if code not in codes:
                    path = f"/ontology/{section}[{language}]/items"
                    params = {"section": section, "language": language, "code": code}
                    yield finding("VTLC", path, expected=code, found=language, params=params)


def check_term_bindings(subject: Subject) -> Iterator[Finding]:
    """VTTBK: a bound key is a defined code or a path of the archetype (AOM 2, VTTBK)."""
    for path, key in _keys(subject.archetype.terminology.term_bindings, "term_bindings"):
        if key not in subject.defined_terms and not _is_path(subject, key):
            yield finding("VTTBK", path, expected="term_definitions", found=key)


def check_constraint_bindings(subject: Subject) -> Iterator[Finding]:
    """VTCBK: a bound constraint code is defined (AOM 2, VTCBK)."""
    constraints = subject.archetype.terminology.constraints
    defined = {code for codes in constraints.values() for code in codes}
    for path, key in _keys(subject.archetype.terminology.constraint_bindings, "constraint_bindings"):
        if key not in defined:
            yield finding("VTCBK", path, expected="constraint_definitions", found=key)


def _keys(bindings: Bindings, section: str) -> Iterator[tuple[str, str]]:
    for name, items in bindings.items():
        for key in items:
            yield f"/ontology/{section}[{name}]/items[{key}]", key


def _is_path(subject: Subject, key: str) -> bool:
    """A path of the archetype, whose last step may be a code of a value (``.../defining_code[at0010]``)."""
    if not key.startswith("/"):
        return False
    try:
        path = RmPath.parse(key)
    except MalformedPath:
        return False
    nodes: list[CObject] = resolve(subject.archetype.definition, path)
    if nodes or _RM_PATH.fullmatch(key):
        return True
    owner, _, last = str(path).rpartition("[")
    return any(
        last.rstrip("]") in codes_of(n) for n in resolve(subject.archetype.definition, RmPath.parse(owner))
    )
