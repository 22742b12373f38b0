"""The ids of the subject of an EHR with their periods: any of them finds the EHR (ours, beside EHR_STATUS).

EHR_STATUS names the id in force. When it is modified from a D-number or a helper number to a national number,
the id before is kept with its end; other ids of other times are given to the EHR here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, reading, writing
from cdr.errors import BadRequest, SubjectExists, UnknownEhr
from cdr.join_errors import SubjectIdInForce, UnknownSubjectId
from cdr.national_id import check_identifier
from cdr.store.subject_documents import SubjectId
from cdr.versions import normal_object_id

__all__ = ["SubjectId", "add_subject_id", "get_subject_ids", "withdraw_subject_id"]

LONGEST = 255


@reading(Action.READ_STATUS)
async def get_subject_ids(call: Call, ehr_id: str) -> Sequence[SubjectId]:
    """All ids of the subject, the one in force first. Raises UnknownEhr."""
    return await call.ctx.store.subjects.of_ehr(await _known(call, ehr_id))


@writing(Action.UPDATE_STATUS)
async def add_subject_id(
    call: Call,
    ehr_id: str,
    namespace: str,
    subject_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[SubjectId]:
    """Give the EHR an id of another time; returns all that it has then.

    Raises UnknownEhr, BadRequest, RefusedIdentifier, SubjectExists (it is another EHR's).
    """
    ehr_id = await _known(call, ehr_id)
    if not (0 < len(namespace) <= LONGEST and 0 < len(subject_id) <= LONGEST):
        raise BadRequest(f"namespace and id are texts of 1 to {LONGEST} characters")
    if since is not None and until is not None and until <= since:
        raise BadRequest("the period of an id ends after it begins")
    check_identifier(subject_id, "/id", dev=call.ctx.settings.is_dev)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=f"id in {namespace}")])
    added = SubjectId(namespace=namespace, id=subject_id, since=since, until=until)
    if not await call.ctx.store.subjects.add(ehr_id, added):
        raise SubjectExists(namespace)
    return await call.ctx.store.subjects.of_ehr(ehr_id)


@writing(Action.UPDATE_STATUS)
async def withdraw_subject_id(call: Call, ehr_id: str, namespace: str, subject_id: str) -> None:
    """Take an id from the EHR that was never hers. Raises UnknownEhr, UnknownSubjectId, SubjectIdInForce."""
    ehr_id = await _known(call, ehr_id)
    known = await call.ctx.store.subjects.of_ehr(ehr_id)
    if any(one.in_force and (one.namespace, one.id) == (namespace, subject_id) for one in known):
        raise SubjectIdInForce(namespace)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=f"id in {namespace}")])
    if not await call.ctx.store.subjects.withdraw(ehr_id, namespace, subject_id):
        raise UnknownSubjectId(namespace)


async def _known(call: Call, ehr_id: str) -> str:
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    return ehr_id
