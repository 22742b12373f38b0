"""Primitive constraints of cADL: strings, numbers, booleans, dates and times, durations."""

from __future__ import annotations

import re
from math import isfinite

from archetypes.adl.intervals import parse_interval
from archetypes.adl.lexer import TokenStream, kind_of
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

_DURATION_PATTERN = re.compile(r"P[YyMmWwDd]*(?:T[HhMmSs]*)?")
_INTEGER = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")


_RM_TYPES: dict[type, str] = {
    CString: "STRING",
    CInteger: "INTEGER",
    CReal: "REAL",
    CBoolean: "BOOLEAN",
    CDuration: "DURATION",
}


def rm_type_of(item: Primitive) -> str:
    """The type of the values that a constraint is about."""
    return item.rm_type if isinstance(item, CTemporal) else _RM_TYPES[type(item)]


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


def _continues(stream: TokenStream, *kinds: str) -> bool:
    """True at a comma that goes on with a value of these kinds, or with the mark of an open list."""
    following = stream.peek() if stream.at(",") else None
    return following is not None and (following.kind in kinds or following.text == "...")


def _strings(stream: TokenStream) -> CString:
    values = [unquote(stream.next().text)]
    is_open = False
    while _continues(stream, "string"):
        stream.next()
        if stream.take("..."):
            is_open = True
        else:
            values.append(unquote(stream.expect_kind("string").text))
    return CString(values=tuple(values), list_open=is_open, assumed_value=_assumed_string(stream))


def _numbers(stream: TokenStream) -> CInteger | CReal:
    numbers = [stream.number()]
    while _continues(stream, "integer", "real"):
        stream.next()
        if not stream.take("..."):  # marks a list of one
            numbers.append(stream.number())
    if all(isinstance(number, int) for number in numbers):
        assumed_integer = stream.integer() if stream.take(";") else None
        return CInteger(values=tuple(int(number) for number in numbers), assumed_value=assumed_integer)
    return CReal(values=tuple(float(number) for number in numbers), assumed_value=_assumed_real(stream))


def _assumed_real(stream: TokenStream) -> float | None:
    return float(stream.number()) if stream.take(";") else None


def _booleans(stream: TokenStream) -> CBoolean:
    allowed = {_boolean(stream)}
    while stream.take(","):
        allowed.add(_boolean(stream))
    assumed = _boolean(stream) if stream.take(";") else None
    return CBoolean(true_valid=True in allowed, false_valid=False in allowed, assumed_value=assumed)


def _boolean(stream: TokenStream) -> bool:
    if not stream.at("true", "false"):
        raise stream.unexpected("true or false")
    return stream.next().text.lower() == "true"


def _temporal(stream: TokenStream) -> CTemporal:
    """pattern | date, time or date-time; each with an assumed value"""
    token = stream.next()
    is_pattern = token.kind == "pattern"
    return CTemporal(
        rm_type=_temporal_type(token.text),
        pattern=token.text if is_pattern else None,
        range=None if is_pattern else Interval(token.text, token.text),
        assumed_value=_assumed(stream, "temporal"),
    )


def _temporal_type(text: str) -> str:
    if "T" in text or " " in text:
        return "DATE_TIME"
    return "TIME" if ":" in text else "DATE"


def _assumed(stream: TokenStream, kind: str) -> str | None:
    return stream.expect_kind(kind).text if stream.take(";") else None


def _duration(stream: TokenStream) -> CDuration:
    """pattern ['/' interval] | duration; each with an assumed value"""
    token = stream.next()
    if token.kind == "duration":
        return CDuration(range=Interval(token.text, token.text), assumed_value=_assumed(stream, "duration"))
    interval = _interval(stream, ("duration",)) if stream.take("/") else None
    return CDuration(pattern=token.text, range=interval, assumed_value=_assumed(stream, "duration"))


def _range(stream: TokenStream) -> Primitive:
    """'|' interval '|' of integers, reals, durations, dates or times; with an assumed value"""
    start = stream.token.start
    interval = _interval(stream, ("integer", "real", "duration", "temporal"))
    bounds = [bound for bound in (interval.lower, interval.upper) if bound is not None]
    if all(_INTEGER.fullmatch(bound) for bound in bounds):
        assumed = stream.integer() if stream.take(";") else None
        return CInteger(range=_integers(interval), assumed_value=assumed)
    if all(_NUMBER.fullmatch(bound) and isfinite(float(bound)) for bound in bounds):
        return CReal(range=_reals(interval), assumed_value=_assumed_real(stream))
    if all(kind_of(bound) == "duration" for bound in bounds):
        return CDuration(range=interval, assumed_value=_assumed(stream, "duration"))
    types = {_temporal_type(bound) for bound in bounds}
    if len(types) > 1 or any(kind_of(bound) != "temporal" for bound in bounds):
        raise stream.source.error("the bounds of this interval are of different types", start)
    return CTemporal(rm_type=types.pop(), range=interval, assumed_value=_assumed(stream, "temporal"))


def _interval(stream: TokenStream, kinds: tuple[str, ...]) -> Interval[str]:
    """An interval with at least one bound, its bounds as texts of these kinds."""
    start = stream.token.start
    try:
        interval = parse_interval(stream.between("|"), str)
    except ValueError as error:
        raise stream.source.error(str(error), start) from error
    bounds = [bound for bound in (interval.lower, interval.upper) if bound is not None]
    for bound in bounds:
        if kind_of(bound) not in kinds:
            raise stream.source.error(f"{bound!r} is no {' or '.join(kinds)}", start)
    if not bounds:
        raise stream.source.error("an interval needs a bound", start)
    return interval


def _integers(interval: Interval[str]) -> Interval[int]:
    lower, upper = interval.lower, interval.upper
    return Interval(
        None if lower is None else int(lower),
        None if upper is None else int(upper),
        interval.lower_included,
        interval.upper_included,
    )


def _reals(interval: Interval[str]) -> Interval[float]:
    lower, upper = interval.lower, interval.upper
    return Interval(
        None if lower is None else float(lower),
        None if upper is None else float(upper),
        interval.lower_included,
        interval.upper_included,
    )
