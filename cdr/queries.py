"""AQL queries: parse, check, fetch candidates, decide (ITS-REST QUERY)."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from archetypes.findings import Finding
from cdr.access import Action
from cdr.analyst_queries import AnalystQuery, analyst_query, rows_for_analyst
from cdr.aql.checks import check
from cdr.aql.column_types import typed_column
from cdr.aql.compile import Page, Plan, compile_query
from cdr.aql.completion import Completion, complete
from cdr.aql.errors import AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.printer import print_query
from cdr.aql.result import ResultSet, result_set
from cdr.aql.scope import Column, Scope, resolve
from cdr.audit import AuditEntry, Outcome
from cdr.audit_names import query_text
from cdr.candidates import QueryAccess
from cdr.consent import card_closed
from cdr.doors import Call, asking
from cdr.errors import QueryNotSupported, UnknownEhr
from cdr.query_checks import warnings_of
from cdr.query_running import Bounds, Running, RunningHere
from cdr.query_terminology import with_terminology
from cdr.rows import Batches, RowStream
from cdr.store.candidate_explain import Reading
from cdr.versions import normal_object_id

__all__ = [
    "Column",
    "Explanation",
    "ResultSet",
    "RowStream",
    "check_query",
    "complete_query",
    "explain_query",
    "run_query",
    "stream_query",
]

ERASED_SINCE = "_erased_since"  # EHRs that an answer about the past lacks
_LONG = 4000


@asking(Action.QUERY)
async def run_query(
    call: Call,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    fetch: int | None = None,
    offset: int | None = None,
    ehr_id: str | None = None,
    name: str | None = None,
) -> ResultSet:
    """Run a query; with ``ehr_id`` over that EHR only, else over all EHRs that are queryable.

    A stored query has a ``name``.

    An analyst gets pseudonyms and no small counts.

    Raises AqlSyntaxError, AqlSemanticError, AqlTooLarge, QueryNotSupported, UnknownEhr, QueryTimeout,
    Withheld, ConsentChanged.
    """
    opened = await _open(call, text, parameters, ehr_id=ehr_id, name=name or "")
    started, analyst = call.ctx.clock(), opened.analyst
    plan = opened.plan(_page(analyst, offset, fetch))
    rows, owners = await _run(call, plan)
    await call.require_unchanged(owners, opened.access)
    await call.record([opened.entry(), *opened.entries_of(owners | plan.named)])
    notes = await _notes(call, plan)
    if analyst is not None and analyst.counted:
        rows, hidden = analyst.finished(rows, offset or 0, fetch)
        notes["_hidden_cells"] = hidden
    elif analyst is not None:
        rows = analyst.seen(rows)
    warnings = await opened.warnings()
    return result_set(text, opened.scope, rows, created=started, name=name, notes=notes, warnings=warnings)


@asking(Action.QUERY)
async def stream_query(
    call: Call,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    fetch: int | None = None,
    offset: int | None = None,
    ehr_id: str | None = None,
    name: str | None = None,
) -> RowStream:
    """Run a query and give its rows while it runs, any number of them; else as :func:`run_query`.

    QueryTimeout, AqlTooLarge and ConsentChanged may also come while the batches are read.
    """
    opened = await _open(call, text, parameters, ehr_id=ehr_id, name=name or "")
    analyst = opened.analyst
    plan = opened.plan(_page(analyst, offset, fetch))
    await call.record([opened.entry(), *opened.entries_of(plan.named)])
    columns = tuple(typed_column(column, opened.scope) for column in opened.scope.columns)
    batches: Batches = _audited(opened, plan)
    if analyst is not None:
        most = call.ctx.settings.query_rows
        batches = rows_for_analyst(analyst, batches, offset=offset or 0, fetch=fetch, most=most)
    return RowStream(columns, batches, (await _notes(call, plan)).get(ERASED_SINCE))


def _page(analyst: AnalystQuery | None, offset: int | None, fetch: int | None) -> Page | None:
    """The part of the result that is asked for; counts are cut only after small ones are hidden."""
    if (analyst is not None and analyst.counted) or not (offset or fetch is not None):
        return None
    return Page(offset=offset or 0, fetch=fetch)


async def _notes(call: Call, plan: Plan) -> dict[str, Any]:
    """What a RESULT_SET says of itself beyond the standard."""
    as_of = plan.candidates.as_of
    return {} if as_of is None else {ERASED_SINCE: await call.ctx.store.erased_since(as_of)}


async def rows_for(
    call: Call, text: str, parameters: Mapping[str, Any], access: QueryAccess
) -> AsyncIterator[list[list[Any]]]:
    """The rows of a query that a use case asks for itself, over the EHRs of ``access``; as they come.

    Each batch is in the audit before it comes. Raises as :func:`stream_query`.
    """
    scope = await _understanding(call, text, parameters)
    opened = _Opened(call, text, parameters, await _told(text), scope, access)
    async for batch in _audited(opened, opened.plan()):
        yield batch


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a query would do: its plan in words, and the search in the database (None: there is none).

    ``rows`` and ``milliseconds`` are what running it came to, where that was asked for.
    """

    executed: str
    plan: str
    reading: Reading | None
    warnings: Sequence[Finding] = ()
    rows: int | None = None
    milliseconds: float | None = None


@asking(Action.QUERY)
async def explain_query(
    call: Call,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    ehr_id: str | None = None,
    measure: bool = False,
) -> Explanation:
    """How a query would be answered, without its rows; with ``measure`` it is run, and they are counted.

    Raises what :func:`run_query` raises for a text; to measure, all that it raises.
    """
    opened = await _open(call, text, parameters, ehr_id=ehr_id)
    plan = compile_query(opened.scope, opened.access, now=call.ctx.clock())
    told = Explanation(print_query(opened.scope.query), plan.explain(), None)
    if measure:
        told = await _measured(opened, told)
    else:
        await call.record([opened.entry()])
    reading = None
    if not call.ctx.settings.enforces_access:  # numbers of candidates would tell of what is hidden
        reading = await call.ctx.store.candidates.explain(plan.candidates, call.ctx.settings.query_seconds)
    return replace(told, reading=reading, warnings=await opened.warnings())


async def _measured(opened: _Opened, told: Explanation) -> Explanation:
    """Run as it would be answered: whoever is told how many rows there are is in the audit for them."""
    call, plan, started = opened.call, opened.plan(), time.perf_counter()
    rows, owners = await _run(call, plan)
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    await call.require_unchanged(owners, opened.access)
    await call.record([opened.entry(), *opened.entries_of(owners | plan.named)])
    return replace(told, rows=len(rows), milliseconds=milliseconds)


@asking(Action.QUERY)
async def check_query(
    call: Call, text: str, parameters: Mapping[str, Any] | None = None
) -> Sequence[Finding]:
    """What the stored templates say about a query, which is not run; raises as :func:`run_query`."""
    opened = await _open(call, text, parameters)
    await call.record([opened.entry()])
    return await opened.warnings()


@asking(Action.QUERY)
async def complete_query(call: Call, text: str, position: int) -> Sequence[Completion]:
    """What may stand at an offset of a text that is being written, from the stored templates."""
    await _access(call, None)
    await call.record([call.entry(Outcome.GRANTED, what="completion")])
    return await asyncio.to_thread(complete, text, position, await call.ctx.templates.all())


async def _understanding(call: Call, text: str, parameters: Mapping[str, Any] | None) -> Scope:
    """Long texts are read in a thread: they can take half a second."""
    if len(text) > _LONG:
        scope = await asyncio.to_thread(lambda: resolve(parse(text), parameters))
    else:
        scope = resolve(parse(text), parameters)
    scope = await with_terminology(scope, call.ctx.terminology, call.ctx.clock().date())
    findings = check(scope)
    if findings:
        raise QueryNotSupported(findings)
    return scope


async def _access(call: Call, ehr_id: str | None, name: str = "") -> QueryAccess:
    """The EHRs that the caller may see, as the query's own predicate; ``name`` is that of a stored query."""
    await call.require(name)
    if ehr_id is None:
        return await call.population()
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    if call.sight.lack is not None:
        raise card_closed(call.sight.lack)
    return QueryAccess.one(ehr_id, call.sight)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A query that the caller may ask: understood, over the EHRs that it may see.

    ``told`` is the text as the audit may repeat it, ``analyst`` the query as an analyst may ask it, ``name``
    that of a stored query.
    """

    call: Call
    text: str
    parameters: Mapping[str, Any] | None
    told: str
    scope: Scope
    access: QueryAccess
    analyst: AnalystQuery | None = None
    name: str = ""

    def plan(self, page: Page | None = None) -> Plan:
        """What is to run. Raises AqlSemanticError."""
        scope = self.analyst.scope if self.analyst else self.scope
        return compile_query(scope, self.access, now=self.call.ctx.clock(), page=page)

    def entry(self) -> AuditEntry:
        """That it was asked."""
        project = f"project {self.analyst.view.project}: " if self.analyst else ""
        stored = f"stored query {self.name}: " if self.name else ""
        detail = project + stored + self.told
        return self.call.entry(Outcome.GRANTED, what=_mark(self.told), detail=detail)

    def entries_of(self, owners: frozenset[str]) -> list[AuditEntry]:
        """One for every woman whom it tells of; one who is asked about alone is in the query's own entry."""
        mark = _mark(self.told)
        others = sorted(owners - {self.call.ehr_id})
        return [self.call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=mark) for ehr_id in others]

    async def warnings(self) -> Sequence[Finding]:
        """What the stored templates say about it."""
        return await warnings_of(self.call.ctx, self.text, self.parameters, self.scope)


async def _open(
    call: Call,
    text: str,
    parameters: Mapping[str, Any] | None,
    *,
    ehr_id: str | None = None,
    name: str = "",
) -> _Opened:
    """Raises what :func:`run_query` raises for a text, NotAllowed, CardClosed."""
    scope = await _understanding(call, text, parameters)
    access = await _access(call, ehr_id, name.partition("/")[0])
    analyst = await analyst_query(call, scope, ehr_id)
    return _Opened(call, text, parameters, await _told(text), scope, access, analyst, name)


async def _told(text: str) -> str:
    """The text as the audit may repeat it; a long one is read in a thread."""
    return query_text(text) if len(text) <= _LONG else await asyncio.to_thread(query_text, text)


async def _run(call: Call, plan: Plan) -> tuple[list[list[Any]], frozenset[str]]:
    """The rows, and the EHRs that they tell of."""
    settings = call.ctx.settings
    rows: list[list[Any]] = []
    owners: set[str] = set()
    size = 0
    async for batch in _running(call, plan).batches():
        rows += batch.rows
        owners |= batch.owners
        size += len(orjson.dumps(batch.rows))
        if len(rows) > settings.query_rows:
            raise AqlTooLarge("rows", settings.query_rows)
        if size > settings.query_bytes:
            raise AqlTooLarge("bytes", settings.query_bytes)
    return rows, frozenset(owners)


def _running(call: Call, plan: Plan) -> Running:
    """The query, started; in a process of its own if it may be long and there is one."""
    settings, candidates = call.ctx.settings, call.ctx.store.candidates
    bounds = Bounds(seconds=settings.query_seconds, rows=settings.query_rows)
    if call.ctx.query_worker is None:
        return RunningHere(candidates, plan, bounds)
    return call.ctx.query_worker.running(candidates, plan, bounds)


async def _audited(opened: _Opened, plan: Plan) -> AsyncIterator[list[list[Any]]]:
    """Each batch, once the audit names the women whom it tells of, if they may still be told of.

    Raises ConsentChanged, and what running a query raises.
    """
    call, named = opened.call, plan.named
    async for batch in _running(call, plan).batches():
        await call.require_unchanged(batch.owners, plan.access)
        if batch.owners - named:
            await call.record(opened.entries_of(batch.owners - named))
            named |= batch.owners
        if batch.rows:
            yield batch.rows


def _mark(told: str) -> str:
    """What the entries of one query have in common; it tells no more than the text that is told."""
    return f"query {hashlib.sha256(told.encode()).hexdigest()[:16]}"
