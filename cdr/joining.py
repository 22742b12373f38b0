"""Two EHRs that prove to be of one woman are joined, and split again if they prove not to be (ours).

Every version of the joined EHR is part of the other one afterwards, with its uid, audit and contribution; all
ids of the subject lead there. The stricter EHR_STATUS (is_queryable, is_modifiable) and the restrictions of
both hold. Whoever uses the old ehr_id is told the new one (``EhrJoined``).
"""

from __future__ import annotations

from collections.abc import Sequence

from cdr.access import Action
from cdr.audit import Outcome
from cdr.contributions import contribution_of_one
from cdr.doors import Call, reading, writing
from cdr.ehr_status import status_version
from cdr.errors import BadRequest, EhrClosed, UnknownEhr
from cdr.join_errors import JoinWithItself
from cdr.store.joins import Join
from cdr.submission import check_change
from cdr.versions import NO_AUDIT, ChangeType, CommitAudit, JsonObject, Lifecycle, normal_object_id

__all__ = ["Join", "get_joins", "join_ehrs", "split_ehrs"]

LONGEST_REASON = 500
_FLAGS = ("is_queryable", "is_modifiable")
_ATTEMPTS = 5


@writing(Action.JOIN_EHRS)
async def join_ehrs(call: Call, ehr_id: str, joined_id: str, *, reason: str) -> Sequence[Join]:
    """Make ``joined_id`` part of ``ehr_id``; returns all joins of it.

    Raises UnknownEhr, EhrClosed, JoinWithItself, RemovalUnderWay, BadRequest (no reason), VersionConflict.
    """
    into, old = normal_object_id(ehr_id), normal_object_id(joined_id)
    if into == old:
        raise JoinWithItself(into)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise BadRequest(f"a join needs a reason of at most {LONGEST_REASON} characters")
    if await call.ctx.store.joins.into(old) == into:  # asked again
        await _record(call, Outcome.GRANTED, into, old, "joined already")
        return await call.ctx.store.joins.of_ehr(into)
    await _check_known(call, into, old)
    await _record(call, Outcome.GRANTED, into, old, "join")
    for _ in range(_ATTEMPTS):  # a status may be changed between the two steps
        await _take_stricter_status(call, into, old)
        if await call.ctx.store.joins.join(Join(old, into, call.ctx.clock(), call.ctx.actor.id, reason)):
            await _record(call, Outcome.DONE, into, old, "join")
            return await call.ctx.store.joins.of_ehr(into)
        await _check_known(call, into, old)
    raise EhrClosed(into)


@writing(Action.SPLIT_EHRS)
async def split_ehrs(call: Call, ehr_id: str, joined_id: str) -> Sequence[Join]:
    """Make ``joined_id`` an EHR of its own again, with all its versions; returns the joins that remain.

    What was added since to its objects goes with it; new objects and the stricter restrictions stay.
    Raises UnknownEhr, NotJoined, JoinedSince.
    """
    into, old = normal_object_id(ehr_id), normal_object_id(joined_id)
    await _check_known(call, into)
    await _record(call, Outcome.GRANTED, into, old, "split")
    await call.ctx.store.joins.split(old, into)
    await _record(call, Outcome.DONE, into, old, "split")
    return await call.ctx.store.joins.of_ehr(into)


@reading(Action.READ_STATUS)
async def get_joins(call: Call, ehr_id: str) -> Sequence[Join]:
    """The EHRs that are part of this one. Raises UnknownEhr."""
    ehr_id = normal_object_id(ehr_id)
    await _check_known(call, ehr_id)
    return await call.ctx.store.joins.of_ehr(ehr_id)


async def _record(call: Call, outcome: Outcome, into: str, old: str, what: str) -> None:
    """Both records say what happened to them."""
    pairs = ((into, old), (old, into))
    await call.record([call.entry(outcome, ehr_id=ehr, what=f"{what} {other}") for ehr, other in pairs])


async def _check_known(call: Call, *ehr_ids: str) -> None:
    for ehr_id in ehr_ids:
        if not await call.ctx.store.reads.has_ehr(ehr_id):
            raise UnknownEhr(ehr_id)


async def _take_stricter_status(call: Call, into: str, old: str) -> None:
    """Before the join, so that the joined EHR is never more open than it was."""
    ours, theirs = await call.ctx.store.reads.ehr(into), await call.ctx.store.reads.ehr(old)
    if ours is None or theirs is None:
        return
    status: JsonObject = ours.status.data or {}
    other: JsonObject = theirs.status.data or {}
    flags = {name: status[name] and other[name] for name in _FLAGS}
    if all(status[name] == value for name, value in flags.items()):
        return
    object_id = ours.status.uid.object_id
    head = await call.ctx.store.reads.head(into, object_id)
    if head is None:
        return
    change = check_change(head, ChangeType.MODIFICATION, Lifecycle.COMPLETE)
    uid = head.uid.next(call.ctx.settings.system_id)
    version, facts = status_version(call.ctx, status | flags, uid, change, head)
    audit: CommitAudit = NO_AUDIT
    await call.commit(contribution_of_one(call, into, version, audit, status=facts))
