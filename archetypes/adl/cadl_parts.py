"""Parts of cADL that both generations write alike: names, multiplicities, patterns of slots."""

from __future__ import annotations

import re

from archetypes.adl.lexer import MATCHES, TokenStream
from archetypes.aom.constraints import Cardinality, Interval

_TYPE = re.compile(r"[A-Z][A-Z0-9_]*(?:<[A-Z_]+>)?")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")


def read_type_name(stream: TokenStream) -> str:
    """An RM type. Raises AdlSyntaxError."""
    if _TYPE.fullmatch(stream.token.text) is None:
        raise stream.unexpected("a type of the reference model")
    return stream.next().text


def read_attribute_name(stream: TokenStream) -> str:
    """The name of an attribute. Raises AdlSyntaxError."""
    if _ATTRIBUTE.fullmatch(stream.token.text) is None:
        raise stream.unexpected("an attribute name")
    return stream.next().text


def read_occurrences(stream: TokenStream) -> Interval[int] | None:
    """['occurrences' multiplicity]; None where nothing is stated."""
    return read_multiplicity(stream) if stream.take("occurrences") else None


def read_multiplicity(stream: TokenStream) -> Interval[int]:
    """matches '{' n ['..' (n | '*')] '}'"""
    if not stream.take(*MATCHES):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    interval = _bounds(stream)
    stream.expect("}")
    return interval


def _bounds(stream: TokenStream) -> Interval[int]:
    if stream.take("*"):
        return Interval(0, None)
    lower = stream.integer()
    if not stream.take(".."):
        return Interval(lower, lower)
    return Interval(lower, None if stream.take("*") else stream.integer())


def read_cardinality(stream: TokenStream) -> Cardinality:
    """matches '{' bounds (';' (ordered | unordered | unique))* '}'"""
    if not stream.take(*MATCHES):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    interval = _bounds(stream)
    words = set()
    while stream.take(";"):
        if not stream.at("ordered", "unordered", "unique"):
            raise stream.unexpected("ordered, unordered or unique")
        words.add(stream.next().text.lower())
    stream.expect("}")
    return Cardinality(interval, is_ordered="unordered" not in words, is_unique="unique" in words)


def read_slot_patterns(stream: TokenStream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """['{' [include ...] [exclude ...] '}'] after ``matches``: what the slot includes and excludes."""
    patterns: dict[str, list[str]] = {"include": [], "exclude": []}
    if stream.take(*MATCHES):
        stream.expect("{")
        while not stream.at("}"):
            _assertions(stream, patterns)
        stream.expect("}")
    return tuple(patterns["include"]), tuple(patterns["exclude"])


def _assertions(stream: TokenStream, patterns: dict[str, list[str]]) -> None:
    """'*' | (include | exclude) (archetype_id/value matches '{' /pattern/ '}')+

    Assertions about anything but the archetype id are refused.
    """
    if stream.take("*"):
        return
    if not stream.at("include", "exclude"):
        raise stream.unexpected("include or exclude")
    word = stream.next().text.lower()
    while stream.token.kind == "name" and not stream.at("include", "exclude"):
        if not stream.at("archetype_id"):
            raise stream.source.error(
                "assertions in slots are supported about archetype_id/value only", stream.token.start
            )
        stream.next()
        stream.expect("/")
        stream.expect("value")
        if not stream.take(*MATCHES):
            raise stream.unexpected("'matches'")
        stream.expect("{")
        patterns[word].append(_id_pattern(stream))
        stream.expect("}")


def _id_pattern(stream: TokenStream) -> str:
    """/pattern/, which must be a regular expression."""
    start = stream.token.start
    pattern = stream.regex()
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise stream.source.error(f"not a regular expression: {error}", start) from error
    return pattern
