"""What a changed template would break, before it is published: a dry run, which only writes its audit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from archetypes.findings import Finding, Severity
from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, asking
from cdr.query_impact import LostPath as LostPath
from cdr.query_impact import NamedQuery as NamedQuery
from cdr.query_impact import QueryImpact as QueryImpact
from cdr.query_impact import query_impact as query_impact
from cdr.versions import StoredVersion
from templates.operational import OperationalTemplate
from validators.compiled import compile_validator

MOST_LISTED = 10_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BrokenComposition:
    """A stored composition that the new template refuses.

    ``codes`` are the codes of its errors, each once; ``path`` is where the first one is.
    """

    uid: str
    ehr_id: str
    codes: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class CompositionImpact:
    """The result of a run.

    ``broken`` counts what the old template takes and the new one refuses, ``broken_before`` what both
    refuse; ``by_code`` counts the compositions of ``broken`` by code of error. ``listed`` holds the first
    10,000 of ``broken``.
    """

    template_id: str
    checked: int
    broken: int
    broken_before: int
    by_code: Mapping[str, int]
    listed: tuple[BrokenComposition, ...]


@asking(Action.CHECK_IMPACT)
async def composition_impact(
    call: Call,
    old: OperationalTemplate,
    new: OperationalTemplate,
    *,
    all_versions: bool = False,
    progress: Progress | None = None,
) -> CompositionImpact:
    """Which stored compositions of ``old`` would no longer validate against ``new``.

    The latest versions, on request all; drafts are judged as drafts. ``progress`` is called with how many
    were checked and how many there are. Another template id alone breaks nothing here.
    """
    versions = call.ctx.store.template_versions
    total = await versions.count(old.template_id, all_versions=all_versions)
    tally = _Tally(old, replace(new, template_id=old.template_id))
    async for batch in versions.batches(old.template_id, all_versions=all_versions):
        await asyncio.to_thread(tally.add, batch)
        if progress is not None:
            progress(tally.checked, max(total, tally.checked))
    result = tally.result()
    detail = f"{result.checked} compositions checked, {result.broken} broken"
    women = dict.fromkeys(broken.ehr_id for broken in result.listed)
    await call.record(
        [
            call.entry(Outcome.GRANTED, what=old.template_id, detail=detail),
            *(call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=old.template_id) for ehr_id in women),
        ]
    )
    return result


class _Tally:
    """Counts so far; its size does not grow with the store."""

    def __init__(self, old: OperationalTemplate, new: OperationalTemplate) -> None:
        self._old = old
        self._new = new
        self.checked = 0
        self._broken = 0
        self._before = 0
        self._by_code: Counter[str] = Counter()
        self._listed: list[BrokenComposition] = []

    def add(self, versions: Sequence[StoredVersion]) -> None:
        """Judge some versions."""
        for version in versions:
            self.checked += 1
            if version.payload is not None:
                self._judge(version, orjson.loads(version.payload))

    def _judge(self, version: StoredVersion, composition: object) -> None:
        complete = version.lifecycle.needs_all
        errors = _errors(compile_validator(self._new)(composition, complete))
        if not errors:
            return
        if _errors(compile_validator(self._old)(composition, complete)):
            self._before += 1
            return
        codes = tuple(dict.fromkeys(finding.code for finding in errors))
        self._broken += 1
        self._by_code.update(codes)
        if len(self._listed) < MOST_LISTED:
            broken = BrokenComposition(str(version.uid), version.ehr_id, codes, errors[0].path)
            self._listed.append(broken)

    def result(self) -> CompositionImpact:
        """All counts."""
        return CompositionImpact(
            template_id=self._old.template_id,
            checked=self.checked,
            broken=self._broken,
            broken_before=self._before,
            by_code=dict(self._by_code.most_common()),
            listed=tuple(self._listed),
        )


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]
