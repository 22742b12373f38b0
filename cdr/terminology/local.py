"""The local store: releases that staff loaded from files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TypeVar

from archetypes.rm.canonical_json import read_canonical
from cdr.terminology.reading import read_code_system, read_value_set
from cdr.terminology.releases import CodeSystemRelease, ReleaseChanges, ValueSetRelease, changes
from cdr.terminology.service import Answer, Coding, UnknownValueSet, Verdict

# Lists of the national service whose content is not known here until staff load the real ones.
PROVISIONAL = frozenset(f"urn:oid:2.16.578.1.12.4.1.1.{number}" for number in (8534, 8536, 8537))

Release = TypeVar("Release", CodeSystemRelease, ValueSetRelease)


class LocalTerminology:
    """A terminology service over releases in memory; all its answers are immediate."""

    def __init__(
        self, code_systems: Iterable[CodeSystemRelease] = (), value_sets: Iterable[ValueSetRelease] = ()
    ) -> None:
        self._systems: dict[str, list[CodeSystemRelease]] = {}
        self._sets: dict[str, list[ValueSetRelease]] = {}
        for release in code_systems:
            self.add(release)
        for value_set in value_sets:
            _insert(self._sets.setdefault(value_set.url, []), value_set)

    @classmethod
    def from_folder(cls, folder: Path) -> LocalTerminology:
        """All FHIR resources (``*.json``) of a folder. Raises MalformedCodeList, MalformedJson."""
        made = cls()
        for path in sorted(folder.glob("*.json")):
            data = path.read_bytes()
            if read_canonical(data).get("resourceType") == "ValueSet":
                value_set = read_value_set(data)
                _insert(made._sets.setdefault(value_set.url, []), value_set)
            else:
                made.add(read_code_system(data))
        return made

    def add(self, release: CodeSystemRelease) -> ReleaseChanges:
        """Load a release; returns what it changes against the one before it in time."""
        known = self._systems.setdefault(release.system, [])
        _insert(known, release)
        position = known.index(release)
        nothing = CodeSystemRelease(release.system, "", release.valid_from, {})
        return changes(known[position - 1] if position else nothing, release)

    def release_at(self, system: str, day: date) -> CodeSystemRelease | None:
        """The release of a code system that is valid on a day."""
        return _at(self._systems.get(system, []), day)

    def is_provisional(self, system: str, day: date) -> bool:
        """True while the content of a list is not the real one."""
        release = self.release_at(system, day)
        return system in PROVISIONAL if release is None else release.provisional

    async def validate_code(self, coding: Coding, value_set: str | None, day: date) -> Answer:
        """By the release of the day, and by that of the value set where one is named."""
        answer = self._in_system(coding, day)
        if value_set is None or answer.verdict in (Verdict.INVALID, Verdict.RETIRED):
            return answer
        members = _at(self._sets.get(value_set, []), day)
        if members is None:
            return Answer(Verdict.UNKNOWN)
        within = (coding.system, coding.code) in members.codings
        verdict = Verdict.VALID if within else Verdict.INVALID
        return Answer(verdict, answer.display, "", members.version, members.provisional)

    async def lookup(self, coding: Coding, day: date) -> Answer:
        """Also a retired code has its display."""
        return self._in_system(coding, day)

    async def expand(self, value_set: str, day: date) -> tuple[Coding, ...]:
        """Raises UnknownValueSet."""
        members = _at(self._sets.get(value_set, []), day)
        if members is None:
            raise UnknownValueSet(value_set)
        return tuple(Coding(*pair, self._display(*pair, day)) for pair in sorted(members.codings))

    async def subsumes(self, system: str, ancestor: str, code: str) -> bool | None:
        """By the newest release; None where the system is not loaded."""
        known = self._systems.get(system)
        return known[-1].is_below(code, ancestor) if known else None

    def _display(self, system: str, code: str, day: date) -> str:
        return self._in_system(Coding(system, code), day).display

    def _in_system(self, coding: Coding, day: date) -> Answer:
        release = self.release_at(coding.system, day)
        provisional = self.is_provisional(coding.system, day)
        if release is None:
            return Answer(Verdict.UNKNOWN, provisional=provisional)
        concept = release.concepts.get(coding.code)
        if concept is not None:
            verdict = Verdict.RETIRED if concept.retired else Verdict.VALID
            return Answer(verdict, concept.display, concept.successor, release.version, provisional)
        before = [r for r in self._systems[coding.system] if r.valid_from < release.valid_from]
        earlier = (r.concepts.get(coding.code) for r in reversed(before))
        left_out = next((concept for concept in earlier if concept is not None), None)
        if left_out is None:
            return Answer(Verdict.INVALID, "", "", release.version, provisional)
        return Answer(Verdict.RETIRED, left_out.display, left_out.successor, release.version, provisional)


def _insert(known: list[Release], release: Release) -> None:
    known.append(release)
    known.sort(key=lambda r: (r.valid_from, r.version))


def _at(known: list[Release], day: date) -> Release | None:
    valid = (r for r in known if r.valid_from <= day and (r.valid_until is None or day < r.valid_until))
    return max(valid, key=lambda r: r.valid_from, default=None)
