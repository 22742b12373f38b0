"""The data types in FLAT: which attribute is which suffix (simplified formats, RM mapping)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isclose
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import CCodePhrase, CDvOrdinal, CDvQuantity, CInteger, OrdinalItem
from templates.data_values import code_constraint, ordinal, primitive
from templates.simplified.codecs import (
    Codec,
    Hint,
    Json,
    Leaf,
    Part,
    Reading,
    Shape,
    register,
)
from templates.simplified.entries import Entry
from templates.simplified.intervals import IntervalCodec, ReferenceRangeCodec

_UNITARY, _PERCENT = 1, 2  # PROPORTION_KIND

_TERMINOLOGY = ("terminology_id", "value")
_NORMAL = Leaf(("normal_status",), ("normal_status", "code_string"), "STRING")
_STATUS = Leaf(("magnitude_status",), ("magnitude_status",), "STRING")
_ACCURACY = (
    Leaf(("accuracy",), ("accuracy",), "REAL"),
    Leaf(("accuracy_is_percent",), ("accuracy_is_percent",), "BOOLEAN"),
)
_NORMAL_TERMINOLOGY = (("normal_status", *_TERMINOLOGY), "openehr_normal_statuses")


def _ranges(type_name: str) -> tuple[Part, ...]:
    """What every DV_ORDERED may have besides its value."""
    return (
        Part("_normal_range", "normal_range", f"DV_INTERVAL<{type_name}>"),
        Part("_other_reference_ranges", "other_reference_ranges", f"REFERENCE_RANGE<{type_name}>", many=True),
    )


def _ordered(type_name: str, *leaves: Leaf, parts: tuple[Part, ...] = (), **more: Any) -> Shape:
    return Shape(
        type_name,
        leaves=(*leaves, _NORMAL),
        parts=(*parts, *_ranges(type_name)),
        fixed=(_NORMAL_TERMINOLOGY,),
        **more,
    )


# --- codes and texts ----------------------------------------------------------------------------

_TEXT_PARTS = (
    Part("_language", "language", "CODE_PHRASE", terminology="ISO_639-1"),
    Part("_encoding", "encoding", "CODE_PHRASE", terminology="IANA_character-sets"),
    Part("_hyperlink", "hyperlink", "DV_URI"),
    Part("_mapping", "mappings", "TERM_MAPPING", many=True),
)
_FORMATTING = Leaf(("formatting",), ("formatting",), "STRING")

PLAIN = Shape(
    "DV_TEXT",
    leaves=(Leaf(("", "value"), ("value",), "STRING"), _FORMATTING),
    parts=_TEXT_PARTS,
    required=("",),
)
OTHER = replace(PLAIN, leaves=(Leaf(("other",), ("value",), "STRING"), _FORMATTING), required=("other",))


def _complete_code_phrase(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    if "code_string" in made and "terminology_id" not in made and hint.terminology:
        made["terminology_id"] = {"_type": "TERMINOLOGY_ID", "value": hint.terminology}


def _complete_coded(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    """Terminology and text of a code, where the template or openEHR know them."""
    phrase = made.get("defining_code")
    if not isinstance(phrase, dict) or "code_string" not in phrase:
        return
    code = phrase["code_string"]
    if "terminology_id" not in phrase:
        known = hint.terminology or ("local" if code.startswith("at") else "")
        if known:
            phrase["terminology_id"] = {"_type": "TERMINOLOGY_ID", "value": known}
    if "value" not in made and "terminology_id" in phrase:
        rubric = hint.rubric(phrase["terminology_id"]["value"], code, reading.language)
        if rubric is None and (listed := _listed(hint)) and code not in listed:
            reading.refuse("flat.code.unknown", entry.key("code"), " ".join(listed), code)
            rubric = code
        if rubric is not None:
            made["value"] = rubric


def _listed(hint: Hint) -> tuple[str, ...]:
    """The codes that the template allows, if it lists them."""
    limit = code_constraint(hint.constraint) if hint.constraint is not None else None
    return limit.codes if isinstance(limit, CCodePhrase) else ()


CODED = Shape(
    "DV_CODED_TEXT",
    leaves=(
        Leaf(("code",), ("defining_code", "code_string"), "STRING"),
        Leaf(("value",), ("value",), "STRING"),
        Leaf(("terminology",), ("defining_code", *_TERMINOLOGY), "STRING"),
        Leaf(("preferred_term",), ("defining_code", "preferred_term"), "STRING"),
        _FORMATTING,
    ),
    parts=_TEXT_PARTS,
    required=("code", "value", "terminology"),
    complete=_complete_coded,
)


class TextCodec:
    """DV_TEXT and its subtype DV_CODED_TEXT, each where the other is expected too.

    A plain text where a code is expected has the suffix ``other``.
    """

    def __init__(self, type_name: str) -> None:
        self._coded = type_name == "DV_CODED_TEXT"

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        type_name = value.get("_type") if isinstance(value, dict) else None
        if type_name is None:
            type_name = "DV_CODED_TEXT" if isinstance(value, dict) and "defining_code" in value else "DV_TEXT"
        if type_name == "DV_CODED_TEXT":
            CODED.write(value, at, out)
        else:
            (OTHER if self._coded else PLAIN).write(value, at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        if entry.has("code", "terminology", "preferred_term"):
            return CODED.read(entry, reading, hint)
        if not self._coded:
            entry.suffixes.update(("code", "terminology", "preferred_term"))
            return PLAIN.read(entry, reading, hint)
        if entry.has("other"):
            return OTHER.read(entry, reading, hint)
        self._bare_code(entry, hint)
        entry.suffixes.add("other")
        return CODED.read(entry, reading, hint)

    def _bare_code(self, entry: Entry, hint: Hint) -> None:
        """A bare value that is a code of the template is read as ``|code``."""
        entry.suffixes.add("")
        bare = entry.values.get("")
        if isinstance(bare, str) and hint.terminology and hint.rubric(hint.terminology, bare, "en"):
            entry.values["code"] = entry.values.pop("")


# --- ordinals, quantities -----------------------------------------------------------------------


def _complete_ordinal(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    """Value and symbol belong together in the template: one of them is enough."""
    constraint = hint.constraint
    items = constraint.items if isinstance(constraint, CDvOrdinal) else ()
    code = made.get("symbol", {}).get("defining_code", {}).get("code_string")
    found = next((item for item in items if _is_meant(item, code, made.get("value"))), None)
    if found is not None and constraint is not None and hint.rubrics is not None:
        listed: Json = ordinal(found, hint.rubrics, constraint.rm_type_name)
        made.setdefault("value", listed["value"])
        symbol = made.setdefault("symbol", dict(listed["symbol"]))
        symbol.setdefault("value", listed["symbol"]["value"])
        phrase = symbol.setdefault("defining_code", dict(listed["symbol"]["defining_code"]))
        phrase.setdefault("terminology_id", listed["symbol"]["defining_code"]["terminology_id"])
    elif code is not None:
        made["symbol"]["defining_code"].setdefault(
            "terminology_id", {"_type": "TERMINOLOGY_ID", "value": "local"}
        )


def _is_meant(item: OrdinalItem, code: str | None, value: float | None) -> bool:
    if code is not None:
        return item.code == code
    return value is not None and item.value == value


def _ordinal(kind: str) -> Callable[[str], Shape]:
    def make(type_name: str) -> Shape:
        symbol = ("symbol", "defining_code")
        return _ordered(
            type_name,
            Leaf(("code",), (*symbol, "code_string"), "STRING"),
            Leaf(("value",), ("symbol", "value"), "STRING"),
            Leaf(("ordinal",), ("value",), kind),
            Leaf(("terminology",), (*symbol, *_TERMINOLOGY), "STRING", unless="local"),
            Leaf(("preferred_term",), (*symbol, "preferred_term"), "STRING"),
            required=("code", "value", "ordinal"),
            complete=_complete_ordinal,
        )

    return make


def _complete_quantity(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    """The unit, if the template allows only one."""
    items = hint.constraint.items if isinstance(hint.constraint, CDvQuantity) else ()
    units = {item.units for item in items}
    if "units" not in made and len(units) == 1:
        made["units"] = units.pop()


def _quantity(type_name: str) -> Shape:
    return _ordered(
        type_name,
        Leaf(("magnitude",), ("magnitude",), "REAL"),
        Leaf(("unit", "units"), ("units",), "STRING"),
        Leaf(("precision",), ("precision",), "INTEGER"),
        Leaf(("units_system", "unit_system"), ("units_system",), "STRING"),
        Leaf(("units_display_name", "unit_display_name"), ("units_display_name",), "STRING"),
        _STATUS,
        *_ACCURACY,
        required=("magnitude", "unit"),
        complete=_complete_quantity,
    )


def _count(type_name: str) -> Shape:
    magnitude = Leaf(("", "magnitude"), ("magnitude",), "INTEGER")
    return _ordered(type_name, magnitude, _STATUS, *_ACCURACY, required=("",))


def _complete_proportion(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    """Type and denominator where they follow; a bare value is the quotient, which is only checked."""
    if "type" not in made:
        made["type"] = _only_proportion(hint)
    if "denominator" not in made and made["type"] in (_UNITARY, _PERCENT):
        made["denominator"] = 1.0 if made["type"] == _UNITARY else 100.0
    quotient = reading.scalar("REAL", entry, "")
    if quotient is None:
        return
    numerator, denominator = made.get("numerator"), made.get("denominator")
    if numerator is None or not denominator or not isclose(numerator / denominator, quotient, rel_tol=1e-6):
        reading.refuse("flat.contradiction", entry.path, f"{numerator}/{denominator}", quotient)


def _only_proportion(hint: Hint) -> int:
    kinds = primitive(hint.constraint, "type") if hint.constraint is not None else None
    if isinstance(kinds, CInteger) and len(kinds.values) == 1:
        return kinds.values[0]
    return 0


def _write_quotient(value: Json, at: str, out: Json) -> None:
    numerator, denominator = value.get("numerator"), value.get("denominator")
    if isinstance(numerator, int | float) and isinstance(denominator, int | float) and denominator:
        out[at] = numerator / denominator


def _proportion(type_name: str) -> Shape:
    return _ordered(
        type_name,
        Leaf(("numerator",), ("numerator",), "REAL"),
        Leaf(("denominator",), ("denominator",), "REAL"),
        Leaf(("type",), ("type",), "INTEGER"),
        Leaf(("precision",), ("precision",), "INTEGER"),
        _STATUS,
        *_ACCURACY,
        required=("numerator", "denominator"),
        complete=_complete_proportion,
        also_write=_write_quotient,
    )


# --- times --------------------------------------------------------------------------------------


def _temporal(kind: str) -> Callable[[str], Shape]:
    def make(type_name: str) -> Shape:
        accuracy = Part("_accuracy", "accuracy", "DV_DURATION")
        value = Leaf(("",), ("value",), kind)
        return _ordered(type_name, value, _STATUS, parts=(accuracy,), required=("",))

    return make


_DURATION_FIELDS: Mapping[str, str] = MappingProxyType(
    {"year": "Y", "month": "M", "week": "W", "day": "D", "hour": "H", "minute": "M", "second": "S"}
)


class DurationCodec:
    """DV_DURATION: one ISO 8601 text; forms also send one whole number for each field."""

    def __init__(self, type_name: str) -> None:
        value = Leaf(("", "value"), ("value",), "DURATION")
        self._shape = _ordered(type_name, value, _STATUS, *_ACCURACY, required=("",))

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        self._shape.write(value, at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        entry.suffixes.update(_DURATION_FIELDS)
        for name in _DURATION_FIELDS.keys() & entry.below.keys():
            # Forms nest the fields, as if each were a node.
            for below in entry.take_all(name):
                entry.values[name] = below.take("")
        if entry.has(*_DURATION_FIELDS) and not entry.has("", "value"):
            date, time = (
                self._fields(entry, reading, names)
                for names in (("year", "month", "week", "day"), ("hour", "minute", "second"))
            )
            entry.values[""] = f"P{date}T{time}" if time else f"P{date or 'T0S'}"
        return self._shape.read(entry, reading, hint)

    def _fields(self, entry: Entry, reading: Reading, names: tuple[str, ...]) -> str:
        numbers = ((name, reading.scalar("INTEGER", entry, name)) for name in names)
        return "".join(f"{number}{_DURATION_FIELDS[name]}" for name, number in numbers if number)


# --- the rest -----------------------------------------------------------------------------------


def _bare(kind: str, attribute: str = "value") -> Callable[[str], Shape]:
    """A type with one attribute, which is the bare value."""

    def make(type_name: str) -> Shape:
        return Shape(type_name, leaves=(Leaf(("", "value"), (attribute,), kind),), required=("",))

    return make


class PrimitiveCodec:
    """An attribute that is no object: a text of its own."""

    def __init__(self, type_name: str) -> None:
        self._kind = type_name

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        Leaf(("",), (at,), self._kind).write(value, at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Any:
        """See Codec."""
        return reading.scalar(self._kind, entry, "")


def _shape(**facts: Any) -> Callable[[str], Shape]:
    return lambda type_name: Shape(type_name, **facts)


def _texts(*names: str) -> tuple[Leaf, ...]:
    return tuple(Leaf((name,), (name,), "STRING") for name in names)


_CODE_PHRASE = _shape(
    leaves=(
        Leaf(("code", ""), ("code_string",), "STRING"),
        Leaf(("terminology",), _TERMINOLOGY, "STRING"),
        Leaf(("preferred_term",), ("preferred_term",), "STRING"),
    ),
    required=("code", "terminology"),
    complete=_complete_code_phrase,
)
_TERM_MAPPING = _shape(
    leaves=(Leaf(("match",), ("match",), "STRING"),),
    parts=(
        Part("target", "target", "CODE_PHRASE"),
        Part("purpose", "purpose", "DV_CODED_TEXT", terminology="openehr"),
    ),
    required=("match",),
)
_IDENTIFIER = _shape(
    leaves=(Leaf(("id", ""), ("id",), "STRING"), *_texts("type", "issuer", "assigner")), required=("id",)
)
_ENCAPSULATED = (
    Part("_charset", "charset", "CODE_PHRASE", terminology="IANA_character-sets"),
    Part("_language", "language", "CODE_PHRASE", terminology="ISO_639-1"),
)


def _complete_parsable(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    if hint.terminology:  # for a DV_PARSABLE the hint names the usual formalism
        made.setdefault("formalism", hint.terminology)


_PARSABLE = _shape(
    leaves=(Leaf(("", "value"), ("value",), "STRING"), *_texts("formalism")),
    parts=_ENCAPSULATED,
    required=("", "formalism"),
    complete=_complete_parsable,
)
_MULTIMEDIA = _shape(
    leaves=(
        Leaf(("", "url", "uri"), ("uri", "value"), "STRING"),
        Leaf(("mediatype", "media_type"), ("media_type", "code_string"), "STRING"),
        Leaf(("size",), ("size",), "INTEGER"),
        Leaf(("alternatetext", "alternate_text"), ("alternate_text",), "STRING"),
        Leaf(("compression_algorithm",), ("compression_algorithm", "code_string"), "STRING"),
        Leaf(("integrity_check",), ("integrity_check",), "STRING"),
        Leaf(("integrity_check_algorithm",), ("integrity_check_algorithm", "code_string"), "STRING"),
        Leaf(("data",), ("data",), "STRING"),
    ),
    parts=(Part("_thumbnail", "thumbnail", "DV_MULTIMEDIA"), *_ENCAPSULATED),
    fixed=(
        (("media_type", *_TERMINOLOGY), "IANA_media-types"),
        (("compression_algorithm", *_TERMINOLOGY), "openehr_compression_algorithms"),
        (("integrity_check_algorithm", *_TERMINOLOGY), "openehr_integrity_check_algorithms"),
    ),
    required=("mediatype",),
)
_STATE = _shape(
    leaves=(
        Leaf(("code",), ("value", "defining_code", "code_string"), "STRING"),
        Leaf(("value",), ("value", "value"), "STRING"),
        Leaf(("terminology",), ("value", "defining_code", *_TERMINOLOGY), "STRING"),
        Leaf(("is_terminal",), ("is_terminal",), "BOOLEAN"),
    ),
    required=("code", "value", "terminology", "is_terminal"),
)

_MAKERS: Mapping[str, Callable[[str], Codec]] = {
    "DV_TEXT": TextCodec,
    "DV_CODED_TEXT": TextCodec,
    "CODE_PHRASE": _CODE_PHRASE,
    "TERM_MAPPING": _TERM_MAPPING,
    "DV_STATE": _STATE,
    "DV_ORDINAL": _ordinal("INTEGER"),
    "DV_SCALE": _ordinal("REAL"),
    "DV_QUANTITY": _quantity,
    "DV_COUNT": _count,
    "DV_PROPORTION": _proportion,
    "DV_DATE": _temporal("DATE"),
    "DV_TIME": _temporal("TIME"),
    "DV_DATE_TIME": _temporal("DATE_TIME"),
    "DV_DURATION": DurationCodec,
    "DV_INTERVAL": IntervalCodec,
    "REFERENCE_RANGE": ReferenceRangeCodec,
    "DV_BOOLEAN": _bare("BOOLEAN"),
    "DV_URI": _bare("STRING"),
    "DV_EHR_URI": _bare("STRING"),
    "DV_IDENTIFIER": _IDENTIFIER,
    "DV_PARSABLE": _PARSABLE,
    "DV_MULTIMEDIA": _MULTIMEDIA,
    "STRING": PrimitiveCodec,
    "INTEGER": PrimitiveCodec,
}
for _name, _make in _MAKERS.items():
    register(_name, _make)
