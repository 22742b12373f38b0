"""The ``inputs`` of web template nodes: what a form needs to ask for one data value."""

from __future__ import annotations

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
from archetypes.terminology import terminology
from templates.narrowing import primitive

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
                if definition.description and terminology_id == "local":
                    descriptions[language] = definition.description
        item: Json = {"value": code, "label": texts.get(self._language, code)}
        if texts:
            item["localizedLabels"] = texts
        if descriptions:
            item["localizedDescriptions"] = descriptions
        return item

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


def openehr_rubrics(code: str) -> Mapping[str, str]:
    """The texts of an openEHR code by language; codes are unique over all groups."""
    groups = terminology().groups.values()
    return next((group[code] for group in groups if code in group), MappingProxyType({}))


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
        if len(there.values) == 1 and not there.list_open:
            result["defaultValue"] = there.values[0]
    elif isinstance(there, CString) and there.pattern:
        result["validation"] = {"pattern": there.pattern}
    return [result]


def _coded_text(constraint: CObject, labels: Labels) -> list[Json]:
    code = _code_constraint(constraint)
    if isinstance(code, CCodePhrase) and code.codes:
        terminology_id = code.terminology_id or "local"
        result: Json = {"suffix": "code", "type": "CODED_TEXT"}
        result["list"] = [labels.item(terminology_id, each) for each in code.codes]
        if len(code.codes) == 1:
            result["defaultValue"] = code.codes[0]
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
    else:
        unit["type"] = "TEXT"
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
    return [
        {"suffix": suffix, **_number(type_name, primitive(constraint, suffix))}
        for suffix in ("numerator", "denominator")
    ]


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
    """One whole number for each field; a range of durations is not one of its fields."""
    there = primitive(constraint, "value")
    pattern = there.pattern if isinstance(there, CDuration) else None
    allowed = _duration_fields(pattern)
    none_below_zero = {"validation": {"range": {"minOp": ">=", "min": 0}}}
    return [
        {"suffix": suffix, "type": "INTEGER", **none_below_zero}
        for suffix, field in _DURATION_FIELDS
        if field in allowed
    ]


def _duration_fields(pattern: str | None) -> frozenset[str]:
    date, _, time = (pattern or "PYMWDTHMS").upper().removeprefix("P").partition("T")
    return frozenset(date) | {f"T{letter}" for letter in time}


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
