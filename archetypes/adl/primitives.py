"""Primitive constraints of cADL: strings, numbers, booleans, dates and times, durations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import unquote
from archetypes.aom.constraints import (
    CBoolean,
    CDuration,
    CInteger,
    CReal,
    CString,
    CTemporal,
    Interval,
    Primitive,
)

T = TypeVar("T", int, float, str)

_DURATION_PATTERN = re.compile(r"P[YyMmWwDd]*(?:T[HhMmSs]*)?")
_INTERVAL = re.compile(
    r"\|?\s*(?:(?P<low_open>>=?)?\s*(?P<lower>[^|<>.\s]+(?:\.\d+)?)\s*\.\.\s*(?P<high_open><=?)?\s*(?P<upper>[^|<>\s]+)"
    r"|(?P<operator>[<>]=?)\s*(?P<bound>[^|<>\s]+)"
    r"|(?P<point>[^|<>\s]+))\s*\|?"
)


def parse_interval(text: str | float, read: Callable[[str], T]) -> Interval[T]:
    """``|0..5|``, ``|>=0|``, ``|>0..<5|``, ``|3|`` as an interval; ValueError if it is none."""
    match = _INTERVAL.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not an interval")
    if match["point"] is not None:
        return Interval(read(match["point"]), read(match["point"]))
    if match["operator"] is not None:
        bound, included = read(match["bound"]), match["operator"].endswith("=")
        if match["operator"].startswith(">"):
            return Interval(bound, None, lower_included=included)
        return Interval(None, bound, upper_included=included)
    return Interval(
        None if match["lower"] == "*" else read(match["lower"]),
        None if match["upper"] == "*" else read(match["upper"]),
        lower_included=match["low_open"] != ">",
        upper_included=match["high_open"] != "<",
    )


def at_primitive(stream: TokenStream) -> bool:
    """True if a primitive constraint begins here."""
    token = stream.token
    if token.kind in ("string", "integer", "real", "temporal", "duration", "pattern"):
        return True
    if token.kind == "name":
        return token.text.lower() in ("true", "false") or bool(_DURATION_PATTERN.fullmatch(token.text))
    return token.text in ("|", "/", "^")


def parse_primitive(stream: TokenStream) -> Primitive:
    """The primitive constraint that begins here. Raises AdlSyntaxError."""
    token = stream.token
    if token.text in ("/", "^"):
        return CString(pattern=stream.regex(), assumed_value=_assumed_string(stream))
    if token.text == "|":
        return _range(stream)
    if token.kind == "string":
        return _strings(stream)
    if token.kind in ("integer", "real"):
        return _numbers(stream)
    if token.kind in ("temporal", "pattern"):
        return _temporal(stream)
    if token.kind == "duration" or _DURATION_PATTERN.fullmatch(token.text):
        return _duration(stream)
    return _booleans(stream)


def _assumed_string(stream: TokenStream) -> str | None:
    return unquote(stream.expect_kind("string").text) if stream.take(";") else None


def _strings(stream: TokenStream) -> CString:
    values = [unquote(stream.next().text)]
    is_open = False
    while stream.take(","):
        if stream.take("..."):
            is_open = True
        else:
            values.append(unquote(stream.expect_kind("string").text))
    return CString(values=tuple(values), list_open=is_open, assumed_value=_assumed_string(stream))


def _numbers(stream: TokenStream) -> CInteger | CReal:
    texts = [stream.next().text]
    while stream.take(","):
        if not stream.take("..."):
            texts.append(stream.expect_kind("integer", "real").text)
    assumed = stream.expect_kind("integer", "real").text if stream.take(";") else None
    if any("." in text or "e" in text.lower() for text in texts):
        return CReal(
            values=tuple(float(text) for text in texts),
            assumed_value=None if assumed is None else float(assumed),
        )
    return CInteger(
        values=tuple(int(text) for text in texts), assumed_value=None if assumed is None else int(assumed)
    )


def _booleans(stream: TokenStream) -> CBoolean:
    texts = {stream.expect_kind("name").text.lower()}
    while stream.take(","):
        texts.add(stream.expect_kind("name").text.lower())
    assumed = stream.expect_kind("name").text.lower() == "true" if stream.take(";") else None
    return CBoolean(true_valid="true" in texts, false_valid="false" in texts, assumed_value=assumed)


def _temporal(stream: TokenStream) -> CTemporal:
    token = stream.next()
    assumed = stream.next().text if stream.take(";") else None
    pattern = token.text if token.kind == "pattern" else None
    span = None if token.kind == "pattern" else Interval(token.text, token.text)
    return CTemporal(rm_type=_temporal_type(token.text), pattern=pattern, range=span, assumed_value=assumed)


def _temporal_type(text: str) -> str:
    if "T" in text or " " in text:
        return "DATE_TIME"
    return "TIME" if ":" in text else "DATE"


def _duration(stream: TokenStream) -> CDuration:
    """pattern ['/' interval] | duration; each with an assumed value"""
    token = stream.next()
    if token.kind == "duration":
        return CDuration(range=Interval(token.text, token.text), assumed_value=_assumed_duration(stream))
    interval = parse_interval(stream.between("|"), str) if stream.take("/") else None
    return CDuration(pattern=token.text, range=interval, assumed_value=_assumed_duration(stream))


def _assumed_duration(stream: TokenStream) -> str | None:
    return stream.expect_kind("duration").text if stream.take(";") else None


def _range(stream: TokenStream) -> Primitive:
    start = stream.token.start
    try:
        interval = parse_interval(stream.between("|"), str)
    except ValueError as error:
        raise stream.source.error(str(error), start) from error
    assumed = stream.next().text if stream.take(";") else None
    sample = str(interval.lower if interval.lower is not None else interval.upper)
    if re.fullmatch(r"-?\d+", sample) and re.fullmatch(r"-?\d+", str(interval.upper or sample)):
        return CInteger(
            range=_converted(interval, int), assumed_value=None if assumed is None else int(assumed)
        )
    if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", sample):
        return CReal(
            range=_converted(interval, float), assumed_value=None if assumed is None else float(assumed)
        )
    if sample.lstrip("-").startswith("P"):
        return CDuration(range=interval, assumed_value=assumed)
    return CTemporal(rm_type=_temporal_type(sample), range=interval, assumed_value=assumed)


def _converted(interval: Interval[str], read: Callable[[str], T]) -> Interval[T]:
    return Interval(
        None if interval.lower is None else read(interval.lower),
        None if interval.upper is None else read(interval.upper),
        interval.lower_included,
        interval.upper_included,
    )
