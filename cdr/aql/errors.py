"""What is wrong with a query: both errors are the caller's (400) and name the place.

    BadRequest
    └── AqlError
        ├── AqlSyntaxError     the text is not AQL 1.1
        ├── AqlSemanticError   the text is AQL that makes no sense (unknown variable, class, attribute ...)
        └── AqlTooLarge        the answer does not fit the limits of an execution

Codes of the first: ``aql.syntax``, ``aql.syntax.character``, ``aql.syntax.string``,
``aql.syntax.number``, ``aql.syntax.depth``, ``aql.syntax.length``. Codes of the second are listed in
``docs/aql.md``.
"""

from __future__ import annotations

from cdr.aql.ast import Position
from cdr.errors import BadRequest


class AqlError(BadRequest):
    """Base of what can be wrong with a query."""

    code = "aql"


class AqlSyntaxError(AqlError):
    """A text that is not AQL 1.1; ``expected`` names what could have stood at the place."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "aql.syntax",
        line: int,
        column: int,
        text: str = "",
        expected: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected
        self.excerpt, self.caret = excerpt(text, line, column)
        super().__init__(f"{line}:{column}: {message}\n{self.excerpt}\n{self.caret}")


class AqlSemanticError(AqlError):
    """A query that can be read and not understood; ``subject`` is the word it is about."""

    def __init__(self, code: str, message: str, position: Position, *, subject: str = "") -> None:
        self.code = code
        self.message = message
        self.line = position.line
        self.column = position.column
        self.subject = subject
        super().__init__(f"{position.line}:{position.column}: {message}")


class AqlTooLarge(AqlError):
    """More rows, groups or distinct values than an execution may hold."""

    code = "aql.too_large"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"the query needs more than {limit} {what}; narrow it down or add a LIMIT")
        self.what = what
        self.limit = limit


def excerpt(text: str, line: int, column: int, width: int = 100) -> tuple[str, str]:
    """The line at fault, cut to ``width`` around the column, and a line with a caret below it."""
    lines = text.splitlines()
    whole = lines[line - 1] if 0 < line <= len(lines) else ""
    start = max(0, column - 1 - width // 2)
    shown = whole[start : start + width].replace("\t", " ")
    return shown, " " * (column - 1 - start) + "^"
