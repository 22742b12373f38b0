"""Queries of analysts: what they may ask, and what becomes of the rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from archetypes.findings import Finding
from cdr.analysis.aql_view import AnalystQuery, Withheld, for_analyst
from cdr.aql.errors import AqlTooLarge
from cdr.aql.scope import Scope
from cdr.doors import Call
from cdr.rows import Batches
from cdr.views import view_of

__all__ = ["AnalystQuery", "analyst_query", "rows_for_analyst"]


async def analyst_query(call: Call, scope: Scope, ehr_id: str | None) -> AnalystQuery | None:
    """The query as the caller may ask it; None for whoever sees everything of what she may query.

    Raises Withheld, NotAllowed.
    """
    view = await view_of(call)
    if view is None:
        return None
    if ehr_id is not None and view.pseudonym(ehr_id) != ehr_id:
        why = "an EHR id, which an analyst does not know"
        raise Withheld([Finding(code=Withheld.code, path="", found="ehr_id", expected=why)])
    templates = await call.ctx.templates.all()
    return await asyncio.to_thread(for_analyst, scope, templates, view)


async def rows_for_analyst(
    query: AnalystQuery, batches: Batches, *, offset: int, fetch: int | None, most: int
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """The rows that the analyst sees; of a counting query all at once. Raises AqlTooLarge."""
    counted: list[Sequence[Any]] = []
    async for batch in batches:
        if not query.counted:
            yield query.seen(batch)
            continue
        counted += batch
        if len(counted) > most:
            raise AqlTooLarge("rows", most)
    if query.counted:
        yield query.finished(counted, offset, fetch)[0]
