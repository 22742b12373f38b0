"""Constraints on data values and primitives as JSON Schema (draft 2020-12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from archetypes import patterns
from archetypes.aom.constraints import (
    Cardinality,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from archetypes.terminology.openehr import terminology
from templates.json_schema_rm import Schema

TIMEZONE_MANDATORY, TIMEZONE_PROHIBITED = 1001, 1003  # VALIDITY_KIND of AOM 1.4; 1002 is optional
_ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_DURATION_FIELDS = "YMWD"
NOTHING: Schema = {"not": {}}


def range_schema(limits: Interval[Any] | None) -> Schema:
    """A number within limits."""
    if limits is None:
        return {}
    made: Schema = {}
    if limits.lower is not None:
        made["minimum" if limits.lower_included else "exclusiveMinimum"] = limits.lower
    if limits.upper is not None:
        made["maximum" if limits.upper_included else "exclusiveMaximum"] = limits.upper
    return made


def quantity_schema(constraint: CDvQuantity) -> Schema:
    """Unit, and magnitude and decimals by unit; of a bare property, no unit that is known as one of another.

    No table of units is complete: one that is known of no property is a warning of the validator.
    """
    if constraint.items:
        return {"anyOf": [_quantity_item(item) for item in constraint.items]}
    code = (constraint.property or "").rpartition("::")[2].rstrip("]")
    known = terminology().units_of(code)
    if not known:
        return {}
    return {"properties": {"units": {"not": {"enum": sorted(terminology().units - known)}}}}


def _quantity_item(item: QuantityItem) -> Schema:
    properties: Schema = {"units": {"const": item.units}, "magnitude": range_schema(item.magnitude)}
    if item.precision is not None and item.precision.lower != -1:
        properties["precision"] = range_schema(item.precision)
    return {"properties": {name: schema for name, schema in properties.items() if schema}}


def ordinal_schema(constraint: CDvOrdinal) -> Schema:
    """A pair of the list."""
    return {"anyOf": [_ordinal_item(item) for item in constraint.items]} if constraint.items else {}


def _ordinal_item(item: OrdinalItem) -> Schema:
    phrase = _phrase(item.terminology_id, (item.code,))
    symbol = {"properties": {"defining_code": phrase}}
    return {"properties": {"value": {"const": item.value}, "symbol": symbol}}


def code_schema(constraint: CCodePhrase | CCodeReference) -> Schema:
    """Terminology, and the codes if the template lists them."""
    codes = constraint.codes if isinstance(constraint, CCodePhrase) else ()
    return _phrase(constraint.terminology_id, codes)


def _phrase(terminology_id: str | None, codes: tuple[str, ...]) -> Schema:
    properties: Schema = {}
    if terminology_id:
        properties["terminology_id"] = {"properties": {"value": _terminology(terminology_id)}}
    if codes:
        properties["code_string"] = {"enum": list(codes)}
    return {"properties": properties} if properties else {}


def _terminology(terminology_id: str) -> Schema:
    """``SNOMED-CT(2024)`` is an edition of ``SNOMED-CT``."""
    if "(" in terminology_id:
        return {"const": terminology_id}
    return {"pattern": rf"^{whole_text(terminology_id)}(\(.*)?$"}


def whole_text(text: str) -> str:
    """A pattern of exactly this text, with the escapes that ECMA 262 knows."""
    return re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\1", text)


def cardinality_schema(cardinality: Cardinality | None) -> Schema:
    """How many members in all."""
    if cardinality is None:
        return {}
    made: Schema = {}
    if cardinality.interval.lower:
        made["minItems"] = cardinality.interval.lower
    if cardinality.interval.upper is not None:
        made["maxItems"] = cardinality.interval.upper
    return made


def primitive_schema(constraint: CPrimitiveObject, owner: tuple[str, str] = ("", "")) -> Schema:
    """A leaf; ``owner`` is the class and attribute that it stands under."""
    item = constraint.item
    made: Schema = {} if item is None else _PRIMITIVES[type(item)](item)
    if owner[1] == "action_archetype_id" and isinstance(item, CString) and item.pattern:
        return {"anyOf": [made, {"const": item.pattern}]}  # it is itself a pattern of archetype ids
    return made


def _boolean(item: CBoolean) -> Schema:
    return {"enum": [v for v, valid in ((True, item.true_valid), (False, item.false_valid)) if valid]}


def _string(item: CString) -> Schema:
    if item.list_open:
        return {}
    made: Schema = {"enum": list(item.values)} if item.values else {}
    # A pattern that cannot be read is a warning of the validator.
    return made if item.pattern is None else made | (pattern_schema(item.pattern) or {})


def pattern_schema(pattern: str) -> Schema | None:
    """The whole text is of the pattern; None of one that cannot be read."""
    return None if patterns.whole_text(pattern) is None else {"pattern": f"^(?:{pattern})$"}


def _number(item: CInteger | CReal) -> Schema:
    made: Schema = {"enum": list(item.values)} if item.values else {}
    return made | range_schema(item.range)


def _temporal(item: CTemporal) -> Schema:
    """The fields that the pattern wants; ranges are for the validator."""
    rules: list[Schema] = []
    if item.pattern is not None:
        rules.append({"pattern": _temporal_pattern(item.pattern, item.rm_type)})
    if item.rm_type != "DATE" and item.timezone_validity == TIMEZONE_PROHIBITED:
        rules.append({"not": {"pattern": _WITH_ZONE[item.rm_type]}})
    elif item.rm_type != "DATE" and item.timezone_validity == TIMEZONE_MANDATORY:
        rules.append({"pattern": _WITH_ZONE[item.rm_type]})
    return {"allOf": rules} if len(rules) > 1 else (rules[0] if rules else {})


_WITH_ZONE = {"DATE_TIME": f"T[0-9:.,]+{_ZONE}$", "TIME": f"^[0-9:.,]+{_ZONE}$"}


def _temporal_pattern(pattern: str, kind: str) -> str:
    day, _, time = pattern.strip().replace(" ", "T").partition("T")
    if kind == "TIME":
        day, time = "", time or day
    date_part = _fields(["[0-9]{4}", "-?[0-9]{2}", "-?[0-9]{2}"], day.split("-") if day else [])
    time_part = _fields(
        ["[0-9]{2}", ":?[0-9]{2}", ":?[0-9]{2}([.,][0-9]+)?"], time.split(":") if time else []
    )
    if kind == "DATE":
        return f"^{date_part}$"
    if kind == "TIME":
        return f"^{time_part}{_ZONE}?$"
    wants_time = time[:2].upper() not in ("", "??", "XX")
    has_no_time = time[:2].upper() == "XX"
    clock = "" if has_no_time else f"(T{time_part}{_ZONE}?)" + ("" if wants_time else "?")
    return f"^{date_part}{clock}$"


def _fields(shapes: list[str], wanted: list[str]) -> str:
    """Each field as the pattern wants it: a letter is mandatory, ``??`` optional, ``XX`` prohibited."""
    made = ""
    for shape, text in reversed(list(zip(shapes, [*wanted, *["??"] * 3], strict=False))):
        if text[:2].upper() == "XX":
            continue
        made = f"({shape}{made})" + ("?" if text[:2] == "??" else "")
    return made


def _duration(item: CDuration) -> Schema:
    """The fields that the pattern allows; ranges are for the validator."""
    if item.pattern is None:
        return {}
    day, _, time = item.pattern.upper().partition("T")
    fields = "".join(f"([0-9]+{c})?" for c in _DURATION_FIELDS if c in day.removeprefix("P"))
    clock = "".join(f"([0-9]+([.,][0-9]+)?{c})?" for c in "HMS" if c in time)
    return {"pattern": f"^-?P{fields}" + (f"(T{clock})?$" if clock else "$")}


_PRIMITIVES: Mapping[type[Primitive], Callable[..., Schema]] = MappingProxyType(
    {
        CBoolean: _boolean,
        CString: _string,
        CInteger: _number,
        CReal: _number,
        CTemporal: _temporal,
        CDuration: _duration,
    }
)
