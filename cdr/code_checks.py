"""The queue of codes that a silent terminology server could not confirm (policy ``queue``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import orjson

from archetypes.findings import Finding, Severity
from cdr.access import Action
from cdr.audit import AuditEntry, Outcome
from cdr.doors import Call, asking
from cdr.judging import judge
from cdr.store.code_check_documents import CodeCheck
from cdr.terminology import Unreachable
from cdr.terminology.check import QUEUED
from cdr.versions import ObjectVersionId, StoredVersion

__all__ = ["CodeCheck", "Recheck", "list_code_checks", "recheck_codes"]

SILENCES = 3  # documents in a row without an answer: the server is still away
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Recheck:
    """One run: how many were asked about and how they came out.

    ``gone`` were replaced or deleted meanwhile, and judged anew by that; ``wrong`` are those with findings,
    also of earlier runs: each stays until its composition is put right.
    """

    confirmed: int
    gone: int
    waiting: int
    wrong: tuple[CodeCheck, ...]


@asking(Action.RECHECK_CODES)
async def recheck_codes(call: Call, *, progress: Progress | None = None) -> Recheck:
    """Ask again about everything that waits, as long as the server answers. Raises StoreUnavailable."""
    queue = await call.ctx.store.code_checks.all()
    outcomes: list[_Outcome] = []
    for done, check in enumerate(queue, start=1):
        is_away = outcomes[-SILENCES:] == [_Outcome.SILENT] * SILENCES
        outcomes.append(await _recheck(call, check, is_away))
        if progress is not None:
            progress(done, len(queue))
    left = await call.ctx.store.code_checks.all()
    wrong = tuple(check for check in left if check.findings)
    confirmed, gone = outcomes.count(_Outcome.CONFIRMED), outcomes.count(_Outcome.GONE)
    summary = call.entry(Outcome.DONE, detail=f"{confirmed} confirmed, {len(wrong)} wrong")
    await call.record([summary, *_about(call, queue)])
    return Recheck(confirmed, gone, len(left) - len(wrong), wrong)


@asking(Action.READ_RECHECKS)
async def list_code_checks(call: Call) -> tuple[CodeCheck, ...]:
    """What waits, and what was found to be wrong, oldest first. Raises StoreUnavailable."""
    found = tuple(await call.ctx.store.code_checks.all())
    await call.record([call.entry(Outcome.GRANTED), *_about(call, found)])
    return found


class _Outcome(Enum):
    """What became of one document of the queue."""

    CONFIRMED = auto()
    WRONG = auto()
    GONE = auto()
    SILENT = auto()


async def _recheck(call: Call, check: CodeCheck, is_away: bool) -> _Outcome:
    """Settle one document; of one with a newer version nothing is kept, for that was judged itself."""
    version = await _current(call, check)
    if version is None:
        await call.ctx.store.code_checks.settle(check.uid, ())
        return _Outcome.GONE
    if check.findings is not None:
        return _Outcome.WRONG
    findings = () if is_away else await _findings(call, version)
    if is_away or any(finding.code == QUEUED for finding in findings):
        return _Outcome.SILENT
    await call.ctx.store.code_checks.settle(check.uid, findings)
    return _Outcome.WRONG if findings else _Outcome.CONFIRMED


async def _current(call: Call, check: CodeCheck) -> StoredVersion | None:
    """The version, if it is the latest of its object."""
    uid = ObjectVersionId.parse(check.uid)
    latest = await call.ctx.store.reads.latest(check.ehr_id, uid.object_id)
    return latest if latest is not None and latest.uid == uid and latest.payload is not None else None


async def _findings(call: Call, version: StoredVersion) -> Sequence[Finding]:
    """What is wrong with the codes; what the template says was judged when the document was stored."""
    opt = await call.ctx.templates.get(version.template_id or "")
    data = orjson.loads(version.payload or b"{}")
    found = await judge(call.ctx, opt, data, complete=False, on_silence=Unreachable.QUEUE)
    about_codes = (f for f in found if f.code.startswith(("terminology.", "card.not_on_card")))
    return [f for f in about_codes if f.severity is Severity.ERROR or f.code == QUEUED]


def _about(call: Call, checks: Sequence[CodeCheck]) -> list[AuditEntry]:
    """One entry for each record that was looked into."""
    return [call.entry(Outcome.GRANTED, ehr_id=check.ehr_id, what=check.uid) for check in checks]
