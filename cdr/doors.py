"""The doors: nobody gets into a use case but through one of these, which ask for access and keep the audit.

A use case is written as ``async def name(call: Call, ...)`` under a door, and called as
``await name(ctx, ...)``. Nothing else makes a ``Call``.

- ``reading``: the entry is written beside the fetch, and the answer waits for both.
- ``asking``: the EHRs are known only afterwards; the use case calls :meth:`Call.record` itself.
- ``writing``: the entry goes into the transaction with the data, by :meth:`Call.commit`, or, where no
  contribution is written, by :meth:`Call.record` before the work begins.

A door whose use case forgot its entry raises AssertionError instead of answering.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from archetypes.errors import HelsekortError
from cdr.access import Action, Asked, Decision, allow_all, decide, may_enter, may_name
from cdr.audit import AuditEntry, Outcome
from cdr.audit_names import object_name, without_national_ids
from cdr.candidates import QueryAccess
from cdr.card_gate import gated, named_in, shown
from cdr.consent import card_closed
from cdr.consent_errors import CardClosed, ConsentChanged
from cdr.context import ActorKind, Ctx
from cdr.errors import CdrError, Conflict, NotAllowed, NotFound, UnknownObject
from cdr.facts import UNKNOWN, Facts
from cdr.grants import granting
from cdr.join_errors import EhrJoined
from cdr.sight import EVERYTHING, Marks, Sight
from cdr.store.waiting import Commit
from cdr.subject_gate import require_same_subject
from cdr.versions import StoredVersion, is_uuid, normal_object_id

MANY = 200  # EHRs that are decided on without giving way to others

P = ParamSpec("P")
R = TypeVar("R")
UseCase = Callable[Concatenate[Ctx, P], Coroutine[Any, Any, R]]
Inside = Callable[Concatenate["Call", P], Awaitable[R]]


@dataclass(slots=True)
class Call:
    """One access that was let in; ``ehr_id`` and ``what`` are what its arguments name.

    ``sight`` is what it may see of its EHR. ``waits``: it was let in before its EHR was known, and must
    call :meth:`admit` or :meth:`population` before it answers.
    """

    ctx: Ctx
    action: Action
    ehr_id: str | None
    what: str = ""
    recorded: bool = field(default=False, init=False)
    waits: bool = field(default=False, init=False)
    denied: bool = field(default=False, init=False)
    sight: Sight = field(default=EVERYTHING, init=False)

    def entry(
        self, outcome: Outcome, *, ehr_id: str | None = None, what: str = "", detail: str = ""
    ) -> AuditEntry:
        """An audit entry of this call."""
        actor = self.ctx.actor
        return AuditEntry(
            at=self.ctx.clock(),
            actor=actor.id,
            role=actor.role or actor.kind.value,
            organisation=actor.organisation,
            action=self.action.value,
            outcome=outcome,
            ehr_id=ehr_id or self.ehr_id,
            what=without_national_ids(what or self.what),
            why=self.ctx.basis,
            detail=without_national_ids(detail),
            kind=actor.kind.value,
            name="" if actor.kind is ActorKind.CITIZEN else actor.name,
            hpr=actor.hpr,
            unit=actor.unit,
            client=actor.client_id,
            source=actor.source_system,
            event=actor.event_id,
            reason=without_national_ids(self.ctx.reason),
        )

    async def admit(self, ehr_id: str | None) -> None:
        """Ask for access to an EHR that the use case found; None if it found none, which costs the same.

        Raises NotAllowed, StoreUnavailable.
        """
        self.ehr_id = ehr_id or self.ehr_id
        await self.ask(names_ehr=True)

    async def ask(self, *, names_ehr: bool) -> None:
        """Ask for access; with ``names_ehr`` to one EHR. Raises NotAllowed, StoreUnavailable."""
        decision = await self._decision(names_ehr)
        await self._unless(decision)
        self.sight, self.waits = decision.sight, decision.open

    async def require(self, name: str) -> None:
        """Ask whether the token's scopes reach a template or stored query. Raises NotAllowed."""
        if self.ctx.settings.enforces_access:
            await self._unless(may_name(self.ctx.actor, self.action, name))

    async def _unless(self, decision: Decision) -> None:
        if decision.allowed:
            return
        await self.record([self.entry(Outcome.DENIED, detail=f"{decision.code}: {decision.reason}")])
        self.denied = True
        raise NotAllowed(self.action.value, decision.reason, decision.code)

    async def _decision(self, names_ehr: bool) -> Decision:
        if not self.ctx.settings.enforces_access:
            return allow_all()
        return await self._decision_on(self.ehr_id) if names_ehr else decide(self._asked(None, self.ehr_id))

    async def _decision_on(self, ehr_id: str | None) -> Decision:
        """Where there is no EHR, one is looked up all the same, so that both take the same time.

        Where consent lives elsewhere, it is asked for anew only for whoever may enter.
        """
        ctx = self.ctx
        facts = await ctx.store.access.of_ehr(ehr_id or "", ctx.actor)
        asked = self._asked(facts, ehr_id)
        source = None if self.action is Action.PUSH_CONSENT else ctx.consent_source
        if source is None or not (facts.exists and may_enter(asked).allowed):
            return decide(asked)
        consent = await source.refreshed(ctx, ehr_id or "", facts.consent)
        return decide(replace(asked, facts=replace(facts, consent=consent)))

    def _asked(self, facts: Facts | None, ehr_id: str | None) -> Asked:
        ctx = self.ctx
        return Asked(ctx.actor, self.action, facts, ctx.basis, ctx.reason, ehr_id, ctx.terms)

    async def sees(self, ehr_id: str, object_id: str | None = None) -> bool:
        """May one of many EHRs, or an object in it, be told of? Raises StoreUnavailable."""
        if not self.ctx.settings.enforces_access:
            return True
        decision = await self._decision_on(ehr_id)
        if not decision.allowed or object_id is None:
            return decision.allowed
        head = await self.ctx.store.reads.head(ehr_id, object_id)
        return head is not None and decision.sight.sees(object_id, head)

    async def show(self, version: StoredVersion) -> StoredVersion:
        """A version of the EHR as the caller may see it: without what is hidden from it.

        What was said of its contribution is left out where that holds something hidden: it may tell of it.
        Raises CardClosed where nothing of the card is shown, UnknownObject where this object is not,
        NotAllowed where the token's scopes do not reach its template.
        """
        self.require_visible(version.uid.object_id, version)
        hidden = await self.hidden_among(version.ehr_id, named_in(version))
        return await self._discreet(shown(self.sight, version, hidden))

    async def _discreet(self, version: StoredVersion) -> StoredVersion:
        if self.sees_all or version.audit.description is None:
            return version
        reads = self.ctx.store.reads
        contribution = await reads.contribution(version.ehr_id, version.contribution_id)
        parts = [uid.object_id for uid, _ in contribution.versions] if contribution else []
        if not await self.hidden_among(version.ehr_id, parts):
            return version
        return replace(version, audit=replace(version.audit, description=None))

    @property
    def sees_all(self) -> bool:
        """True if nothing of the EHR is hidden from the caller, and every template in reach of its token."""
        return self.sight.whole and self.ctx.actor.grants is None

    def sees_it(self, object_id: str, marks: Marks) -> bool:
        """May an object of the EHR be known to the caller?"""
        return self.sight.sees(object_id, marks) and self._in_scope(marks)

    async def hidden_among(self, ehr_id: str, object_ids: Collection[str]) -> frozenset[str]:
        """Those of the objects that the caller may not know; one that the EHR does not hold is not hidden."""
        if self.sees_all or not object_ids:
            return frozenset()
        marks = await self.ctx.store.reads.marks(ehr_id, object_ids)
        return frozenset(one for one, its in marks.items() if not self.sees_it(one, its))

    def _in_scope(self, marks: Marks) -> bool:
        """Do the scopes of the token reach the template? What has none goes with the EHR."""
        name = marks.template_id
        return name is None or may_name(self.ctx.actor, self.action, name).allowed

    def require_visible(self, object_id: str, marks: Marks) -> None:
        """Raises CardClosed, UnknownObject, NotAllowed for a version that the caller may not see.

        What is hidden is not there, whatever the scopes; what they do not reach is not told by its template.
        """
        if marks.access.on_card and self.sight.lack is not None:
            raise card_closed(self.sight.lack)
        if not self.sight.sees(object_id, marks):
            raise UnknownObject(object_id)
        if not self._in_scope(marks):
            raise NotAllowed(self.action.value, "no scope of the token reaches this document", "access.scope")

    def absent(self, error: NotFound) -> CdrError:
        """The error for what is not there: where the card is closed, the same as for what is."""
        return error if self.sight.lack is None else card_closed(self.sight.lack)

    async def tell_of_join(self) -> None:
        """Where the EHR was joined into another one: tell its id to whoever may use that.

        Raises EhrJoined; nothing where the EHR was not joined, or the other one is not for the actor.
        Whether there is such an EHR, or was, costs the same reads.
        """
        old = self.ehr_id or ""
        into = await self.ctx.store.joins.into(old)
        allowed = not self.ctx.settings.enforces_access or (await self._decision_on(into)).allowed
        if into is not None and allowed:
            self.ehr_id = into
            raise EhrJoined(old, into)

    async def population(self) -> QueryAccess:
        """The EHRs that a query without a named EHR ranges over: the actor's own, those in care, or all."""
        self.waits = False
        if not self.ctx.settings.enforces_access:
            return QueryAccess.all_except()
        return await self._seen(await self._population())

    async def part_of(self, access: QueryAccess, ehr_ids: frozenset[str]) -> QueryAccess:
        """Some of the EHRs of a population, with what is seen of them now."""
        if not self.ctx.settings.enforces_access:
            return replace(access, ehr_ids=ehr_ids)
        return await self._seen(ehr_ids)

    async def _seen(self, ehr_ids: frozenset[str] | None) -> QueryAccess:
        ctx = self.ctx
        sights = await ctx.store.access.sights(ehr_ids, ctx.actor, ctx.basis, ctx.terms)
        return QueryAccess(ehr_ids=ehr_ids, sights=sights)

    async def _population(self) -> frozenset[str] | None:
        actor, access = self.ctx.actor, self.ctx.store.access
        if actor.kind is ActorKind.ANALYST:
            return None
        if actor.kind is ActorKind.CITIZEN:
            return await access.ehrs_of_citizen(actor)
        if actor.kind is ActorKind.PROFESSIONAL:
            in_care = await access.ehrs_in_care(actor)
            one_patient = actor.patient_only(granting(actor.grants or (), "aql", "s"))
            return in_care & {actor.launch_ehr} if one_patient else in_care
        return frozenset()

    async def require_same_sight(self) -> None:
        """Raises ConsentChanged if the EHR of this call is not open to the actor as it was at the door."""
        decision = await self._decision(names_ehr=True)
        if not decision.allowed or decision.sight != self.sight:
            raise ConsentChanged

    async def require_unchanged(self, ehr_ids: frozenset[str], access: QueryAccess) -> None:
        """Raises ConsentChanged if one of the EHRs of an answer is not open to the actor as it was.

        It was erased or joined, a relation ended, consent was withdrawn, something was blocked or opened.
        """
        if not self.ctx.settings.enforces_access:
            return
        known = await self.ctx.store.access.of_ehrs(ehr_ids, self.ctx.actor)
        if len(ehr_ids) > MANY:
            changed = await asyncio.to_thread(self._is_changed, ehr_ids, known, access)
        else:
            changed = self._is_changed(ehr_ids, known, access)
        if changed:
            raise ConsentChanged

    def _is_changed(self, ehr_ids: frozenset[str], known: Mapping[str, Facts], access: QueryAccess) -> bool:
        for ehr_id in ehr_ids:
            facts = known.get(ehr_id, UNKNOWN)
            decision = decide(self._asked(facts, ehr_id))
            if not (decision.allowed and facts.exists and self._is_in_reach(facts)):
                return True
            if decision.sight != access.sights.of(ehr_id):
                return True
        return False

    def _is_in_reach(self, facts: Facts) -> bool:
        """A query without a named EHR ranges over those in care only, whatever the basis."""
        return facts.related or self.ehr_id is not None or self.ctx.actor.kind is not ActorKind.PROFESSIONAL

    async def commit(self, commit: Commit) -> tuple[StoredVersion, ...]:
        """Store a contribution together with its audit entry.

        Raises NotAllowed (a template out of scope), SubjectFixed, what CommitQueue.submit raises, and what
        ``card_gate.gated`` raises for entries of a card.
        """
        names = {one.template_id for one in commit.versions} | {one.template_id for one in commit.attested}
        for name in sorted(filter(None, names)):
            await self.require(name)
        if self.ctx.settings.enforces_access:
            await require_same_subject(self.ctx, commit)
            commit = await gated(self.ctx, self.sight, commit)
        versions = await (self.ctx.commits or self.ctx.store.commits).submit(commit)
        self.recorded = True
        return versions

    async def record(self, entries: Iterable[AuditEntry]) -> None:
        """Write entries that belong to no commit. Raises StoreUnavailable."""
        await self.ctx.store.audit.record(list(entries))
        self.recorded = True


def reading(action: Action) -> Callable[[Inside[P, R]], UseCase[P, R]]:
    """The door of a use case that reads what its arguments name."""
    return _door(action, _read)


def asking(action: Action) -> Callable[[Inside[P, R]], UseCase[P, R]]:
    """The door of a use case that finds out on the way whose data it reads."""
    return _door(action, _run)


def writing(action: Action) -> Callable[[Inside[P, R]], UseCase[P, R]]:
    """The door of a use case that changes something."""
    return _door(action, _run)


def action_of(function: Callable[..., Any]) -> Action | None:
    """The action of a use case; None for a function that is behind no door."""
    return getattr(function, "__door__", None)


def _door(
    action: Action, pass_through: Callable[[Call, Callable[[], Awaitable[Any]]], Awaitable[Any]]
) -> Callable[[Inside[P, R]], UseCase[P, R]]:
    def build(inside: Inside[P, R]) -> UseCase[P, R]:
        names = list(inspect.signature(inside).parameters)[1:]

        @wraps(inside)
        async def use_case(ctx: Ctx, /, *args: P.args, **kwargs: P.kwargs) -> R:
            arguments = dict(zip(names, args, strict=False)) | kwargs
            call = Call(ctx, action, _ehr_of(arguments), _object_of(arguments))
            try:
                await call.ask(names_ehr=isinstance(arguments.get("ehr_id"), str))
                answer: R = await pass_through(call, lambda: inside(call, *args, **kwargs))
            except (NotAllowed, NotFound, Conflict):
                await call.tell_of_join()
                raise
            assert call.recorded, f"{inside.__name__} answers without an audit entry"
            assert not call.waits, f"{inside.__name__} answers without asking for access to the EHR it found"
            return answer

        vars(use_case)["__door__"] = action
        return use_case

    return build


async def _read(call: Call, inside: Callable[[], Awaitable[R]]) -> R:
    if call.sight.lack is not None:
        return await _read_closed(call, inside)
    recording = asyncio.ensure_future(call.record([call.entry(Outcome.GRANTED)]))
    try:
        return await inside()
    finally:
        await recording


async def _read_closed(call: Call, inside: Callable[[], Awaitable[R]]) -> R:
    """Only what was read tells whether it is on the card, and so what the audit says."""
    try:
        answer = await inside()
    except CardClosed as error:
        await call.record([call.entry(Outcome.DENIED, detail=f"{error.code}: {error.reason}")])
        raise
    except HelsekortError:
        await call.record([call.entry(Outcome.GRANTED)])
        raise
    await call.record([call.entry(Outcome.GRANTED)])
    return answer


async def _run(call: Call, inside: Callable[[], Awaitable[R]]) -> R:
    try:
        return await inside()
    except CardClosed as error:
        await call.record([call.entry(Outcome.DENIED, detail=f"{error.code}: {error.reason}")])
        raise
    except HelsekortError as error:
        if not call.denied:
            await call.record([call.entry(Outcome.REFUSED, detail=error.code)])
        raise


def _ehr_of(arguments: Mapping[str, Any]) -> str | None:
    """The EHR that the arguments name; a text that is no UUID names none, and may be anything."""
    ehr_id = arguments.get("ehr_id")
    return normal_object_id(ehr_id) if isinstance(ehr_id, str) and is_uuid(ehr_id) else None


def _object_of(arguments: Mapping[str, Any]) -> str:
    """The object or template that the arguments name; what is no id may be anything, and names none."""
    for name in ("version_uid", "uid", "object_id", "template_id"):
        value = arguments.get(name)
        if isinstance(value, str):
            return object_name(value)
    return ""
