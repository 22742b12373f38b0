"""What the audit may repeat of what a client sent: ids, and texts without what may name a person. Pure."""

from __future__ import annotations

import re

from cdr.aql.errors import AqlSyntaxError
from cdr.aql.lexer import Token, tokens

LONGEST_TEXT = 1000  # of a query
_LITERALS = frozenset({"string", "regex", "uri", "term"})
_LONG_NUMBER = 6  # digits from which a number may name somebody
# A UUID, or an id with periods; a version id of either; the id of a template.
_OBJECT = re.compile(
    r"(?=.{1,200}\Z)(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9\-_]+(?:\.[A-Za-z0-9\-_]+)+)"
    r"(?:::[A-Za-z0-9][A-Za-z0-9.\-_]*::[0-9.]+)?",
    re.ASCII,
)
# Eleven digits that are a word, also with a blank behind the date: groups of a UUID are longer or shorter.
_NATIONAL_ID = re.compile(r"(?<![0-9A-Za-z])\d{6}[ -]?\d{5}(?![0-9A-Za-z])", re.ASCII)


def object_name(text: str) -> str:
    """An id of an object, a version or a template as the audit keeps it; "" for a text that is none."""
    return without_national_ids(text) if _OBJECT.fullmatch(text) else ""


def without_national_ids(text: str) -> str:
    """A text with ``?`` in place of what may be a national id."""
    return _NATIONAL_ID.sub("?", text) if text else text


def query_text(text: str) -> str:
    """A query without its comments, and with ``?`` in place of literals: both may name a person."""
    try:
        words = tokens(text)
    except AqlSyntaxError:
        return ""
    shown, end = "", 0
    for word in words:
        blank = " " if shown and word.offset > end else ""  # in place of comments too
        shown, end = shown + blank + _shown(word), word.offset + len(word.text)
    return shown.strip()[:LONGEST_TEXT]


def _shown(word: Token) -> str:
    is_long = word.kind in ("integer", "real") and len(word.text) >= _LONG_NUMBER
    return "'?'" if word.kind in _LITERALS or is_long else word.text
