"""After the restore of an older backup: what was erased or withdrawn since is erased and withdrawn again.

The ledger of erasures (``cdr.erasure_ledger``) tells what; the database was restored without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import Decision
from cdr.consent_changes import RESTORE, end_consent, facts_of
from cdr.consent_errors import ConsentMissing
from cdr.doors import Call, writing
from cdr.erasure_ledger import Done, Erased
from cdr.store.erasures import Place
from cdr.store.waiting import ConsentEvent


@dataclass(frozen=True, slots=True)
class Reapplied:
    """What was done again: lines of the ledger that were unknown, and what of them was there."""

    lines: int = 0
    ehrs: int = 0
    objects: int = 0
    cards: int = 0


NOTHING = Reapplied()


@writing(Action.REAPPLY_ERASURES)
async def reapply_erasures(call: Call, lines: Sequence[Erased]) -> Reapplied:
    """Carry out lines of the ledger that the database does not know; removals of cards are begun.

    May be repeated after a kill: what was done is not there any more. Raises StoreUnavailable.
    """
    await call.record([call.entry(Outcome.GRANTED, what=f"{len(lines)} erasures")])
    erasures = call.ctx.store.erasures
    places = await erasures.places(lines)
    done = dict.fromkeys(Done, 0)
    for line in lines:
        done[line.done] += await _again(call, line, places)
        await erasures.know(line)
    return Reapplied(len(lines), done[Done.EHR], done[Done.OBJECT], done[Done.WITHDRAWAL])


async def _again(call: Call, line: Erased, places: Mapping[str, Place]) -> int:
    """Erase or withdraw what of a line is there; how many that was."""
    found = [places[mark] for mark in line.marks if mark in places]
    done = 0
    for place in found[1:]:  # EHRs that were joined since, and that the backup has apart
        done += await _erase(call, line, place, call.ctx.new_id())
    for place in found[:1]:  # last, for with its id the whole line counts as done
        done += await _erase(call, line, place, line.id)
    return done


async def _erase(call: Call, line: Erased, place: Place, kept_by: str) -> bool:
    store, ehr_id = call.ctx.store, place.ehr_id
    if line.done is Done.WITHDRAWAL:
        return await _withdraw(call, line, ehr_id, job=kept_by)
    if place.object_id is None:
        erased = await store.erase(ehr_id, erasure=kept_by)
    else:
        erased = await store.erase_object(ehr_id, place.object_id, call.ctx.terms, erasure=kept_by)
    if erased:
        await call.record([call.entry(Outcome.DONE, ehr_id=ehr_id, what=line.done.value)])
    return erased


async def _withdraw(call: Call, line: Erased, ehr_id: str, *, job: str) -> bool:
    """The audit of it goes with the commit."""
    if not await call.ctx.store.reads.has_ehr(ehr_id):  # erased by a line before
        return False
    event = ConsentEvent(Decision.WITHDRAWN, line.at, RESTORE)
    try:
        await end_consent(call, ehr_id, await facts_of(call, ehr_id), event, job=job)
    except ConsentMissing:  # the backup is from before she said yes
        return False
    return True
