"""Care for the rows of stored compositions (docs/architecture.md, "Rows"); nobody's data are answered."""

from __future__ import annotations

from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, writing
from cdr.store.row_documents import Progress, RowsChecked, RowsRebuilt

__all__ = ["RowsChecked", "RowsRebuilt", "check_rows", "rebuild_rows"]


@writing(Action.MAINTAIN_ROWS)
async def rebuild_rows(call: Call, *, progress: Progress | None = None) -> RowsRebuilt:
    """Make the rows that are missing or of an older format, beside whatever the server does.

    ``progress`` is called with how many were made and how many there are to make.
    """
    found = await call.ctx.store.rows.rebuild(progress)
    await call.record([call.entry(Outcome.GRANTED, detail=f"{found.made} made, {found.without} without")])
    return found


@writing(Action.MAINTAIN_ROWS)
async def check_rows(call: Call, *, progress: Progress | None = None) -> RowsChecked:
    """Compare the rows of every stored composition with those that it gives."""
    found = await call.ctx.store.rows.check(progress)
    detail = f"{found.checked} checked, {found.outdated} outdated, {len(found.wrong)} wrong"
    await call.record([call.entry(Outcome.GRANTED, detail=detail)])
    return found
