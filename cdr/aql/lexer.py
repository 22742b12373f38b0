"""AQL text to tokens (AqlLexer.g4 of AQL 1.1).

Differences from the grammar, on purpose: ``true`` and ``false`` are read as booleans before
identifiers; dates within quotes stay strings, for what they are is decided by the path that they are
compared with; line ends within a string are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdr.aql.ast import Position
from cdr.aql.errors import AqlSyntaxError

MAX_LENGTH = 64 * 1024

STRING_FUNCTIONS = frozenset({"LENGTH", "CONTAINS", "POSITION", "SUBSTRING", "CONCAT", "CONCAT_WS"})
NUMERIC_FUNCTIONS = frozenset({"ABS", "MOD", "CEIL", "FLOOR", "ROUND"})
DATE_TIME_FUNCTIONS = frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_DATE_TIME", "NOW", "CURRENT_TIMEZONE"}
)
FUNCTIONS = STRING_FUNCTIONS | NUMERIC_FUNCTIONS | DATE_TIME_FUNCTIONS
AGGREGATES = frozenset({"COUNT", "MIN", "MAX", "SUM", "AVG"})
KEYWORDS = (
    frozenset(
        {"SELECT", "DISTINCT", "TOP", "FORWARD", "BACKWARD", "AS", "FROM", "VERSION", "LATEST_VERSION"}
        | {"ALL_VERSIONS", "CONTAINS", "WHERE", "AND", "OR", "NOT", "EXISTS", "LIKE", "MATCHES"}
        | {"ORDER", "BY", "ASC", "ASCENDING", "DESC", "DESCENDING", "LIMIT", "OFFSET"}
        | {"TRUE", "FALSE", "NULL", "TERMINOLOGY"}
    )
    | FUNCTIONS
    | AGGREGATES
)

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\ufeff]+ | --[ \t][^\r\n]*)
  | (?P<archetype>(?:[A-Za-z][\w\-]*(?:\.[\w\-]+)*::)?
        [A-Za-z]\w*-[A-Za-z]\w*-[A-Za-z]\w*\.[A-Za-z][\w\-]*\.v\d+(?:\.\d+){0,2}
        (?:-(?:rc|alpha)(?:\.\d+)?)?(?!\w))
  | (?P<term>[A-Za-z][\w\-]*(?:\([^()\s]*\))?::[^\s|\[\],'"]+(?:\|[^|\r\n]*\|)?)
  | (?P<at>at\d+(?:\.\d+)*(?!\w))
  | (?P<id>id\d+(?:\.\d+)*(?!\w))
  | (?P<parameter>\$[A-Za-z]\w*)
  | (?P<word>[A-Za-z]\w*)
  | (?P<real>\d*\.\d+(?:[eE][+-]?\d+)?(?!\w) | \d+[eE][+-]?\d+(?!\w))
  | (?P<integer>\d+(?![\w.]))
  | (?P<string>'(?:[^'\\\r\n]|\\[^\r\n])*' | "(?:[^"\\\r\n]|\\[^\r\n])*")
  | (?P<regex>\{[ \t\r\n]*/(?:[^/\\\r\n]|\\[^\r\n])+/[ \t\r\n]*\})
  | (?P<dashes>--)
  | (?P<symbol>!=|<=|>=|[=<>\[\](){},/*+\-])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query.

    ``kind`` is a keyword in capitals, a symbol as written, or a class: ``identifier``, ``string``,
    ``integer``, ``real``, ``parameter``, ``archetype``, ``term``, ``at``, ``id``, ``regex``, ``uri``,
    ``end``. ``text`` is as written.
    """

    kind: str
    text: str
    offset: int
    position: Position


def tokens(text: str) -> list[Token]:
    """All tokens of a query with an ``end`` token behind; raises AqlSyntaxError."""
    if len(text) > MAX_LENGTH:
        message = f"a query has at most {MAX_LENGTH} characters"
        raise AqlSyntaxError(message, code="aql.syntax.length", line=1, column=1)
    found: list[Token] = []
    offset, line, line_start = 0, 1, 0
    while offset < len(text):
        match = _match(text, offset)
        position = Position(line, offset - line_start + 1)
        if match is None:
            raise _unreadable(text, offset, position)
        group = match.lastgroup or ""
        value = match.group()
        if group != "space":
            found.append(Token(_kind(group, value), value, offset, position))
        newlines = value.count("\n")
        if newlines:
            line += newlines
            line_start = offset + value.rindex("\n") + 1
        offset = match.end()
    found.append(Token("end", "", offset, Position(line, offset - line_start + 1)))
    return found


def _match(text: str, offset: int) -> re.Match[str] | None:
    """A URI is only looked for right behind a brace, where blanks may stand before it."""
    if offset and text[offset - 1] == "{":
        uri = _URI.match(text, offset)
        if uri is not None:
            return uri
    return _TOKEN.match(text, offset)


_URI = re.compile(r"(?P<uri>[ \t\r\n]*[A-Za-z][A-Za-z0-9+.\-]*:[^\s{}'\",]+)(?=[ \t\r\n]*\})", re.ASCII)


def _kind(group: str, value: str) -> str:
    if group == "word":
        upper = value.upper()
        return upper if upper in KEYWORDS else "identifier"
    if group == "symbol":
        return value
    return "--" if group == "dashes" else group


def _unreadable(text: str, offset: int, position: Position) -> AqlSyntaxError:
    char = text[offset]
    code, message = "aql.syntax.character", f"unexpected character {char!r}"
    if char in "'\"":
        code, message = "aql.syntax.string", "this string does not end on its line"
    elif char.isdigit() and char.isascii():
        code, message = "aql.syntax.number", "this is not a number"
    return AqlSyntaxError(message, code=code, line=position.line, column=position.column, text=text)


def string_value(literal: str) -> str:
    r"""The characters that a quoted literal stands for; raises ValueError for a bad escape.

    ``\?`` and ``\*`` keep their backslash, for LIKE reads it.
    """
    body = literal[1:-1]
    if "\\" not in body:
        return body
    value = _ESCAPE.sub(_unescaped, body)
    # \uD83D\uDE00 is one character in UTF-16; half a pair is none.
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _unescaped(match: re.Match[str]) -> str:
    code, char = match[1], match[2]
    if code is not None:
        return chr(int(code, 16))
    if char in "\\'\"":
        return char
    if char in "?*":
        return "\\" + char
    if char not in _SIMPLE_ESCAPES:
        raise ValueError(f"unknown escape \\{char}")
    return _SIMPLE_ESCAPES[char]
