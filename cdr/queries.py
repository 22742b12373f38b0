"""AQL queries: parse, check, fetch candidates, decide (ITS-REST QUERY)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdr.context import Ctx


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``name`` is the alias or ``#n``, ``path`` the AQL path or None for an expression."""

    name: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ResultSet:
    """The answer of a query; ``query`` as sent, cells as canonical JSON values (None where absent)."""

    query: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]


async def run_query(
    ctx: Ctx,
    text: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    fetch: int | None = None,
    offset: int | None = None,
    ehr_id: str | None = None,
) -> ResultSet:
    """Run a query; with ``ehr_id`` over that EHR only.

    Raises AqlSyntaxError, QueryNotSupported, BadRequest, UnknownEhr, QueryTimeout, TooLarge.
    """
    raise NotImplementedError
