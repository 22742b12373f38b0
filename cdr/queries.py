"""AQL queries: parse, check, fetch candidates, decide (ITS-REST QUERY)."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
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

_LITERAL = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\b\d{6,}\b""")
_LONGEST_TEXT = 1000
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
    Withheld.
    """
    started = call.ctx.clock()
    scope = await _understanding(call, text, parameters)
    access = await _access(call, ehr_id, (name or "").partition("/")[0])
    analyst = await analyst_query(call, scope, ehr_id)
    plan = compile_query(
        analyst.scope if analyst else scope, access, now=started, page=_page(analyst, offset, fetch)
    )
    rows, owners = await _run(call, plan)
    await call.require_unchanged(owners, access.sights)
    await call.record(_entries(call, text, owners, analyst, name))
    notes = await _notes(call, plan)
    if analyst is not None and analyst.counted:
        rows, hidden = analyst.finished(rows, offset or 0, fetch)
        notes["_hidden_cells"] = hidden
    elif analyst is not None:
        rows = analyst.seen(rows)
    warnings = await warnings_of(call.ctx, text, parameters, scope)
    return result_set(text, scope, rows, created=started, name=name, notes=notes, warnings=warnings)


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

    QueryTimeout and AqlTooLarge may also come while the batches are read.
    """
    scope = await _understanding(call, text, parameters)
    access = await _access(call, ehr_id, (name or "").partition("/")[0])
    analyst = await analyst_query(call, scope, ehr_id)
    page = _page(analyst, offset, fetch)
    plan = compile_query(analyst.scope if analyst else scope, access, now=call.ctx.clock(), page=page)
    running = _running(call, plan)
    await call.record([_entry_of_query(call, text, analyst, name)])
    columns = tuple(typed_column(column, scope) for column in scope.columns)
    batches: Batches = _audited(call, text, plan, running)
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

    Each batch is in the audit before it comes.
    """
    plan = compile_query(await _understanding(call, text, parameters), access, now=call.ctx.clock())
    running = _running(call, plan)
    async for batch in _audited(call, text, plan, running):
        yield batch


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a query would do: its plan in words, and the search in the database (None: there is none)."""

    executed: str
    plan: str
    reading: Reading | None
    warnings: Sequence[Finding] = ()


@asking(Action.QUERY)
async def explain_query(
    call: Call, text: str, parameters: Mapping[str, Any] | None = None, *, ehr_id: str | None = None
) -> Explanation:
    """How a query would be answered, without its rows. Raises what :func:`run_query` raises for a text."""
    scope = await _understanding(call, text, parameters)
    plan = compile_query(scope, await _access(call, ehr_id), now=call.ctx.clock())
    analyst = await analyst_query(call, scope, ehr_id)
    await call.record([_entry_of_query(call, text, analyst)])
    reading = None
    if not call.ctx.settings.enforces_access:  # numbers of candidates would tell of what is hidden
        reading = await call.ctx.store.candidates.explain(plan.candidates, call.ctx.settings.query_seconds)
    warnings = await warnings_of(call.ctx, text, parameters, scope)
    return Explanation(print_query(scope.query), plan.explain(), reading, warnings)


@asking(Action.QUERY)
async def check_query(
    call: Call, text: str, parameters: Mapping[str, Any] | None = None
) -> Sequence[Finding]:
    """What the stored templates say about a query, which is not run; raises as :func:`run_query`."""
    scope = await _understanding(call, text, parameters)
    await _access(call, None)
    analyst = await analyst_query(call, scope, None)
    await call.record([_entry_of_query(call, text, analyst)])
    return await warnings_of(call.ctx, text, parameters, scope)


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


async def _run(call: Call, plan: Plan) -> tuple[list[list[Any]], frozenset[str]]:
    """The rows, and the EHRs that they are about."""
    settings = call.ctx.settings
    running = _running(call, plan)
    rows: list[list[Any]] = []
    size = 0
    async for batch in running.batches():
        rows += batch
        size += len(orjson.dumps(batch))
        if len(rows) > settings.query_rows:
            raise AqlTooLarge("rows", settings.query_rows)
        if size > settings.query_bytes:
            raise AqlTooLarge("bytes", settings.query_bytes)
    return rows, running.owners


def _running(call: Call, plan: Plan) -> Running:
    """The query, started; in a process of its own if it may be long and there is one."""
    settings, candidates = call.ctx.settings, call.ctx.store.candidates
    bounds = Bounds(seconds=settings.query_seconds, rows=settings.query_rows)
    if call.ctx.query_worker is None:
        return RunningHere(candidates, plan, bounds)
    return call.ctx.query_worker.running(candidates, plan, bounds)


async def _audited(call: Call, text: str, plan: Plan, running: Running) -> AsyncIterator[list[list[Any]]]:
    """Each batch, once the audit names the women whose rows are in it, if their cards are still open."""
    named: frozenset[str] = frozenset()
    async for batch in running.batches():
        if batch:
            owners = running.owners
            await call.require_unchanged(owners, plan.access.sights)
            if owners - named:
                await call.record(_entries_of_women(call, text, owners - named))
            named = owners
            yield batch


def _entries(
    call: Call, text: str, owners: frozenset[str], analyst: AnalystQuery | None, name: str | None
) -> list[AuditEntry]:
    """One entry for the query, and one for every woman of whom it returned a row."""
    return [_entry_of_query(call, text, analyst, name), *_entries_of_women(call, text, owners)]


def _entry_of_query(
    call: Call, text: str, analyst: AnalystQuery | None = None, name: str | None = None
) -> AuditEntry:
    """Literals are left out of the text: they may name a person. A stored query is named."""
    project = f"project {analyst.view.project}: " if analyst else ""
    stored = f"stored query {name}: " if name else ""
    shown = project + stored + _LITERAL.sub("'?'", text)[:_LONGEST_TEXT]
    return call.entry(Outcome.GRANTED, what=_mark(text), detail=shown)


def _entries_of_women(call: Call, text: str, owners: frozenset[str]) -> list[AuditEntry]:
    others = sorted(owners - {call.ehr_id})
    return [call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=_mark(text)) for ehr_id in others]


def _mark(text: str) -> str:
    return f"query {hashlib.sha256(text.encode()).hexdigest()[:16]}"
