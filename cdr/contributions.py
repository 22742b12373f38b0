"""Contributions: what is, and was, committed together (RM common, change control; ITS-REST CONTRIBUTION)."""

from __future__ import annotations

from dataclasses import replace

from cdr.access import Action
from cdr.audit import Outcome
from cdr.changes import Changes
from cdr.consent import card_closed
from cdr.context import Actor
from cdr.contribution_request import NewContribution, read_contribution
from cdr.doors import Call, reading, writing
from cdr.errors import CdrError, ContributionExists, UnknownContribution, UnknownEhr
from cdr.repeats import Repeatable, commit_once
from cdr.store.documents import NewVersion
from cdr.store.waiting import Commit, ContributionFacts, StatusFacts
from cdr.versions import CommitAudit, Contribution, JsonObject, normal_object_id


@reading(Action.READ_CONTRIBUTION)
async def get_contribution(call: Call, ehr_id: str, uid: str) -> JsonObject:
    """The canonical CONTRIBUTION. Raises UnknownEhr, UnknownContribution."""
    ehr_id, uid = normal_object_id(ehr_id), normal_object_id(uid)
    found = await call.ctx.store.reads.contribution(ehr_id, uid)
    if found is None:
        known = await call.ctx.store.reads.has_ehr(ehr_id)
        raise call.absent(UnknownContribution(uid)) if known else UnknownEhr(ehr_id)
    return (await _shown(call, ehr_id, found)).to_canonical()


async def _shown(call: Call, ehr_id: str, contribution: Contribution) -> Contribution:
    """A contribution as far as the caller may see what it holds, without its description if that is not all.

    Raises CardClosed where part of it is on a card that is closed, UnknownContribution where all is hidden.
    """
    if call.sees_all:
        return contribution
    objects = {uid.object_id for uid, _ in contribution.versions}
    marks = await call.ctx.store.reads.marks(ehr_id, objects)
    if call.sight.lack is not None and any(its.access.on_card for its in marks.values()):
        raise card_closed(call.sight.lack)
    seen = {one for one, its in marks.items() if call.sees_it(one, its)}
    if not seen:
        raise call.absent(UnknownContribution(contribution.uid))
    if seen == objects:
        return contribution
    visible = tuple((uid, kind) for uid, kind in contribution.versions if uid.object_id in seen)
    return replace(contribution, versions=visible, audit=replace(contribution.audit, description=None))


@writing(Action.CREATE_CONTRIBUTION)
async def create_contribution(
    call: Call, ehr_id: str, body: JsonObject, *, repeatable: Repeatable | None = None
) -> Contribution:
    """Commit versions of several objects together, all or none (ITS-REST NewContribution).

    What is wrong with one version carries its place in the body, in the message and in each finding.
    Raises UnknownEhr, BadContribution, ContributionExists, and for a version what its own use case
    raises; for one whose preceding version is not the latest NotLatest.
    """
    ehr_id = normal_object_id(ehr_id)
    changes = Changes(sight=replace(call.sight, lack=None))

    async def prepare() -> Commit:
        asked = read_contribution(body)
        await _check_free(call, ehr_id, asked.uid)
        await changes.gather(call.ctx, ehr_id, asked.versions)
        return _composed(call, ehr_id, asked, changes)

    try:
        committed = await commit_once(call, ehr_id, repeatable, prepare)
    except CdrError as error:
        raise changes.located(error) from error
    found = await call.ctx.store.reads.contribution(committed.ehr_id, committed.contribution_id)
    if found is None:  # erased since
        raise UnknownContribution(committed.contribution_id)
    return found


async def _check_free(call: Call, ehr_id: str, uid: str | None) -> None:
    """The EHR is there, and has no contribution of this uid. Raises UnknownEhr, ContributionExists."""
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    if uid is not None and await call.ctx.store.reads.contribution(ehr_id, uid) is not None:
        raise ContributionExists(uid)


def _composed(call: Call, ehr_id: str, asked: NewContribution, changes: Changes) -> Commit:
    contribution_id = asked.uid or call.ctx.new_id()
    return Commit(
        ehr_id=ehr_id,
        contribution_id=contribution_id,
        system_id=call.ctx.settings.system_id,
        committer=asked.audit.committer or _party(call.ctx.actor),
        description=asked.audit.description,
        clock=call.ctx.clock(),
        versions=tuple(changes.versions),
        entry=call.entry(Outcome.DONE, ehr_id=ehr_id, what=f"contribution {contribution_id}"),
        status=changes.status,
        needs_modifiable=changes.needs_modifiable,
        attested=tuple(changes.attested),
        facts=ContributionFacts(asked.audit.change_type or changes.change_type, tuple(changes.order)),
        chosen_ids=tuple(changes.chosen_ids),
    )


def contribution_of_one(
    call: Call,
    ehr_id: str,
    version: NewVersion,
    audit: CommitAudit,
    *,
    status: StatusFacts | None = None,
    creates_ehr: bool = False,
    chosen_ids: tuple[str, ...] = (),
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
        chosen_ids=chosen_ids,
        in_care_of=call.ctx.actor.care_unit if creates_ehr else "",
    )


def _party(actor: Actor) -> JsonObject:
    return {"_type": "PARTY_IDENTIFIED", "name": actor.name or actor.id}
