"""Haemoglobin and iron stores."""

from __future__ import annotations

from collections.abc import Iterator

from templates.field_reading import FieldValue
from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

FIRST_HB, THIRD_HB, FERRITIN = "HK10.1", "HK10.2", "HK10.3"


def low_haemoglobin_first(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-HB-1T: anaemia in the first trimester."""
    return _low(contact, pregnancy, limits, 0, limits.days("until_week"))


def low_haemoglobin_second(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-HB-2T: anaemia in the second trimester."""
    return _low(contact, pregnancy, limits, limits.days("from_week"), limits.days("until_week"))


def low_haemoglobin_third(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-HB-3T: anaemia in the third trimester."""
    return _low(contact, pregnancy, limits, limits.days("from_week"), None)


def high_haemoglobin(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-HB-HIGH: consider haemoconcentration from the second trimester on."""
    for value, age in _measured(contact, pregnancy):
        above = limits.number("above")
        if age >= limits.days("from_week") and (value.number or 0) > above:
            yield Hit("haemoglobin_high", str(value.plain), f"<= {written(above)} g/dL", value)


def iron_40(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-FERR-40: 40 mg of iron a day; also where ferritin was not measured in time."""
    lower, upper = limits.number("from"), limits.number("to")
    for value in contact.all(FERRITIN):
        if lower <= (value.number or 0) <= upper:
            yield Hit("iron_40", str(value.plain), f"> {written(upper)} ug/L", value)
    age = pregnancy.age(contact)
    late = age is not None and age >= limits.days("missing_week")
    if contact.is_visit and age is not None and late and not pregnancy.has(FERRITIN):
        yield Hit("ferritin_missing", weeks(age), params={"week": written(limits.number("missing_week"))})


def iron_60(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-FERR-60: 60 mg of iron a day; below 12 ug/L from now on."""
    below, now = limits.number("below"), limits.number("start_below")
    for value in contact.all(FERRITIN):
        if value.number is not None and value.number < now:
            yield Hit("iron_60_now", str(value.plain), f">= {written(now)} ug/L", value)
        elif value.number is not None and value.number < below:
            yield Hit("iron_60", str(value.plain), f">= {written(below)} ug/L", value)


def _low(
    contact: Contact, pregnancy: Pregnancy, limits: Limits, first: int, end: int | None
) -> Iterator[Hit]:
    below = limits.number("below")
    for value, age in _measured(contact, pregnancy):
        in_time = first <= age and (end is None or age < end)
        if in_time and value.number is not None and value.number < below:
            expected = f">= {written(below)} g/dL"
            yield Hit("haemoglobin_low", str(value.plain), expected, value, {"age": weeks(age)})


def _measured(contact: Contact, pregnancy: Pregnancy) -> Iterator[tuple[FieldValue, int]]:
    """Each haemoglobin with the gestational age; without one there is no trimester to judge by."""
    age = pregnancy.age(contact)
    if age is None:
        return
    # A laboratory report has one place for both fields.
    values = {value.path: value for name in (FIRST_HB, THIRD_HB) for value in contact.all(name)}
    yield from ((value, age) for value in values.values())
