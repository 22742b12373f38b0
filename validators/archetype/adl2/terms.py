"""Rules about the codes of an ADL 2 archetype: well formed, defined, bound, in value sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from archetypes.aom.constraints import CComplexObject, CTerminologyCode
from archetypes.aom.node_ids import depth_of
from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from validators.archetype.adl2.paths import is_path
from validators.archetype.adl2.places import own_places
from validators.archetype.subject import Place, Subject, at, finding

_CODE = re.compile(r"(?:id|at|ac)\d+(?:\.\d+)*")


def check_code_form(subject: Subject) -> Iterator[Finding]:
    """VATCV: codes of the terminology are well formed (AOM 2, VATCV)."""
    for language, codes in subject.archetype.terminology.terms.items():
        for code in codes:
            if _CODE.fullmatch(code) is None:
                path = f"/ontology/term_definitions[{language}]/items[{code}]"
                yield finding("VATCV", path, expected="idN, atN, acN", found=code)


def check_code_level(subject: Subject) -> Iterator[Finding]:
    """VTSD: the terminology defines codes of the archetype's own level (AOM 2, VTSD)."""
    archetype = subject.archetype
    depth = depth_of(archetype.concept)
    for code in _defined(subject):
        wrong = depth_of(code) != depth if archetype.is_differential else depth_of(code) > depth
        if wrong and _CODE.fullmatch(code):
            language = next(name for name, codes in archetype.terminology.terms.items() if code in codes)
            path = f"/ontology/term_definitions[{language}]/items[{code}]"
            yield finding("VTSD", path, expected=str(depth), found=code)


def check_node_terms(subject: Subject) -> Iterator[Finding]:
    """VATID: what stands in a container has a text in the flat form (AOM 2, Node identifiers, VATID).

    Alternatives of a single attribute are told by their types, so that data values need no text.
    """
    schema = rm_schema()
    for place in own_places(subject):
        if place.owner is None or place.attribute is None or not place.node.node_id:
            continue
        attribute = schema.attribute(place.owner.rm_type_name, place.attribute.rm_attribute_name)
        if attribute is not None and attribute.container and subject.lacks(place.node.node_id):
            yield at(place, "VATID", expected="term_definitions", found=place.node.node_id)


def check_terms_defined(subject: Subject) -> Iterator[Finding]:
    """VATDF: a value code of the definition is defined in the flat form (AOM 2, VATDF)."""
    for place, constraint in _codes(subject):
        too_deep = depth_of(constraint.code) > depth_of(subject.archetype.concept)  # VATCD says so
        if constraint.code.startswith("at") and subject.lacks(constraint.code) and not too_deep:
            yield at(place, "VATDF", expected="term_definitions", found=constraint.code)


def check_value_sets_defined(subject: Subject) -> Iterator[Finding]:
    """VACDF: a value set of the definition is defined (AOM 2, VACDF)."""
    for place, constraint in _codes(subject):
        if constraint.code.startswith("ac") and subject.lacks(constraint.code):
            yield at(place, "VACDF", expected="term_definitions", found=constraint.code)


def check_assumed_codes(subject: Subject) -> Iterator[Finding]:
    """VATDA: an assumed code is a member of its value set (AOM 2, VATDA).

    A set whose members are bound to a terminology outside is not checked.
    """
    for place, constraint in _codes(subject):
        members = subject.flat_value_sets.get(constraint.code)
        if constraint.assumed_value is not None and members and constraint.assumed_value not in members:
            yield at(place, "VATDA", expected=", ".join(members), found=constraint.assumed_value)


def check_code_depth(subject: Subject) -> Iterator[Finding]:
    """VATCD: no code of the definition is more specialised than the archetype (AOM 2, VATCD)."""
    depth = depth_of(subject.archetype.concept)
    for place in own_places(subject):
        code = place.node.code if isinstance(place.node, CTerminologyCode) else place.node.node_id
        if place.path and depth_of(code) > depth:
            yield at(place, "VATCD", expected=f"<= {depth}", found=code)


def check_term_bindings(subject: Subject) -> Iterator[Finding]:
    """VTTBK: a bound key is a defined code or a path of the flat form (AOM 2, VTTBK)."""
    for path, key in _bound(subject):
        is_known = is_path(subject, key) if key.startswith("/") else not subject.lacks(key)
        if not key.startswith("ac") and not is_known:
            yield finding("VTTBK", path, expected="term_definitions", found=key)


def check_value_set_bindings(subject: Subject) -> Iterator[Finding]:
    """VTCBK: a bound value set is defined (AOM 2, VTCBK)."""
    for path, key in _bound(subject):
        if key.startswith("ac") and subject.lacks(key):
            yield finding("VTCBK", path, expected="term_definitions", found=key)


def check_value_set_ids(subject: Subject) -> Iterator[Finding]:
    """VTVSID: the code of a value set is an ac-code with a text (AOM 2, VTVSID)."""
    for code in subject.archetype.terminology.value_sets:
        if not code.startswith("ac") or code not in _defined(subject):
            yield finding("VTVSID", f"/ontology/value_sets[{code}]", expected="term_definitions", found=code)


def check_value_set_members(subject: Subject) -> Iterator[Finding]:
    """VTVSMD: the members of a value set have texts in the flat form (AOM 2, VTVSMD)."""
    for code, members in subject.archetype.terminology.value_sets.items():
        for member in members:
            if subject.lacks(member):
                path = f"/ontology/value_sets[{code}]/members"
                yield finding("VTVSMD", path, expected="term_definitions", found=member)


def check_value_set_members_unique(subject: Subject) -> Iterator[Finding]:
    """VTVSUQ: a value set has each member once (AOM 2, VTVSUQ)."""
    for code, members in subject.archetype.terminology.value_sets.items():
        for member, times in Counter(members).items():
            if times > 1:
                yield finding("VTVSUQ", f"/ontology/value_sets[{code}]/members", found=member)


def _defined(subject: Subject) -> Mapping[str, None]:
    """The codes that the archetype itself defines, in order."""
    terms = subject.archetype.terminology.terms
    return dict.fromkeys(code for codes in terms.values() for code in codes)


def _bound(subject: Subject) -> Iterator[tuple[str, str]]:
    for name, items in subject.archetype.terminology.term_bindings.items():
        for key in items:
            yield f"/ontology/term_bindings[{name}]/items[{key}]", key


def _codes(subject: Subject) -> Iterator[tuple[Place, CTerminologyCode]]:
    """The constraints on codes, those in rows of tuples at the place of their owner."""
    for place in own_places(subject):
        if isinstance(place.node, CTerminologyCode):
            yield place, place.node
        elif isinstance(place.node, CComplexObject):
            for each in place.node.tuples:
                for row in each.rows:
                    yield from ((place, cell) for cell in row if isinstance(cell, CTerminologyCode))
