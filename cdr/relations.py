"""Treatment relations: which organisations have a woman in treatment, who says so, and how it ends."""

from __future__ import annotations

from cdr.access import Action
from cdr.audit import Outcome
from cdr.context import ActorKind
from cdr.doors import Call, reading, writing
from cdr.errors import NotAllowed, NotFound, UnknownEhr
from cdr.facts import Relation
from cdr.versions import normal_object_id


class UnknownRelation(NotFound):
    """No open treatment relation of this organisation."""

    code = "relation.unknown"

    def __init__(self, organisation: str) -> None:
        super().__init__(f"no treatment relation of organisation {organisation[:20]}")
        self.organisation = organisation


@reading(Action.READ_RELATIONS)
async def get_relations(call: Call, ehr_id: str) -> tuple[Relation, ...]:
    """All relations, oldest first, also those that have ended. Raises UnknownEhr."""
    found = await call.ctx.store.relations.of_ehr(normal_object_id(ehr_id))
    if found is None:
        raise UnknownEhr(ehr_id)
    return found


@writing(Action.OPEN_RELATION)
async def open_relation(call: Call, ehr_id: str) -> tuple[Relation, ...]:
    """The organisation of the professional has her in treatment from now on; all relations.

    Does nothing where it has already. Raises UnknownEhr, NotAllowed (nobody's professional).
    """
    ehr_id = normal_object_id(ehr_id)
    organisation = call.ctx.actor.care_unit or call.ctx.actor.organisation
    if not organisation:
        raise NotAllowed(call.action.value, "the caller works for no organisation", "access.organisation")
    await call.record([call.entry(Outcome.GRANTED, what=organisation)])
    opened = await call.ctx.store.relations.open(ehr_id, organisation, call.ctx.clock())
    found = await call.ctx.store.relations.of_ehr(ehr_id)
    if found is None:
        raise UnknownEhr(ehr_id)
    if opened:
        await call.record([call.entry(Outcome.DONE, what=organisation)])
    return found


@writing(Action.END_RELATION)
async def end_relation(call: Call, ehr_id: str, organisation: str) -> None:
    """End a relation: the woman any, a professional that of the own organisation.

    Raises UnknownEhr, UnknownRelation, NotAllowed.
    """
    ehr_id, actor = normal_object_id(ehr_id), call.ctx.actor
    if actor.kind is ActorKind.PROFESSIONAL and organisation not in actor.organisations:
        reason = "a professional ends relations of the own organisation only"
        raise NotAllowed(call.action.value, reason, "access.organisation")
    named = organisation if len(organisation) == 9 and organisation.isdecimal() else ""
    await call.record([call.entry(Outcome.GRANTED, what=named)])
    if not await call.ctx.store.relations.end(ehr_id, organisation, call.ctx.clock()):
        known = await call.ctx.store.reads.has_ehr(ehr_id)
        raise UnknownRelation(organisation) if known else UnknownEhr(ehr_id)
    await call.record([call.entry(Outcome.DONE, what=organisation)])
