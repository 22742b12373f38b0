"""Releases of code systems and value sets, and what changes from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
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

    url: str
    version: str
    valid_from: date
    concepts: Mapping[str, Concept]
    valid_until: date | None = None
    provisional: bool = False

    def successor_of(self, left_out: Concept) -> str:
        """What replaces a code of an earlier release that this one marks as retired, or leaves out."""
        concept = self.concepts.get(left_out.code, left_out)
        return concept.successor or left_out.successor

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


Release = CodeSystemRelease | ValueSetRelease


def canonical(release: Release) -> str:
    """What a release is called: ``url|version``, as FHIR's canonical references."""
    return f"{release.url}|{release.version}"


@dataclass(frozen=True, slots=True)
class RetiredCode:
    """A code that a release no longer takes in new data; ``successor`` is empty if none is named."""

    coding: Coding
    successor: str = ""


@dataclass(frozen=True, slots=True)
class ChangedCode:
    """A code with another display, or under another parent."""

    coding: Coding
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReleaseChanges:
    """What a release does to the one before it, each list by system and code."""

    added: tuple[Coding, ...] = ()
    retired: tuple[RetiredCode, ...] = ()
    renamed: tuple[ChangedCode, ...] = ()
    moved: tuple[ChangedCode, ...] = ()


def release_changes(old: Release | None, new: Release) -> ReleaseChanges:
    """Codes added, retired (marked so, or left out), renamed and moved; ``old`` None: there was nothing."""
    if isinstance(new, ValueSetRelease):
        before = old.codings if isinstance(old, ValueSetRelease) else frozenset[tuple[str, str]]()
        gone = (RetiredCode(Coding(*pair)) for pair in sorted(before - new.codings))
        return ReleaseChanges(
            added=tuple(Coding(*pair) for pair in sorted(new.codings - before)), retired=tuple(gone)
        )
    return _system_changes(old.concepts if isinstance(old, CodeSystemRelease) else {}, new)


def _system_changes(old: Mapping[str, Concept], new: CodeSystemRelease) -> ReleaseChanges:
    before = {code: c for code, c in old.items() if not c.retired}
    after = {code: c for code, c in new.concepts.items() if not c.retired}

    def coding(concept: Concept) -> Coding:
        return Coding(new.url, concept.code, concept.display)

    gone = [before[code] for code in sorted(before.keys() - after.keys())]
    both = [(before[code], after[code]) for code in sorted(before.keys() & after.keys())]
    return ReleaseChanges(
        added=tuple(coding(after[code]) for code in sorted(after.keys() - before.keys())),
        retired=tuple(RetiredCode(coding(c), new.successor_of(c)) for c in gone),
        renamed=tuple(
            ChangedCode(coding(b), a.display, b.display) for a, b in both if a.display != b.display
        ),
        moved=tuple(ChangedCode(coding(b), a.parent, b.parent) for a, b in both if a.parent != b.parent),
    )
