"""What the stored templates say about a query: kept for a while, for the same queries come again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from archetypes.findings import Finding
from cdr.aql.scope import Scope
from cdr.aql.template_checks import template_findings
from cdr.aql.template_places import places_of
from cdr.context import Ctx

__all__ = ["warnings_of"]

_MOST_KEPT = 500
_kept: OrderedDict[tuple[Any, ...], Sequence[Finding]] = OrderedDict()


async def warnings_of(
    ctx: Ctx, text: str, parameters: Mapping[str, Any] | None, scope: Scope
) -> Sequence[Finding]:
    """The warnings about a query, by the templates of now."""
    templates = await ctx.templates.all()
    key = (text, repr(parameters), tuple(each.content_hash for each in templates))
    if key not in _kept:
        places = [places_of(each) for each in templates]
        _kept[key] = tuple(await asyncio.to_thread(template_findings, scope, places))
    _kept.move_to_end(key)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return _kept[key]
