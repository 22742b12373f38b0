"""A plan that runs: portions are read and decided, rows come out in batches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from cdr.aql.collectors import Limits
from cdr.aql.compile import Execution, Plan
from cdr.candidates import CandidateFilter, Record
from cdr.store.candidates import Candidates, SnapshotGone

Rows: TypeAlias = list[list[Any]]
_AT_ONCE = 20  # versions that are decided without giving way to others


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a query may run, and how many rows it may hold."""

    seconds: float
    rows: int

    def limits(self) -> Limits:
        """The limits of an execution that starts now."""
        return Limits(rows=self.rows, deadline=time.monotonic() + self.seconds, seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are final, and the EHRs that they tell of (the last batch may have these only)."""

    rows: Rows
    owners: frozenset[str]


class Running(Protocol):
    """A query on its way."""

    def batches(self) -> AsyncIterator[Batch]:
        """The rows as they become final. Whoever stops reading stops the query.

        Raises QueryTimeout, AqlTooLarge, StoreUnavailable.
        """
        ...


class RunningHere:
    """In this process; large portions are decided in a thread."""

    def __init__(self, candidates: Candidates, plan: Plan, bounds: Bounds) -> None:
        self._candidates = candidates
        self._plan = plan
        self._bounds = bounds
        self._execution = plan.start(bounds.limits())

    async def batches(self) -> AsyncIterator[Batch]:
        """The rows as they become final."""
        given = False
        try:
            async for batch in self._batches():
                given = True
                yield batch
        except SnapshotGone:
            if given:
                raise
            # An index was made just now: nothing is lost by reading the state of today.
            self._execution = self._plan.start(self._bounds.limits())
            async for batch in self._batches():
                yield batch

    async def _batches(self) -> AsyncIterator[Batch]:
        async for rows in self._final_rows():
            if rows:
                yield Batch(rows, self._execution.take_owners())
        owners = self._execution.take_owners()  # of rows that equal others
        if owners:
            yield Batch([], owners)

    async def _final_rows(self) -> AsyncIterator[Rows]:
        execution, large = self._execution, False
        if not execution.done:
            async with self._candidates.snapshot(self._bounds.seconds) as snapshot:
                async for portion in snapshot.portions(self._plan.candidates):
                    if portion.size > _AT_ONCE:
                        large = True
                        yield await asyncio.to_thread(_decided, execution, portion.records())
                    else:
                        yield _decided(execution, portion.records())
                    if execution.done:
                        break
        yield await asyncio.to_thread(execution.finish) if large else execution.finish()


def _decided(execution: Execution, records: Iterable[Record]) -> Rows:
    rows: Rows = []
    for record in records:
        rows += execution.feed(record)
        if execution.done:
            break
    return rows


def may_be_long(wanted: CandidateFilter) -> bool:
    """Is nothing known that would end the query early or leave it to the database?"""
    whole = wanted.ehr_ids is None or len(wanted.ehr_ids) > 1000
    return whole and wanted.tally is None and wanted.row_limit is None
