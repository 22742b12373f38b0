"""A text that a regular expression lets through.

Templates hold few patterns, and short ones; the generator takes the shortest way through each part and
tries a few ways. What it makes is always checked against the pattern itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from re import _constants as regex  # the parse tree has no public door
from re import _parser as regex_parser
from typing import Any

# What people understand best, tried before anything is made.
FAMILIAR_TEXTS = ("Example", "0123", "999000018", "90000000", "A")
LONGEST = 10_000  # characters; a pattern that needs more has no example
_ATTEMPTS = 12
_CHARACTERS = "aA0b1 -_.:/xyz,;@#+()[]{}<>=!?%&*'\"\\|~^$\t\n" + "".join(map(chr, range(0x21, 0x17F)))
_CATEGORIES = {
    regex.CATEGORY_DIGIT: re.compile(r"\d"),
    regex.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    regex.CATEGORY_SPACE: re.compile(r"\s"),
    regex.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    regex.CATEGORY_WORD: re.compile(r"\w"),
    regex.CATEGORY_NOT_WORD: re.compile(r"\W"),
}


@lru_cache(maxsize=256)
def matching_text(pattern: str) -> str | None:
    """A text that the whole pattern matches, always the same; None where we find none."""
    try:
        compiled, tree = re.compile(pattern), regex_parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
    tried = (*FAMILIAR_TEXTS, *(_attempt(tree, attempt) for attempt in range(_ATTEMPTS)))
    return next((text for text in tried if text is not None and compiled.fullmatch(text)), None)


def _attempt(tree: Any, attempt: int) -> str | None:
    writer = _Writer(attempt)
    try:
        return "".join(writer.parts(tree))
    except _TooLong:
        return None


class _TooLong(Exception):
    """The text grows beyond what anybody would call an example."""


class _Writer:
    """One way through a pattern; later attempts repeat more and take later branches."""

    def __init__(self, attempt: int) -> None:
        self._attempt = attempt
        self._groups: dict[int, str] = {}
        self._written = 0

    def parts(self, tree: Any) -> Iterator[str]:
        """The text of each item of a sequence."""
        for operation, argument in tree:
            part = self._part(operation, argument)
            self._written += len(part)
            if self._written > LONGEST:
                raise _TooLong
            yield part

    def _part(self, operation: Any, argument: Any) -> str:
        if operation is regex.LITERAL:
            return chr(argument)
        if operation in (regex.IN, regex.ANY, regex.NOT_LITERAL):
            return _character(operation, argument)
        if operation in (regex.MAX_REPEAT, regex.MIN_REPEAT, regex.POSSESSIVE_REPEAT):
            return self._repeated(*argument)
        if operation is regex.BRANCH:
            branches = argument[1]
            return "".join(self.parts(branches[self._attempt % len(branches)]))
        if operation is regex.SUBPATTERN:
            return self._group(argument[0], argument[-1])
        if operation is regex.ATOMIC_GROUP:
            return "".join(self.parts(argument))
        if operation is regex.GROUPREF:
            return self._groups.get(argument, "")
        return ""  # anchors and assertions write nothing; the check decides

    def _repeated(self, lower: int, upper: int, tree: Any) -> str:
        if lower > LONGEST:
            raise _TooLong
        times = min(lower + self._attempt // 2, upper)
        return "".join("".join(self.parts(tree)) for _ in range(times))

    def _group(self, number: int | None, tree: Any) -> str:
        written = "".join(self.parts(tree))
        if number is not None:
            self._groups[number] = written
        return written


def _character(operation: Any, argument: Any) -> str:
    if operation is regex.ANY:
        return "a"
    if operation is regex.NOT_LITERAL:
        return next(c for c in _CHARACTERS if ord(c) != argument)
    negated = argument[0][0] is regex.NEGATE
    members = argument[1:] if negated else argument
    found = next((c for c in _CHARACTERS if _in_set(c, members) != negated), None)
    return found if found is not None else _first_of(members)


def _in_set(character: str, members: Sequence[Any]) -> bool:
    return any(_is_member(character, *member) for member in members)


def _is_member(character: str, operation: Any, argument: Any) -> bool:
    if operation is regex.LITERAL:
        return bool(ord(character) == argument)
    if operation is regex.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    category = _CATEGORIES.get(argument) if operation is regex.CATEGORY else None
    return category is not None and category.match(character) is not None


def _first_of(members: Sequence[Any]) -> str:
    """A member beyond the characters that we try: the first of a literal or range."""
    for operation, argument in members:
        if operation is regex.LITERAL:
            return chr(argument)
        if operation is regex.RANGE:
            return chr(argument[0])
    return ""
