"""Rows that are answered while they are found: named and typed columns, and batches of cells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from cdr.errors import BadRequest

Batches: TypeAlias = AsyncIterator[Sequence[Sequence[Any]]]


class CellType(StrEnum):
    """What the cells of a column are; None stands in any of them where there is no value.

    DATE is a calendar date and INSTANT a time with zone, both as ISO 8601 texts; JSON is any JSON value.
    """

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column with the type that all of its cells have."""

    name: str
    type: CellType


@dataclass(frozen=True, slots=True)
class RowStream:
    """The columns, and the rows in batches; each batch is in the audit before it comes.

    ``erased_since``: for a question about the past, how many EHRs were erased since; they are in no row.
    """

    columns: tuple[TypedColumn, ...]
    batches: Batches
    erased_since: int | None = None


class MisfitCell(BadRequest):
    """A cell that is not of the type that its column has in a typed form."""

    code = "query.misfit"

    def __init__(self, column: str, type_name: str) -> None:
        super().__init__(
            f"the column {column} has a value that is no {type_name}; ask for JSON, NDJSON or CSV"
        )
