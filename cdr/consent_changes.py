"""What changes a consent inside a call that was let in: the commit of a decision, of a block, of a card."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import ConsentFacts, Decision, withdrawn
from cdr.contributions import contribution_of_one
from cdr.doors import Call
from cdr.errors import UnknownEhr
from cdr.store.documents import NewVersion
from cdr.store.waiting import Commit, ConsentChange, ConsentEvent
from cdr.submission import new_version
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    CommitAudit,
    JsonObject,
    Lifecycle,
    iso,
    normal_object_id,
)
from templates.compose import Header, compose

TEMPLATE = "helsekort_samtykke.v0"
WHAT = "Digitalt helsekort for gravide - utprøving"
HOME = "225"  # openehr group setting
STEPS = {Decision.GIVEN: "at0015", Decision.WITHDRAWN: "at0017"}  # of ACTION.informed_consent
HERSELF, REGISTER = "herself", "register"  # who decided, in the history
RESTORE = "restore"  # her decision was carried out again on a restored backup


async def facts_of(call: Call, ehr_id: str) -> ConsentFacts:
    """The consent of an EHR. Raises UnknownEhr."""
    facts = await call.ctx.store.consents.facts(normal_object_id(ehr_id))
    if facts is None:
        raise UnknownEhr(ehr_id)
    return facts


async def end_consent(
    call: Call, ehr_id: str, before: ConsentFacts, event: ConsentEvent, *, job: str | None = None
) -> str:
    """Withdraw inside a call, whoever brought her decision. Returns the id of the removal (``job``)."""
    job, ctx = job or call.ctx.new_id(), call.ctx
    after = withdrawn(before, at=event.at, job=job, basis=ctx.settings.legal_basis)
    version = await _withdrawal(call, ehr_id, before, event.at)
    await decide_consent(call, ehr_id, before, after, event, version, removal=job)
    await ctx.store.erasures.keep_up()
    ctx.store.removals.wake()
    return job


def change_of(
    call: Call, ehr_id: str, change: ConsentChange, version: NewVersion | None = None, *, what: str = ""
) -> Commit:
    """The commit of a change of consent, blocks or cards."""
    if version is not None:
        audit = CommitAudit(committer=herself()) if _hers(call) else NO_AUDIT
        return replace(contribution_of_one(call, ehr_id, version, audit), consent=change)
    return Commit(
        ehr_id=ehr_id,
        contribution_id=call.ctx.new_id(),
        system_id=call.ctx.settings.system_id,
        committer=herself(),
        clock=call.ctx.clock(),
        versions=(),
        entry=call.entry(Outcome.DONE, ehr_id=ehr_id, what=what),
        consent=change,
    )


def herself() -> JsonObject:
    """The woman as committer: never by name or number."""
    return {"_type": "PARTY_SELF"}


def _hers(call: Call) -> bool:
    return call.action in (Action.GIVE_CONSENT, Action.WITHDRAW_CONSENT)


async def decide_consent(
    call: Call,
    ehr_id: str,
    before: ConsentFacts,
    after: ConsentFacts,
    event: ConsentEvent | None,
    version: NewVersion | None,
    *,
    removal: str | None = None,
) -> None:
    change = ConsentChange(before=before.number, facts=after, event=event, removal=removal)
    await call.commit(change_of(call, ehr_id, change, version, what=event.document if event else ""))


async def _withdrawal(call: Call, ehr_id: str, before: ConsentFacts, now: datetime) -> NewVersion | None:
    """The next version of her consent's composition; None where she gave it elsewhere, or did not need to."""
    head = await call.ctx.store.reads.head(ehr_id, before.consent_object) if before.consent_object else None
    if head is None:
        return None
    said = {
        "HK20.1": WHAT,
        "HK20.2": STEPS[Decision.WITHDRAWN],
        "HK20.3": iso(before.changed or now),
        "HK20.4": iso(now),
        "HK20.6": before.document,
    }
    data = compose(await call.ctx.templates.get(TEMPLATE), Header(start_time=iso(now), setting=HOME), said)
    uid = head.uid.next(call.ctx.settings.system_id)
    return await new_version(call.ctx, data, uid, ChangeType.MODIFICATION, Lifecycle.COMPLETE, head)
