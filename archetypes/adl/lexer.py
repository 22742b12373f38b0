"""Tokens of ADL 1.4 and ADL 2: one lexer for ODIN and cADL, each token with its offset."""

from __future__ import annotations

import re
from math import isfinite
from typing import NamedTuple

from archetypes.adl.source import SourceText
from archetypes.errors import AdlSyntaxError

# First match wins. Term codes are read as one token: ``[local::at0001, at0002; at0001]``, ``[ac0001]``.
_TOKENS = (
    ("skip", r"[\s﻿]+|--[^\n]*"),
    ("string", r'"(?:\\.|[^"\\])*"'),
    ("code", r"\[\s*(?:[\w.]|-(?!-))++(?:\([^)\n]*\))?\s*::(?>--[^\n]*|[^\]\"-]|-(?!-))*+\]"),
    ("bracket", r"\[\s*(?:at|ac|id)[\d.]+\s*\]"),
    ("duration", r"-?P(?=[\dT])(?:\d+(?:[.,]\d+)?[YMWD])*(?:T(?:\d+(?:[.,]\d+)?[HMS])+)?(?![\w])"),
    (
        "temporal",
        r"\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
        r"|\d{4}-\d{2}(?!\d)|\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?",
    ),
    (
        "pattern",
        r"[yY?X]{4}-[mM?X]{2}(?:-[dD?X]{2}(?:[T ][hH?X]{2}(?::[mM?X]{2}(?::[sS?X]{2})?)?)?)?"
        r"(?:Z|[+\-±]hh(?::?mm)?)?|[hH]{2}:[mM?X]{2}(?::[sS?X]{2})?(?:Z|[+\-±]hh(?::?mm)?)?",
    ),
    ("uri", r"[a-z][a-z0-9+.\-]*://[^\s>]*[^\s>,]|[a-z]+:[A-Za-z0-9][^\s><]*(?=>)"),
    ("real", r"-?\d+\.\d+(?:[eE][+-]?\d+)?|-?\d+[eE][+-]?\d+"),
    ("integer", r"-?\d+"),
    ("symbol", r"\.\.\.|\.\.|>=|<=|[<>={}()\[\]|;,*/:.~∈]"),
    ("name", r"[A-Za-z_][\w\-]*(?:\.[\w\-]+)*(?:<[A-Z_]+>)?"),
    ("other", r"."),
)
MATCHES = ("matches", "is_in", "∈")
MAX_DIGITS = 18
MAX_SHOWN = 60
_PATH = re.compile(r"(?:/[a-z_]\w*(?:\[[^\]\n]*\])?)+")
_LEXER = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _TOKENS), re.DOTALL)


class Token(NamedTuple):
    """A token; ``kind`` is one of the names above or ``end``."""

    kind: str
    text: str
    start: int
    end: int


def kind_of(text: str) -> str:
    """The kind of the one token that ``text`` is, or an empty string."""
    match = _LEXER.fullmatch(text)
    return str(match.lastgroup) if match and text else ""


class TokenStream:
    """Tokens of a part of a source; ``comments`` are those passed so far, by offset."""

    def __init__(self, source: SourceText, start: int, end: int) -> None:
        self.source = source
        self.comments: dict[int, str] = {}
        self._limit = end
        self.token = self._scan(start)

    def _scan(self, position: int) -> Token:
        while position < self._limit:
            match = _LEXER.match(self.source.text, position, self._limit)
            assert match is not None  # the last alternative takes any character
            if match.lastgroup != "skip":
                return Token(str(match.lastgroup), match.group(), match.start(), match.end())
            if self.source.text.startswith("--", position):
                self.comments[position] = match.group()
            position = match.end()
        return Token("end", "", self._limit, self._limit)

    def next(self) -> Token:
        """Take the current token."""
        taken = self.token
        self.token = self._scan(taken.end)
        return taken

    def peek(self, ahead: int = 1) -> Token:
        """The token after the current one, or further ahead."""
        token = self.token
        for _ in range(ahead):
            token = self._scan(token.end)
        return token

    def at(self, *texts: str) -> bool:
        """True if the current token is one of these words or symbols (case matters not)."""
        return self.token.kind in ("symbol", "name") and self.token.text.lower() in texts

    def take(self, *texts: str) -> bool:
        """Take the current token if it is one of these."""
        if self.at(*texts):
            self.next()
            return True
        return False

    def expect(self, text: str) -> Token:
        """Take this word or symbol; raises AdlSyntaxError otherwise."""
        if not self.at(text):
            raise self.unexpected(repr(text))
        return self.next()

    def expect_kind(self, *kinds: str) -> Token:
        """Take a token of one of these kinds; raises AdlSyntaxError otherwise."""
        if self.token.kind not in kinds:
            raise self.unexpected(" or ".join(kinds))
        return self.next()

    def unexpected(self, expected: str) -> AdlSyntaxError:
        """The error for the current token."""
        found = repr(self.token.text[:MAX_SHOWN]) if self.token.text else "the end"
        return self.source.error(f"expected {expected}, found {found}", self.token.start)

    def integer(self) -> int:
        """Take a whole number; raises AdlSyntaxError, also for one beyond 18 digits."""
        token = self.expect_kind("integer")
        if len(token.text) > MAX_DIGITS:
            raise self.source.error("a number of this length is not supported", token.start)
        return int(token.text)

    def number(self) -> int | float:
        """Take a whole or real number; raises AdlSyntaxError."""
        if self.token.kind == "integer":
            return self.integer()
        token = self.expect_kind("real")
        value = float(token.text)
        if not isfinite(value):
            raise self.source.error("a number of this size is not supported", token.start)
        return value

    def regex(self) -> str:
        """Take ``/pattern/`` or ``^pattern^``, the current token being its first mark.

        In the pattern returned, a slash stands without backslash.
        """
        text, start = self.source.text, self.token.start
        mark = text[start]
        match = re.compile(rf"(?:\\[^\n]|[^{re.escape(mark)}\n\\])*").match(text, start + 1, self._limit)
        if match is None or match.end() >= self._limit or text[match.end()] != mark:
            raise self.source.error("the pattern does not end", start)
        self.token = self._scan(match.end() + 1)
        return re.sub(r"\\(.)", lambda escape: "/" if escape[1] == "/" else escape[0], match.group())

    def between(self, mark: str, closing: str = "") -> str:
        """Take everything from the current token, which is ``mark``, to the closing one; marks left out."""
        start = self.expect(mark).end
        end = self.source.text.find(closing or mark, start, self._limit)
        if end < 0:
            raise self.source.error(f"{mark!r} is not closed", start)
        self.token = self._scan(end + len(closing or mark))
        return self.source.text[start:end]

    def said(self, start: int, end: int) -> str:
        """The source between two offsets on one line, without its comments."""
        text = self.source.text
        inner = {at: comment for at, comment in self.comments.items() if start <= at < end}
        begins = [start, *(at + len(comment) for at, comment in inner.items())]
        pieces = (text[a:b] for a, b in zip(begins, [*inner, end], strict=True))
        return " ".join(" ".join(pieces).split())

    def until(self, mark: str) -> str:
        """Take everything from the current token up to ``mark``, which is taken too."""
        start = self.token.start
        end = self.source.text.find(mark, start, self._limit)
        if end < 0:
            raise self.source.error(f"{mark!r} is missing", start)
        self.token = self._scan(end + len(mark))
        return self.source.text[start:end]

    def path(self) -> str:
        """Take a path such as ``/data[at0001]/events[at0006]``."""
        match = _PATH.match(self.source.text, self.token.start, self._limit)
        if match is None:
            raise self.unexpected("a path")
        self.token = self._scan(match.end())
        return match.group()
