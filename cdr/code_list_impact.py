"""What a release of a code list means for templates and stored data; a dry run."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from cdr.access import Action
from cdr.audit import Outcome
from cdr.code_list_registry import CodeListRegistry
from cdr.doors import Call, asking
from cdr.terminology import (
    Release,
    ReleaseChanges,
    RetiredCode,
    ValueSetRelease,
    canonical,
    code_uses,
    release_changes,
)
from cdr.terminology.check import CodeUse, day_of
from cdr.terminology.service import system_uri
from cdr.versions import JsonObject, StoredVersion
from templates.bound_codes import BoundCodes, bound_codes
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from validators.compiled import compile_validator

Progress = Callable[[int, int], None]
_CODE = re.compile(rb'"code_string"\s*:\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class BoundTemplate:
    """A binding of a published template to the list; ``retired`` are the retired codes that it names."""

    template_id: str
    path: str
    bound: str
    is_meaning: bool
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetiredUse:
    """A retired code in stored data.

    ``values`` counts its places in them, ``later`` those in data about a day on which the release is valid:
    these would be refused today. ``by_template`` counts values.
    """

    code: RetiredCode
    values: int
    compositions: int
    later: int
    by_template: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CodeListImpact:
    """The result of a run; ``retired`` holds every retired code that stored data use, most used first."""

    release: str
    before: str
    changes: ReleaseChanges
    bound: tuple[BoundTemplate, ...]
    checked: int
    retired: tuple[RetiredUse, ...]


@asking(Action.CHECK_CODE_LIST)
async def code_list_impact(
    call: Call,
    release: Release,
    *,
    all_versions: bool = False,
    count: bool = True,
    progress: Progress | None = None,
) -> CodeListImpact:
    """What ``release`` changes against the one before it in time, which templates are bound to it, and how
    many stored values use each code that it retires.

    The latest versions are counted, on request all; with ``count`` False none. ``progress`` is called with
    how many were read and how many there are. Raises StoreUnavailable.
    """
    registry = CodeListRegistry(call.ctx.store.code_lists)
    before = (await registry.releases()).before(release)
    changes = release_changes(before, release)
    published = [read_opt(each.source) for each in await call.ctx.store.templates.all_newest()]
    bound = tuple(_bound(published, release, changes))
    tally = _Tally(release, changes.retired, _validators(published, bound, release))
    if changes.retired and count:
        await _count(call, tally, all_versions, progress)
    result = CodeListImpact(
        release=canonical(release),
        before="" if before is None else before.version,
        changes=changes,
        bound=bound,
        checked=tally.checked,
        retired=tally.result(),
    )
    # The answer names no record; that all of them were read is said once.
    detail = f"{result.checked} compositions read, {len(result.retired)} retired codes in use"
    await call.record([call.entry(Outcome.GRANTED, what=result.release[:200], detail=detail)])
    return result


async def _count(call: Call, tally: _Tally, all_versions: bool, progress: Progress | None) -> None:
    versions = call.ctx.store.template_versions
    total = await versions.count(all_versions=all_versions)
    async for batch in versions.batches(all_versions=all_versions):
        await asyncio.to_thread(tally.add, batch)
        if progress is not None:
            progress(tally.checked, max(total, tally.checked))


def _bound(
    published: Iterable[OperationalTemplate], release: Release, changes: ReleaseChanges
) -> Iterator[BoundTemplate]:
    gone = {retired.coding.code for retired in changes.retired}
    for opt in published:
        for place in bound_codes(opt):
            if _names(place, release):
                named = tuple(code for code in place.codes if code in gone)
                yield BoundTemplate(opt.template_id, place.path, place.bound, place.is_meaning, named)


def _names(place: BoundCodes, release: Release) -> bool:
    """Is a place bound to the list: by its URI, its terminology id, or ``terminology:ID?subset=...``?"""
    terminology = place.bound.removeprefix("terminology:").partition("?")[0]
    return release.url in (place.bound, system_uri(terminology))


def _validators(
    published: Iterable[OperationalTemplate], bound: Iterable[BoundTemplate], release: Release
) -> Mapping[str, OperationalTemplate] | None:
    """The templates that bind a value set: only what stands at such places is one of its values."""
    if not isinstance(release, ValueSetRelease):
        return None
    names = {each.template_id for each in bound}
    return {opt.template_id: opt for opt in published if opt.template_id in names}


@dataclass(slots=True)
class _Uses:
    """Counts of one code."""

    compositions: int = 0
    later: int = 0
    by_template: Counter[str] = field(default_factory=Counter)


class _Tally:
    """Counts so far; its size does not grow with the store."""

    def __init__(
        self,
        release: Release,
        retired: Iterable[RetiredCode],
        value_set_of: Mapping[str, OperationalTemplate] | None,
    ) -> None:
        self._release = release
        self._retired = {(r.coding.system, r.coding.code): r for r in retired}
        # As the stored bytes have them, so that most documents need not be read as JSON.
        self._marks = {orjson.dumps(code)[1:-1] for _, code in self._retired}
        self._value_set_of = value_set_of
        self._uses: dict[tuple[str, str], _Uses] = {}
        self.checked = 0

    def add(self, versions: Sequence[StoredVersion]) -> None:
        """Count the retired codes of some versions."""
        for version in versions:
            self.checked += 1
            payload = version.payload or b""
            if not self._marks.isdisjoint(_CODE.findall(payload)):
                self._count(orjson.loads(payload), version.template_id or "")

    def _count(self, data: JsonObject, template_id: str) -> None:
        found = Counter(
            (use.coding.system, use.coding.code) for use in self._at_its_places(data, template_id)
        )
        day = day_of(data)
        is_later = day is None or day >= self._release.valid_from
        for key in found.keys() & self._retired.keys():
            uses = self._uses.setdefault(key, _Uses())
            uses.compositions += 1
            uses.by_template[template_id] += found[key]
            uses.later += found[key] if is_later else 0

    def _at_its_places(self, data: JsonObject, template_id: str) -> list[CodeUse]:
        if self._value_set_of is None:
            return code_uses(data)
        opt = self._value_set_of.get(template_id)
        findings = [] if opt is None else compile_validator(opt)(data, False)
        return [use for use in code_uses(data, findings) if use.value_set == self._release.url]

    def result(self) -> tuple[RetiredUse, ...]:
        """All counts."""
        found = (
            RetiredUse(
                code=self._retired[key],
                values=uses.by_template.total(),
                compositions=uses.compositions,
                later=uses.later,
                by_template=dict(uses.by_template.most_common()),
            )
            for key, uses in self._uses.items()
        )
        return tuple(sorted(found, key=lambda use: (-use.values, use.code.coding.code)))
