"""Releases in memory, and what they say of codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from cdr.terminology.releases import CodeSystemRelease, Release, ValueSetRelease
from cdr.terminology.service import Answer, Coding, UnknownValueSet, Verdict

# Lists of the national service whose content is not known here until staff load the real ones.
PROVISIONAL = {f"urn:oid:2.16.578.1.12.4.1.1.{number}": f"Volven {number}" for number in (8534, 8536, 8537)}

R = TypeVar("R", CodeSystemRelease, ValueSetRelease)


class LocalTerminology:
    """A terminology service over releases in memory; all its answers are immediate."""

    def __init__(self, releases: Iterable[Release] = ()) -> None:
        self._systems: dict[str, list[CodeSystemRelease]] = {}
        self._sets: dict[str, list[ValueSetRelease]] = {}
        for release in releases:
            self.add(release)

    def add(self, release: Release) -> None:
        """Know one more release; of two that begin on one day the one that is added last counts."""
        if isinstance(release, ValueSetRelease):
            _insert(self._sets.setdefault(release.url, []), release)
        else:
            _insert(self._systems.setdefault(release.url, []), release)

    def before(self, release: Release) -> Release | None:
        """The release of the same list that is valid on the day before this one begins to be."""
        known: list[Release] = [*self._systems.get(release.url, ()), *self._sets.get(release.url, ())]
        earlier = [r for r in known if type(r) is type(release) and r.valid_from < release.valid_from]
        return max(earlier, key=lambda r: r.valid_from, default=None)

    async def is_idle(self) -> bool:
        """True while no release is loaded."""
        return not self._systems and not self._sets

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


def _insert(known: list[R], release: R) -> None:
    known.append(release)
    known.sort(key=lambda r: r.valid_from)


def _at(known: list[R], day: date) -> R | None:
    """The release of a day; a list without a gap ends with the beginning of the next release."""
    begun = [r for r in known if r.valid_from <= day]
    newest = begun[-1] if begun else None
    return None if newest is None or (newest.valid_until and newest.valid_until <= day) else newest
