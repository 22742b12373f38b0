"""Who analyses: the context of a request with the project that its header names."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from api.deps import Context
from cdr.context import Ctx

PROJECT_HEADER = "helsekort-project"
PROJECT = {
    "name": PROJECT_HEADER,
    "in": "header",
    "required": False,
    "description": "The project whose pseudonyms and permits hold.",
    "schema": {"type": "string"},
}
FORM = {
    "name": "format",
    "in": "query",
    "required": False,
    "description": "The form of the answer, in place of Accept.",
    "schema": {"type": "string", "enum": ["json", "csv", "ndjson", "arrow", "parquet"]},
}


def analyst_context(request: Request, ctx: Context) -> Ctx:
    """The context of the request with its project."""
    return replace(ctx, project=request.headers.get(PROJECT_HEADER, ""))


AnalystContext = Annotated[Ctx, Depends(analyst_context)]
