"""Contributions: what is, and was, committed together."""

from __future__ import annotations

from cdr.access import Action
from cdr.audit import Outcome
from cdr.context import Actor
from cdr.doors import Call, reading
from cdr.errors import UnknownContribution, UnknownEhr
from cdr.store.documents import NewVersion
from cdr.store.waiting import Commit, StatusFacts
from cdr.versions import CommitAudit, JsonObject, normal_object_id


@reading(Action.READ_CONTRIBUTION)
async def get_contribution(call: Call, ehr_id: str, uid: str) -> JsonObject:
    """The canonical CONTRIBUTION. Raises UnknownEhr, UnknownContribution."""
    ehr_id, uid = normal_object_id(ehr_id), normal_object_id(uid)
    found = await call.ctx.store.reads.contribution(ehr_id, uid)
    if found is None:
        known = await call.ctx.store.reads.has_ehr(ehr_id)
        raise UnknownContribution(uid) if known else UnknownEhr(ehr_id)
    return found.to_canonical()


def contribution_of_one(
    call: Call,
    ehr_id: str,
    version: NewVersion,
    audit: CommitAudit,
    *,
    status: StatusFacts | None = None,
    creates_ehr: bool = False,
) -> Commit:
    """The contribution of a request that writes one version."""
    return Commit(
        ehr_id=ehr_id,
        contribution_id=call.ctx.new_id(),
        system_id=call.ctx.settings.system_id,
        committer=audit.committer or _party(call.ctx.actor),
        description=audit.description,
        clock=call.ctx.clock(),
        versions=(version,),
        entry=call.entry(Outcome.DONE, ehr_id=ehr_id, what=str(version.uid)),
        status=status,
        creates_ehr=creates_ehr,
    )


def _party(actor: Actor) -> JsonObject:
    return {"_type": "PARTY_IDENTIFIED", "name": actor.name or actor.id}
