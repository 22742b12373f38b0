"""Parts of cADL that both generations write alike: names, multiplicities, patterns of slots."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archetypes.adl.comments import with_comments
from archetypes.adl.lexer import MATCHES, TokenStream
from archetypes.aom.constraints import Cardinality, CAttribute, CComplexObject, CObject, Interval

_TYPE = re.compile(r"[A-Z][A-Z0-9_]*(?:<[A-Z_]+>)?")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")


def read_root(stream: TokenStream, read: Callable[[TokenStream, int], CObject]) -> CComplexObject:
    """The one object of a definition section, its nodes with their comments. Raises AdlSyntaxError."""
    root = read(stream, 0)
    if not isinstance(root, CComplexObject):
        raise stream.unexpected("a complex object as root")
    if stream.token.kind != "end":
        raise stream.unexpected("the end of the definition")
    return with_comments(root, stream)


def read_attribute(
    stream: TokenStream,
    read_place: Callable[[TokenStream], tuple[str, str]],
    read_object: Callable[[TokenStream, int], CObject],
    depth: int,
) -> CAttribute:
    """place [existence] [cardinality] [matches '{' ('*' | object+) '}']; a place is a path and a name."""
    span = stream.source.span(stream.token.start)
    owner, name = read_place(stream)
    existence = read_multiplicity(stream) if stream.take("existence") else None
    cardinality = read_cardinality(stream) if stream.take("cardinality") else None
    children: list[CObject] = []
    if stream.take(*MATCHES):
        stream.expect("{")
        if not stream.take("*"):
            while not stream.at("}"):
                children.append(read_object(stream, depth + 1))
        stream.expect("}")
    return CAttribute(
        rm_attribute_name=name,
        differential_path=owner,
        existence=existence,
        cardinality=cardinality,
        children=tuple(children),
        span=span,
    )


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


def read_slot_assertions(stream: TokenStream) -> dict[str, Any]:
    """['{' [include ...] [exclude ...] '}'] after ``matches``, as members of an ArchetypeSlot."""
    found: dict[str, list[str]] = {"includes": [], "excludes": [], "other_includes": [], "other_excludes": []}
    if stream.take(*MATCHES):
        stream.expect("{")
        while not stream.at("}"):
            _assertions(stream, found)
        stream.expect("}")
    return {name: tuple(texts) for name, texts in found.items()}


def _assertions(stream: TokenStream, found: dict[str, list[str]]) -> None:
    """'*' | (include | exclude) (archetype_id/value matches '{' /pattern/ '}' | other assertion)+"""
    if stream.take("*"):
        return
    if not stream.at("include", "exclude"):
        raise stream.unexpected("include or exclude")
    kind = f"{stream.next().text.lower()}s"
    while not stream.at("include", "exclude", "}"):
        if stream.at("archetype_id"):
            found[kind].append(_pattern_of_id(stream))
        else:
            found[f"other_{kind}"].append(_other_assertion(stream))


def _pattern_of_id(stream: TokenStream) -> str:
    """archetype_id/value matches '{' /pattern/ '}'"""
    stream.next()
    stream.expect("/")
    stream.expect("value")
    if not stream.take(*MATCHES):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    pattern = _id_pattern(stream)
    stream.expect("}")
    return pattern


def _other_assertion(stream: TokenStream) -> str:
    """The text of an assertion about anything else, up to the next one about the id; braces are balanced."""
    start, depth = stream.token.start, 0
    if stream.peek().text in ("}", "include", "exclude"):
        raise stream.unexpected("an assertion")
    while depth or not stream.at("include", "exclude", "archetype_id", "}"):
        if stream.token.kind == "end":
            raise stream.source.error("the assertion does not end", start)
        opens = stream.at("{")
        depth += opens - stream.at("}")
        stream.next()
        if opens and stream.at("/", "^"):
            stream.regex()
    return stream.said(start, stream.token.start)


def _id_pattern(stream: TokenStream) -> str:
    """/pattern/, which must be a regular expression."""
    start = stream.token.start
    pattern = stream.regex()
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise stream.source.error(f"not a regular expression: {error}", start) from error
    return pattern
