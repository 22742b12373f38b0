"""Constraints on whole data values: quantities, ordinals and codes (openEHR profile of AOM 1.4)."""

from __future__ import annotations

from typing import Any

from archetypes.aom.constraints import (
    CCodePhrase,
    CCodeReference,
    CDvOrdinal,
    CDvQuantity,
    ConstraintRef,
    OrdinalItem,
    QuantityItem,
)
from archetypes.terminology import terminology
from validators.composition.check import Check
from validators.composition.data import code_of, number, part, text
from validators.composition.place import Place
from validators.composition.report import Report, shown

ANY_PRECISION = -1


def check_quantity(constraint: CDvQuantity, value: Any, place: Place, check: Check) -> None:
    """Unit, magnitude within the unit's range, number of decimals."""
    units = text(value, "units") if isinstance(value, dict) else None
    if units is None:
        return
    if not constraint.items:
        _check_property(constraint, units, place, check.report)
        return
    items = [item for item in constraint.items if item.units == units]
    if not items:
        expected = " | ".join(item.units for item in constraint.items)
        check.report.add("quantity.units", place, expected, units, below="/units")
    elif not any(_fits(item, value) for item in items):
        _report_quantity(items[0], value, place, check.report)


def _fits(item: QuantityItem, value: dict[str, Any]) -> bool:
    return _magnitude_fits(item, value) and _precision_fits(item, value)


def _magnitude_fits(item: QuantityItem, value: dict[str, Any]) -> bool:
    magnitude = number(value, "magnitude")
    return magnitude is None or item.magnitude is None or item.magnitude.contains(magnitude)


def _precision_fits(item: QuantityItem, value: dict[str, Any]) -> bool:
    precision = number(value, "precision")
    if precision is None or item.precision is None or item.precision.lower == ANY_PRECISION:
        return True
    return item.precision.contains(precision)  # type: ignore[arg-type]  # a whole number


def _report_quantity(item: QuantityItem, value: dict[str, Any], place: Place, report: Report) -> None:
    if not _magnitude_fits(item, value):
        expected, found = f"|{item.magnitude}| {item.units}", f"{shown(value['magnitude'])} {item.units}"
        report.add("quantity.magnitude", place, expected, found, below="/magnitude")
    if not _precision_fits(item, value):
        expected, found = f"|{item.precision}|", shown(value["precision"])
        report.add("quantity.precision", place, expected, found, below="/precision")


def _check_property(constraint: CDvQuantity, units: str, place: Place, report: Report) -> None:
    if constraint.property is None:
        return
    code = constraint.property.rpartition("::")[2].rstrip("]")
    known = terminology().units_of(code)
    if known and units not in known:
        expected = terminology().rubric("property", code) or constraint.property
        # No table of units is complete: a unit counts as wrong only if it is known as one of something else.
        is_of_another = units in terminology().units
        finding = "quantity.units" if is_of_another else "quantity.units_unknown"
        report.add(finding, place, expected, units, below="/units")


def check_ordinal(constraint: CDvOrdinal, value: Any, place: Place, check: Check) -> None:
    """Value and symbol must be a pair of the list."""
    found = number(value, "value") if isinstance(value, dict) else None
    if found is None or not constraint.items:
        return
    pairs = [item for item in constraint.items if item.value == found]
    if not pairs:
        expected = " | ".join(shown(item.value) for item in constraint.items)
        check.report.add("ordinal.value", place, expected, shown(found), below="/value")
        return
    terminology_id, code = code_of(part(value, "symbol", "defining_code"))
    if (
        code is not None
        and terminology_id is not None
        and not any(_same_code(item, terminology_id, code) for item in pairs)
    ):
        expected = " | ".join(f"{item.terminology_id}::{item.code}" for item in pairs)
        here = f"{terminology_id}::{code}"
        check.report.add("ordinal.symbol", place, expected, here, below="/symbol/defining_code/code_string")


def _same_code(item: OrdinalItem, terminology_id: str | None, code: str) -> bool:
    return item.code == code and is_same_terminology(item.terminology_id, terminology_id)


def check_code(constraint: CCodePhrase, value: Any, place: Place, check: Check) -> None:
    """Terminology, and the code if the template lists codes."""
    if not isinstance(value, dict):
        return
    terminology_id, code = code_of(value)
    if terminology_id is not None and not is_same_terminology(constraint.terminology_id, terminology_id):
        expected = constraint.terminology_id or ""
        check.report.add("code.terminology", place, expected, terminology_id, below="/terminology_id/value")
    elif code is not None and constraint.codes and code not in constraint.codes:
        check.report.add(
            "code.not_in_list", place, _described(constraint, place, check), code, below="/code_string"
        )


def _described(constraint: CCodePhrase, place: Place, check: Check) -> str:
    """The allowed codes with their texts, where the archetype has some."""
    root = place.root()
    terms = root.terms.get(check.language, {}) if root is not None else {}
    return " | ".join(f"{code} ({terms[code].text})" if code in terms else code for code in constraint.codes)


def is_same_terminology(expected: str | None, found: str | None) -> bool:
    """True if the ids agree; ``SNOMED-CT(2024)`` is an edition of ``SNOMED-CT``."""
    if not expected or expected == found:
        return True
    return found is not None and "(" not in expected and found.partition("(")[0] == expected


def check_code_reference(constraint: CCodeReference, value: Any, place: Place, check: Check) -> None:
    """A value set outside: without a terminology service only the terminology id can be judged."""
    if not isinstance(value, dict):
        return
    terminology_id, code = code_of(value)
    if terminology_id is not None and not is_same_terminology(constraint.terminology_id, terminology_id):
        expected = constraint.terminology_id or ""
        check.report.add("code.terminology", place, expected, terminology_id, below="/terminology_id/value")
    elif code is not None:
        check.report.add("code.not_checked", place, constraint.reference_set_uri, code, below="/code_string")


def check_constraint_reference(constraint: ConstraintRef, value: Any, place: Place, check: Check) -> None:
    """A value set that the template names and does not hold."""
    _, code = code_of(value) if isinstance(value, dict) else (None, None)
    if code is not None:
        check.report.add("code.not_checked", place, constraint.reference, code, below="/code_string")
