"""Many compositions in one request: each by itself, or all or none; with a dry run.

There is no door here: each composition passes that of ``create_composition``, so that access, consent,
validation and audit are those of a single one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from cdr.compositions import create_composition
from cdr.context import Ctx
from cdr.errors import TooLarge, Unprocessable
from cdr.repeats import Repeatable
from cdr.store.commit_modes import Abandoned, Seat
from cdr.versions import JsonObject, Lifecycle

AT_ONCE = 128  # compositions under way in one request, so that commits share transactions
MOST_TOGETHER = 1000  # in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """One line of a request, from 1; ``error`` is what was wrong with reading it."""

    line: int
    ehr_id: str = ""
    composition: JsonObject | None = None
    lifecycle: Lifecycle = Lifecycle.COMPLETE
    repeatable: Repeatable | None = None
    error: HelsekortError | None = None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of a line: a version (in a dry run the one that there would be), or an error."""

    line: int
    ehr_id: str
    uid: str | None
    error: HelsekortError | None = None


class BulkRefused(Unprocessable):
    """All or nothing was asked for, and something was refused; findings have paths ``/lines[n]...``."""

    code = "bulk.refused"

    def __init__(self, results: Sequence[BulkResult]) -> None:
        refused = [result for result in results if not isinstance(result.error, Abandoned | None)]
        super().__init__(
            f"nothing is stored: {len(refused)} of {len(results)} lines are refused",
            [finding for result in refused for finding in _findings(result)],
        )


async def store_each(
    ctx: Ctx, items: Iterable[BulkItem], *, dry_run: bool = False
) -> AsyncIterator[BulkResult]:
    """Store what can be stored; results in the order of the items, as they become known."""
    chosen = replace(ctx, commits=ctx.store.dry_run()) if dry_run else ctx
    under_way: list[asyncio.Task[BulkResult]] = []
    try:
        for item in items:
            under_way.append(asyncio.create_task(_store(chosen, item)))
            if len(under_way) == AT_ONCE:
                yield await under_way.pop(0)
        while under_way:
            yield await under_way.pop(0)
    finally:
        for task in under_way:
            task.cancel()


async def store_together(
    ctx: Ctx, items: Sequence[BulkItem], *, dry_run: bool = False
) -> Sequence[BulkResult]:
    """Store all in one transaction, or nothing. Raises BulkRefused, TooLarge."""
    if len(items) > MOST_TOGETHER:
        raise TooLarge(len(items), MOST_TOGETHER, "lines in one transaction")
    if dry_run:
        trial = replace(ctx, commits=ctx.store.dry_run())
        results = await asyncio.gather(*(_store(trial, item) for item in items))
    else:
        together = ctx.store.together(len(items))
        results = await asyncio.gather(*(_store_seated(ctx, item, together.seat()) for item in items))
    if any(result.error is not None for result in results):
        raise BulkRefused(results)
    return results


async def _store_seated(ctx: Ctx, item: BulkItem, seat: Seat) -> BulkResult:
    result: BulkResult | None = None
    try:
        result = await _store(replace(ctx, commits=seat), item)
        return result
    finally:
        seat.leave(refused=result is None or result.error is not None)


async def _store(ctx: Ctx, item: BulkItem) -> BulkResult:
    try:
        if item.error is not None or item.composition is None:
            raise item.error or Unprocessable("there is no composition in this line")
        stored = await create_composition(
            ctx, item.ehr_id, item.composition, lifecycle=item.lifecycle, repeatable=item.repeatable
        )
    except HelsekortError as error:
        return BulkResult(item.line, item.ehr_id, None, error)
    return BulkResult(item.line, item.ehr_id, str(stored.uid))


def _findings(result: BulkResult) -> list[Finding]:
    """What is wrong with a line, each finding with the place of the line."""
    place = f"/lines[{result.line}]"
    error = result.error
    found = getattr(error, "findings", ())
    if not found:
        assert error is not None  # asked for refused lines only
        return [Finding("bulk.refused", place, params={"reason": str(error)})]
    return [replace(finding, path=place + finding.path) for finding in found]
