"""A text with places: offsets to lines and columns, and the errors that name them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from archetypes.errors import AdlSyntaxError
from archetypes.findings import SourceSpan

MAX_EXCERPT = 500


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text file; ``name`` is what errors call it."""

    text: str
    name: str
    _starts: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        object.__setattr__(self, "_starts", starts)

    def span(self, offset: int) -> SourceSpan:
        """Line and column (from 1) of an offset."""
        line = bisect_right(self._starts, offset)
        return SourceSpan(self.name, line, offset - self._starts[line - 1] + 1)

    def error(self, message: str, offset: int) -> AdlSyntaxError:
        """A syntax error at an offset, with its line."""
        span = self.span(offset)
        start = self._starts[span.line - 1]
        excerpt = self.text[start : start + MAX_EXCERPT].split("\n", 1)[0].expandtabs(1)
        return AdlSyntaxError(message, source=self.name, line=span.line, column=span.column, excerpt=excerpt)
