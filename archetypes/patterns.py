"""Regular expressions of archetypes and templates: whole texts, in time that grows with the text only.

Patterns come from outside, texts too; a backtracking matcher takes seconds for two dozen characters of the
wrong pair. A pattern with one choice at most is left to Python's matcher, all others to RE2, which has no
look-around and no references back: a pattern with these counts as one that cannot be read. Classes such as
``\\d`` and ``\\w`` are of ASCII, as in JSON Schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from re import _constants as kinds  # the parse tree has no public door
from re import _parser as parser
from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # it would write to the process's own error stream
_MANY = 1000
_CHARACTERS = frozenset({kinds.LITERAL, kinds.NOT_LITERAL, kinds.IN, kinds.ANY})


@lru_cache(maxsize=4096)
def whole_text(pattern: str) -> Callable[[str], bool] | None:
    """A test whether a text as a whole is of the pattern; None for a pattern that cannot be read."""
    try:
        compiled = re.compile(pattern, re.ASCII) if _is_simple(pattern) else re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        return None

    def test(text: str) -> bool:
        try:
            return compiled.fullmatch(text) is not None
        except UnicodeEncodeError:  # half a character is no text
            return False

    return test


def matches(pattern: str, text: str) -> bool:
    """True if the whole text is of the pattern; false too where the pattern cannot be read."""
    test = whole_text(pattern)
    return test is not None and test(text)


def _is_simple(pattern: str) -> bool:
    """True for a pattern that Python's matcher reads, and in which it never tries more than it must."""
    try:
        return _choices(parser.parse(pattern, re.ASCII)) <= 1
    except (re.error, OverflowError, RecursionError):
        return False


def _choices(items: Any) -> int:
    """How many places have several ways to go on, or many where that is unclear."""
    return sum(_choices_of(kind, argument) for kind, argument in items)


def _choices_of(kind: Any, argument: Any) -> int:
    if kind in _CHARACTERS or kind is kinds.AT:
        return 0
    if kind is kinds.SUBPATTERN:
        return _choices(argument[-1])
    if kind is kinds.BRANCH:
        return 1 + max(map(_choices, argument[1]))
    if kind is kinds.MAX_REPEAT:
        least, most, body = argument
        of_characters = len(body) == 1 and body[0][0] in _CHARACTERS
        return (0 if least == most else 1) if of_characters else _MANY
    return _MANY
