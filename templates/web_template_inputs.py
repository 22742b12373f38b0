"""The ``inputs`` of web template nodes: what a form needs to ask for one data value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CReal,
    CString,
    CTemporal,
    TermDefinition,
)
from archetypes.intervals import Interval
from archetypes.rm.schema import base_name
from templates.narrowing import primitive
from templates.rubrics import openehr_rubrics

Json = dict[str, Any]

PROPORTION_KINDS = ("ratio", "unitary", "percent", "fraction", "integer_fraction")

_DURATION_FIELDS = (
    ("year", "Y"),
    ("month", "M"),
    ("day", "D"),
    ("week", "W"),
    ("hour", "TH"),
    ("minute", "TM"),
    ("second", "TS"),
)


class Labels:
    """Texts of codes, in the languages of one archetype root."""

    def __init__(self, root: CArchetypeRoot, language: str) -> None:
        self._root = root
        self._language = language

    def definition(self, terminology_id: str, code: str, language: str) -> TermDefinition | None:
        """A local term by its code; one from outside is kept as ``terminology::code`` or as the code."""
        terms = self._root.terms.get(language, {})
        return terms.get(f"{terminology_id}::{code}") or terms.get(code)

    def item(self, terminology_id: str, code: str) -> Json:
        """One entry of a code list."""
        if terminology_id == "openehr":
            return self._openehr_item(code)
        texts, descriptions = {}, {}
        for language in self._root.terms:
            definition = self.definition(terminology_id, code, language)
            if definition is not None:
                texts[language] = definition.text
                if terminology_id == "local":
                    descriptions[language] = definition.description
        item: Json = {"value": code, "label": texts.get(self._language, code)}
        if texts:
            item["localizedLabels"] = texts
        if descriptions:
            item["localizedDescriptions"] = descriptions
        bound = self.bindings(code) if terminology_id == "local" else {}
        return {**item, "termBindings": bound} if bound else item

    def bindings(self, code: str) -> Json:
        """The codes of other terminologies that a local code is bound to."""
        return {
            name: {"value": f"[{targets[code].rpartition('[')[2].rstrip(']')}]", "terminologyId": name}
            for name, targets in self._root.term_bindings.items()
            if code in targets
        }

    def unit(self, units: str) -> Json:
        """One entry of a list of units; archetypes may hold how people write them."""
        texts = {
            language: terms[units].text for language, terms in self._root.terms.items() if units in terms
        }
        return {"value": units, "label": units, **_with("localizedLabels", texts)}

    def _openehr_item(self, code: str) -> Json:
        texts = openehr_rubrics(code)
        item: Json = {"value": code, "label": texts.get(self._language) or texts.get("en") or code}
        if texts:
            item["localizedLabels"] = dict(texts)
        return item


def inputs_of(constraint: CObject, labels: Labels) -> list[Json]:
    """The inputs of a data value; empty for types that have none (intervals, CODE_PHRASE)."""
    make = _MAKERS.get(base_name(constraint.rm_type_name))
    return [] if make is None else make(constraint, labels)


def proportion_types(constraint: CObject) -> list[str]:
    """Which kinds of proportion are allowed."""
    kinds = primitive(constraint, "type")
    if isinstance(kinds, CInteger) and kinds.values:
        return [PROPORTION_KINDS[kind] for kind in kinds.values if kind < len(PROPORTION_KINDS)]
    return list(PROPORTION_KINDS)


# --- texts and codes ----------------------------------------------------------------------------


def _text(constraint: CObject, labels: Labels) -> list[Json]:
    there = primitive(constraint, "value")
    result: Json = {"type": "TEXT"}
    if isinstance(there, CString) and there.values:
        result["list"] = [{"value": text, "label": text} for text in there.values]
        result["listOpen"] = there.list_open
    elif isinstance(there, CString) and there.pattern:
        result["validation"] = {"pattern": there.pattern}
    return [result]


def _coded_text(constraint: CObject, labels: Labels) -> list[Json]:
    code = _code_constraint(constraint)
    if isinstance(code, CCodePhrase) and code.codes:
        terminology_id = code.terminology_id or "local"
        result: Json = {"suffix": "code", "type": "CODED_TEXT"}
        result["list"] = [labels.item(terminology_id, each) for each in code.codes]
        default = code.codes[0] if len(code.codes) == 1 else code.assumed_value
        if default is not None:
            result["defaultValue"] = default.rpartition("::")[2]
        if terminology_id != "local":
            result["terminology"] = terminology_id
        return [result]
    named = _outside(code)
    return [{"suffix": suffix, "type": "TEXT", **named} for suffix in ("code", "value")]


def _outside(code: CObject | None) -> Json:
    """The terminology or value set, where one is named."""
    if isinstance(code, CCodeReference):
        named = code.reference_set_uri.removeprefix("terminology:")
    else:
        named = code.terminology_id if isinstance(code, CCodePhrase) and code.terminology_id else ""
    return {"terminology": named} if named else {}


def _code_constraint(constraint: CObject) -> CObject | None:
    there = constraint.attribute("defining_code") if isinstance(constraint, CComplexObject) else None
    return there.children[0] if there and there.children else None


def _ordinal(constraint: CObject, labels: Labels) -> list[Json]:
    result: Json = {"type": "CODED_TEXT"}
    if isinstance(constraint, CDvOrdinal) and constraint.items:
        result["list"] = [
            {**labels.item(item.terminology_id, item.code), "ordinal": _whole(item.value)}
            for item in constraint.items
        ]
        assumed = constraint.assumed_value
        if assumed is not None:
            codes = [item.code for item in constraint.items if item.value == assumed]
            result["defaultValue"] = next(iter(codes), assumed)
    return [result]


# --- quantities ---------------------------------------------------------------------------------


def _quantity(constraint: CObject, labels: Labels) -> list[Json]:
    magnitude: Json = {"suffix": "magnitude", "type": "DECIMAL"}
    unit: Json = {"suffix": "unit", "type": "CODED_TEXT"}
    items = constraint.items if isinstance(constraint, CDvQuantity) else ()
    if items:
        unit["list"] = [
            {**labels.unit(item.units), **_with("validation", _validation(item.magnitude, item.precision))}
            for item in items
        ]
        if len(items) == 1:
            magnitude.update(_with("validation", _validation(items[0].magnitude, items[0].precision)))
    elif not isinstance(constraint, CDvQuantity):
        unit["type"] = "TEXT"
    if isinstance(constraint, CDvQuantity) and constraint.assumed_value is not None:
        magnitude["defaultValue"], unit["defaultValue"] = constraint.assumed_value
    return [magnitude, unit]


def _validation(magnitude: Interval[float] | None, precision: Interval[int] | None) -> Json:
    result: Json = {}
    if magnitude is not None:
        result.update(_with("range", _range(magnitude)))
    if precision is not None:
        result.update(_with("precision", _range(precision)))
    return result


def _count(constraint: CObject, labels: Labels) -> list[Json]:
    return [_number("INTEGER", primitive(constraint, "magnitude"))]


def _proportion(constraint: CObject, labels: Labels) -> list[Json]:
    whole = primitive(constraint, "is_integral")
    type_name = "INTEGER" if isinstance(whole, CBoolean) and not whole.false_valid else "DECIMAL"
    numerator, denominator = (
        {"suffix": suffix, **_number(type_name, primitive(constraint, suffix))}
        for suffix in ("numerator", "denominator")
    )
    kinds = proportion_types(constraint)
    if len(kinds) == 1 and kinds[0] in _DENOMINATORS and "validation" not in denominator:
        only = _DENOMINATORS[kinds[0]]
        denominator["validation"] = {"range": _range(Interval(only, only))}
    return [numerator, denominator]


# What the kind of a proportion makes of its denominator.
_DENOMINATORS = {"unitary": 1.0, "percent": 100.0}


def _number(type_name: str, item: object) -> Json:
    result: Json = {"type": type_name}
    if isinstance(item, CInteger | CReal):
        if item.range is not None:
            result.update(_with("validation", _with("range", _range(item.range))))
        elif item.values:
            result["list"] = [{"value": str(value), "label": str(value)} for value in item.values]
    return result


def _boolean(constraint: CObject, labels: Labels) -> list[Json]:
    there = primitive(constraint, "value")
    result: Json = {"type": "BOOLEAN"}
    if isinstance(there, CBoolean) and there.true_valid != there.false_valid:
        only = "true" if there.true_valid else "false"
        result["list"] = [{"value": only, "label": only}]
    return [result]


# --- times --------------------------------------------------------------------------------------


def _temporal(type_name: str) -> Callable[[CObject, Labels], list[Json]]:
    def make(constraint: CObject, labels: Labels) -> list[Json]:
        there = primitive(constraint, "value")
        result: Json = {"type": type_name}
        if isinstance(there, CTemporal):
            validation: Json = {}
            if there.pattern:
                validation["pattern"] = there.pattern
            if there.range is not None:
                validation.update(_with("range", _range(there.range)))
            result.update(_with("validation", validation))
        return [result]

    return make


def _duration(constraint: CObject, labels: Labels) -> list[Json]:
    """One whole number for each field; a limit that has one field is a limit of that field."""
    there = primitive(constraint, "value")
    pattern = there.pattern if isinstance(there, CDuration) else None
    limits: Interval[str] = (there.range if isinstance(there, CDuration) else None) or Interval()
    allowed = _duration_fields(pattern)
    return [
        {"suffix": suffix, "type": "INTEGER", "validation": {"range": _field_range(limits, field)}}
        for suffix, field in _DURATION_FIELDS
        if field in allowed
    ]


def _field_range(limits: Interval[str], field: str) -> Json:
    """At least 0; a limit that does not belong is shown as one that does, as elsewhere."""
    lower, upper = (_only_field(limit, field) for limit in (limits.lower, limits.upper))
    return _range(Interval(lower or 0, upper))


def _only_field(duration: str | None, field: str) -> int | None:
    """The number in a duration that has this field and no other."""
    time, letter = field[:-1], field[-1]
    match = re.fullmatch(rf"P{time}(\d+){letter}", duration or "")
    return int(match[1]) if match else None


def _duration_fields(pattern: str | None) -> frozenset[str]:
    date, _, time = (pattern or "PYMWDTHMS").upper().removeprefix("P").partition("T")
    return frozenset(date) | {f"T{letter}" for letter in time}


# --- default values -----------------------------------------------------------------------------


def set_defaults(inputs: Iterable[Json], value: Mapping[str, Any]) -> None:
    """The default value of a form (canonical data value), part by part, into the inputs."""
    code = value.get("defining_code") or (value.get("symbol") or {}).get("defining_code") or {}
    parts = {
        **{name: part for name, part in value.items() if not isinstance(part, Mapping)},
        "code": code.get("code_string"),
        "unit": value.get("units"),
    }
    only = code.get("code_string") or value.get("value", value.get("magnitude"))
    for each in inputs:
        part = parts.get(each["suffix"]) if "suffix" in each else only
        if part is not None:
            each["defaultValue"] = part


# --- the rest -----------------------------------------------------------------------------------


def _texts(*suffixes: str) -> Callable[[CObject, Labels], list[Json]]:
    def make(constraint: CObject, labels: Labels) -> list[Json]:
        return [{"suffix": suffix, "type": "TEXT"} for suffix in suffixes]

    return make


def _plain_text(constraint: CObject, labels: Labels) -> list[Json]:
    return [{"type": "TEXT"}]


def _range(limits: Interval[float] | Interval[int] | Interval[str]) -> Json:
    result: Json = {}
    if limits.lower is not None:
        result.update(minOp=">=" if limits.lower_included else ">", min=limits.lower)
    if limits.upper is not None:
        result.update(maxOp="<=" if limits.upper_included else "<", max=limits.upper)
    return result


def _with(name: str, value: Json) -> Json:
    return {name: value} if value else {}


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


_PARTY: Iterable[str] = ("id", "id_scheme", "id_namespace", "name")

_MAKERS: Mapping[str, Callable[[CObject, Labels], list[Json]]] = MappingProxyType(
    {
        "DV_TEXT": _text,
        "DV_CODED_TEXT": _coded_text,
        "DV_STATE": _coded_text,
        "DV_ORDINAL": _ordinal,
        "DV_SCALE": _ordinal,
        "DV_QUANTITY": _quantity,
        "DV_COUNT": _count,
        "DV_PROPORTION": _proportion,
        "DV_BOOLEAN": _boolean,
        "DV_DATE": _temporal("DATE"),
        "DV_TIME": _temporal("TIME"),
        "DV_DATE_TIME": _temporal("DATETIME"),
        "DV_DURATION": _duration,
        "DV_IDENTIFIER": _texts("id", "type", "issuer", "assigner"),
        "DV_PARSABLE": _texts("value", "formalism"),
        "DV_URI": _plain_text,
        "DV_EHR_URI": _plain_text,
        "DV_MULTIMEDIA": _plain_text,
        "STRING": _plain_text,
        "PARTY_PROXY": _texts(*_PARTY),
        "PARTY_IDENTIFIED": _texts(*_PARTY),
        "PARTY_RELATED": _texts(*_PARTY),
        "PARTY_SELF": _texts(*_PARTY),
    }
)
