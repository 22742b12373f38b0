"""The answer of a query in the form of ITS-REST RESULT_SET."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from archetypes.findings import Finding
from cdr.aql.printer import print_query
from cdr.aql.scope import Column, Scope

_SCHEMA_VERSION = "1.0.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSet:
    """``rows`` of cells; a cell is a JSON value, None where there is none.

    ``query`` is the text as sent, ``executed`` the query with its parameters filled in; ``notes`` are members
    of ``meta`` beyond the standard.
    """

    query: str
    executed: str
    columns: tuple[Column, ...]
    rows: Sequence[list[Any]]
    created: datetime
    name: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[Finding] = ()

    @property
    def uid(self) -> str:
        """What identifies the rows: equal for equal columns and rows."""
        columns = [_column(column) for column in self.columns]
        return hashlib.sha256(orjson.dumps([columns, self.rows])).hexdigest()[:32]

    def to_json(self, *, generator: str, href: str | None = None) -> dict[str, Any]:
        """RESULT_SET; ``href`` only for a GET."""
        meta: dict[str, Any] = {
            "_type": "RESULTSET",
            "_schema_version": _SCHEMA_VERSION,
            "_created": self.created.isoformat(timespec="milliseconds"),
            "_generator": generator,
            "_executed_aql": self.executed,
        }
        if href is not None:
            meta["_href"] = href
        meta |= self.notes
        result: dict[str, Any] = {"meta": meta, "q": self.query}
        if self.name is not None:
            result["name"] = self.name
        result["columns"] = [_column(column) for column in self.columns]
        result["rows"] = list(self.rows)
        return result


def result_set(
    text: str,
    scope: Scope,
    rows: Sequence[list[Any]],
    *,
    created: datetime,
    name: str | None = None,
    notes: Mapping[str, Any] | None = None,
    warnings: Sequence[Finding] = (),
) -> ResultSet:
    """The result of the query ``text``; a stored query has a ``name``."""
    return ResultSet(
        query=text,
        executed=print_query(scope.query),
        columns=scope.columns,
        rows=rows,
        created=created,
        name=name,
        notes=notes or {},
        warnings=warnings,
    )


def _column(column: Column) -> dict[str, str]:
    made = {"name": column.name}
    if column.path is not None:
        made["path"] = column.path
    return made
