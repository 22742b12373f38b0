"""Consent: given and withdrawn by the woman, and what follows at once and after (docs/consent.md).

A decision is one commit: the composition of the consent template, the state in the document of the EHR,
a line of the history, and on withdrawal the job that removes what was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import NO_CONSENT, Bar, ConsentFacts, Decision, barred, confirmed
from cdr.consent import given as give
from cdr.consent_changes import (
    HERSELF,
    HOME,
    REGISTER,
    STEPS,
    TEMPLATE,
    WHAT,
    decide_consent,
    end_consent,
    facts_of,
)
from cdr.consent_errors import ConsentKeptElsewhere, ConsentMissing, NotConfirmed, UnknownRemoval
from cdr.consent_texts import text_version
from cdr.contributions import contribution_of_one
from cdr.doors import Call, asking, reading, writing
from cdr.ehr_status import default_status, status_version
from cdr.errors import NotAllowed
from cdr.store.consents import Removal
from cdr.store.waiting import ConsentEvent
from cdr.submission import new_version
from cdr.versions import NO_AUDIT, ChangeType, Lifecycle, ObjectVersionId, iso, normal_object_id
from cdr.women import checked_national_id, subject_of
from templates.compose import Header, compose

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
    return ConsentView(facts, history, call.ctx.lack_of(facts) is None)


@asking(Action.READ_CONSENT)
async def get_nobodys_consent(call: Call) -> ConsentView:
    """The consent of a woman who has no record yet: none."""
    call.waits = False  # there is no EHR that could be asked about
    await call.record([call.entry(Outcome.GRANTED)])
    return ConsentView(NO_CONSENT, (), valid=False)


@asking(Action.GIVE_CONSENT)
async def open_record(call: Call, national_id: str) -> str:
    """A new EHR for her who comes to give her consent; returns its id.

    Raises MalformedNationalId, NotAllowed, SubjectExists, RefusedIdentifier.
    """
    ctx, national_id = call.ctx, checked_national_id(national_id)
    if ctx.settings.enforces_access and ctx.actor.person_id != national_id:
        raise NotAllowed(call.action.value, "a citizen opens her own record only", "access.not_own")
    call.waits = False  # there is no EHR yet that could be asked about
    uid = ObjectVersionId(ctx.new_id(), ctx.settings.system_id, 1)
    version, facts = status_version(ctx, default_status() | {"subject": subject_of(national_id)}, uid)
    ehr_id = ctx.new_id()
    await call.commit(contribution_of_one(call, ehr_id, version, NO_AUDIT, status=facts, creates_ehr=True))
    return ehr_id


@writing(Action.GIVE_CONSENT)
async def give_consent(call: Call, ehr_id: str, *, document: str) -> ConsentFacts:
    """She says yes to the text ``document``, which must be the one in force.

    Raises UnknownEhr, NotConfirmed, ConsentGiven, RemovalRunning, CardClosed, ConsentChanged.
    """
    _require_kept_here(call)
    _require_current(document)
    ehr_id, before, now = normal_object_id(ehr_id), await facts_of(call, ehr_id), call.ctx.clock()
    uid = ObjectVersionId(call.ctx.new_id(), call.ctx.settings.system_id, 1)
    after = replace(give(before, at=now, document=document), consent_object=uid.object_id)
    header = Header(start_time=iso(now), setting=HOME)
    said = {"HK20.1": WHAT, "HK20.2": STEPS[Decision.GIVEN], "HK20.3": iso(now), "HK20.6": document}
    data = compose(await call.ctx.templates.get(TEMPLATE), header, said)
    version = await new_version(call.ctx, data, uid, ChangeType.CREATION, Lifecycle.COMPLETE)
    event = ConsentEvent(Decision.GIVEN, now, HERSELF, document)
    await decide_consent(call, ehr_id, before, after, event, version)
    return after


@writing(Action.WITHDRAW_CONSENT)
async def withdraw_consent(call: Call, ehr_id: str, *, document: str) -> str:
    """She says no, having read the text ``document``: closes the card now, and begins to remove it.

    Returns the id of the removal. Raises UnknownEhr, NotConfirmed, ConsentMissing, ConsentChanged.
    """
    _require_kept_here(call)
    _require_current(document)
    ehr_id, before = normal_object_id(ehr_id), await facts_of(call, ehr_id)
    event = ConsentEvent(Decision.WITHDRAWN, call.ctx.clock(), HERSELF, document)
    return await end_consent(call, ehr_id, before, event)


@reading(Action.READ_CONSENT)
async def get_removal(call: Call, ehr_id: str, job: str) -> Removal:
    """How far a removal has come. Raises UnknownRemoval."""
    found = await call.ctx.store.consents.removal(normal_object_id(ehr_id), normal_object_id(job))
    if found is None:
        raise UnknownRemoval
    return found


@writing(Action.PUSH_CONSENT)
async def hear_register(call: Call, ehr_id: str, *, given: bool, document: str = "") -> ConsentFacts:
    """What the portal's register of consents says, pushed by it or looked up there.

    Yes is believed until ``consent_register_seconds`` have passed. No withdraws what stood, and begins to
    remove it. Raises UnknownEhr, RemovalRunning, CardClosed, ConsentChanged.
    """
    ehr_id, before, now = normal_object_id(ehr_id), await facts_of(call, ehr_id), call.ctx.clock()
    if not given:
        try:
            await end_consent(call, ehr_id, before, ConsentEvent(Decision.WITHDRAWN, now, REGISTER))
        except ConsentMissing:
            await call.record([call.entry(Outcome.DONE, ehr_id=ehr_id, what="no consent")])
        return await facts_of(call, ehr_id)
    until = now + timedelta(seconds=call.ctx.settings.consent_register_seconds)
    if before.given:
        after, event = confirmed(before, at=now, until=until), None
    else:
        after = give(before, at=now, document=document, until=until)
        event = ConsentEvent(Decision.GIVEN, now, REGISTER, document)
    await decide_consent(call, ehr_id, before, after, event, None)
    return after


@writing(Action.REPORT_PERSON)
async def report_person(call: Call, ehr_id: str, bar: Bar | None) -> None:
    """The register of persons tells that she is dead, or her address confidential, or neither any more.

    Raises UnknownEhr, ConsentChanged.
    """
    ehr_id, before, now = normal_object_id(ehr_id), await facts_of(call, ehr_id), call.ctx.clock()
    event = ConsentEvent(Decision.BARRED if bar else Decision.UNBARRED, now, REGISTER)
    await decide_consent(call, ehr_id, before, barred(before, bar, at=now), event, None)


@asking(Action.REPORT_PERSON)
async def remember_person(call: Call, national_id: str, bar: Bar | None) -> None:
    """The same of somebody who need not have a record: one that is made for her later begins with it.

    Raises MalformedNationalId.
    """
    national_id = checked_national_id(national_id)
    await call.record([call.entry(Outcome.DONE, what=bar.value if bar else "no bar")])
    await call.ctx.store.bars.say(national_id, bar, call.ctx.clock())


def _require_kept_here(call: Call) -> None:
    if call.ctx.settings.consent_register is not None:
        raise ConsentKeptElsewhere


def _require_current(document: str) -> None:
    if document != text_version():
        raise NotConfirmed(text_version())
