"""Contributions: what was committed together."""

from __future__ import annotations

from cdr.context import Ctx
from cdr.versions import JsonObject


async def get_contribution(ctx: Ctx, ehr_id: str, uid: str) -> JsonObject:
    """The canonical CONTRIBUTION. Raises UnknownEhr, UnknownContribution."""
    raise NotImplementedError
