"""References to other archetypes: there, and of the newest major version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from archetypes.aom.constraints import ArchetypeSlot
from archetypes.findings import Finding
from validators.archetype.slot_patterns import NamedArchetype, named_archetypes
from validators.archetype.subject import Subject, at, finding

_MAJOR = re.compile(r"(?P<stem>.+)\.v(?P<major>\d+)(?:[.\-].*)?")


def check_slot_references(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Archetypes that a slot names are in the repository, in this major version (AOM 1.4, ARCHETYPE_SLOT)."""
    if subject.repository is None:
        return
    versions = _versions(subject.repository.ids())
    for place in subject.places:
        if not isinstance(place.node, ArchetypeSlot):
            continue
        named = [each for pattern in place.node.includes for each in named_archetypes(pattern)]
        also = {each.archetype_id for each in named}
        for each in named:
            if each.archetype_id is None:
                continue
            code, newer = _judged(each, versions)
            if code and newer not in also:
                yield at(place, code, expected=newer, found=each.archetype_id)


def check_parent(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """The specialised archetype is in the repository, in this major version (ADL 1.4, Specialise Section)."""
    parent_id = subject.archetype.parent_id
    if subject.repository is None or parent_id is None:
        return
    code, newer = _judged(NamedArchetype(parent_id, parent_id), _versions(subject.repository.ids()))
    if code:
        yield finding(code, "/specialise", expected=newer, found=parent_id)


def _judged(named: NamedArchetype, versions: Mapping[str, frozenset[int]]) -> tuple[str, str]:
    """The code of a finding and the id of the newer version, empty where there is none."""
    match = _MAJOR.fullmatch(named.archetype_id or "")
    if match is None:
        return "", ""
    known = versions.get(match["stem"], frozenset())
    newest = max(known, default=-1)
    if newest > int(match["major"]):
        return "lint.reference_older", f"{match['stem']}.v{newest}"
    if int(match["major"]) in known or _is_specialised(named, match, versions):
        return "", ""
    return "lint.reference_unknown", ""


def _is_specialised(
    named: NamedArchetype, match: re.Match[str], versions: Mapping[str, frozenset[int]]
) -> bool:
    """True if the pattern admits specialisations and the repository has one."""
    prefix, major = f"{match['stem']}-", int(match["major"])
    return named.specialisations and any(
        stem.startswith(prefix) and major in majors for stem, majors in versions.items()
    )


@lru_cache(maxsize=8)
def _versions(ids: tuple[str, ...]) -> Mapping[str, frozenset[int]]:
    """The major versions by the part of the id before them."""
    found: dict[str, set[int]] = {}
    for archetype_id in ids:
        match = _MAJOR.fullmatch(archetype_id)
        if match is not None:
            found.setdefault(match["stem"], set()).add(int(match["major"]))
    return {stem: frozenset(majors) for stem, majors in found.items()}
