"""ODIN: the object notation of the language, description and ontology sections (BASE, ODIN syntax)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from archetypes.adl.lexer import TokenStream

MAX_DEPTH = 60
_ESCAPE = re.compile(r"\\([\\\"])")


class Keyed(dict[str, Any]):
    """An object whose members have keys (``["nb"] = <...>``) instead of attribute names."""


class Code(str):
    """A term code such as ``[ISO_639-1::nb]``, brackets included."""

    __slots__ = ()


class Literal(str):
    """A value that stands without quotes: a URI, a date or time, a duration or an interval."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """An object that states its type: ``(DV_QUANTITY) <...>``."""

    type_name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object in another notation: ``(json) <# ... #>``."""

    syntax: str
    text: str


def read_odin(stream: TokenStream) -> dict[str, Any]:
    """The attributes of an ODIN text.

    Values are dict, Keyed, Typed, Embedded, list, str, int, float, bool, Code or Literal.
    Raises AdlSyntaxError.
    """
    tree = _attributes(stream, 0)
    if stream.token.kind != "end":
        raise stream.unexpected("an attribute")
    return tree


def read_odin_object(stream: TokenStream) -> Any:
    """One object in angle brackets, as domain types of cADL have it. Raises AdlSyntaxError."""
    return _object(stream, 0)


def _attributes(stream: TokenStream, depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    while stream.token.kind == "name":
        name = stream.next()
        if name.text in tree:
            raise stream.source.error(f"a second attribute {name.text!r}", name.start)
        stream.expect("=")
        tree[name.text] = _object(stream, depth + 1)
        stream.take(";")
    return tree


def _object(stream: TokenStream, depth: int) -> Any:
    """object: ['(' type ')'] '<' ... '>' | '(' syntax ')' '<#' ... '#>'"""
    if depth > MAX_DEPTH:
        raise stream.source.error("nested too deep", stream.token.start)
    if stream.take("("):
        return _typed(stream, depth)
    stream.expect("<")
    value = _content(stream, depth)
    stream.expect(">")
    return value


def _typed(stream: TokenStream, depth: int) -> Typed | Embedded:
    name = stream.expect_kind("name").text
    stream.expect(")")
    if stream.peek().text == "#":
        text = stream.between("<", "#>")
        return Embedded(name, text.removeprefix("#"))
    return Typed(name, _object(stream, depth + 1))


def _content(stream: TokenStream, depth: int) -> Any:
    if stream.at(">"):
        return {}
    if stream.at("["):
        return _keyed(stream, depth)
    if stream.token.kind == "name" and stream.peek().text == "=":
        return _attributes(stream, depth)
    return _values(stream)


def _keyed(stream: TokenStream, depth: int) -> Keyed:
    """'[' key ']' '=' object, repeated"""
    tree = Keyed()
    while stream.take("["):
        start = stream.token.start
        key = str(_scalar(stream))
        if key in tree:
            raise stream.source.error(f"a second key {key!r}", start)
        stream.expect("]")
        stream.expect("=")
        tree[key] = _object(stream, depth + 1)
        stream.take(";")
    return tree


def _values(stream: TokenStream) -> Any:
    """One scalar, or a list of scalars; ``...`` marks a list of one."""
    values = [_scalar(stream)]
    is_list = False
    while stream.take(","):
        is_list = True
        if not stream.take("..."):
            values.append(_scalar(stream))
    return values if is_list else values[0]


def _scalar(stream: TokenStream) -> Any:
    if stream.token.kind in ("integer", "real"):
        return stream.number()
    token = stream.next()
    match token.kind:
        case "string":
            return unquote(token.text)
        case "code" | "bracket":
            return Code(token.text)
        case "uri" | "temporal" | "duration" | "pattern":
            return Literal(token.text)
        case "name" if token.text.lower() in ("true", "false"):
            return token.text.lower() == "true"
        case "symbol" if token.text == "|":
            return _interval_text(stream)
    raise stream.source.error(f"expected a value, found {token.text!r}", token.start)


def _interval_text(stream: TokenStream) -> Literal:
    """An interval is kept as written."""
    start = stream.token.start
    while not stream.at("|"):
        if stream.token.kind == "end":
            raise stream.unexpected("'|'")
        stream.next()
    return Literal("|" + stream.source.text[start : stream.next().end])


def unquote(text: str) -> str:
    """The value of a quoted string."""
    body = text[1:-1]
    return _ESCAPE.sub(r"\1", body) if "\\" in body else body


def quote(text: str) -> str:
    """The quoted string of a value; the inverse of :func:`unquote`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
