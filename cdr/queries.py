"""AQL queries: parse, check, fetch candidates, decide (ITS-REST QUERY)."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

from cdr.access import Action
from cdr.aql.checks import check
from cdr.aql.collectors import Limits
from cdr.aql.compile import Page, Plan, compile_query
from cdr.aql.errors import AqlTooLarge
from cdr.aql.parser import parse
from cdr.aql.result import ResultSet, result_set
from cdr.aql.scope import Column, Scope, resolve
from cdr.audit import AuditEntry, Outcome
from cdr.candidates import QueryAccess
from cdr.doors import Call, asking
from cdr.errors import QueryNotSupported, UnknownEhr
from cdr.versions import normal_object_id

__all__ = ["Column", "ResultSet", "run_query"]

_LITERAL = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\b\d{6,}\b""")
_LONGEST_TEXT = 1000


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

    Raises AqlSyntaxError, AqlSemanticError, AqlTooLarge, QueryNotSupported, UnknownEhr, QueryTimeout.
    """
    started = call.ctx.clock()
    scope = _understood(text, parameters)
    access = await _access(call, ehr_id)
    page = Page(offset=offset or 0, fetch=fetch) if offset or fetch is not None else None
    plan = compile_query(scope, access, now=started, page=page)
    rows, owners = await _run(call, plan)
    await call.record(_entries(call, text, owners))
    return result_set(text, scope, rows, created=started, name=name)


def _understood(text: str, parameters: Mapping[str, Any] | None) -> Scope:
    scope = resolve(parse(text), parameters)
    findings = check(scope)
    if findings:
        raise QueryNotSupported(findings)
    return scope


async def _access(call: Call, ehr_id: str | None) -> QueryAccess:
    """The EHRs that the caller may see, as the query's own predicate."""
    if ehr_id is None:
        return QueryAccess.all_except()
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    return QueryAccess.one(ehr_id)


async def _run(call: Call, plan: Plan) -> tuple[list[list[Any]], frozenset[str]]:
    """The rows, and the EHRs that they are about."""
    settings = call.ctx.settings
    limits = Limits(
        rows=settings.query_rows,
        deadline=time.monotonic() + settings.query_seconds,
        seconds=settings.query_seconds,
    )
    execution = plan.start(limits)
    rows: list[list[Any]] = []
    if not execution.done:
        async with call.ctx.store.candidates.snapshot(settings.query_seconds) as snapshot:
            async for record in snapshot.records(plan.candidates):
                rows += execution.feed(record)
                if execution.done:
                    break
                if len(rows) > settings.query_rows:
                    raise AqlTooLarge("rows", settings.query_rows)
    rows += execution.finish()
    if len(rows) > settings.query_rows:
        raise AqlTooLarge("rows", settings.query_rows)
    return rows, execution.owners


def _entries(call: Call, text: str, owners: frozenset[str]) -> list[AuditEntry]:
    """One entry for the query, and one for every woman of whom it returned a row.

    Literals are left out of the text: they may name a person.
    """
    mark = f"query {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    shown = _LITERAL.sub("'?'", text)[:_LONGEST_TEXT]
    about_the_query = call.entry(Outcome.GRANTED, what=mark, detail=shown)
    others = sorted(owners - {call.ehr_id})
    return [
        about_the_query,
        *(call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=mark) for ehr_id in others),
    ]
