"""Plain card values to data values of the reference model, as a node's constraint allows.

The plain forms, by the type that the constraint asks for:

    DV_TEXT         "tekst"; coded: {"code", "system", "display"}
    DV_CODED_TEXT   "at0024", the code of a listed terminology, or {"code", "system", "display"}
    DV_QUANTITY     {"magnitude": 112, "units": "mm[Hg]"} or "112 mm[Hg]"
    DV_PROPORTION   {"numerator", "denominator", "type"} or "80 %"
    DV_ORDINAL      "at0096", 3 (the value) or {"at": "at0096"}
    DV_COUNT 3, DV_BOOLEAN true, DV_IDENTIFIER "id" or {"id", "issuer", "assigner", "type"},
    DV_DATE, DV_TIME, DV_DATE_TIME, DV_DURATION   ISO 8601 text

A constraint with several types takes the first that fits, coded before plain text. What does not fit is
refused (:class:`Unfit`); nothing is rounded, converted or guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import (
    CAttribute,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from archetypes.patterns import matches
from archetypes.rm.iso8601 import duration_seconds, parse_duration, parse_temporal, temporal_key
from templates.rubrics import Rubrics

DataValue = dict[str, Any]

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")

_LARGEST = 1e15  # beyond it a float no longer tells one decimal; nothing on the card is near

PERCENT = 2  # PROPORTION_KIND of the reference model

# How systems are written in card data, and their ids in records (OIDs of the Norwegian code systems).
SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "nlk": "2.16.578.1.12.4.1.1.7280",
        "volven:3303": "2.16.578.1.12.4.1.1.3303",
        "volven:8340": "2.16.578.1.12.4.1.1.8340",
        "volven:9043": "2.16.578.1.12.4.1.1.9043",
        "icd-10": "ICD-10",
        "icpc-2": "ICPC-2",
        "atc": "ATC",
        "snomed": "SNOMED-CT",
    }
)


class Unfit(ValueError):
    """A value that a constraint does not allow; the text says why, without a place."""


def data_value(value: Any, element: CObject, rubrics: Rubrics) -> DataValue:
    """``value`` as a data value that ``element`` (an ELEMENT) allows; raises Unfit."""
    reasons = []
    for alternative in alternatives(element):
        convert = _CONVERTERS.get(alternative.rm_type_name, _unknown_type)
        try:
            return convert(value, alternative, rubrics)
        except Unfit as error:
            reasons.append(str(error))
    raise Unfit("; or ".join(dict.fromkeys(reasons)) or "the node has no value")


def alternatives(element: CObject) -> list[CObject]:
    """The data types that an ELEMENT allows, the more special first; DV_TEXT where all are allowed."""
    found = list(_under(element, "value"))
    if not found or found[0].rm_type_name == "DATA_VALUE":
        return [CComplexObject(rm_type_name="DV_TEXT")]
    return sorted(found, key=lambda child: child.rm_type_name == "DV_TEXT")


def _unknown_type(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    raise Unfit(f"{constraint.rm_type_name} cannot be made from card values")


def primitive(constraint: CObject, attribute: str) -> Primitive | None:
    """The primitive constraint on an attribute of a data value, or None."""
    return next((c.item for c in _under(constraint, attribute) if isinstance(c, CPrimitiveObject)), None)


def code_constraint(constraint: CObject) -> CCodePhrase | CCodeReference | None:
    """What limits the code of a DV_CODED_TEXT."""
    found = (c for c in _under(constraint, "defining_code") if isinstance(c, (CCodePhrase, CCodeReference)))
    return next(found, None)


def _under(constraint: CObject, attribute: str) -> tuple[CObject, ...]:
    found: CAttribute | None = (
        constraint.attribute(attribute) if isinstance(constraint, CComplexObject) else None
    )
    return found.children if found else ()


# --- texts ------------------------------------------------------------------------------------------


def text(value: str) -> DataValue:
    """A DV_TEXT."""
    return {"_type": "DV_TEXT", "value": value}


def coded(code: str, system: str, rubric: str) -> DataValue:
    """A DV_CODED_TEXT."""
    return {"_type": "DV_CODED_TEXT", "value": rubric, "defining_code": code_phrase(code, system)}


def code_phrase(code: str, system: str) -> DataValue:
    """A CODE_PHRASE."""
    terminology_id = {"_type": "TERMINOLOGY_ID", "value": system}
    return {"_type": "CODE_PHRASE", "terminology_id": terminology_id, "code_string": code}


def _text(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    allowed = primitive(constraint, "value")
    made = text(value) if isinstance(value, str) else _free_code(value, rubrics)
    if not made["value"]:
        raise Unfit("an empty text")
    if isinstance(allowed, CString) and not admits_text(allowed, made["value"]):
        raise Unfit(f"{made['value']!r} is not one of {_listed(allowed)}")
    return made


def admits_text(allowed: CString, value: str) -> bool:
    """True if the list or pattern lets ``value`` through."""
    if allowed.values:
        return allowed.list_open or value in allowed.values
    return allowed.pattern is None or matches(allowed.pattern, value)


def _listed(allowed: CString) -> str:
    return ", ".join(allowed.values) or f"/{allowed.pattern}/"


def _free_code(value: Any, rubrics: Rubrics) -> DataValue:
    """A coded text of any terminology; it must say all of it, as nobody else knows the rubric."""
    if not isinstance(value, Mapping) or not isinstance(value.get("code"), str):
        raise Unfit(f"{_shown(value)} is not a text")
    system = _system(value.get("system"))
    rubric = value.get("display") or rubrics.of(system, value["code"])
    if not isinstance(rubric, str) or not rubric or not value["code"]:
        raise Unfit(f"code {value['code']} of {system} needs a display text")
    return coded(value["code"], system, rubric)


def _system(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise Unfit("a code needs its system")
    return SYSTEMS.get(name.lower(), name)


def _coded_text(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    limit = code_constraint(constraint)
    given = value if isinstance(value, Mapping) else {"code": value}
    code = given.get("code", given.get("at"))
    terminology = limit.terminology_id if limit else None
    if not isinstance(code, str) or not code:
        raise Unfit(f"{_shown(value)} is not a code")
    system = _system(given.get("system") or ("local" if "at" in given else terminology))
    if terminology and system != terminology:
        raise Unfit(f"code of {system}, expected {terminology}")
    if isinstance(limit, CCodePhrase) and limit.codes and code not in limit.codes:
        raise Unfit(f"{code} is not one of {', '.join(limit.codes)}")
    rubric = rubrics.of(system, code) or given.get("display")
    if not isinstance(rubric, str) or not rubric:
        raise Unfit(f"code {code} of {system} needs a display text")
    return coded(code, system, rubric)


# --- numbers ----------------------------------------------------------------------------------------


def _quantity(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    magnitude, units = _magnitude(value)
    items = constraint.items if isinstance(constraint, CDvQuantity) else ()
    item = next((i for i in items if i.units == units), None)
    if items and item is None:
        raise Unfit(f"unit {units} is not one of {', '.join(i.units for i in items)}")
    if item is not None:
        _check_quantity(magnitude, item)
    return {"_type": "DV_QUANTITY", "magnitude": magnitude, "units": units}


def _check_quantity(magnitude: float, item: QuantityItem) -> None:
    if item.magnitude is not None and not item.magnitude.contains(magnitude):
        raise Unfit(f"{magnitude} {item.units} is outside {item.magnitude}")
    decimals = len(repr(float(magnitude)).partition(".")[2].rstrip("0"))
    if item.precision is not None and item.precision.upper is not None and decimals > item.precision.upper:
        raise Unfit(f"{magnitude} has more than {item.precision.upper} decimals")


def _magnitude(value: Any) -> tuple[float, str]:
    if isinstance(value, str):
        number, _, units = value.partition(" ")
        value = {"magnitude": _number(number), "units": units}
    if not isinstance(value, Mapping) or not isinstance(value.get("units"), str) or not value["units"]:
        raise Unfit(f"{_shown(value)} is not a quantity")
    return _numeric(value.get("magnitude")), value["units"]


def _number(written: str) -> float:
    if not _NUMBER.fullmatch(written):
        raise Unfit(f"{written!r} is not a number")
    return float(written) if "." in written else int(written)


def _numeric(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        raise Unfit(f"{_shown(value)} is not a number")
    return value


def _count(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit(f"{_shown(value)} is not a whole number")
    _check_number(value, primitive(constraint, "magnitude"))
    return {"_type": "DV_COUNT", "magnitude": value}


def _check_number(value: float, allowed: Primitive | None) -> None:
    if not isinstance(allowed, CInteger | CReal):
        return
    if allowed.values and value not in allowed.values:
        raise Unfit(f"{value} is not one of {', '.join(map(str, allowed.values))}")
    limits: Interval[Any] | None = allowed.range
    if limits is not None and not limits.contains(value):
        raise Unfit(f"{value} is outside {limits}")


def _ordinal(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    items = constraint.items if isinstance(constraint, CDvOrdinal) else ()
    wanted = value.get("at") if isinstance(value, Mapping) else value
    for item in items:
        if not isinstance(wanted, bool) and wanted in (item.code, item.value):
            return ordinal(item, rubrics, constraint.rm_type_name)
    raise Unfit(f"{_shown(wanted)} is not one of {', '.join(item.code for item in items)}")


def ordinal(item: OrdinalItem, rubrics: Rubrics, type_name: str = "DV_ORDINAL") -> DataValue:
    """A DV_ORDINAL (whole value) or DV_SCALE."""
    number = int(item.value) if type_name == "DV_ORDINAL" else item.value
    symbol = coded(item.code, item.terminology_id, rubrics.of(item.terminology_id, item.code) or item.code)
    return {"_type": type_name, "value": number, "symbol": symbol}


def _proportion(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    if isinstance(value, str) and value.endswith("%"):
        value = {"numerator": _number(value[:-1].strip()), "denominator": 100, "type": PERCENT}
    if not isinstance(value, Mapping):
        raise Unfit(f"{_shown(value)} is not a proportion")
    made = {name: _numeric(value.get(name)) for name in ("numerator", "denominator", "type")}
    if made["type"] == PERCENT and made["denominator"] != 100:
        raise Unfit("a percentage has the denominator 100")
    for name, number in made.items():
        _check_number(number, primitive(constraint, name))
    return {"_type": "DV_PROPORTION", **made}


# --- times, identifiers and the rest ----------------------------------------------------------------


def _temporal(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    kind = constraint.rm_type_name.removeprefix("DV_")
    if not isinstance(value, str) or parse_temporal(value, kind) is None:
        raise Unfit(f"{_shown(value)} is not a {kind.lower().replace('_', ' ')}")
    allowed = primitive(constraint, "value")
    if isinstance(allowed, CTemporal) and allowed.range is not None:
        _check_key(value, allowed.range, lambda written: temporal_key(written, kind))
    return {"_type": constraint.rm_type_name, "value": value}


def _duration(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    parts = parse_duration(value) if isinstance(value, str) else None
    if parts is None:
        raise Unfit(f"{_shown(value)} is not a duration")
    allowed = primitive(constraint, "value")
    if isinstance(allowed, CDuration):
        _check_fields(value, allowed.pattern)
        if allowed.range is not None:
            _check_key(value, allowed.range, duration_seconds)
    return {"_type": "DV_DURATION", "value": value}


def _check_fields(value: str, pattern: str | None) -> None:
    extra = set(_fields(value)) - set(_fields(pattern)) if pattern else set()
    if extra:
        raise Unfit(f"{value} has fields that {pattern} does not allow")


def _fields(duration: str) -> Iterator[str]:
    """The fields of a duration or of a duration pattern: Y, M, W, D, TH, TM, TS."""
    date, _, time = duration.upper().lstrip("-").removeprefix("P").partition("T")
    yield from (letter for letter in date if letter.isalpha())
    yield from (f"T{letter}" for letter in time if letter.isalpha())


def _check_key(value: str, limits: Interval[str], key: Callable[[str], float | None]) -> None:
    lower = key(limits.lower) if limits.lower is not None else None
    upper = key(limits.upper) if limits.upper is not None else None
    found = key(value)
    keys: Interval[float] = Interval(lower, upper, limits.lower_included, limits.upper_included)
    if found is not None and not keys.contains(found):
        raise Unfit(f"{value} is outside {limits}")


def _boolean(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    allowed = primitive(constraint, "value")
    if not isinstance(value, bool):
        raise Unfit(f"{_shown(value)} is not true or false")
    if isinstance(allowed, CBoolean) and not (allowed.true_valid if value else allowed.false_valid):
        raise Unfit(f"{_shown(value)} is not allowed here")
    return {"_type": "DV_BOOLEAN", "value": value}


def _identifier(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    given = {"id": value} if isinstance(value, str) else value
    parts = ("issuer", "assigner", "id", "type")
    if not isinstance(given, Mapping) or not given.get("id") or not set(given) <= set(parts):
        raise Unfit(f"{_shown(value)} is not an identifier")
    if not all(isinstance(part, str) for part in given.values()):
        raise Unfit(f"{_shown(value)} is not an identifier")
    for name in parts:
        allowed = primitive(constraint, name)
        if isinstance(allowed, CString) and name in given and not admits_text(allowed, given[name]):
            raise Unfit(f"{given[name]!r} is not one of {_listed(allowed)}")
    return {"_type": "DV_IDENTIFIER", **{name: given[name] for name in parts if given.get(name)}}


def _uri(value: Any, constraint: CObject, rubrics: Rubrics) -> DataValue:
    if not isinstance(value, str) or ":" not in value:
        raise Unfit(f"{_shown(value)} is not a URI")
    return {"_type": constraint.rm_type_name, "value": value}


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) < 60 else f"{repr(value)[:57]}..."


Converter = Callable[[Any, CObject, Rubrics], DataValue]

_CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {
        "DV_TEXT": _text,
        "DV_CODED_TEXT": _coded_text,
        "DV_QUANTITY": _quantity,
        "DV_COUNT": _count,
        "DV_ORDINAL": _ordinal,
        "DV_SCALE": _ordinal,
        "DV_PROPORTION": _proportion,
        "DV_DATE": _temporal,
        "DV_TIME": _temporal,
        "DV_DATE_TIME": _temporal,
        "DV_DURATION": _duration,
        "DV_BOOLEAN": _boolean,
        "DV_IDENTIFIER": _identifier,
        "DV_URI": _uri,
        "DV_EHR_URI": _uri,
    }
)
