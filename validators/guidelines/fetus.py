"""Heart rate, movements and lie of the fetus."""

from __future__ import annotations

from collections.abc import Iterator

from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

HEART_RATE, PRESENTATION, LIE, MOVEMENTS = "HK13.9", "HK13.10", "HK13.11", "HK13.13"
NO_MOVEMENTS = "at0011"


def heart_rate(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-FHR: the normal range."""
    low, high = limits.number("from"), limits.number("to")
    for value in contact.all(HEART_RATE):
        if value.number is not None and not low <= value.number <= high:
            yield Hit("fetal_heart_rate", str(value.plain), f"{written(low)}..{written(high)} 1/min", value)


def movements(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-FM: asked from week 24; a woman who feels less or none contacts the birth unit soon."""
    age = pregnancy.age(contact)
    if age is None or age < limits.days("from_week"):
        return
    if contact.is_visit and not contact.has(MOVEMENTS):
        yield Hit("movements_not_asked", weeks(age))
    for value in contact.all(MOVEMENTS):
        if value.code == NO_MOVEMENTS:
            yield Hit("movements_absent", value.text or "", at=value)


def lie(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-LIE-36: not cephalic from week 36: refer."""
    age = pregnancy.age(contact)
    if age is None or age < limits.days("from_week"):
        return
    for name, wrong in ((PRESENTATION, limits.texts("presentations")), (LIE, limits.texts("lies"))):
        for value in contact.all(name):
            if value.code in wrong:
                yield Hit("lie_not_cephalic", value.text or "", at=value, params={"age": weeks(age)})
                return
