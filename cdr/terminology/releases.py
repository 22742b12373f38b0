"""Releases of code systems and value sets, and what changes from one to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from cdr.terminology.service import Coding


@dataclass(frozen=True, slots=True)
class Concept:
    """A code in one release; ``parent`` is empty at the top, ``successor`` replaces a retired code."""

    code: str
    display: str
    parent: str = ""
    retired: bool = False
    successor: str = ""


@dataclass(frozen=True, slots=True)
class CodeSystemRelease:
    """An edition of a code system; valid from ``valid_from`` until the day before ``valid_until``."""

    system: str
    version: str
    valid_from: date
    concepts: Mapping[str, Concept]
    valid_until: date | None = None
    provisional: bool = False

    def is_below(self, code: str, ancestor: str) -> bool:
        """True for the ancestor itself and everything under it."""
        seen: set[str] = set()
        while code and code not in seen:
            if code == ancestor:
                return True
            seen.add(code)
            concept = self.concepts.get(code)
            code = concept.parent if concept else ""
        return False


@dataclass(frozen=True, slots=True)
class ValueSetRelease:
    """An edition of a value set."""

    url: str
    version: str
    valid_from: date
    codings: frozenset[tuple[str, str]]
    valid_until: date | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseChanges:
    """What a release does to the one before it; ``retired`` maps codes to their successors ('' if none)."""

    system: str
    added: tuple[str, ...]
    retired: Mapping[str, str]
    renamed: Mapping[str, tuple[str, str]]
    moved: Mapping[str, tuple[str, str]]


def changes(old: CodeSystemRelease, new: CodeSystemRelease) -> ReleaseChanges:
    """Codes added, retired (marked so, or left out), renamed and moved to another parent."""
    before = {code: c for code, c in old.concepts.items() if not c.retired}
    after = {code: c for code, c in new.concepts.items() if not c.retired}
    gone = sorted(before.keys() - after.keys())
    both = sorted(before.keys() & after.keys())
    left = new.concepts
    return ReleaseChanges(
        system=new.system,
        added=tuple(sorted(after.keys() - before.keys())),
        retired={code: left[code].successor if code in left else "" for code in gone},
        renamed={
            code: (before[code].display, after[code].display)
            for code in both
            if before[code].display != after[code].display
        },
        moved={
            code: (before[code].parent, after[code].parent)
            for code in both
            if before[code].parent != after[code].parent
        },
    )


def in_use(found: ReleaseChanges, codings: Iterable[Coding]) -> Counter[str]:
    """How many of the codes in data each retired code is; codes that no data use are not in it."""
    return Counter(c.code for c in codings if c.system == found.system and c.code in found.retired)
