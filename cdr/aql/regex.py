"""Regular expressions that no text and no pattern make slow: a set of states, moved on by each character.

What is read: characters, ``.``, ``[...]``, ``\\d \\w \\s`` and their opposites, groups, ``|``, ``* + ?``,
``{m,n}``, and ``^`` and ``$`` at the ends. The whole text must match. No back references, no lazy
repeats, no looking around. States that were met together are remembered, so that a text usually costs one
look-up a character.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from cdr.aql.errors import AqlTooLarge

MAX_STATES = 2000
MOST_MOVED = 1_000_000  # states of one pattern in one text: about a second
_REMEMBERED = 5000
_MAX_DEPTH = 50

Accepts: TypeAlias = Callable[[str], bool]


class BadRegex(ValueError):
    """What is wrong with a pattern."""


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> Callable[[str], bool]:
    """Does the whole of a text match? Raises BadRegex."""
    return _Machine(pattern).matches


@dataclass(slots=True)
class _State:
    """Goes to ``following`` by a character that ``accepts``; without it, by none at all."""

    accepts: Accepts | None = None
    following: list[int] = field(default_factory=list)


class _Machine:
    """Thompson's construction; state 1 is the end."""

    def __init__(self, pattern: str) -> None:
        self._states = [_State(), _State()]
        fragment = _Reader(pattern).expression()
        self._link(fragment, 0, 1)
        self._start = self._closed(frozenset({0}))
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """One pass over the text. Raises AqlTooLarge if it meets new states again and again."""
        current, moved = self._start, 0
        for char in text:
            following = self._known.get((current, char))
            if following is None:
                moved += len(current)
                if moved > MOST_MOVED:
                    raise AqlTooLarge("steps to compare a text with one pattern", MOST_MOVED)
                following = self._moved(current, char)
                if len(self._known) < _REMEMBERED:
                    self._known[current, char] = following
            current = following
            if not current:
                return False
        return 1 in current

    def _moved(self, states: frozenset[int], char: str) -> frozenset[int]:
        found: set[int] = set()
        for number in states:
            state = self._states[number]
            if state.accepts is not None and state.accepts(char):
                found.update(state.following)
        return self._closed(frozenset(found))

    def _closed(self, states: frozenset[int]) -> frozenset[int]:
        """With all that is reached by no character."""
        found, waiting = set(states), list(states)
        while waiting:
            state = self._states[waiting.pop()]
            if state.accepts is None:
                fresh = [each for each in state.following if each not in found]
                found.update(fresh)
                waiting.extend(fresh)
        # States that only lead on are not needed any more.
        return frozenset(n for n in found if n == 1 or self._states[n].accepts is not None)

    def _state(self, accepts: Accepts | None = None) -> int:
        if len(self._states) >= MAX_STATES:
            raise BadRegex(f"it needs more than {MAX_STATES} states")
        self._states.append(_State(accepts))
        return len(self._states) - 1

    def _link(self, node: _Node, start: int, end: int) -> None:
        """The states of a node between two others."""
        match node:
            case _One():
                middle = self._state(node.accepts)
                self._states[start].following.append(middle)
                self._states[middle].following.append(end)
            case _Chain():
                for part in node.parts[:-1]:
                    middle = self._state()
                    self._link(part, start, middle)
                    start = middle
                if node.parts:
                    self._link(node.parts[-1], start, end)
                else:
                    self._states[start].following.append(end)
            case _Either():
                for option in node.options:
                    entry = self._state()
                    self._states[start].following.append(entry)
                    self._link(option, entry, end)
            case _Repeat():
                self._repeat(node, start, end)

    def _repeat(self, node: _Repeat, start: int, end: int) -> None:
        for _ in range(node.low):
            middle = self._state()
            self._link(node.part, start, middle)
            start = middle
        if node.high is None:
            loop = self._state()
            self._states[start].following.append(loop)
            self._link(node.part, loop, loop)
            start = loop
        for _ in range(node.low, node.high or 0):
            self._states[start].following.append(end)
            middle = self._state()
            self._link(node.part, start, middle)
            start = middle
        self._states[start].following.append(end)


@dataclass(frozen=True, slots=True)
class _One:
    accepts: Accepts


@dataclass(frozen=True, slots=True)
class _Chain:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Either:
    options: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    low: int
    high: int | None


_Node: TypeAlias = _One | _Chain | _Either | _Repeat

_CLASSES: dict[str, Accepts] = {
    "d": lambda char: char.isdecimal(),
    "w": lambda char: char.isalnum() or char == "_",
    "s": lambda char: char.isspace(),
}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r"}


class _Reader:
    """Recursive descent over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern.removeprefix("^")
        if self._text.endswith("$") and not _is_escaped(self._text):
            self._text = self._text[:-1]
        self._at = 0
        self._depth = 0

    def expression(self) -> _Node:
        """The whole pattern."""
        node = self._alternatives()
        if self._at < len(self._text):
            raise BadRegex("a closing parenthesis without an opening one")
        return node

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise BadRegex("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _alternatives(self) -> _Node:
        options = [self._chain()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._chain())
        return options[0] if len(options) == 1 else _Either(tuple(options))

    def _chain(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() and self._peek() not in "|)":
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else _Chain(tuple(parts))

    def _repeated(self, part: _Node) -> _Node:
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        mark = self._peek()
        if mark in bounds and mark:
            self._at += 1
            part = _Repeat(part, *bounds[mark])
        elif mark == "{":
            self._at += 1
            part = _Repeat(part, *self._counts())
        else:
            return part
        if self._peek() and self._peek() in "*+?{":
            raise BadRegex("a repeat of a repeat; use parentheses")
        return part

    def _counts(self) -> tuple[int, int | None]:
        body = ""
        while (char := self._take()) != "}":
            body += char
        low, comma, high = body.partition(",")
        known = all(text.isascii() and text.isdecimal() and len(text) < 5 for text in (low, high or "0"))
        if not known or (high and int(high) < int(low)):
            raise BadRegex(f"{{{body}}} is no count")
        if not comma:
            return int(low), int(low)
        return int(low), int(high) if high else None

    def _atom(self) -> _Node:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return _One(self._set())
        if char == ".":
            return _One(lambda each: each != "\n")
        if char == "\\":
            return _One(self._escape())
        if char in "*+?{^$":
            raise BadRegex(f"{char} has nothing to stand for there")
        return _One(_same(char))

    def _group(self) -> _Node:
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise BadRegex("of groups that begin with ? only (?: is read")
            self._at += 2
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadRegex(f"parentheses nest deeper than {_MAX_DEPTH}")
        inner = self._alternatives()
        if self._take() != ")":
            raise BadRegex("a parenthesis is not closed")
        self._depth -= 1
        return inner

    def _escape(self) -> Accepts:
        char = self._take()
        if char.lower() in _CLASSES:
            accepts = _CLASSES[char.lower()]
            return accepts if char.islower() else lambda each: not accepts(each)
        if char in _CONTROL:
            return _same(_CONTROL[char])
        if char.isalnum():
            raise BadRegex(f"\\{char} is not read")
        return _same(char)

    def _set(self) -> Accepts:
        negated = self._peek() == "^"
        self._at += negated
        members: list[Accepts] = []
        while (char := self._take()) != "]" or not members:
            members.append(self._member(char))
        return lambda each: any(member(each) for member in members) is not negated

    def _member(self, char: str) -> Accepts:
        if char == "\\":
            if self._peek() and self._peek() in "dwsDWS":
                return self._escape()
            char = self._literal(self._take())
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return _same(char)
        self._at += 1
        last = self._take()
        if last == "\\":
            last = self._literal(self._take())
        if last < char:
            raise BadRegex(f"{char}-{last} is no range")
        return lambda each: char <= each <= last

    def _literal(self, char: str) -> str:
        if char.isalnum() and char not in _CONTROL:
            raise BadRegex(f"\\{char} is not read")
        return _CONTROL.get(char, char)


def _same(char: str) -> Accepts:
    return lambda each: each == char


def _is_escaped(text: str) -> bool:
    """Does an odd number of backslashes stand before the last character?"""
    body = text[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1
