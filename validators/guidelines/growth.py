"""Symphysis-fundal height: measured at each visit, growing, inside the curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from templates.field_reading import FieldValue
from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

HEIGHT = "HK14.1"


def fundal_height(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-SF: measured at each visit from week 24; no growth over three weeks is looked into."""
    age = pregnancy.age(contact)
    if age is None or age < limits.days("from_week"):
        return
    if contact.is_visit and not contact.has(HEIGHT):
        yield Hit("fundal_height_missing", weeks(age))
    for value in contact.all(HEIGHT):
        stagnant = _stagnant_since(value, contact, pregnancy, limits)
        if stagnant is not None:
            yield Hit("fundal_height_stagnant", str(value.plain), at=value, params={"days": str(stagnant)})


def fundal_height_limits(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-SF-LIM: outside the curve; silent while no curve with source and population is loaded."""
    age, curve = pregnancy.age(contact), limits.curve()
    if age is None or not curve:
        return
    for value in contact.all(HEIGHT):
        band = _band(curve, age / 7)
        if band is not None and value.number is not None and not band[0] <= value.number <= band[1]:
            expected = f"{written(round(band[0], 1))}..{written(round(band[1], 1))} cm"
            population = {"population": limits.text("population"), "age": weeks(age)}
            yield Hit("fundal_height_deviates", str(value.plain), expected, value, population)


def _stagnant_since(value: FieldValue, contact: Contact, pregnancy: Pregnancy, limits: Limits) -> int | None:
    """Days since the earliest measurement, long enough ago, that was as high as this one."""
    if value.number is None:
        return None
    for earlier in pregnancy.contacts[:-1]:
        days = (contact.day - earlier.day).days
        if days < limits.number("stagnation_days"):
            return None
        if any(height >= value.number for height in earlier.numbers(HEIGHT)):
            return days
    return None


def _band(curve: Sequence[tuple[float, float, float]], week: float) -> tuple[float, float] | None:
    """The limits at a week, straight between the rows; None outside the curve."""
    rows = sorted(curve)
    for (w0, l0, h0), (w1, l1, h1) in pairwise(rows):
        if w0 <= week <= w1:
            share = (week - w0) / (w1 - w0)
            return l0 + share * (l1 - l0), h0 + share * (h1 - h0)
    return None
