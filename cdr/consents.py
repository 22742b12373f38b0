"""Consent: given and withdrawn by the woman, and what follows at once and after (docs/consent.md).

A decision is one commit: the composition of the consent template, the state in the document of the EHR,
a line of the history, and on withdrawal the job that removes what was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import (
    NO_CONSENT,
    Bar,
    ConsentFacts,
    Decision,
    barred,
    given,
    withdrawn,
)
from cdr.consent_errors import NotConfirmed, UnknownRemoval
from cdr.consent_texts import text_version
from cdr.contributions import contribution_of_one
from cdr.doors import Call, asking, reading, writing
from cdr.errors import UnknownEhr
from cdr.store.consents import Removal
from cdr.store.documents import NewVersion
from cdr.store.waiting import Commit, ConsentChange, ConsentEvent
from cdr.submission import new_version
from cdr.versions import (
    NO_AUDIT,
    ChangeType,
    CommitAudit,
    JsonObject,
    Lifecycle,
    ObjectVersionId,
    iso,
    normal_object_id,
)
from templates.compose import Header, compose

TEMPLATE = "helsekort_samtykke.v0"
WHAT = "Digitalt helsekort for gravide - utprøving"
HOME = "225"  # openehr group setting
STEPS = {Decision.GIVEN: "at0015", Decision.WITHDRAWN: "at0017"}  # of ACTION.informed_consent
HERSELF = "herself"

__all__ = ["ConsentView", "Removal", "get_consent", "get_removal", "give_consent", "withdraw_consent"]


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What she sees of her consent; ``valid`` says whether the card is open now."""

    facts: ConsentFacts
    history: Sequence[ConsentEvent]
    valid: bool


@reading(Action.READ_CONSENT)
async def get_consent(call: Call, ehr_id: str) -> ConsentView:
    """Her consent and its history. Raises UnknownEhr."""
    facts = await facts_of(call, ehr_id)
    history = await call.ctx.store.consents.history(normal_object_id(ehr_id))
    lack = facts.lack(call.ctx.settings.legal_basis, call.ctx.clock())
    return ConsentView(facts, history, lack is None)


@asking(Action.READ_CONSENT)
async def get_nobodys_consent(call: Call) -> ConsentView:
    """The consent of a woman who has no record yet: none."""
    call.waits = False  # there is no EHR that could be asked about
    await call.record([call.entry(Outcome.GRANTED)])
    return ConsentView(NO_CONSENT, (), valid=False)


@writing(Action.GIVE_CONSENT)
async def give_consent(call: Call, ehr_id: str, *, document: str) -> ConsentFacts:
    """She says yes to the text ``document``, which must be the one in force.

    Raises UnknownEhr, NotConfirmed, ConsentGiven, RemovalRunning, CardClosed, ConsentChanged.
    """
    _require_current(document)
    ehr_id, before, now = normal_object_id(ehr_id), await facts_of(call, ehr_id), call.ctx.clock()
    uid = ObjectVersionId(call.ctx.new_id(), call.ctx.settings.system_id, 1)
    after = replace(given(before, at=now, document=document), consent_object=uid.object_id)
    header = Header(start_time=iso(now), setting=HOME)
    said = {"HK20.1": WHAT, "HK20.2": STEPS[Decision.GIVEN], "HK20.3": iso(now), "HK20.6": document}
    data = compose(await call.ctx.templates.get(TEMPLATE), header, said)
    version = await new_version(call.ctx, data, uid, ChangeType.CREATION, Lifecycle.COMPLETE)
    event = ConsentEvent(Decision.GIVEN, now, HERSELF, document)
    await _decide(call, ehr_id, before, after, event, version)
    return after


@writing(Action.WITHDRAW_CONSENT)
async def withdraw_consent(call: Call, ehr_id: str, *, document: str) -> str:
    """She says no, having read the text ``document``: closes the card now, and begins to remove it.

    Returns the id of the removal. Raises UnknownEhr, NotConfirmed, ConsentMissing, ConsentChanged.
    """
    _require_current(document)
    ehr_id, before = normal_object_id(ehr_id), await facts_of(call, ehr_id)
    event = ConsentEvent(Decision.WITHDRAWN, call.ctx.clock(), HERSELF, document)
    return await end_consent(call, ehr_id, before, event)


async def end_consent(call: Call, ehr_id: str, before: ConsentFacts, event: ConsentEvent) -> str:
    """Withdraw inside a call, whoever brought her decision. Returns the id of the removal."""
    job, ctx = call.ctx.new_id(), call.ctx
    after = withdrawn(before, at=event.at, job=job, basis=ctx.settings.legal_basis)
    version = await _withdrawal(call, ehr_id, before, event.at)
    await _decide(call, ehr_id, before, after, event, version, removal=job)
    ctx.store.removals.wake()
    return job


@reading(Action.READ_CONSENT)
async def get_removal(call: Call, ehr_id: str, job: str) -> Removal:
    """How far a removal has come. Raises UnknownRemoval."""
    found = await call.ctx.store.consents.removal(normal_object_id(ehr_id), normal_object_id(job))
    if found is None:
        raise UnknownRemoval
    return found


@writing(Action.REPORT_PERSON)
async def report_person(call: Call, ehr_id: str, bar: Bar | None) -> None:
    """The register of persons tells that she is dead, or her address confidential, or neither any more.

    Raises UnknownEhr, ConsentChanged.
    """
    ehr_id, before, now = normal_object_id(ehr_id), await facts_of(call, ehr_id), call.ctx.clock()
    event = ConsentEvent(Decision.BARRED if bar else Decision.UNBARRED, now, "register")
    await _decide(call, ehr_id, before, barred(before, bar, at=now), event, None)


async def facts_of(call: Call, ehr_id: str) -> ConsentFacts:
    """The consent of an EHR. Raises UnknownEhr."""
    facts = await call.ctx.store.consents.facts(normal_object_id(ehr_id))
    if facts is None:
        raise UnknownEhr(ehr_id)
    return facts


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


async def _decide(
    call: Call,
    ehr_id: str,
    before: ConsentFacts,
    after: ConsentFacts,
    event: ConsentEvent,
    version: NewVersion | None,
    *,
    removal: str | None = None,
) -> None:
    change = ConsentChange(before=before.number, facts=after, event=event, removal=removal)
    await call.commit(change_of(call, ehr_id, change, version, what=event.document))


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


def _require_current(document: str) -> None:
    if document != text_version():
        raise NotConfirmed(text_version())
