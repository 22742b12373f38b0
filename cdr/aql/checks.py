"""What a query asks for and we do not execute: findings, each naming the construct and its place."""

from __future__ import annotations

from archetypes.findings import Finding, SourceSpan
from cdr.aql.scope import Scope
from cdr.aql.unsupported import ASKED_OF_TERMINOLOGIES, CONSTRUCTS


def check(scope: Scope, *, terminology: bool = False) -> list[Finding]:
    """One finding ``aql.unsupported.<construct>`` for each; an empty list: the query can be compiled.

    ``terminology``: somebody will answer what the query asks of terminologies (``cdr.aql.terminology``).
    """
    return [
        Finding(
            code=item.code,
            path="",
            found=item.found,
            params={
                "construct": CONSTRUCTS[item.name],
                "line": str(item.position.line),
                "column": str(item.position.column),
            },
            span=SourceSpan(file="query", line=item.position.line, column=item.position.column),
        )
        for item in scope.unsupported
        if not (terminology and item.name in ASKED_OF_TERMINOLOGIES)
    ]
